"""A history read back from the venue: `Backfill` on a venue that hands out pages at no cost, so that what is
measured is ours: finding the orders, keys, folds, rows, cursors, commits.

One account, 100,000 fills of one symbol, ten for each order. The orders are in the books already, known by the
venue's numbers alone, as REST names them. The floor writes the rows that this adds, in one executemany per
table and page, and looks at nothing.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import cast

import uvloop

from benchmarks.books import SYMBOL, Books, Bought, open_books, place_orders
from benchmarks.databases import new_database
from benchmarks.figures import print_table
from benchmarks.ledger_book import SPEED_HEADS, Speed, Stopwatch, check, floor_of, speed_row
from benchmarks.plan import Plan
from fillbook.ledger.core.fill import FillReport
from fillbook.orders.core.order import Book
from fillbook.orders.core.reports import FillsPage
from fillbook.orders.store import rows
from fillbook.trading.backfill import Backfill
from fillbook.trading.ports import Venue

FILLS = 100_000
FILLS_PER_ORDER = 10
PAGES = (100, 1000)
"""What the venues give: Binance a thousand at a time, the others a hundred."""


def run(plan: Plan) -> None:
    for kind in plan.databases:
        measured = []
        for page in PAGES:
            read = partial(_read_back, count=plan.count(FILLS), page=page)
            speed, floor = _measured(kind, read, page)
            measured.append(speed_row(f"pages of {page}", speed, floor))
        print_table(f"Backfill of one account, {kind}", SPEED_HEADS, measured)


def _measured(kind: str, read: Callable[[Books], Awaitable[Speed]], page: int) -> tuple[Speed, Speed]:
    async def both(url: str) -> tuple[Speed, Speed]:
        books = await open_books(url, 1)
        try:
            speed = await read(books)
            return speed, await floor_of(books, speed.fills, page)
        finally:
            await books.database.close()

    with new_database(kind) as place:
        return uvloop.run(both(place.url))


@dataclass(slots=True)
class _Archive:
    """The venue's fills, page by page."""

    fills: Sequence[FillReport]
    page: int

    async def server_time(self) -> datetime:
        return self.fills[-1].exchange_at

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        start = 0 if from_id is None else int(from_id)
        end = start + self.page
        return FillsPage(tuple(self.fills[start:end]), end >= len(self.fills), str(end))


async def _read_back(books: Books, count: int, page: int) -> Speed:
    orders = await place_orders(books, count // FILLS_PER_ORDER, FILLS_PER_ORDER)
    await _know(books, orders)
    fills = [replace(fill, client_order_id=None) for bought in orders for fill in bought.fills]
    account = books.floor.accounts[books.account_ids[0]]
    backfill = Backfill(account, cast(Venue, _Archive(fills, page)), books.floor)
    keeper = asyncio.create_task(books.floor.bookkeeper.run())
    # The archive is the venue's: the garbage collector need not walk through it.
    gc.collect()
    gc.freeze()
    clock = Stopwatch(books)
    await backfill.fetch_symbol(SYMBOL, fills[0].exchange_at, None)
    speed = clock.speed(len(fills))
    keeper.cancel()
    gc.unfreeze()
    await check(books, speed.fills)
    return speed


async def _know(books: Books, orders: Sequence[Bought]) -> None:
    """Write down under which numbers the venue knows the orders."""
    named = [
        ((bought.account_id, SYMBOL, Book.NORMAL, bought.fills[0].exchange_order_id), number)
        for number, bought in enumerate(orders, start=1)
    ]
    for start in range(0, len(named), 1000):
        await books.database.run(
            lambda unit, start=start: rows.insert_venue_ids(unit, named[start : start + 1000])  # type: ignore[misc]
        )
