"""Binance's public streams: tickers, candles, trades, order book changes, mark prices.

A stream tells at once when it is subscribed to, on every change, and tickers and candles once a second as well,
because prices may stand still here for longer than a client waits.
"""

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import orjson

from fillbook.kernel.money import ZERO, exact
from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.market import Market, next_funding_ms
from fillbook.venues.sim.core.vocabulary import OrderEvent, PriceEvent, TradeEvent
from fillbook.venues.sim.wire.binance.context import Context
from fillbook.venues.sim.wire.binance.errors import BinanceError
from fillbook.venues.sim.wire.binance.market_data import INTERVALS_MS, ticker
from fillbook.venues.sim.wire.binance.text import fixed
from fillbook.venues.sim.wire.sockets import Outlet

DEPTH_EVERY_S = 0.1
REPEAT_EVERY_S = 1.0
_DEPTH_LEVELS = 1000
_REPEATED = ("miniTicker", "ticker", "kline", "markPrice")
_TOLD_AT_ONCE = (*_REPEATED, "bookTicker")

Body = dict[str, Any]
Levels = dict[Decimal, Decimal]


class _Topic:
    """One subscribed stream, as (market, kind, argument), and who listens."""

    def __init__(self, name: str, market: Market, kind: str, argument: str) -> None:
        self.name = name
        self.market = market
        self.kind = kind
        self.argument = argument
        self.outlets: set[Outlet] = set()


