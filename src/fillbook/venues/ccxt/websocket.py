"""A WebSocket that stays: connect, subscribe, read, renew, and after every loss begin again with back-off.

`CONNECTED` is said only once the venue has acknowledged the subscription, `DISCONNECTED` on every loss. An
event that cannot be kept or understood is a loss too, because the backfill after it is what makes it good;
nothing is ever dropped in silence. A dead peer is noticed within 1.5 heartbeats: by WebSocket pings, or by the
venue's own where it has such.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import aiohttp
import orjson

from fillbook.kernel.clock import Clock
from fillbook.market.errors import CredentialsRefused, ReadFailed
from fillbook.orders.core.reports import StreamChange, StreamState
from fillbook.venues.ccxt.limits import ConnectionPace

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)
E_contra = TypeVar("E_contra", contravariant=True)

HEARTBEAT_S = 15.0
HANDSHAKE_S = 10.0
GOODBYE_S = 2.0
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
STEADY_AFTER_S = 60.0
QUEUE_SIZE = 10_000
PONG = "pong"
"""The answer to a ping where it is not JSON."""


class StreamLost(Exception):
    """The connection is of no more use; `reason` is fit to be shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Dialogue(Protocol[E_co]):
    """What one venue says on one stream. `name` tells streams apart in the reasons.

    `ping` is the venue's own ping, to be sent every `HEARTBEAT_S`; None: WebSocket pings do.
    """

    name: str
    ping: str | None

    @property
    def renew_every_s(self) -> float | None:
        """How often to renew the subscription; None: never."""

    async def address(self) -> str:
        """Where to connect now. Raises `ReadFailed` when the venue will not say."""

    def greeting(self) -> str | None:
        """What to send first; None: connecting subscribes."""

    def acknowledges(self, message: Any) -> bool | str:
        """Whether this message accepts the subscription; a text is what to send next (after a login, say).

        Raises `StreamLost` for a refusal.
        """

    async def events(self, message: Any) -> Sequence[E_co]:
        """The events in a message. Raises `StreamLost` when the venue ends the stream or cannot be understood."""

    async def renew(self) -> None:
        """Keep the subscription alive. Raises `StreamLost` when it is dead."""


class Outbox(Protocol[E_contra]):
    """Where a socket puts its events."""

    def offer(self, event: E_contra) -> None:
        """Keep an event; raises `asyncio.QueueFull` when there is no room."""

    async def announce(self, change: StreamChange) -> None:
        """Keep a change of state, waiting for room."""


