"""A venue's public side: instruments, and prices by stream. How one price is read and said is the venue's own."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence

from fillbook.market.core import Instrument, MarketType, Price, market_type_of
from fillbook.orders.core.reports import StreamChange
from fillbook.venues.ccxt.link import Link
from fillbook.venues.ccxt.site import CATALOGUE_MAX_AGE_S
from fillbook.venues.ccxt.websocket import Dialogue, merged


class Quotes(ABC):
    """Public reads of one venue, through an account's egress."""

    symbols_per_socket = 200

    def __init__(self, link: Link) -> None:
        self._link = link

    @abstractmethod
    def price_feed(self, market_type: MarketType, symbols: Mapping[str, str]) -> Dialogue[Price]:
        """The stream of some symbols' prices; `symbols` are ours by the venue's id."""

    async def instruments(self, market_type: MarketType) -> Sequence[Instrument]:
        """All instruments, at most five minutes old, active or not."""
        catalogue = await self._link.catalogue(market_type, CATALOGUE_MAX_AGE_S)
        return tuple(catalogue.instruments.values())

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
            for start in range(0, len(ids), self.symbols_per_socket):
                part = {
                    venue_id: wanted[venue_id] for venue_id in ids[start : start + self.symbols_per_socket]
                }
                sockets.append(self._link.live_socket(self.price_feed(market_type, part), board))
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
