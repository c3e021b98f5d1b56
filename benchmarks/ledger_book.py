"""Fills through the one door: `Bookkeeper` and `Booking`, as the stream brings them and as a backfill does.

Live: every fill comes with its order's report, as Binance sends them, from a hundred accounts at once; no more
than a few hundred facts are under way, so that batches stay small. Bulk: pages of a thousand fills. The floor
is SQL alone: the same number of rows into the tables that a fill adds to, in one executemany each, one commit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
import uvloop

from benchmarks.books import Books, Bought, open_books, place_orders
from benchmarks.databases import new_database
from benchmarks.figures import print_table
from benchmarks.machine import server_cpu_s
from benchmarks.plan import Plan
from fillbook.fleet.tables import events
from fillbook.ledger.core.fill import FillSource
from fillbook.ledger.tables import fill_allocations, fill_keys, fills
from fillbook.storage.unit import Unit
from fillbook.trading.facts import Fact, FillsSeen, OrderSeen

ACCOUNTS = 100
LIVE_FILLS = 8_000
LIVE_FILLS_PER_ORDER = 4
UNDER_WAY = (20, 100, 400)
BULK_FILLS = 40_000
BULK_PAGE = 1000
SPEED_HEADS = (
    "how",
    "fills a second",
    "CPU us per fill",
    "the server's",
    "floor: fills a second",
    "CPU us",
    "the server's",
    "CPU to floor",
)
_ADDED_PER_FILL = (fill_keys, fills, fill_allocations, events)


@dataclass(frozen=True, slots=True)
class Speed:
    fills: int
    wall_s: float
    cpu_s: float
    server_cpu_s: float

    @property
    def per_s(self) -> float:
        return self.fills / self.wall_s

    @property
    def cpu_us(self) -> float:
        return self.cpu_s * 1e6 / self.fills

    @property
    def server_cpu_us(self) -> float:
        return self.server_cpu_s * 1e6 / self.fills


def run(plan: Plan) -> None:
    for kind in plan.databases:
        rows: list[Sequence[object]] = []
        for under_way in UNDER_WAY:
            live = partial(_live, count=plan.count(LIVE_FILLS), under_way=under_way)
            speed, floor = _measured(kind, live)
            rows.append(speed_row(f"live, {under_way} facts under way", speed, floor))
        speed, floor = _measured(kind, partial(_bulk, count=plan.count(BULK_FILLS)))
        rows.append(speed_row(f"bulk, pages of {BULK_PAGE}", speed, floor))
        print_table(f"Booking fills, {kind}", SPEED_HEADS, rows)


def speed_row(how: str, speed: Speed, floor: Speed) -> Sequence[object]:
    ours = (speed.per_s, speed.cpu_us, speed.server_cpu_us)
    theirs = (floor.per_s, floor.cpu_us, floor.server_cpu_us)
    return (how, *ours, *theirs, sum(ours[1:]) / sum(theirs[1:]))


def _measured(kind: str, measure: Callable[[Books], Awaitable[Speed]]) -> tuple[Speed, Speed]:
    async def both(url: str) -> tuple[Speed, Speed]:
        books = await open_books(url, ACCOUNTS)
        try:
            speed = await measure(books)
            return speed, await floor_of(books, speed.fills, BULK_PAGE)
        finally:
            await books.database.close()

    with new_database(kind) as place:
        return uvloop.run(both(place.url))


async def _live(books: Books, count: int, under_way: int) -> Speed:
    orders = await place_orders(books, count // LIVE_FILLS_PER_ORDER, LIVE_FILLS_PER_ORDER)
    facts = [fact for facts in _interleaved(orders) for fact in facts]
    keeper = asyncio.create_task(books.floor.bookkeeper.run())
    turn = asyncio.Semaphore(under_way)
    clock = Stopwatch(books)
    for fact in facts:
        await turn.acquire()
        booked = await books.floor.bookkeeper.enqueue(fact)
        booked.add_done_callback(lambda _: turn.release())
    await books.floor.bookkeeper.drain()
    speed = clock.speed(len(orders) * LIVE_FILLS_PER_ORDER)
    keeper.cancel()
    await check(books, speed.fills)
    return speed


def _interleaved(orders: Sequence[Bought]) -> Iterable[Sequence[Fact]]:
    """A hundred accounts' orders at a time, their fills in turn."""
    for start in range(0, len(orders), ACCOUNTS):
        for part in range(LIVE_FILLS_PER_ORDER):
            for bought in orders[start : start + ACCOUNTS]:
                fill, report = bought.fills[part], bought.reports[part]
                yield (
                    FillsSeen(bought.account_id, (fill,), FillSource.STREAM),
                    OrderSeen(bought.account_id, report),
                )


