"""OKX's prices: the one now, and the public `tickers` stream."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from fillbook.market.core import MarketType, Price
from fillbook.venues.ccxt import quotes
from fillbook.venues.ccxt.okx import endpoints as at
from fillbook.venues.ccxt.okx.link import FAILURES, OkxLink
from fillbook.venues.ccxt.okx.reports import price_report
from fillbook.venues.ccxt.values import UNREADABLE
from fillbook.venues.ccxt.websocket import StreamLost


class Quotes(quotes.Quotes):
    _link: OkxLink

    async def price(self, symbol: str) -> Price:
        venue_id = await self._link.readable_id(symbol)
        rows = await self._link.rows(at.TICKER, {"instId": venue_id})
        try:
            return price_report(rows[0], symbol)
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, f"the price of {symbol}") from None

    def price_feed(self, market_type: MarketType, symbols: Mapping[str, str]) -> "PriceFeed":
        return PriceFeed(market_type, self._link.site.stream_urls["public"], symbols)


class PriceFeed:
    """`tickers` of a set of symbols of one market type."""

    renew_every_s: float | None = None
    ping: str | None = "ping"

    def __init__(self, market_type: MarketType, url: str, symbols: Mapping[str, str]) -> None:
        self.name = f"{market_type.value} prices"
        self._url = url
        self._symbols = symbols
        self._awaited = 0

    async def address(self) -> str:
        return self._url

    def greeting(self) -> str:
        self._awaited = len(self._symbols)
        args = [{"channel": "tickers", "instId": venue_id} for venue_id in self._symbols]
        return orjson.dumps({"op": "subscribe", "args": args}).decode()

    def acknowledges(self, message: Any) -> bool:
        kind = message.get("event") if isinstance(message, dict) else None
        if kind == "error":
            raise StreamLost("the subscription was refused")
        if kind == "subscribe":
            self._awaited -= 1
        return kind == "subscribe" and self._awaited == 0

    async def events(self, message: Any) -> Sequence[Price]:
        if not isinstance(message, dict):
            return ()
        if message.get("event") in ("error", "notice"):
            raise StreamLost("ended by the venue")
        try:
            return [
                price_report(row, self._symbols[row["instId"]])
                for row in message.get("data") or ()
                if row["instId"] in self._symbols
            ]
        except UNREADABLE:
            raise StreamLost("a price could not be understood") from None

    async def renew(self) -> None:
        """A public subscription lasts as long as its socket."""
