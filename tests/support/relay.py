"""A wire that can be cut: passes bytes on between a port of its own and a server.

`cut` closes what is connected and refuses what comes; `freeze` leaves it connected and dead, as a router does
that has forgotten a connection. `restore` passes on again, and closes what was frozen.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Relay:
    host: str
    port: int
    own_port: int = 0
    is_frozen: bool = False
    passed: int = 0
    _server: asyncio.Server | None = None
    _links: set["_Link"] = field(default_factory=set)

    async def restore(self) -> None:
        self.is_frozen = False
        for link in list(self._links):
            if link.is_frozen:
                link.close()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.own_port)
            self.own_port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self._links):
            link.close()

    def freeze(self) -> None:
        self.is_frozen = True
        for link in self._links:
            link.is_frozen = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link([writer], is_frozen=self.is_frozen)
        self._links.add(link)
        try:
            their_reader, their_writer = await asyncio.open_connection(self.host, self.port)
            link.writers.append(their_writer)
            await asyncio.gather(
                self._pass_on(link, reader, their_writer), self._pass_on(link, their_reader, writer)
            )
        except OSError:
            pass  # a cut: either side may go first
        finally:
            link.close()
            self._links.discard(link)

    async def _pass_on(
        self, link: "_Link", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while part := await reader.read(65536):
            if not link.is_frozen:
                self.passed += len(part)
                writer.write(part)
                await writer.drain()
        link.close()


@dataclass(eq=False)
class _Link:
    writers: list[asyncio.StreamWriter]
    is_frozen: bool

    def close(self) -> None:
        for writer in self.writers:
            with contextlib.suppress(OSError, RuntimeError):
                writer.transport.abort()


@asynccontextmanager
async def relayed(host: str, port: int) -> AsyncIterator[Relay]:
    relay = Relay(host, port)
    await relay.restore()
    try:
        yield relay
    finally:
        await relay.cut()
