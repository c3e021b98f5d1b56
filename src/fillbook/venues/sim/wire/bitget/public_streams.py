"""Bitget's public channels in its words: `ticker`, `trade`, `candle<length>`, and the books.

`books` tells differences with a checksum after its first snapshot; `books1`, `books5` and `books15` always tell
everything.
"""

from typing import Any
from zlib import crc32

from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import OrderEvent, PriceEvent, TradeEvent
from fillbook.venues.sim.wire.bitget.context import PRODUCT_TYPE, Context
from fillbook.venues.sim.wire.bitget.errors import BitgetError
from fillbook.venues.sim.wire.bitget.public import candle_row, length_ms, levels, ticker
from fillbook.venues.sim.wire.numbers import short
from fillbook.venues.sim.wire.public import BookChange, Kind, Levels, PublicTopics, Topic
from fillbook.venues.sim.wire.replies import to_json
from fillbook.venues.sim.wire.sockets import Outlet

_BOOK_LEVELS = {"books": 150, "books1": 1, "books5": 5, "books15": 15}
_MARKET_TYPES = {"SPOT": MarketType.SPOT, PRODUCT_TYPE: MarketType.FUTURES}
_CHECKED_LEVELS = 25

Arg = dict[str, str]
Body = dict[str, Any]


class PublicStreams:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._topics = PublicTopics(_Speech(context))

    def subscribe(self, outlet: Outlet, arg: Arg) -> bool:
        """False for a channel or symbol that does not exist."""
        topic = self._topic(arg)
        if topic is None:
            return False
        outlet.send(to_json({"event": "subscribe", "arg": arg}))
        self._topics.subscribe(outlet, topic)
        return True

    def unsubscribe(self, outlet: Outlet, arg: Arg) -> None:
        topic = self._topic(arg)
        if topic is not None:
            self._topics.unsubscribe(outlet, topic)

    def forget(self, outlet: Outlet) -> None:
        self._topics.forget(outlet)

    def on_event(self, event: TradeEvent | PriceEvent | OrderEvent) -> None:
        self._topics.on_event(event)

    def close(self) -> None:
        self._topics.close()

    def _topic(self, arg: Arg) -> Topic | None:
        inst_type, channel, name = arg.get("instType", ""), arg.get("channel", ""), arg.get("instId", "")
        market_type, argument = _MARKET_TYPES.get(inst_type), channel.removeprefix("candle")
        if market_type is None:
            return None
        try:
            if channel != argument:
                length_ms(argument)
            market = self._context.market(market_type, name)
        except BitgetError:
            return None
        kind = _kind(channel)
        return None if kind is None else Topic((inst_type, channel, name), market, kind, channel, argument)


def _kind(channel: str) -> Kind | None:
    if channel == "ticker" or channel.startswith("candle"):
        return Kind.STATE
    if channel == "trade":
        return Kind.TRADE
    return Kind.BOOK if channel in _BOOK_LEVELS else None


class _Speech:
    def __init__(self, context: Context) -> None:
        self._context = context

    def state(self, topic: Topic) -> Body:
        row = self._ticker(topic.market) if topic.channel == "ticker" else self._candle(topic)
        return {"action": "snapshot", "data": [row]}

    def trade(self, topic: Topic, event: TradeEvent) -> Body:
        row = {
            "ts": str(event.at_ms),
            "price": short(event.price),
            "size": short(event.quantity),
            "side": "sell" if event.buyer_is_maker else "buy",
            "tradeId": str(event.trade_id),
        }
        return {"action": "update", "data": [row]}

    def book(self, topic: Topic, change: BookChange) -> Body | None:
        times = {"ts": str(self._context.now_ms())}
        if topic.channel != "books" or change.is_whole:
            whole = levels(topic.market, _BOOK_LEVELS[topic.channel])
            return {"action": "snapshot", "data": [{**whole, "checksum": 0, **times}]}
        changed = {"asks": _rows(change.asks), "bids": _rows(change.bids)}
        return {"action": "update", "data": [{**changed, "checksum": _checksum(topic.market), **times}]}

    def write(self, topic: Topic, body: Body, outlet: Outlet) -> str:
        is_spot, name = topic.market.listing.market_type is MarketType.SPOT, self._context.wire_ids
        inst_type = "SPOT" if is_spot else PRODUCT_TYPE
        arg = {"instType": inst_type, "channel": topic.channel, "instId": name[topic.market.symbol]}
        return to_json(
            {"action": body["action"], "arg": arg, "data": body["data"], "ts": self._context.now_ms()}
        )

    def _candle(self, topic: Topic) -> list[str]:
        now_ms = self._context.now_ms()
        candle = self._context.exchange.candles.current(topic.market, length_ms(topic.argument), now_ms)
        row = candle_row(candle)
        return [*row, row[-1]]

    def _ticker(self, market: Market) -> Body:
        """The REST row under the stream's names."""
        row = ticker(self._context, market)
        opened, name = row.pop("open", None) or row.pop("open24h"), row.pop("symbol")
        is_spot = market.listing.market_type is MarketType.SPOT
        return {"instId": name, "open24h": opened, **row, **({} if is_spot else {"symbol": name})}


def _rows(changed: Levels) -> list[list[str]]:
    return [[short(price), short(size)] for price, size in changed.items()]


def _checksum(market: Market) -> int:
    """CRC-32, signed, of the best 25 levels: bid, ask, bid, ask as `price:size`."""
    bids = market.book.depth(Side.BUY, _CHECKED_LEVELS)
    asks = market.book.depth(Side.SELL, _CHECKED_LEVELS)
    parts: list[str] = []
    for index in range(_CHECKED_LEVELS):
        for side in (bids, asks):
            parts += [short(number) for number in side[index]] if index < len(side) else []
    unsigned = crc32(":".join(parts).encode())
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned
