"""Bitget's prices: the one now, and the `ticker` channel."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from fillbook.market.core import MarketType, Price, market_type_of
from fillbook.venues.ccxt import quotes
from fillbook.venues.ccxt.bitget import endpoints as at
from fillbook.venues.ccxt.bitget.link import FUTURES_PAGE, BitgetLink
from fillbook.venues.ccxt.bitget.reports import price_report
from fillbook.venues.ccxt.bitget.words import INST_TYPES
from fillbook.venues.ccxt.values import UNREADABLE
from fillbook.venues.ccxt.websocket import StreamLost


async def read_price(link: BitgetLink, symbol: str, for_act: bool = False) -> Price:
    """Raises `ReadFailed`."""
    page = link.page_at_once if for_act else link.page
    named = {"symbol": await link.readable_id(symbol)}
    if market_type_of(symbol) is MarketType.SPOT:
        rows = await page(at.SPOT_TICKER, named)
    else:
        rows = await page(at.MIX_TICKER, {**FUTURES_PAGE, **named})
    try:
        return price_report(rows[0], symbol)
    except UNREADABLE as error:
        raise link.failures.unreadable(error, f"the price of {symbol}") from None


class Quotes(quotes.Quotes):
    # Bitget asks for fewer than fifty channels on a connection.
    symbols_per_socket = 45

    _link: BitgetLink

    async def price(self, symbol: str) -> Price:
        return await read_price(self._link, symbol)

    def price_feed(self, market_type: MarketType, symbols: Mapping[str, str]) -> "PriceFeed":
        return PriceFeed(market_type, self._link.site.stream_urls["public"], symbols)


class PriceFeed:
    """`ticker` for a set of symbols of one market type."""

    renew_every_s: float | None = None
    ping: str | None = "ping"

    def __init__(self, market_type: MarketType, url: str, symbols: Mapping[str, str]) -> None:
        self.name = f"{market_type.value} prices"
        self._url = url
        self._symbols = symbols
        self._inst_type = INST_TYPES[market_type]
        self._awaited: set[str] = set()

    async def address(self) -> str:
        return self._url

    def greeting(self) -> str:
        self._awaited = set(self._symbols)
        args = [{"instType": self._inst_type, "channel": "ticker", "instId": name} for name in self._symbols]
        return orjson.dumps({"op": "subscribe", "args": args}).decode()

    def acknowledges(self, message: Any) -> bool:
        """Each channel is acknowledged by itself."""
        event = message.get("event") if isinstance(message, dict) else None
        if event == "error":
            raise StreamLost("the subscription was refused")
        if event == "subscribe":
            self._awaited.discard(message.get("arg", {}).get("instId", ""))
        return not self._awaited

    async def events(self, message: Any) -> Sequence[Price]:
        if not isinstance(message, dict) or message.get("arg", {}).get("channel") != "ticker":
            return ()
        try:
            return [
                price_report(row, self._symbols[row["instId"]])
                for row in message["data"]
                if row["instId"] in self._symbols
            ]
        except UNREADABLE:
            raise StreamLost("a price could not be understood") from None

    async def renew(self) -> None:
        """A public subscription lasts as long as its socket."""
