"""Bybit's prices: the one now, and ticker streams."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from fillbook.market.core import MarketType, Price, market_type_of
from fillbook.venues.ccxt import quotes
from fillbook.venues.ccxt.bybit import endpoints as at
from fillbook.venues.ccxt.bybit.reports import price_report
from fillbook.venues.ccxt.bybit.words import CATEGORIES
from fillbook.venues.ccxt.values import UNREADABLE, amount, moment
from fillbook.venues.ccxt.websocket import StreamLost

PING = '{"op":"ping"}'
_TOPICS_PER_REQUEST = 10


class Quotes(quotes.Quotes):
    # Spot takes ten topics in one request, and we make one.
    symbols_per_socket = _TOPICS_PER_REQUEST

    async def price(self, symbol: str) -> Price:
        venue_id = await self._link.readable_id(symbol)
        params = {"category": CATEGORIES[market_type_of(symbol)], "symbol": venue_id}
        answer = await self._link.read(at.TICKERS, params)
        try:
            return price_report(answer["result"]["list"][0], symbol, moment(answer["time"]))
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, f"the price of {symbol}") from None

    def price_feed(self, market_type: MarketType, symbols: Mapping[str, str]) -> "PriceFeed":
        return PriceFeed(market_type, self._link.site.stream_urls[market_type.value], symbols)


class PriceFeed:
    """`tickers.<symbol>`: a snapshot, then (linear) only the fields that have changed."""

    renew_every_s: float | None = None
    ping: str | None = PING

    def __init__(self, market_type: MarketType, url: str, symbols: Mapping[str, str]) -> None:
        self.name = f"{market_type.value} prices"
        self._url = url
        self._symbols = symbols

    async def address(self) -> str:
        return self._url

    def greeting(self) -> str:
        topics = [f"tickers.{venue_id}" for venue_id in self._symbols]
        return orjson.dumps({"op": "subscribe", "req_id": "prices", "args": topics}).decode()

    def acknowledges(self, message: Any) -> bool:
        if not isinstance(message, dict) or message.get("op") != "subscribe":
            return False
        if message.get("success") is not True:
            raise StreamLost("the subscription was refused")
        return True

    async def events(self, message: Any) -> Sequence[Price]:
        topic = message.get("topic") if isinstance(message, dict) else None
        if not isinstance(topic, str) or not topic.startswith("tickers."):
            return ()
        try:
            row = message["data"]
            symbol = self._symbols.get(row["symbol"])
            if symbol is None or not row.get("lastPrice"):
                return ()
            return (Price(symbol, amount(row["lastPrice"]), moment(message["ts"])),)
        except UNREADABLE:
            raise StreamLost("a price could not be understood") from None

    async def renew(self) -> None:
        """A public subscription lasts as long as its socket."""