async def _bulk(books: Books, count: int) -> Speed:
    """Ten orders of a hundred fills a page, account by account, as reading on from a cursor brings them."""
    orders = await place_orders(books, count // 100, 100)
    by_account: dict[int, list[Bought]] = {}
    for bought in orders:
        by_account.setdefault(bought.account_id, []).append(bought)
    keeper = asyncio.create_task(books.floor.bookkeeper.run())
    clock = Stopwatch(books)
    for account_id, bought_here in by_account.items():
        every = [fill for bought in bought_here for fill in bought.fills]
        for start in range(0, len(every), BULK_PAGE):
            page = tuple(every[start : start + BULK_PAGE])
            await books.floor.bookkeeper.submit(FillsSeen(account_id, page, FillSource.REST))
    speed = clock.speed(len(orders) * 100)
    keeper.cancel()
    await check(books, speed.fills)
    return speed


async def check(books: Books, expected: int) -> None:
    async with books.database.read() as unit:
        found = await unit.scalar(sa.select(sa.func.count()).select_from(fills))
    if found != expected:
        raise RuntimeError(f"{expected} fills were to be booked, {found} are")


async def floor_of(books: Books, count: int, page: int) -> Speed:
    """What was booked, written once more by executemany, without a look at anything."""
    rows: dict[sa.Table, list[dict[str, Any]]] = {}

    async def copy(unit: Unit) -> None:
        for table in _ADDED_PER_FILL:
            found = await unit.all(sa.select(table).limit(page))
            rows[table] = [dict(row._mapping) for row in found]
        for table in reversed(_ADDED_PER_FILL):
            await unit.execute(sa.delete(table))

    async def write(unit: Unit, turn: int) -> None:
        for table, some in rows.items():
            await unit.insert_many(table, [_renumbered(table, row, turn) for row in some])

    await books.database.run(copy)
    size = len(rows[fills])
    clock = Stopwatch(books)
    for turn in range(1, max(count // size, 1) + 1):
        await books.database.run(lambda unit, turn=turn: write(unit, turn))  # type: ignore[misc]
    return clock.speed(max(count // size, 1) * size)


def _renumbered(table: sa.Table, row: dict[str, Any], turn: int) -> dict[str, Any]:
    """The same row under another key."""
    fresh = {name: value for name, value in row.items() if name != "id" or table is fills}
    if "venue_fill_id" in fresh:
        fresh["venue_fill_id"] = f"{turn}:{fresh['venue_fill_id']}"
    for name in ("fill_id", "id"):
        if name in fresh:
            fresh[name] += turn * 10_000_000
    return fresh


class Stopwatch:
    """Time, CPU time, and that of the database's server, since it was made."""

    def __init__(self, books: Books) -> None:
        url = books.database.engine.url
        # An embedded database has no server.
        self._database = "" if url.get_backend_name() == "sqlite" else str(url.database)
        self._server = self._server_now()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def speed(self, count: int) -> Speed:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Speed(count, wall, cpu, self._server_now() - self._server)

    def _server_now(self) -> float:
        return server_cpu_s(self._database) if self._database else 0.0
