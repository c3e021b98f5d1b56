"""The books of one account from its exchange's history: `AccountRebuild` on empty books.

The exchange is a list in memory that answers in pages of a thousand, so that what is measured is reading,
arranging, adopting and booking. Once with ten fills an order, once with one. The floor writes the rows that came
of it once more, by executemany in as many transactions, and looks at nothing.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa
import uvloop

from benchmarks.books import BEGUN, INSTRUMENT, SYMBOL, Books, executions, open_books
from benchmarks.databases import new_database
from benchmarks.figures import print_table
from benchmarks.plan import Plan
from fillbook.accounts.core import BalanceReport, LedgerEntryReport, PositionReport, SymbolModes
from fillbook.kernel.ids import RowIds
from fillbook.ledger.core.fees import FeeRateSource
from fillbook.ledger.core.fill import FillReport
from fillbook.ledger.service.booking import Ledger
from fillbook.ledger.tables import fill_allocations, fill_keys, fills, trades
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.orders.core.client_ids import Origin, make_client_order_id
from fillbook.orders.core.order import Book, OrderRef
from fillbook.orders.core.reports import FillsPage, OrderReport
from fillbook.orders.tables import order_venue_ids, orders
from fillbook.storage.unit import Unit
from fillbook.trading.booking import Booking
from fillbook.trading.rebuild import FILLS_AT_ONCE, AccountRebuild, RebuildAsked

FILLS = 100_000
PAGE = 1000
_WRITTEN = (orders, order_venue_ids, fill_keys, fills, trades, fill_allocations)


@dataclass(frozen=True, slots=True)
class Speed:
    wall_s: float
    cpu_s: float


class PastVenue:
    """An account's whole past in memory, read as a venue lets it be read."""

    name = VenueName.BINANCE

    def __init__(self, now: datetime, past: Sequence[tuple[OrderReport, Sequence[FillReport]]]) -> None:
        self._now = now
        self._orders = [report for report, _ in past]
        self._fills = [fill for _, theirs in past for fill in theirs]

    async def instruments(self, market_type: MarketType) -> Sequence[Instrument]:
        return [INSTRUMENT]

    async def server_time(self) -> datetime:
        return self._now

    async def ledger_entries_since(self, since: datetime) -> Sequence[LedgerEntryReport]:
        return ()

    async def open_orders(self, market_type: MarketType, book: Book) -> Sequence[OrderReport]:
        return ()

    async def balances(self, market_type: MarketType) -> Sequence[BalanceReport]:
        return ()

    async def positions(self) -> Sequence[PositionReport]:
        return ()

    async def symbol_modes(self, symbol: str) -> SymbolModes:
        return SymbolModes(symbol, Decimal(1), None, None)

    async def orders_since(self, symbol: str, since: datetime, book: Book) -> Sequence[OrderReport]:
        return self._orders if book is Book.NORMAL else ()

    async def find_order(self, ref: OrderRef) -> OrderReport | None:
        return None

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        start = int(from_id or 0)
        page = tuple(self._fills[start : start + PAGE])
        is_last = start + PAGE >= len(self._fills)
        return FillsPage(page, complete=is_last, next_from_id=None if is_last else str(start + PAGE))


def run(plan: Plan) -> None:
    for kind in plan.databases:
        rows: list[Sequence[object]] = []
        for each in (10, 1):
            count = plan.count(FILLS)
            speed, floor = _measured(kind, count, each)
            rows.append(
                (
                    f"{count:,} fills, {each} an order",
                    speed.wall_s,
                    count / speed.wall_s,
                    speed.cpu_s * 1e6 / count,
                    floor.wall_s,
                    floor.cpu_s * 1e6 / count,
                    speed.cpu_s / floor.cpu_s,
                )
            )
        heads = ("what", "s", "fills a second", "CPU us per fill", "floor: s", "CPU us", "CPU to floor")
        print_table(f"Rebuilding an account, {kind}", heads, rows)


def _measured(kind: str, count: int, each: int) -> tuple[Speed, Speed]:
    async def both(url: str) -> tuple[Speed, Speed]:
        books = await open_books(url, 1)
        try:
            return await _rebuild(books, count, each), await _floor(books)
        finally:
            await books.database.close()

    with new_database(kind) as place:
        return uvloop.run(both(place.url))


async def _rebuild(books: Books, count: int, each: int) -> Speed:
    rng = random.Random(7)
    now = books.floor.clock.now()
    later = now - timedelta(days=30) - BEGUN  # what a venue still has the orders of
    past = [_moved(*executions(number, each, number), later, rng) for number in range(count // each)]
    venue: Any = PastVenue(now, past)
    account = books.floor.accounts[books.account_ids[0]]
    booking = Booking(
        books.floor, Ledger(RowIds(books.floor.clock, rng), FeeRateSource.ESTIMATED), None, {"test"}
    )
    clock = _Stopwatch()
    rebuild = AccountRebuild(account, venue, books.floor, booking, {"test"}, lambda *_: None)
    (rebuilt,) = await rebuild.run(RebuildAsked(frozenset({SYMBOL}), since=now - timedelta(days=31)))
    speed = clock.speed()
    async with books.database.read() as unit:
        found = await unit.scalar(sa.select(sa.func.count()).select_from(fill_allocations))
    if (
        (rebuilt.fills, rebuilt.orders) != (count, count // each)
        or found != count
        or any(not one.is_repaired for one in rebuilt.findings)
    ):
        raise RuntimeError(f"{count} fills were to be booked: {rebuilt}, {found}")
    return speed


def _moved(
    theirs: Sequence[FillReport], reports: Sequence[OrderReport], later: timedelta, rng: random.Random
) -> tuple[OrderReport, Sequence[FillReport]]:
    """An order under a name of ours, as it ended, and its fills without one, as Binance lists them."""
    name = str(make_client_order_id("test", Origin.STRATEGY, "bench1", "0", rng))
    ended = reports[-1]
    return replace(ended, client_order_id=name, exchange_at=ended.exchange_at + later), [
        replace(fill, client_order_id=None, exchange_at=fill.exchange_at + later) for fill in theirs
    ]


async def _floor(books: Books) -> Speed:
    """Everything that was written, once more."""
    rows: dict[sa.Table, list[dict[str, Any]]] = {}

    async def take(unit: Unit) -> None:
        for table in _WRITTEN:
            rows[table] = [dict(row._mapping) for row in await unit.all(sa.select(table))]
        for table in reversed(_WRITTEN):
            await unit.execute(sa.delete(table))

    async def write(unit: Unit, turns: int, turn: int) -> None:
        for table, every in rows.items():
            size = -(-len(every) // turns)
            await unit.insert_many(table, every[turn * size : (turn + 1) * size])

    await books.database.run(take)
    turns = -(-len(rows[fills]) // FILLS_AT_ONCE)
    clock = _Stopwatch()
    for turn in range(turns):
        await books.database.run(partial(write, turns=turns, turn=turn))
    return clock.speed()


class _Stopwatch:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def speed(self) -> Speed:
        return Speed(time.perf_counter() - self._wall, time.process_time() - self._cpu)
