"""An outgoing WebSocket: messages wait in a bounded queue, one task writes them, faults may hold them back."""

import asyncio
from collections.abc import Callable

from aiohttp import WSCloseCode, web

MAX_WAITING = 20_000


class Outlet:
    """One connected client. `account` is None on public streams."""

    def __init__(self, socket: web.WebSocketResponse, request: web.BaseRequest, account: str | None) -> None:
        self.socket = socket
        self._request = request
        self.account = account
        self.path = request.path
        self.streams: set[str] = set()
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self._writer = asyncio.create_task(self._write())

    def send(self, text: str) -> None:
        """Queue a message; a client that does not read is cut off, as a venue would do."""
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            self.cut()

    async def _write(self) -> None:
        while True:
            text = await self._waiting.get()
            try:
                await self.socket.send_str(text)
            except ConnectionError:
                return

    def cut(self) -> None:
        """Drop the TCP connection without a closing handshake."""
        self._writer.cancel()
        if self._request.transport is not None:
            self._request.transport.abort()

    def freeze(self) -> None:
        """Leave the TCP connection open and dead: nothing is read or written any more, no ping is answered."""
        self._writer.cancel()
        if self._request.transport is not None:
            self._request.transport.pause_reading()

    async def close(self) -> None:
        self._writer.cancel()
        await self.socket.close(code=WSCloseCode.GOING_AWAY)

    def release(self) -> None:
        self._writer.cancel()


OnText = Callable[[Outlet, str], None]


async def serve(
    request: web.BaseRequest, account: str | None, on_open: Callable[[Outlet], None], on_text: OnText
) -> tuple[web.WebSocketResponse, Outlet]:
    """Upgrade a request and pass what the client says on, until it leaves."""
    socket = web.WebSocketResponse(autoping=True, compress=False)
    await socket.prepare(request)
    outlet = Outlet(socket, request, account)
    on_open(outlet)
    try:
        async for message in socket:
            if message.type is web.WSMsgType.TEXT:
                on_text(outlet, message.data)
    finally:
        outlet.release()
    return socket, outlet
