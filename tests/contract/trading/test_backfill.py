"""A history is read page by page and booked in larger pieces, and what was read is kept whatever comes after."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import cast

import pytest

from fillbook.accounts import cursors
from fillbook.ledger.core.fill import FillReport, FillSource
from fillbook.ledger.tables import fills
from fillbook.market.core import Side
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.reports import FillsPage
from fillbook.storage.unit import Database
from fillbook.trading.backfill import Backfill
from fillbook.trading.facts import FillCursor, FillsSeen
from fillbook.trading.ports import Venue
from support.booking import BookingDesk, a_fill_of, at
from support.trading import PERP


class Archive:
    """A venue's fills in pages of two; the page that begins with `fails_at` cannot be read."""

    def __init__(self, history: list[FillReport], fails_at: int | None = None) -> None:
        self.history = history
        self.fails_at = fails_at

    async def server_time(self) -> datetime:
        return at(99)

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        start = int(from_id or 0)
        if start == self.fails_at:
            raise ReadFailed("not now")
        end = start + 2
        return FillsPage(tuple(self.history[start:end]), end >= len(self.history), str(end), at(end))


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[BookingDesk]:
    desk = await BookingDesk.open(database)
    await desk.order("900", Side.BUY, Decimal(7))
    keeper = asyncio.create_task(desk.floor.bookkeeper.run())
    yield desk
    keeper.cancel()


def history() -> list[FillReport]:
    return [a_fill_of("900", Side.BUY, 1, str(number), exchange_at=at(number)) for number in range(1, 8)]


async def cursor_of(desk: BookingDesk) -> tuple[str | None, datetime]:
    async with desk.db.read() as unit:
        (cursor,) = await cursors.of_account(unit, desk.account.id)
    return cursor.last_trade_id, cursor.last_sync_at


async def test_every_page_of_a_history_is_booked_and_the_cursor_stands_at_its_end(desk: BookingDesk) -> None:
    backfill = Backfill(desk.account, cast(Venue, Archive(history())), desk.floor)
    missing = await backfill.fetch_symbol(PERP, at(0), None)
    assert [fill.venue_fill_id for fill in missing] == list("1234567")
    assert len(await desk.rows(fills)) == 7
    assert await cursor_of(desk) == ("7", at(99))
    assert [f.venue_fill_id for f in await backfill.fetch_symbol(PERP, at(0), None)] == []
    assert await desk.faults() == []


async def test_what_was_read_before_a_failure_is_booked_and_read_on_from_there(desk: BookingDesk) -> None:
    venue = Archive(history(), fails_at=4)
    backfill = Backfill(desk.account, cast(Venue, venue), desk.floor)
    with pytest.raises(ReadFailed):
        await backfill.fetch_symbol(PERP, at(0), None)
    assert [row.venue_fill_id for row in await desk.rows(fills)] == list("1234")
    assert await cursor_of(desk) == ("4", at(4))
    venue.fails_at = None
    missing = await backfill.fetch_symbol(PERP, at(4), "4")
    assert [fill.venue_fill_id for fill in missing] == list("567")
    assert await desk.faults() == []


async def test_a_cursor_waits_for_fills_whose_order_may_be_ours(desk: BookingDesk) -> None:
    stranger = a_fill_of("950", Side.BUY, 1, "8", client_order_id=None, exchange_at=at(8))
    cursor = FillCursor(PERP, "8", at(9))
    page = FillsSeen(desk.account.id, (*history(), stranger), FillSource.REST, cursor)
    (booked,) = await desk.booking.book([page])
    assert booked.unowned == (stranger,)
    assert [fill.venue_fill_id for fill in booked.fresh] == list("1234567")
    async with desk.db.read() as unit:
        assert await cursors.of_account(unit, desk.account.id) == []
    await desk.booking.book([replace(page, adopt=True)])
    assert await cursor_of(desk) == ("8", at(9))
