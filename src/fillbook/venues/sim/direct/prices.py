"""Prices of the simulated exchange as a stream: the newest of each symbol, however slowly it is read."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from fillbook.kernel.clock import from_ms
from fillbook.market.core import Price
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.vocabulary import Event, PriceEvent
from fillbook.venues.sim.direct.reports import price_of


async def followed(exchange: Exchange, symbols: Sequence[str]) -> AsyncIterator[Price]:
    moved: dict[str, None] = {}
    rung = asyncio.Event()

    def hear(event: Event) -> None:
        if isinstance(event, PriceEvent) and event.symbol in symbols:
            moved[event.symbol] = None
            rung.set()

    with exchange.watched(hear):
        while True:
            while moved:
                symbol = next(iter(moved))
                del moved[symbol]
                yield price_of(exchange.market(symbol), from_ms(exchange.now_ms()))
            rung.clear()
            await rung.wait()
