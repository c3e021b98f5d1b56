"""Fetching what the stream did not bring: fills first, then the orders, then what the account holds.

Runs at every (re)connection and on an interval. The cursor of a symbol's fills moves only here, because only
reading on from it proves that nothing is missing. What could not be read is said, and is never taken for
"nothing there".
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from fillbook.accounts import balances, cursors
from fillbook.accounts.core import Account, LedgerEntryReport
from fillbook.ledger.core.fill import FillReport, FillSource
from fillbook.ledger.service.entries import book_entries
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.orders.store import rows
from fillbook.storage.unit import Unit
from fillbook.trading.facts import FillCursor, FillsSeen
from fillbook.trading.floor import Floor
from fillbook.trading.gaps import take_report
from fillbook.trading.ports import Venue
from fillbook.trading.sending import ref_of

OVERLAP: Final = timedelta(seconds=60)
PAGES_LIMIT: Final = 1000
ENTRIES: Final = "ledger"
ENTRIES_OVERLAP: Final = timedelta(hours=1)
"""Venues write funding and transfers down late; what is read twice is booked once."""
WAIT_FOR_RECORD: Final = timedelta(hours=1)
"""Venues lose sight of orders in busy times, for more than half an hour."""

log = structlog.get_logger(__name__)


class Backfill:
    def __init__(self, account: Account, venue: Venue, floor: Floor) -> None:
        self._account = account
        self._venue = venue
        self._floor = floor
        self._lock = asyncio.Lock()

    async def run_once(self) -> list[str]:
        """Fetch what may be missing of what we follow; returns what could not be read (nothing: all was)."""
        async with self._lock:
            unread = await self._fetch_fills()
            unread += await self._check_live_orders()
            unread += await self._read_balances()
        return self._tell(unread)

    async def read_entries(self) -> list[str]:
        """Read funding, deposits, withdrawals and transfers on from where the last reading ended."""
        async with self._floor.db.read() as unit:
            known = await cursors.of_account(unit, self._account.id, ENTRIES)
        begun = self._floor.clock.now()
        since = known[0].last_sync_at - ENTRIES_OVERLAP if known else self._account.created_at or begun
        try:
            reports = await self._venue.ledger_entries_since(since)
        except ReadFailed as failure:
            return self._tell([f"funding and transfers: {failure.detail}"])
        await self._floor.db.run(lambda unit: self._book_entries(unit, reports, begun))
        return []

    async def _book_entries(self, unit: Unit, reports: Sequence[LedgerEntryReport], begun: datetime) -> None:
        await book_entries(unit, self._account, reports)
        await cursors.advance(unit, [cursors.CursorMove(self._account, "", None, begun, ENTRIES)])

    async def sweep(self) -> list[str]:
        """Read every book of the venue whole: what is open there and unknown here is adopted. Heavy."""
        unread: list[str] = []
        for market_type in self._account.market_types:
            for book in TRAITS[self._account.exchange].books(market_type):
                try:
                    for report in await self._venue.open_orders(market_type, book):
                        await take_report(self._floor, self._venue, self._account.id, report)
                except ReadFailed as failure:
                    unread.append(f"open {market_type} orders, {book}: {failure.detail}")
        return self._tell(unread)

    def _tell(self, unread: list[str]) -> list[str]:
        if unread:
            log.warning("not_read", account_id=self._account.id, unread=unread)
        return unread

    async def read_on(self, symbol: str) -> None:
        """Read a symbol's fills on from its cursor. Raises `ReadFailed`."""
        async with self._lock:
            async with self._floor.db.read() as unit:
                known = await cursors.of_account(unit, self._account.id)
            for cursor in known:
                if cursor.symbol == symbol:
                    await self.fetch_symbol(symbol, cursor.last_sync_at, cursor.last_trade_id)

    async def _fetch_fills(self) -> list[str]:
        async with self._floor.db.read() as unit:
            known = await cursors.of_account(unit, self._account.id)
        unread: list[str] = []
        for cursor in known:
            try:
                await self.fetch_symbol(cursor.symbol, cursor.last_sync_at, cursor.last_trade_id)
            except ReadFailed as failure:
                unread.append(f"fills of {cursor.symbol}: {failure.detail}")
        return unread

    async def fetch_symbol(self, symbol: str, since: datetime, from_id: str | None) -> None:
        """Read a symbol's fills on from its cursor, page by page. Raises `ReadFailed`."""
        begun = await self._venue.server_time()
        since -= OVERLAP
        for _ in range(PAGES_LIMIT):
            page = await self._venue.fills_since(symbol, since, from_id)
            # The second half of a self-trade has the same id: a cursor must not stand between the two.
            last_id = (
                page.fills[-1].venue_fill_id if page.complete and page.fills else page.next_from_id or from_id
            )
            read_until = begun if page.complete else (page.next_since or since)
            await self._book(page.fills, FillCursor(symbol, last_id, read_until))
            if page.complete:
                return
            from_id, since = page.next_from_id, page.next_since or since
        raise ReadFailed(f"the fills of {symbol} have more than {PAGES_LIMIT} pages: they are read on later")

    async def _book(self, fills: tuple[FillReport, ...], cursor: FillCursor | None) -> None:
        """Book fills; those of an order that nobody knows wait until its record has been read."""
        seen = FillsSeen(self._account.id, fills, FillSource.REST)
        booked = await self._floor.bookkeeper.submit(seen)
        first_of: dict[str, FillReport] = {}
        for fill in booked.unowned:
            first_of.setdefault(fill.exchange_order_id, fill)
        waiting = await self._may_be_ours(
            [one for one in first_of.values() if not await self._learn_order(one)]
        )
        if owned := tuple(fill for fill in booked.unowned if fill.exchange_order_id not in waiting):
            await self._floor.bookkeeper.submit(
                FillsSeen(self._account.id, owned, FillSource.REST, adopt=True)
            )
        if waiting:
            raise ReadFailed(f"the venue does not show yet whose orders {', '.join(sorted(waiting))} are")
        if cursor is not None:
            await self._floor.bookkeeper.submit(FillsSeen(self._account.id, (), FillSource.REST, cursor))

    async def _may_be_ours(self, fills: Sequence[FillReport]) -> set[str]:
        """Of fills whose orders the venue does not show, the orders that may be ours: young ones, where an order of
        ours is of unknown fate. Booked as external they would be lost to it for good."""
        since = self._floor.clock.now() - WAIT_FOR_RECORD
        young = [fill for fill in fills if fill.exchange_at >= since]
        if not young:
            return set()
        async with self._floor.db.read() as unit:
            unknown = await rows.lanes_of_unknown_fate(unit, self._account.id)
        return {fill.exchange_order_id for fill in young if (fill.symbol, fill.side) in unknown}

    async def _learn_order(self, fill: FillReport) -> bool:
        """Read the record of a fill's order: its client id says whose it is. False: the venue shows none."""
        ref = OrderRef(fill.symbol, "", fill.exchange_order_id, Book.NORMAL)
        report = await self._venue.find_order(ref)
        if report is not None:
            await take_report(self._floor, self._venue, self._account.id, report)
        return report is not None

    async def _check_live_orders(self) -> list[str]:
        """Ask for each of our live orders, one by one: a few cost far less than every open order of the venue.

        Those of unknown fate are the look-ups' business.
        """
        async with self._floor.db.read() as unit:
            live = await rows.live_of(unit, [self._account.id])
        unread: list[str] = []
        for order in live:
            if order.unknown_since is not None or order.acknowledged_at is None:
                continue
            try:
                report = await self._venue.find_order(ref_of(order))
                if report is not None:
                    await take_report(self._floor, self._venue, self._account.id, report)
            except ReadFailed as failure:
                unread.append(f"order {order.id}: {failure.detail}")
        return unread

    async def _read_balances(self) -> list[str]:
        unread: list[str] = []
        for market_type in self._account.market_types:
            try:
                reports = await self._venue.balances(market_type)
            except ReadFailed as failure:
                unread.append(f"{market_type} balances: {failure.detail}")
                continue
            await self._floor.db.run(lambda unit, r=reports: balances.save(unit, self._account, r))  # type: ignore[misc]
        return unread