class PublicStreams:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._topics: dict[tuple[MarketType, str], _Topic] = {}
        self._by_symbol: dict[str, list[_Topic]] = {}
        self._books: dict[str, _SentBook] = {}
        self._repeater: asyncio.Task[None] | None = None

    def subscribe(self, outlet: Outlet, names: Iterable[str]) -> None:
        """Unknown streams are accepted and stay silent, as at the venue."""
        for name in names:
            outlet.streams.add(name)
            topic = self._topic(_market_type(outlet), name)
            if topic is None:
                continue
            topic.outlets.add(outlet)
            if topic.kind in _TOLD_AT_ONCE:
                self._tell(topic, self._body(topic), [outlet])
            elif topic.kind == "depth":
                self._book(topic.market)
        if self._repeater is None:
            self._repeater = asyncio.create_task(self._repeat())

    def unsubscribe(self, outlet: Outlet, names: Iterable[str]) -> None:
        for name in list(names):
            outlet.streams.discard(name)
            topic = self._topics.get((_market_type(outlet), name))
            if topic is None:
                continue
            topic.outlets.discard(outlet)
            if not topic.outlets:
                del self._topics[(_market_type(outlet), name)]
                self._by_symbol[topic.market.symbol].remove(topic)

    def _topic(self, market_type: MarketType, name: str) -> _Topic | None:
        known = self._topics.get((market_type, name))
        if known is not None:
            return known
        symbol, _, rest = name.partition("@")
        kind, _, argument = rest.partition("@")
        if kind.startswith("kline_"):
            kind, _, argument = kind.partition("_")
            if argument not in INTERVALS_MS:
                return None
        elif kind.startswith("depth"):
            kind, argument = "depth", kind.removeprefix("depth")
        try:
            market = self._context.market(market_type, symbol.upper())
        except BinanceError:
            return None
        topic = self._topics[(market_type, name)] = _Topic(name, market, kind, argument)
        self._by_symbol.setdefault(market.symbol, []).append(topic)
        return topic

    # Events

    def on_event(self, event: TradeEvent | PriceEvent | OrderEvent) -> None:
        symbol = event.order.symbol if isinstance(event, OrderEvent) else event.symbol
        topics = self._by_symbol.get(symbol)
        if not topics:
            return
        for topic in topics:
            if topic.kind == "depth":
                self._book(topic.market).schedule()
            elif isinstance(event, TradeEvent):
                if topic.kind in ("trade", "aggTrade"):
                    self._tell(topic, _trade(self._context, topic, event), topic.outlets)
            elif topic.kind in _TOLD_AT_ONCE and isinstance(event, PriceEvent):
                self._tell(topic, self._body(topic), topic.outlets)

    def _tell(self, topic: _Topic, body: Body, outlets: Iterable[Outlet]) -> None:
        plain = orjson.dumps(body).decode()
        for outlet in list(outlets):
            is_combined = outlet.path == "/stream"
            outlet.send(f'{{"stream":"{topic.name}","data":{plain}}}' if is_combined else plain)

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(REPEAT_EVERY_S)
            for topic in list(self._topics.values()):
                if topic.kind in _REPEATED:
                    self._tell(topic, self._body(topic), topic.outlets)

    def _body(self, topic: _Topic) -> Body:
        return exact(_BODIES[topic.kind])(self._context, topic)

    # Order books

    def _book(self, market: Market) -> "_SentBook":
        book = self._books.get(market.symbol)
        if book is None:
            book = self._books[market.symbol] = _SentBook(market, self._flush)
        return book

    def _flush(self, book: "_SentBook") -> None:
        """Tell what has changed in a book since it was last told."""
        market = book.market
        topics = [t for t in self._by_symbol.get(market.symbol, []) if t.kind == "depth"]
        bids, asks = book.changes()
        if not topics:
            del self._books[market.symbol]
            return
        for topic in topics:
            if topic.argument:
                self._tell(topic, self._partial(topic), topic.outlets)
        if bids or asks:
            body = self._difference(book, bids, asks)
            for topic in topics:
                if not topic.argument:
                    self._tell(topic, body, topic.outlets)

    def _difference(self, book: "_SentBook", bids: Levels, asks: Levels) -> Body:
        market, now_ms = book.market, self._context.now_ms()
        market.update_id = max(market.update_id, book.last_id + 1)
        body: Body = {"e": "depthUpdate", "E": now_ms, "s": self._context.wire_ids[market.symbol]}
        body |= {"U": book.last_id + 1, "u": market.update_id}
        if market.listing.market_type is MarketType.FUTURES:
            body |= {"T": now_ms, "ps": body["s"], "st": 1, "pu": book.last_id}
        book.last_id = market.update_id
        body["b"] = [[fixed(price), fixed(quantity)] for price, quantity in bids.items()]
        body["a"] = [[fixed(price), fixed(quantity)] for price, quantity in asks.items()]
        return body

    def _partial(self, topic: _Topic) -> Body:
        market, limit = topic.market, int(topic.argument)
        bids, asks = (
            [[fixed(price), fixed(quantity)] for price, quantity in market.book.depth(side, limit)]
            for side in (Side.BUY, Side.SELL)
        )
        if market.listing.market_type is MarketType.SPOT:
            return {"lastUpdateId": market.update_id, "bids": bids, "asks": asks}
        now_ms, last_id = self._context.now_ms(), market.update_id
        body: Body = {"e": "depthUpdate", "E": now_ms, "T": now_ms}
        body["s"] = self._context.wire_ids[market.symbol]
        return body | {"U": last_id, "u": last_id, "pu": last_id - 1, "b": bids, "a": asks}

    def close(self) -> None:
        if self._repeater is not None:
            self._repeater.cancel()
        for book in self._books.values():
            book.cancel()


class _SentBook:
    """What the listeners of a symbol's order book know of it."""

    def __init__(self, market: Market, flush: "Callable[[_SentBook], None]") -> None:
        self.market = market
        self.last_id = market.update_id
        self._flush = flush
        self._known = {side: self._levels(side) for side in Side}
        self._timer: asyncio.TimerHandle | None = None

    def _levels(self, side: Side) -> Levels:
        return dict(exact(self.market.book.depth)(side, _DEPTH_LEVELS))

    def schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DEPTH_EVERY_S, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._flush(self)

    def changes(self) -> tuple[Levels, Levels]:
        """Levels that are new or other than known (zero: gone), bids and asks; now they are known."""
        changed = []
        for side in (Side.BUY, Side.SELL):
            known, now = self._known[side], self._levels(side)
            gone = {price: ZERO for price in known if price not in now}
            changed.append(gone | {price: size for price, size in now.items() if known.get(price) != size})
            self._known[side] = now
        return changed[0], changed[1]

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _market_type(outlet: Outlet) -> MarketType:
    return MarketType.FUTURES if outlet.path.startswith(("/public/", "/market/")) else MarketType.SPOT


def _head(context: Context, topic: _Topic, event: str) -> Body:
    return {"e": event, "E": context.now_ms(), "s": context.wire_ids[topic.market.symbol]}


