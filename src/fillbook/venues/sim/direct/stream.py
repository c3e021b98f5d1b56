"""An account's private stream: connections that may break, fall silent, or lose, repeat and reorder messages."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from fillbook.market.core import MarketType
from fillbook.orders.core.reports import FillReport, StreamChange, StreamEvent, StreamState
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.vocabulary import Event, OrderEvent, WalletEvent
from fillbook.venues.sim.direct.line import Later
from fillbook.venues.sim.direct.reports import market_of, stream_events
from fillbook.venues.sim.faults import Faults

RECONNECT_S: Final = 0.5


class Connection:
    """One open stream. What is on its way when it breaks is lost; messages keep their order."""

    def __init__(self, market_types: Iterable[MarketType], feeds: Iterable[str]) -> None:
        self.market_types = tuple(market_types)
        self.feeds = tuple(feeds) or tuple(kind.value for kind in self.market_types)
        self.is_up = False
        self.epoch = 0
        self.last_arrival_ms = 0
        self._events: deque[StreamEvent] = deque()
        self._rung = asyncio.Event()

    def push(self, event: StreamEvent) -> None:
        self._events.append(event)
        self._rung.set()

    def change(self, state: StreamState, reason: str = "") -> None:
        for feed in self.feeds:
            said = feed if not reason else f"{feed}: {reason}"
            self.push(StreamChange(state, said, feed))

    def refuse(self, reason: str) -> None:
        """The venue does not let this key listen."""
        self.change(StreamState.DISCONNECTED, reason)

    async def events(self) -> AsyncIterator[StreamEvent]:
        while True:
            while self._events:
                yield self._events.popleft()
            self._rung.clear()
            await self._rung.wait()


class Streams:
    """All private streams of one exchange."""

    def __init__(
        self, exchange: Exchange, faults: Faults, later: Later, latency_s: Callable[[], float]
    ) -> None:
        self._exchange = exchange
        self._faults = faults
        self._later = later
        self._latency_s = latency_s
        self._connections: dict[str, list[Connection]] = {}
        self._silent_until_ms: dict[str, int] = {}
        exchange.subscribe(self._hear)

    def connect(self, api_key: str, connection: Connection) -> None:
        self._connections.setdefault(api_key, []).append(connection)
        self._come_up(connection, self._latency_s())

    def drop(self, api_key: str, connection: Connection) -> None:
        connection.is_up = False
        known = self._connections.get(api_key, [])
        if connection in known:
            known.remove(connection)

    def drop_all(self) -> None:
        """Everybody who listened is gone, as when a process dies."""
        for known in self._connections.values():
            for connection in known:
                connection.is_up = False
        self._connections.clear()

    def disconnect(self, api_key: str | None = None, down_s: float = RECONNECT_S) -> int:
        """Cut connections (of one key, or all); they come back by themselves. Returns how many were cut."""
        cut = [
            connection
            for key, known in self._connections.items()
            if api_key in (None, key)
            for connection in known
            if connection.is_up
        ]
        for connection in cut:
            connection.is_up = False
            connection.epoch += 1
            connection.change(StreamState.DISCONNECTED, "the connection broke")
            self._come_up(connection, down_s)
        return len(cut)

    def silence(self, api_key: str | None, seconds: float) -> int:
        """Half-open: connections (of one key, or all) stay, and nothing comes through them for a while."""
        until_ms = self._exchange.now_ms() + round(seconds * 1000)
        met = [key for key in self._connections if api_key in (None, key)]
        for key in met:
            self._silent_until_ms[key] = until_ms
        return len(met)

    def calm(self) -> None:
        self._silent_until_ms.clear()

    def _come_up(self, connection: Connection, seconds: float) -> None:
        def come_up() -> None:
            if self._faults.refuses_sockets():
                self._later(RECONNECT_S, come_up)
                return
            connection.is_up = True
            connection.change(StreamState.CONNECTED)

        self._later(seconds, come_up)

    def _hear(self, event: Event) -> None:
        if isinstance(event, OrderEvent):
            api_key = event.order.account
        elif isinstance(event, WalletEvent):
            api_key = event.account
        else:
            return
        known = self._connections.get(api_key)
        if not known or self._silent_until_ms.get(api_key, 0) > self._exchange.now_ms():
            return
        told = tuple(stream_events(self._exchange, event))
        for connection in known:
            if connection.is_up and market_of(event) in connection.market_types:
                is_fill = any(isinstance(one, FillReport) for one in told)
                self._faults.pass_on(api_key, is_fill, self._sender(connection, told))

    def _sender(self, connection: Connection, told: tuple[StreamEvent, ...]) -> Callable[[], None]:
        """Sends one message, which arrives after those that were sent before it, unless the connection breaks."""
        epoch = connection.epoch

        def arrive() -> None:
            if connection.epoch == epoch and connection.is_up:
                for event in told:
                    connection.push(event)

        def send() -> None:
            now_ms = self._exchange.now_ms()
            at_ms = max(connection.last_arrival_ms, now_ms + round(self._latency_s() * 1000))
            connection.last_arrival_ms = at_ms
            self._later((at_ms - now_ms) / 1000, arrive)

        return send
