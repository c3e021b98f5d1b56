"""Binance's public side: instruments, the price now, prices by stream."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson

from fillbook.market.core import Instrument, MarketType, Price, market_type_of
from fillbook.orders.core.reports import StreamChange
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.link import UNREADABLE, Link, unreadable
from fillbook.venues.ccxt.binance.reports import moment, price_report
from fillbook.venues.ccxt.binance.words import amount
from fillbook.venues.ccxt.site import CATALOGUE_MAX_AGE_S
from fillbook.venues.ccxt.websocket import StreamLost, merged

STREAMS_PER_SOCKET = 200


class Quotes:
    """Public reads of one venue, through an account's egress."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def instruments(self, market_type: MarketType) -> Sequence[Instrument]:
        """All instruments, at most five minutes old, active or not."""
        catalogue = await self._link.catalogue(market_type, CATALOGUE_MAX_AGE_S)
        return tuple(catalogue.instruments.values())

    async def price(self, symbol: str) -> Price:
        venue_id = await self._link.readable_id(symbol)
        endpoint = at.SPOT_TICKER if market_type_of(symbol) is MarketType.SPOT else at.FUTURES_TICKER
        row = await self._link.read(endpoint, {"symbol": venue_id})
        try:
            return price_report(row, symbol)
        except UNREADABLE as error:
            raise unreadable(error, f"the price of {symbol}") from None

    async def prices(self, symbols: Sequence[str]) -> AsyncIterator[Price]:
        """The newest price of each symbol as it changes; what is not taken in time is replaced by newer."""
        board = PriceBoard()
        sockets = []
        for market_type in MarketType:
            wanted = {
                await self._link.readable_id(symbol): symbol
                for symbol in symbols
                if market_type_of(symbol) is market_type
            }
            ids = list(wanted)
            for start in range(0, len(ids), STREAMS_PER_SOCKET):
                part = {venue_id: wanted[venue_id] for venue_id in ids[start : start + STREAMS_PER_SOCKET]}
                url = self._link.site.stream_urls[f"{market_type.value}_market"]
                sockets.append(self._link.live_socket(PriceFeed(market_type, url, part), board))
        stream = merged(sockets, board)
        try:
            async for price in stream:
                yield price
        finally:
            await stream.aclose()


class PriceBoard:
    """The newest price of each symbol that has not been taken yet: prices are a state, so none must queue."""

    def __init__(self) -> None:
        self._prices: dict[str, Price] = {}
        self._filled = asyncio.Event()

    def offer(self, event: Price) -> None:
        self._prices[event.symbol] = event
        self._filled.set()

    async def announce(self, change: StreamChange) -> None:
        """Prices simply stand still while their stream is down; their times tell."""

    def take_nowait(self) -> Price | None:
        if not self._prices:
            return None
        price = self._prices.pop(next(iter(self._prices)))
        if not self._prices:
            self._filled.clear()
        return price

    async def take(self) -> Price:
        while True:
            price = self.take_nowait()
            if price is not None:
                return price
            await self._filled.wait()


class PriceFeed:
    """`<symbol>@miniTicker` for a set of symbols of one market type."""

    renew_every_s: float | None = None

    def __init__(self, market_type: MarketType, url: str, symbols: dict[str, str]) -> None:
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
