"""OKX's public channels: tickers, trades, books, mark prices, funding; candles are on the business socket."""

from typing import Any
from zlib import crc32

from fillbook.market.core import Side
from fillbook.venues.sim.core.vocabulary import TradeEvent
from fillbook.venues.sim.wire.okx.context import Context
from fillbook.venues.sim.wire.okx.market_data import (
    BARS_MS,
    candle_row,
    funding_row,
    level,
    levels,
    mark_price_row,
    ticker_row,
    trade_row,
)
from fillbook.venues.sim.wire.public import BookChange, Kind, Topic
from fillbook.venues.sim.wire.replies import to_json
from fillbook.venues.sim.wire.sockets import Outlet

_KINDS = {
    "tickers": Kind.STATE,
    "mark-price": Kind.STATE,
    "funding-rate": Kind.STATE,
    "trades": Kind.TRADE,
    "books": Kind.BOOK,
    "books5": Kind.BOOK,
    "bbo-tbt": Kind.BOOK,
}
_WHOLE_LEVELS = {"books5": 5, "bbo-tbt": 1}
_CHECKED_LEVELS = 25


def topic_of(context: Context, channel: str, name: str) -> Topic | None:
    """None for a channel that does not exist; raises `OkxError` for an unknown instrument."""
    if channel.startswith("candle"):
        bar = channel.removeprefix("candle")
        if bar not in BARS_MS:
            return None
        return Topic((channel, name), context.market(name), Kind.STATE, "candle", bar)
    if channel not in _KINDS:
        return None
    return Topic((channel, name), context.market(name), _KINDS[channel], channel)


class OkxSpeech:
    def __init__(self, context: Context) -> None:
        self._context = context

    def state(self, topic: Topic) -> Any:
        context, market = self._context, topic.market
        match topic.channel:
            case "tickers":
                row: Any = ticker_row(context, market)
            case "mark-price":
                row = mark_price_row(context, market)
            case "funding-rate":
                row = funding_row(context, market)
            case _:
                candle = context.exchange.candles.current(market, BARS_MS[topic.argument], context.now_ms())
                row = candle_row(market, candle, is_over=False)
        return {"data": [row]}

    def trade(self, topic: Topic, event: TradeEvent) -> Any:
        return {"data": [trade_row(self._context, topic.market, event) | {"count": "1"}]}

    def book(self, topic: Topic, change: BookChange) -> Any | None:
        """`books` sends the whole and then what changed; the short ones are always whole."""
        market, now = topic.market, str(self._context.now_ms())
        whole = _WHOLE_LEVELS.get(topic.channel)
        if whole is not None:
            bids, asks = (levels(market, side, whole) for side in (Side.BUY, Side.SELL))
            row = {"asks": asks, "bids": bids, "instId": self._context.ids[market.symbol], "ts": now}
            return {"data": [row | {"seqId": change.id}]}
        if not change.bids and not change.asks:
            return None
        changes: dict[str, Any] = {
            "asks": [level(market, price, size) for price, size in change.asks.items()],
            "bids": [level(market, price, size) for price, size in change.bids.items()],
            "ts": now,
            "checksum": _checksum(topic),
            "prevSeqId": -1 if change.is_whole else change.before_id,
            "seqId": change.id,
        }
        return {"action": "snapshot" if change.is_whole else "update", "data": [changes]}

    def write(self, topic: Topic, body: Any, outlet: Outlet) -> str:
        channel = f"candle{topic.argument}" if topic.argument else topic.channel
        return to_json(
            {"arg": {"channel": channel, "instId": self._context.ids[topic.market.symbol]}, **body}
        )


def _checksum(topic: Topic) -> int:
    """CRC-32 of the best 25 levels, bids and asks in turn, as a signed number."""
    sides = [levels(topic.market, side, _CHECKED_LEVELS) for side in (Side.BUY, Side.SELL)]
    parts = [
        f"{row[0]}:{row[1]}"
        for number in range(_CHECKED_LEVELS)
        for rows in sides
        for row in rows[number : number + 1]
    ]
    number = crc32(":".join(parts).encode())
    return number - 2**32 if number >= 2**31 else number
