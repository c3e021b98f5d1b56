"""Fills that come in any order, twice and late give the same books, on every database."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from fillbook.accounts.core import Account, Environment, PositionSide
from fillbook.kernel.ids import RowIds
from fillbook.ledger.core.books import Owner
from fillbook.ledger.core.fill import FillKind, FillReport, FillSource, Liquidity
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.ledger.service.booking import FillToBook, Ledger, OwnerTerms
from fillbook.ledger.tables import fill_allocations
from fillbook.market.core import Instrument, MarketType, Side, VenueName
from fillbook.storage.unit import Database
from support.audit import Audit
from support.world import World

PERP, SPOT = "BTC/USDT:USDT", "BTC/USDT"
START = datetime(2026, 3, 31, 23, 59, 50, tzinfo=UTC)  # the fills cross a month: two partitions
INSTRUMENTS = {
    symbol: Instrument(
        venue=VenueName.BINANCE,
        symbol=symbol,
        market_type=market_type,
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick=Decimal("0.1"),
        lot=Decimal("0.001"),
        min_notional=Decimal(5),
    )
    for symbol, market_type in ((PERP, MarketType.FUTURES), (SPOT, MarketType.SPOT))
}


def history(seed: int, symbol: str, count: int) -> list[FillReport]:
    """A random walk of fills; several share one millisecond, so that only their ids order them."""
    rng = random.Random(seed)
    reports = []
    for number in range(count):
        side = rng.choice(list(Side))
        reports.append(
            FillReport(
                symbol=symbol,
                exchange_order_id=str(1000 + number // 2),
                client_order_id=None,
                venue_fill_id=str(95 + number),
                side=side,
                position_side=PositionSide.NET,
                price=Decimal(rng.randrange(50_000, 60_000)),
                quantity=Decimal(rng.randrange(1, 40)) / 1000,
                fee=Decimal(rng.randrange(1, 900)) / 10_000_000,
                fee_asset="BTC" if symbol == SPOT and side is Side.BUY else "USDT",
                liquidity=Liquidity.TAKER,
                kind=FillKind.TRADE,
                exchange_at=START + timedelta(seconds=number // 3),
            )
        )
    return reports


class Desk:
    """Two links on one account, among whom a history is divided by order; the rest belongs to nobody here."""

    def __init__(self, db: Database, account: Account, owners: Sequence[Owner]) -> None:
        self.db = db
        self.account = account
        self.owners = owners
        self.ledger = Ledger(RowIds(db.clock, random.Random(3)))

    @staticmethod
    def is_owned(report: FillReport) -> bool:
        return int(report.exchange_order_id) % 3 < 2

    def wanted(self, report: FillReport) -> FillToBook:
        terms = None
        if self.is_owned(report):
            owner = self.owners[int(report.exchange_order_id) % 3]
            terms = OwnerTerms(owner, Decimal(3), ExitReason.SIGNAL_REVERSE, TradeSource.WEBHOOK)
        return FillToBook(
            self.account.id, self.account.user_id, Environment.DEMO, report, FillSource.REST, None, terms
        )

    async def book(self, reports: Sequence[FillReport]) -> int:
        """Book a batch; returns how many of its fills were new."""
        wanted = [self.wanted(report) for report in reports]
        booked = await self.db.run(
            lambda unit: self.ledger.book(unit, wanted, lambda _, symbol: INSTRUMENTS[symbol], lambda *_: {})
        )
        return len(booked.fills)

    async def faults(self) -> list[str]:
        """What is wrong with the books; capital is moved by trading, not by the ledger alone."""
        faults = (await Audit.read(self.db, INSTRUMENTS)).faults()
        return [fault for fault in faults if not fault.startswith("capital")]


@pytest.fixture
async def desk(database: Database) -> Desk:
    world = World(database, server=None)  # type: ignore[arg-type]
    world.user_id = await world.user()
    account = await world.account_row("acc")
    owners = []
    for _ in range(2):
        strategy = await world.strategy(account)
        (link,) = [row for row in await world.links() if row.strategy_id == strategy.id]
        owners.append(Owner.of_link(link.id, strategy.id))
    return Desk(database, account, owners)


@pytest.mark.parametrize("symbol", [PERP, SPOT])
async def test_books_do_not_depend_on_the_order_of_arrival(desk: Desk, symbol: str) -> None:
    # Fills without an owner are divided by what is open when they come: so only owned ones are shuffled.
    reports = [report for report in history(7, symbol, 60) if desk.is_owned(report)]
    rng = random.Random(5)
    late = rng.sample(reports, len(reports))
    new = 0
    while late:
        count = rng.randrange(1, 9)
        batch, late = late[:count], late[count:]
        new += await desk.book([*batch, *rng.sample(reports[:3], 1)])
        assert await desk.faults() == []
    assert await desk.book(reports) + new == len(reports)


async def test_fills_that_nobody_asked_for_are_divided_over_who_holds_the_position(desk: Desk) -> None:
    reports = history(13, PERP, 50)
    assert await desk.book(reports) == len(reports)
    assert await desk.faults() == []


async def test_a_fill_that_is_booked_changes_nothing_when_it_comes_again(desk: Desk) -> None:
    reports = history(17, PERP, 20)
    assert await desk.book(reports) == 20
    assert await desk.book(reports) == 0


async def test_a_liquidation_takes_the_leverage_of_the_position_that_was_opened_just_before(
    desk: Desk,
) -> None:
    """In one batch, as a history is booked: the books of the link are not folded yet when it comes."""
    opening, closing = [report for report in history(19, PERP, 20) if report.exchange_order_id == "1000"]
    forced = replace(
        closing,
        exchange_order_id="1001",
        side=opening.side.opposite,
        quantity=opening.quantity,
        kind=FillKind.LIQUIDATION,
    )
    wanted = [desk.wanted(opening), replace(desk.wanted(forced), terms=None)]
    await desk.db.run(
        lambda unit: desk.ledger.book(unit, wanted, lambda _, symbol: INSTRUMENTS[symbol], lambda *_: {})
    )
    async with desk.db.read() as unit:
        parts = await unit.all(sa.select(fill_allocations).order_by(fill_allocations.c.id))
    assert [(row.leverage, row.exit_reason) for row in parts] == [
        (3, ExitReason.SIGNAL_REVERSE),
        (3, ExitReason.LIQUIDATION),
    ]