class LiveSocket(Generic[E]):
    def __init__(
        self,
        dialogue: Dialogue[E],
        outbox: Outbox[E],
        session: Callable[[], aiohttp.ClientSession],
        clock: Clock,
        rng: random.Random,
        pace: ConnectionPace,
        proxy: str | None = None,
    ) -> None:
        self._dialogue = dialogue
        self._outbox = outbox
        self._session = session
        self._clock = clock
        self._rng = rng
        self._pace = pace
        self._proxy = proxy

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            began_s = self._clock.elapsed_s()
            reason = await self._connection()
            await self._outbox.announce(
                StreamChange(
                    StreamState.DISCONNECTED, f"{self._dialogue.name}: {reason}", self._dialogue.name
                )
            )
            steady = self._clock.elapsed_s() - began_s >= STEADY_AFTER_S
            failures = 0 if steady else failures + 1
            await self._clock.sleep(self._backoff_s(failures))

    def _backoff_s(self, failures: int) -> float:
        """Doubling, bounded, half of it random, so that a hundred accounts do not come back at once."""
        ceiling: float = min(FIRST_BACKOFF_S * 2 ** min(failures, 10), LONGEST_BACKOFF_S)
        return ceiling * (0.5 + self._rng.random() / 2)

    async def _connection(self) -> str:
        """One connection's life; returns why it ended."""
        await self._pace.wait()
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                address = await self._dialogue.address()
                socket = await self._session().ws_connect(
                    address,
                    heartbeat=HEARTBEAT_S if self._dialogue.ping is None else None,
                    timeout=aiohttp.ClientWSTimeout(ws_close=GOODBYE_S),
                    proxy=self._proxy,
                    max_msg_size=16 * 2**20,
                )
        except CredentialsRefused as error:
            return f"credentials refused: {error.detail}"
        except ReadFailed as error:
            return error.detail
        except TimeoutError:
            return "connecting took too long"
        except aiohttp.WSServerHandshakeError as error:
            return f"refused with HTTP {error.status}"
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            return f"cannot connect ({type(error).__name__})"
        try:
            await self._subscribe(socket)
            await self._outbox.announce(
                StreamChange(StreamState.CONNECTED, self._dialogue.name, self._dialogue.name)
            )
            await self._read_and_renew(socket)
        except StreamLost as lost:
            return lost.reason
        except asyncio.QueueFull:
            return "events came faster than they were taken"
        finally:
            await socket.close()
        return "closed"

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        greeting = self._dialogue.greeting()
        if greeting is None:
            return
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await socket.send_str(greeting)
                while True:
                    message = await _next_message(socket)
                    accepted = message is not None and self._dialogue.acknowledges(message)
                    if accepted is True:
                        return
                    if isinstance(accepted, str):
                        await socket.send_str(accepted)
        except TimeoutError:
            raise StreamLost("the subscription was not acknowledged") from None
        except (aiohttp.ClientError, OSError) as error:
            raise StreamLost(f"cannot subscribe ({type(error).__name__})") from None

    async def _read_and_renew(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        reading = asyncio.create_task(self._read(socket))
        jobs = {reading}
        if self._dialogue.renew_every_s is not None:
            jobs.add(asyncio.create_task(self._renew(self._dialogue.renew_every_s)))
        if self._dialogue.ping is not None:
            jobs.add(asyncio.create_task(self._send_pings(socket, self._dialogue.ping)))
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
        for job in done:
            job.result()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Until the end. Where we ping ourselves, a silence of one and a half pings is the end."""
        patience_s = None if self._dialogue.ping is None else 1.5 * HEARTBEAT_S
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    message = await _next_message(socket)
            except TimeoutError:
                raise StreamLost("no answer to pings") from None
            if message is not None:
                for event in await self._dialogue.events(message):
                    self._outbox.offer(event)

    async def _send_pings(self, socket: aiohttp.ClientWebSocketResponse, ping: str) -> None:
        while True:
            try:
                await socket.send_str(ping)
            except (aiohttp.ClientError, OSError) as error:
                raise StreamLost(f"cannot ping ({type(error).__name__})") from None
            await self._clock.sleep(HEARTBEAT_S)

    async def _renew(self, every_s: float) -> None:
        while True:
            await self._clock.sleep(every_s)
            await self._dialogue.renew()


async def _next_message(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next decoded text message; None for a bare pong. Raises `StreamLost` at the end of the connection."""
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.TEXT:
        if message.data == PONG:
            return None
        try:
            return orjson.loads(message.data)
        except orjson.JSONDecodeError:
            raise StreamLost("a message is not JSON") from None
    if message.type is aiohttp.WSMsgType.ERROR:
        raise StreamLost(f"broken ({type(socket.exception()).__name__})")
    raise StreamLost(f"closed with code {socket.close_code}")


class EventQueue(Generic[E]):
    """A bounded outbox: full means that the reader is too slow, and the socket makes that a loss."""

    def __init__(self, size: int = QUEUE_SIZE) -> None:
        self._queue: asyncio.Queue[E | StreamChange] = asyncio.Queue(size)

    def offer(self, event: E) -> None:
        self._queue.put_nowait(event)

    async def announce(self, change: StreamChange) -> None:
        await self._queue.put(change)

    def take_nowait(self) -> E | StreamChange | None:
        return None if self._queue.empty() else self._queue.get_nowait()

    async def take(self) -> E | StreamChange:
        return await self._queue.get()


class Source(Protocol[E_co]):
    def take_nowait(self) -> E_co | None: ...

    async def take(self) -> E_co: ...


async def merged(sockets: Sequence[LiveSocket[Any]], source: Source[E]) -> AsyncGenerator[E, None]:
    """Events of several sockets as one iterator; closing it closes the sockets.

    An error that no socket expects ends the iterator by raising it.
    """
    running = [asyncio.create_task(socket.run()) for socket in sockets]
    try:
        while True:
            event = source.take_nowait()
            if event is None:
                taking = asyncio.ensure_future(source.take())
                try:
                    await asyncio.wait([taking, *running], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not taking.done():
                        taking.cancel()
                for task in running:
                    if task.done():
                        task.result()
                event = await taking
            yield event
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
