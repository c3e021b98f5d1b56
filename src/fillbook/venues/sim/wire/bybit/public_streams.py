"""Bybit's public topics: tickers, candles, trades, order books, in its words."""

from typing import Any, cast

from fillbook.market.core import MarketType
from fillbook.venues.sim.core.vocabulary import OrderEvent, PriceEvent, TradeEvent
from fillbook.venues.sim.wire.bybit.context import Context
from fillbook.venues.sim.wire.bybit.errors import BybitError
from fillbook.venues.sim.wire.bybit.market_data import INTERVALS_MS, ticker
from fillbook.venues.sim.wire.bybit.text import exec_name
from fillbook.venues.sim.wire.numbers import fixed, places_of, short
from fillbook.venues.sim.wire.public import BookChange, Kind, Levels, PublicTopics, Topic
from fillbook.venues.sim.wire.replies import to_json
from fillbook.venues.sim.wire.sockets import Outlet

_KINDS = {
    "tickers": Kind.STATE,
    "kline": Kind.STATE,
    "publicTrade": Kind.TRADE,
    "orderbook": Kind.BOOK,
}
_DEPTHS = frozenset({"1", "50", "200", "1000"})


class PublicStreams:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._topics = PublicTopics(_Speech(context))

    def knows(self, outlet: Outlet, name: str) -> bool:
        return self._topic(outlet, name) is not None

    def subscribe(self, outlet: Outlet, name: str) -> None:
        topic = self._topic(outlet, name)
        assert topic is not None, "a topic is checked before it is subscribed to"
        self._topics.subscribe(outlet, topic)

    def unsubscribe(self, outlet: Outlet, name: str) -> None:
        topic = self._topic(outlet, name)
        if topic is not None:
            self._topics.unsubscribe(outlet, topic)

    def forget(self, outlet: Outlet) -> None:
        self._topics.forget(outlet)

    def on_event(self, event: TradeEvent | PriceEvent | OrderEvent) -> None:
        self._topics.on_event(event)

    def close(self) -> None:
        self._topics.close()

    def _topic(self, outlet: Outlet, name: str) -> Topic | None:
        """`<channel>.<symbol>` or `<channel>.<argument>.<symbol>`."""
        channel, _, rest = name.partition(".")
        argument, _, symbol = rest.rpartition(".")
        if channel not in _KINDS:
            return None
        if (channel == "kline" and argument not in INTERVALS_MS) or (
            channel == "orderbook" and argument not in _DEPTHS
        ):
            return None
        is_spot = outlet.path.endswith("/spot")
        try:
            market = self._context.market(MarketType.SPOT if is_spot else MarketType.FUTURES, symbol)
        except BybitError:
            return None
        key = (market.listing.market_type, name)
        return Topic(key, market, _KINDS[channel], channel, argument)


class _Speech:
    def __init__(self, context: Context) -> None:
        self._context = context

    def state(self, topic: Topic) -> Any:
        if topic.channel == "kline":
            return _message(topic, "snapshot", self._context.now_ms(), [self._candle(topic)])
        row = ticker(self._context, topic.market)
        if topic.market.listing.market_type is MarketType.FUTURES:
            row |= {"tickDirection": "PlusTick"}
        message = _message(topic, "snapshot", self._context.now_ms(), row)
        return message | {"cs": topic.market.update_id}

    def trade(self, topic: Topic, event: TradeEvent) -> Any:
        row = {
            "T": event.at_ms,
            "s": self._context.wire_ids[event.symbol],
            "S": "Sell" if event.buyer_is_maker else "Buy",
            "v": short(event.quantity),
            "p": short(event.price),
            "L": "ZeroPlusTick",
            "i": exec_name(event.symbol, event.trade_id),
            "BT": False,
            "seq": event.trade_id,
        }
        return _message(topic, "snapshot", event.at_ms, [row])

    def book(self, topic: Topic, change: BookChange) -> Any | None:
        """The whole book at first, then what changed in it."""
        if not change.is_whole and not change.bids and not change.asks:
            return None
        limit = int(topic.argument) if change.is_whole else None
        body = {
            "s": self._context.wire_ids[topic.market.symbol],
            "b": _levels(topic, change.bids, limit),
            "a": _levels(topic, change.asks, limit),
            "u": change.id,
            "seq": change.id,
        }
        now_ms = self._context.now_ms()
        return _message(topic, "snapshot" if change.is_whole else "delta", now_ms, body) | {"cts": now_ms}

    def write(self, topic: Topic, body: Any, outlet: Outlet) -> str:
        return to_json(body)

    def _candle(self, topic: Topic) -> dict[str, Any]:
        length_ms, now_ms = INTERVALS_MS[topic.argument], self._context.now_ms()
        candle = self._context.exchange.candles.current(topic.market, length_ms, now_ms)
        return {
            "start": candle.open_ms,
            "end": candle.open_ms + length_ms - 1,
            "interval": topic.argument,
            "open": short(candle.open),
            "close": short(candle.close),
            "high": short(candle.high),
            "low": short(candle.low),
            "volume": short(candle.volume),
            "turnover": short(candle.volume * candle.close),
            "confirm": False,
            "timestamp": now_ms,
        }


def _message(topic: Topic, kind: str, at_ms: int, data: Any) -> dict[str, Any]:
    _, name = cast(tuple[MarketType, str], topic.key)
    return {"topic": name, "type": kind, "ts": at_ms, "data": data}


def _levels(topic: Topic, levels: Levels, limit: int | None) -> list[list[str]]:
    places = places_of(topic.market.listing.instrument.tick)
    return [[fixed(price, places), short(size)] for price, size in list(levels.items())[:limit]]
