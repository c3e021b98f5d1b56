"""Binance's public streams: tickers, candles, trades, order book changes, mark prices, in its words."""

from collections.abc import Callable, Iterable
from typing import Any

from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.market import next_funding_ms
from fillbook.venues.sim.core.vocabulary import OrderEvent, PriceEvent, TradeEvent
from fillbook.venues.sim.wire.binance.context import Context
from fillbook.venues.sim.wire.binance.errors import BinanceError
from fillbook.venues.sim.wire.binance.market_data import INTERVALS_MS, ticker
from fillbook.venues.sim.wire.numbers import fixed
from fillbook.venues.sim.wire.public import BookChange, Kind, Levels, PublicTopics, Topic
from fillbook.venues.sim.wire.replies import to_json
from fillbook.venues.sim.wire.sockets import Outlet

_KINDS = {
    "miniTicker": Kind.STATE,
    "ticker": Kind.STATE,
    "kline": Kind.STATE,
    "markPrice": Kind.STATE,
    "bookTicker": Kind.QUOTE,
    "trade": Kind.TRADE,
    "aggTrade": Kind.TRADE,
    "depth": Kind.BOOK,
}

Body = dict[str, Any]


class PublicStreams:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._topics = PublicTopics(_Speech(context))

    def subscribe(self, outlet: Outlet, names: Iterable[str]) -> None:
        """Unknown streams are accepted and stay silent, as at the venue."""
        for name in names:
            outlet.streams.add(name)
            topic = self._topic(_market_type(outlet), name)
            if topic is not None:
                self._topics.subscribe(outlet, topic)

    def unsubscribe(self, outlet: Outlet, names: Iterable[str]) -> None:
        for name in list(names):
            outlet.streams.discard(name)
            topic = self._topic(_market_type(outlet), name)
            if topic is not None:
                self._topics.unsubscribe(outlet, topic)

    def on_event(self, event: TradeEvent | PriceEvent | OrderEvent) -> None:
        self._topics.on_event(event)

    def close(self) -> None:
        self._topics.close()

    def _topic(self, market_type: MarketType, name: str) -> Topic | None:
        symbol, _, rest = name.partition("@")
        kind, _, argument = rest.partition("@")
        if kind.startswith("kline_"):
            kind, _, argument = kind.partition("_")
            if argument not in INTERVALS_MS:
                return None
        elif kind.startswith("depth"):
            kind, argument = "depth", kind.removeprefix("depth")
        if kind not in _KINDS:
            return None
        try:
            market = self._context.market(market_type, symbol.upper())
        except BinanceError:
            return None
        return Topic(name, market, _KINDS[kind], kind, argument)


class _Speech:
    """What Binance says; a combined stream wraps it in the stream's name."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def state(self, topic: Topic) -> Body:
        return _BODIES[topic.channel](self._context, topic)

    def trade(self, topic: Topic, event: TradeEvent) -> Body:
        return _trade(self._context, topic, event)

    def book(self, topic: Topic, change: BookChange) -> Body | None:
        """Changes only: who begins to listen fetches the book. With a number of levels, those levels whole."""
        if change.is_whole:
            return None
        if topic.argument:
            return self._partial(topic)
        if not change.bids and not change.asks:
            return None
        market, now_ms = topic.market, self._context.now_ms()
        body: Body = {"e": "depthUpdate", "E": now_ms, "s": self._context.wire_ids[market.symbol]}
        body |= {"U": change.before_id + 1, "u": change.id}
        if market.listing.market_type is MarketType.FUTURES:
            body |= {"T": now_ms, "ps": body["s"], "st": 1, "pu": change.before_id}
        return body | {"b": _rows(change.bids), "a": _rows(change.asks)}

    def write(self, topic: Topic, body: Body, outlet: Outlet) -> str:
        plain = to_json(body)
        return f'{{"stream":"{topic.key}","data":{plain}}}' if outlet.path == "/stream" else plain

    def _partial(self, topic: Topic) -> Body:
        market, limit = topic.market, int(topic.argument)
        bids, asks = (_rows(dict(market.book.depth(side, limit))) for side in (Side.BUY, Side.SELL))
        if market.listing.market_type is MarketType.SPOT:
            return {"lastUpdateId": market.update_id, "bids": bids, "asks": asks}
        now_ms, last_id = self._context.now_ms(), market.update_id
        body: Body = {"e": "depthUpdate", "E": now_ms, "T": now_ms}
        body["s"] = self._context.wire_ids[market.symbol]
        return body | {"U": last_id, "u": last_id, "pu": last_id - 1, "b": bids, "a": asks}


def _rows(levels: Levels) -> list[list[str]]:
    return [[fixed(price), fixed(quantity)] for price, quantity in levels.items()]


def _market_type(outlet: Outlet) -> MarketType:
    return MarketType.FUTURES if outlet.path.startswith(("/public/", "/market/")) else MarketType.SPOT


def _head(context: Context, topic: Topic, event: str) -> Body:
    return {"e": event, "E": context.now_ms(), "s": context.wire_ids[topic.market.symbol]}


def _mini_ticker(context: Context, topic: Topic) -> Body:
    market = topic.market
    return _head(context, topic, "24hrMiniTicker") | {
        "c": fixed(market.price),
        "o": fixed(market.day_open),
        "h": fixed(market.day_high),
        "l": fixed(market.day_low),
        "v": fixed(market.volume),
        "q": fixed(market.quote_volume),
    }


def _full_ticker(context: Context, topic: Topic) -> Body:
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


def _book_ticker(context: Context, topic: Topic) -> Body:
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


def _kline(context: Context, topic: Topic) -> Body:
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


def _mark_price(context: Context, topic: Topic) -> Body:
    market, now_ms = topic.market, context.now_ms()
    return _head(context, topic, "markPriceUpdate") | {
        "p": fixed(market.mark),
        "i": fixed(market.price),
        "P": fixed(market.mark),
        "r": fixed(market.funding_rate),
        "T": next_funding_ms(now_ms),
        "st": 1,
    }


def _trade(context: Context, topic: Topic, event: TradeEvent) -> Body:
    body = _head(context, topic, topic.channel)
    price, quantity = fixed(event.price), fixed(event.quantity)
    if topic.channel == "aggTrade":
        body |= {"a": event.trade_id, "p": price, "q": quantity, "f": event.trade_id, "l": event.trade_id}
    else:
        body |= {"t": event.trade_id, "p": price, "q": quantity}
    body |= {"T": event.at_ms, "m": event.buyer_is_maker}
    if topic.market.listing.market_type is MarketType.SPOT:
        return body | {"M": True}
    return body | {"st": 1} if topic.channel == "aggTrade" else body


_BODIES: dict[str, Callable[[Context, Topic], Body]] = {
    "miniTicker": _mini_ticker,
    "ticker": _full_ticker,
    "bookTicker": _book_ticker,
    "kline": _kline,
    "markPrice": _mark_price,
}
