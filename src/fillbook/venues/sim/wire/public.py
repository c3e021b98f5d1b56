"""Public streams of any venue: tickers, candles, trades, order books.

A state is told when it is subscribed to, on every change and once a second as well, because prices may stand
still here for longer than a client waits. A book tells its changes a tenth of a second after the first of them.
What a message looks like is the venue's: its `Speech`.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

from fillbook.kernel.money import ZERO, exact
from fillbook.market.core import Side
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import OrderEvent, PriceEvent, TradeEvent
from fillbook.venues.sim.wire.sockets import Outlet

BOOK_EVERY_S = 0.1
REPEAT_EVERY_S = 1.0
_DEPTH_LEVELS = 1000

Levels = dict[Decimal, Decimal]


class Kind(Enum):
    """STATE and QUOTE are told at once and on every price; only a STATE is repeated."""

    STATE = "state"
    QUOTE = "quote"
    TRADE = "trade"
    BOOK = "book"


@dataclass(frozen=True, slots=True)
class Topic:
    """One public stream. `key` is what a client subscribes by; `channel` and `argument` are the venue's words."""

    key: Hashable
    market: Market
    kind: Kind
    channel: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class BookChange:
    """Levels that are new or changed (zero: gone) since `before_id`; with `is_whole` the whole book."""

    before_id: int
    id: int
    bids: Levels
    asks: Levels
    is_whole: bool = False


class Speech(Protocol):
    """A venue's words on its public streams."""

    def state(self, topic: Topic) -> Any:
        """A ticker, candle, quote or mark price as it is now."""

    def trade(self, topic: Topic, event: TradeEvent) -> Any: ...

    def book(self, topic: Topic, change: BookChange) -> Any | None:
        """A book's message; None: this topic says nothing of this change."""

    def write(self, topic: Topic, body: Any, outlet: Outlet) -> str:
        """The message as this client gets it."""


class PublicTopics:
    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._outlets: dict[Topic, dict[Outlet, None]] = {}
        self._by_symbol: dict[str, list[Topic]] = {}
        self._books: dict[str, _SentBook] = {}
        self._repeater: asyncio.Task[None] | None = None

    def subscribe(self, outlet: Outlet, topic: Topic) -> None:
        if topic not in self._outlets:
            self._outlets[topic] = {}
            self._by_symbol.setdefault(topic.market.symbol, []).append(topic)
        self._outlets[topic][outlet] = None
        if topic.kind in (Kind.STATE, Kind.QUOTE):
            self._tell(topic, self._state(topic), [outlet])
        elif topic.kind is Kind.BOOK:
            self._tell(topic, self._book_message(topic, self._book(topic.market).whole()), [outlet])
        if self._repeater is None:
            self._repeater = asyncio.create_task(self._repeat())

    def unsubscribe(self, outlet: Outlet, topic: Topic) -> None:
        listening = self._outlets.get(topic)
        if listening is None:
            return
        listening.pop(outlet, None)
        if not listening:
            del self._outlets[topic]
            self._by_symbol[topic.market.symbol].remove(topic)

    def forget(self, outlet: Outlet) -> None:
        for topic in [topic for topic, listening in self._outlets.items() if outlet in listening]:
            self.unsubscribe(outlet, topic)

    def on_event(self, event: TradeEvent | PriceEvent | OrderEvent) -> None:
        symbol = event.order.symbol if isinstance(event, OrderEvent) else event.symbol
        for topic in self._by_symbol.get(symbol, ()):
            match topic.kind, event:
                case Kind.BOOK, _:
                    self._book(topic.market).schedule()
                case Kind.TRADE, TradeEvent():
                    self._tell(topic, exact(self._speech.trade)(topic, event), self._outlets[topic])
                case Kind.STATE | Kind.QUOTE, PriceEvent():
                    self._tell(topic, self._state(topic), self._outlets[topic])

    def close(self) -> None:
        if self._repeater is not None:
            self._repeater.cancel()
        for book in self._books.values():
            book.cancel()

    def _tell(self, topic: Topic, body: Any | None, outlets: Iterable[Outlet]) -> None:
        if body is not None:
            for outlet in list(outlets):
                outlet.send(self._speech.write(topic, body, outlet))

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(REPEAT_EVERY_S)
            for topic, outlets in list(self._outlets.items()):
                if topic.kind is Kind.STATE:
                    self._tell(topic, self._state(topic), outlets)

    def _state(self, topic: Topic) -> Any:
        return exact(self._speech.state)(topic)

    def _book_message(self, topic: Topic, change: BookChange) -> Any | None:
        return exact(self._speech.book)(topic, change)

    def _book(self, market: Market) -> "_SentBook":
        book = self._books.get(market.symbol)
        if book is None:
            book = self._books[market.symbol] = _SentBook(market, self._flush)
        return book

    def _flush(self, book: "_SentBook") -> None:
        """Tell what has changed in a book since it was last told."""
        topics = [one for one in self._by_symbol.get(book.market.symbol, ()) if one.kind is Kind.BOOK]
        if not topics:
            del self._books[book.market.symbol]
            return
        change = book.take_changes()
        for topic in topics:
            self._tell(topic, self._book_message(topic, change), self._outlets[topic])


class _SentBook:
    """What the listeners of a symbol's order book know of it."""

    def __init__(self, market: Market, flush: "Callable[[_SentBook], None]") -> None:
        self.market = market
        self._last_id = market.update_id
        self._flush = flush
        self._known = {side: self._levels(side) for side in Side}
        self._timer: asyncio.TimerHandle | None = None

    def _levels(self, side: Side) -> Levels:
        return dict(exact(self.market.book.depth)(side, _DEPTH_LEVELS))

    def schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BOOK_EVERY_S, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._flush(self)

    def whole(self) -> BookChange:
        """The book as it was last told, for who begins to listen: the next change follows on it."""
        return BookChange(
            self._last_id, self._last_id, dict(self._known[Side.BUY]), dict(self._known[Side.SELL]), True
        )

    def take_changes(self) -> BookChange:
        """What is other than known; now it is known. The id moves on only with a change."""
        changed: dict[Side, Levels] = {}
        for side in Side:
            known, now = self._known[side], self._levels(side)
            gone = {price: ZERO for price in known if price not in now}
            changed[side] = gone | {price: size for price, size in now.items() if known.get(price) != size}
            self._known[side] = now
        before_id = self._last_id
        if any(changed.values()):
            self.market.update_id = max(self.market.update_id, before_id + 1)
            self._last_id = self.market.update_id
        return BookChange(before_id, self._last_id, changed[Side.BUY], changed[Side.SELL])

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