def _mini_ticker(context: Context, topic: _Topic) -> Body:
    market = topic.market
    return _head(context, topic, "24hrMiniTicker") | {
        "c": fixed(market.price),
        "o": fixed(market.day_open),
        "h": fixed(market.day_high),
        "l": fixed(market.day_low),
        "v": fixed(market.volume),
        "q": fixed(market.quote_volume),
    }


def _full_ticker(context: Context, topic: _Topic) -> Body:
    row = ticker(context, topic.market)
    body = _head(context, topic, "24hrTicker") | {
        "p": row["priceChange"],
        "P": row["priceChangePercent"],
        "w": row["weightedAvgPrice"],
        "c": row["lastPrice"],
        "Q": row["lastQty"],
        "o": row["openPrice"],
        "h": row["highPrice"],
        "l": row["lowPrice"],
        "v": row["volume"],
        "q": row["quoteVolume"],
        "O": row["openTime"],
        "C": row["closeTime"],
        "F": row["firstId"],
        "L": row["lastId"],
        "n": row["count"],
    }
    if topic.market.listing.market_type is MarketType.FUTURES:
        return body | {"st": 1}
    return body | {
        "x": row["prevClosePrice"],
        "b": row["bidPrice"],
        "B": row["bidQty"],
        "a": row["askPrice"],
        "A": row["askQty"],
    }


def _book_ticker(context: Context, topic: _Topic) -> Body:
    market = topic.market
    body: Body = {"u": market.update_id, "s": context.wire_ids[market.symbol]}
    for side, price_key, size_key in ((Side.BUY, "b", "B"), (Side.SELL, "a", "A")):
        best = market.book.depth(side, 1)
        price, size = best[0] if best else (ZERO, ZERO)
        body |= {price_key: fixed(price), size_key: fixed(size)}
    if market.listing.market_type is MarketType.FUTURES:
        now_ms = context.now_ms()
        body |= {"e": "bookTicker", "E": now_ms, "T": now_ms, "st": 1, "ps": body["s"]}
    return body


def _kline(context: Context, topic: _Topic) -> Body:
    length_ms, now_ms = INTERVALS_MS[topic.argument], context.now_ms()
    candle = context.exchange.candles.current(topic.market, length_ms, now_ms)
    head = _head(context, topic, "kline")
    return head | {
        "k": {
            "t": candle.open_ms,
            "T": candle.open_ms + length_ms - 1,
            "s": head["s"],
            "i": topic.argument,
            "f": topic.market.first_trade_id,
            "L": topic.market.last_trade_id,
            "o": fixed(candle.open),
            "c": fixed(candle.close),
            "h": fixed(candle.high),
            "l": fixed(candle.low),
            "v": fixed(candle.volume),
            "n": 0,
            "x": False,
            "q": fixed(candle.volume * candle.close),
            "V": "0",
            "Q": "0",
            "B": "0",
        }
    }


def _mark_price(context: Context, topic: _Topic) -> Body:
    market, now_ms = topic.market, context.now_ms()
    return _head(context, topic, "markPriceUpdate") | {
        "p": fixed(market.mark),
        "i": fixed(market.price),
        "P": fixed(market.mark),
        "r": fixed(market.funding_rate),
        "T": next_funding_ms(now_ms),
        "st": 1,
    }


def _trade(context: Context, topic: _Topic, event: TradeEvent) -> Body:
    body = _head(context, topic, topic.kind)
    price, quantity = fixed(event.price), fixed(event.quantity)
    if topic.kind == "aggTrade":
        body |= {"a": event.trade_id, "p": price, "q": quantity, "f": event.trade_id, "l": event.trade_id}
    else:
        body |= {"t": event.trade_id, "p": price, "q": quantity}
    body |= {"T": event.at_ms, "m": event.buyer_is_maker}
    if topic.market.listing.market_type is MarketType.SPOT:
        return body | {"M": True}
    return body | {"st": 1} if topic.kind == "aggTrade" else body


_BODIES: dict[str, Callable[[Context, _Topic], Body]] = {
    "miniTicker": _mini_ticker,
    "ticker": _full_ticker,
    "bookTicker": _book_ticker,
    "kline": _kline,
    "markPrice": _mark_price,
}
