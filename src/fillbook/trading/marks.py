"""Values open positions at the latest prices, every few seconds, for whoever looks at them.

Only what is shown is written here; nothing is decided by it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import structlog

from fillbook.ledger.core.books import BookRow
from fillbook.ledger.service.open_books import books_of, mark
from fillbook.market.errors import ReadFailed
from fillbook.trading.floor import Floor, market_key
from fillbook.trading.runner import AccountRunner

EVERY_S: Final = 5.0

log = structlog.get_logger(__name__)


class Marks:
    def __init__(self, floor: Floor, runners: Mapping[int, AccountRunner]) -> None:
        self._floor = floor
        self._runners = runners

    async def run(self) -> None:
        while True:
            await self._floor.clock.sleep(EVERY_S)
            await self.turn()

    async def turn(self) -> None:
        """Mark every open book of a streaming account whose price has moved since."""
        streaming = [number for number, runner in self._runners.items() if runner.is_streaming]
        if not streaming:
            return
        async with self._floor.db.read() as unit:
            open_books = await books_of(unit, streaming)
        moved: list[tuple[BookRow, Decimal]] = []
        for row in open_books:
            price = await self._price_of(row)
            if price is not None and price != row.last_price:
                moved.append((row, price))
        if moved:
            await self._floor.db.run(lambda unit: mark(unit, moved))

    async def _price_of(self, row: BookRow) -> Decimal | None:
        runner = self._runners.get(row.key.account_id)
        if runner is None:
            return None
        key = market_key(runner.account)
        instrument = self._floor.instruments.get(key, row.key.symbol)
        if instrument is not None and not instrument.is_active:
            return None
        try:
            price = await self._floor.prices.get(key, row.key.symbol, runner.venue)
        except ReadFailed as failure:
            log.info("not_marked", symbol=row.key.symbol, reason=failure.detail)
            return None
        return price.last
