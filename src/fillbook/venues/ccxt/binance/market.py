"""Binance's prices: the one now, and `miniTicker` streams."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from fillbook.market.core import MarketType, Price, market_type_of
from fillbook.venues.ccxt import quotes
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.reports import price_report
from fillbook.venues.ccxt.values import UNREADABLE, amount, moment
from fillbook.venues.ccxt.websocket import StreamLost


class Quotes(quotes.Quotes):
    async def price(self, symbol: str) -> Price:
        venue_id = await self._link.readable_id(symbol)
        endpoint = at.SPOT_TICKER if market_type_of(symbol) is MarketType.SPOT else at.FUTURES_TICKER
        row = await self._link.read(endpoint, {"symbol": venue_id})
        try:
            return price_report(row, symbol)
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, f"the price of {symbol}") from None

    def price_feed(self, market_type: MarketType, symbols: Mapping[str, str]) -> "PriceFeed":
        return PriceFeed(market_type, self._link.site.stream_urls[f"{market_type.value}_market"], symbols)


class PriceFeed:
    """`<symbol>@miniTicker` for a set of symbols of one market type."""

    renew_every_s: float | None = None
    ping: str | None = None

    def __init__(self, market_type: MarketType, url: str, symbols: Mapping[str, str]) -> None:
        self.name = f"{market_type.value} prices"
        self._url = url
        self._symbols = symbols

    async def address(self) -> str:
        return self._url

    def greeting(self) -> str:
        streams = [f"{venue_id.lower()}@miniTicker" for venue_id in self._symbols]
        return orjson.dumps({"method": "SUBSCRIBE", "params": streams, "id": 1}).decode()

    def acknowledges(self, message: Any) -> bool:
        if not isinstance(message, dict) or message.get("id") != 1:
            return False
        if "error" in message:
            raise StreamLost("the subscription was refused")
        return True

    async def events(self, message: Any) -> Sequence[Price]:
        body = message.get("data", message) if isinstance(message, dict) else {}
        if body.get("e") != "24hrMiniTicker" or body.get("s") not in self._symbols:
            return ()
        try:
            return (Price(self._symbols[body["s"]], amount(body["c"]), moment(body["E"])),)
        except UNREADABLE:
            raise StreamLost("a price could not be understood") from None

    async def renew(self) -> None:
        """A public subscription lasts as long as its socket."""
