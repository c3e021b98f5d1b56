"""The latest price of each symbol at each venue, shared by all accounts there.

A price is used for sizing only while it is fresh. The first need of a symbol reads it once by REST, however
many accounts ask, and from then on the venue's stream keeps it fresh; when the stream is silent, REST is asked
again.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from fillbook.accounts.core import Environment
from fillbook.kernel.clock import Clock
from fillbook.market.core import Price, VenueName
from fillbook.market.errors import ReadFailed
from fillbook.trading.ports import Venue

FRESH_S: Final = 5.0
FOLLOWED_LIMIT: Final = 200

MarketKey = tuple[VenueName, Environment]


@dataclass(slots=True)
class _Market:
    prices: dict[str, tuple[Price, float]] = field(default_factory=dict)
    reads: dict[str, "asyncio.Task[Price]"] = field(default_factory=dict)
    followed: list[str] = field(default_factory=list)
    follower: "asyncio.Task[None] | None" = None


class PriceBoard:
    def __init__(self, clock: Clock, follow: bool = True) -> None:
        self._clock = clock
        self._follow = follow
        self._markets: dict[MarketKey, _Market] = {}

    def fresh(self, key: MarketKey, symbol: str) -> Price | None:
        """The price, if it was heard of in the last seconds."""
        market = self._markets.get(key)
        heard = market.prices.get(symbol) if market else None
        if heard is None or self._clock.elapsed_s() - heard[1] > FRESH_S:
            return None
        return heard[0]

    def latest(self, key: MarketKey, symbol: str) -> Price | None:
        """The last price heard of, however old."""
        market = self._markets.get(key)
        heard = market.prices.get(symbol) if market else None
        return None if heard is None else heard[0]

    async def get(self, key: MarketKey, symbol: str, venue: Venue) -> Price:
        """A fresh price, read through `venue` if need be. Raises `ReadFailed`."""
        price = self.fresh(key, symbol)
        if price is not None:
            return price
        market = self._markets.setdefault(key, _Market())
        read = market.reads.get(symbol)
        if read is None:
            read = asyncio.create_task(self._read(key, market, symbol, venue))
            market.reads[symbol] = read
            read.add_done_callback(lambda _: market.reads.pop(symbol, None))
        return await asyncio.shield(read)

    async def _read(self, key: MarketKey, market: _Market, symbol: str, venue: Venue) -> Price:
        price = await venue.price(symbol)
        self._hear(key, market, price)
        if self._follow and symbol not in market.followed and len(market.followed) < FOLLOWED_LIMIT:
            market.followed.append(symbol)
            if market.follower is not None:
                market.follower.cancel()
            market.follower = asyncio.create_task(self._follow_stream(key, market, venue))
        return price

    async def _follow_stream(self, key: MarketKey, market: _Market, venue: Venue) -> None:
        try:
            async with aclosing(venue.prices(tuple(market.followed))) as prices:  # type: ignore[type-var]
                async for price in prices:
                    self._hear(key, market, price)
        except ReadFailed:
            market.followed.clear()  # the next need reads by REST and follows anew

    def _hear(self, key: MarketKey, market: _Market, price: Price) -> None:
        market.prices[price.symbol] = (price, self._clock.elapsed_s())

    async def close(self) -> None:
        tasks = [m.follower for m in self._markets.values() if m.follower is not None]
        tasks += [read for m in self._markets.values() for read in m.reads.values()]  # type: ignore[misc]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
