"""Reading an account's fills, funding and transfers from its venue, on from where the last reading ended.

The cursor of a symbol's fills moves only here, because only reading on from it proves that nothing is missing.
What could not be read is said (`ReadFailed`), and is never taken for "nothing there".
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from fillbook.accounts import cursors
from fillbook.accounts.core import Account, LedgerEntryReport
from fillbook.ledger.core.fill import FillReport, FillSource
from fillbook.ledger.service.entries import book_entries
from fillbook.ledger.service.held import booked_keys
from fillbook.ledger.service.open_books import books_of
from fillbook.market.core import market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.store import rows
from fillbook.storage.unit import Unit
from fillbook.trading.core.reconcile.fills import missing_fills
from fillbook.trading.core.reconcile.snapshots import FillId
from fillbook.trading.facts import FillCursor, FillsSeen
from fillbook.trading.floor import Floor, market_key
from fillbook.trading.gaps import take_report
from fillbook.trading.ports import Venue

OVERLAP: Final = timedelta(seconds=60)
PAGES_LIMIT: Final = 1000
BOOKED_AT_ONCE: Final = 1000
"""Most venues give a hundred fills a page; booking a thousand costs half as much for each."""
LEARNED_KEPT: Final = 1000
ENTRIES: Final = "ledger"
ENTRIES_OVERLAP: Final = timedelta(hours=1)
"""Venues write funding and transfers down late; what is read twice is booked once."""
SHOWN_WITHIN: Final = timedelta(minutes=2)
"""Venues write orders and fills down in different places: the one may be read before the other."""
WAIT_FOR_RECORD: Final = timedelta(hours=1)
"""Venues lose sight of orders in busy times, for more than half an hour."""

Missing = list[FillReport]
"""Fills that were not in the books before they were read here, without their raw messages."""


class Backfill:
    def __init__(self, account: Account, venue: Venue, floor: Floor) -> None:
        self._account = account
        self._venue = venue
        self._floor = floor
        self._lock = asyncio.Lock()
        self._learned: list[OrderReport] = []

    def take_learned(self) -> list[OrderReport]:
        """The records of orders that fills led to since this was asked last: orders that nobody here knew."""
        learned, self._learned = self._learned, []
        return learned

    async def read_entries(self) -> list[str]:
        """Read funding, deposits, withdrawals and transfers on from where the last reading ended; what could not
        be read, and why."""
        async with self._floor.db.read() as unit:
            known = await cursors.of_account(unit, self._account.id, ENTRIES)
        begun = self._floor.clock.now()
        since = known[0].last_sync_at - ENTRIES_OVERLAP if known else self._account.created_at or begun
        try:
            reports = await self._venue.ledger_entries_since(since)
        except ReadFailed as failure:
            return [f"funding and transfers: {failure.detail}"]
        await self._floor.db.run(lambda unit: self._book_entries(unit, reports, begun))
        return []

    async def _book_entries(self, unit: Unit, reports: Sequence[LedgerEntryReport], begun: datetime) -> None:
        await book_entries(unit, self._account, reports)
        await cursors.advance(unit, [cursors.CursorMove(self._account, "", None, begun, ENTRIES)])

    async def read_on(self, symbol: str, until: datetime | None = None) -> Missing:
        """Read a symbol's fills on from its cursor; a symbol without one is not followed. Raises `ReadFailed`.

        `until` is the venue's time, where the caller has just read it.
        """
        async with self._lock:
            async with self._floor.db.read() as unit:
                known = await cursors.of_account(unit, self._account.id)
            for cursor in known:
                if cursor.symbol == symbol:
                    since, from_id = cursor.last_sync_at, cursor.last_trade_id
                    try:
                        return await self.fetch_symbol(symbol, since, from_id, until)
                    except ReadFailed:
                        if not await self._is_over(symbol):
                            raise
        return []

    async def _is_over(self, symbol: str) -> bool:
        """Whether the venue no longer lists a symbol of which the books hold nothing open: nothing more can come."""
        key = market_key(self._account)
        await self._floor.instruments.refresh(key, market_type_of(symbol), self._venue)
        if not self._floor.instruments.is_delisted(key, symbol):
            return False
        async with self._floor.db.read() as unit:
            live = await rows.live_of(unit, [self._account.id])
            held = await books_of(unit, [self._account.id])
        return symbol not in {order.symbol for order in live} | {row.key.symbol for row in held}

    async def fetch_symbol(
        self, symbol: str, since: datetime, from_id: str | None, until: datetime | None = None
    ) -> Missing:
        """Read a symbol's fills on from its cursor, page by page, and move it. Raises `ReadFailed`."""
        begun = until or await self._venue.server_time()
        since -= OVERLAP
        missing: Missing = []
        gathered: list[FillReport] = []
        cursor: FillCursor | None = None
        for _ in range(PAGES_LIMIT):
            try:
                page = await self._venue.fills_since(symbol, since, from_id)
            except ReadFailed:
                # What was read is kept: a venue that always fails at the tenth page is read to its end as well.
                await self._book(tuple(gathered), cursor)
                raise
            # The second half of a self-trade has the same id: a cursor must not stand between the two.
            last_id = (
                page.fills[-1].venue_fill_id if page.complete and page.fills else page.next_from_id or from_id
            )
            cursor = FillCursor(symbol, last_id, begun if page.complete else (page.next_since or since))
            gathered += page.fills
            if page.complete or len(gathered) >= BOOKED_AT_ONCE:
                missing += await self._book(tuple(gathered), cursor)
                gathered = []
            if page.complete:
                return missing
            from_id, since = page.next_from_id, page.next_since or since
        await self._book(tuple(gathered), cursor)
        raise ReadFailed(f"the fills of {symbol} have more than {PAGES_LIMIT} pages: they are read on later")

    async def read_again(self, symbol: str, since: datetime) -> Missing:
        """Read what the venue has of a symbol's fills since a moment; its cursor stays. Raises `ReadFailed`."""
        missing: Missing = []
        from_id: str | None = None
        async with self._lock:
            for _ in range(PAGES_LIMIT):
                page = await self._venue.fills_since(symbol, since, from_id)
                missing += await self._book(page.fills)
                if page.complete:
                    return missing
                from_id, since = page.next_from_id, page.next_since or since
        raise ReadFailed(f"the fills of {symbol} since {since:%Y-%m-%d} have more than {PAGES_LIMIT} pages")

    async def _book(self, fills: tuple[FillReport, ...], cursor: FillCursor | None = None) -> Missing:
        """Book a page of fills, the orders that nobody knows before them, and move the cursor with them; those
        that were missing."""
        booked = await self._floor.bookkeeper.submit(
            FillsSeen(self._account.id, fills, FillSource.REST, cursor)
        )
        missing = booked.fresh
        if booked.unowned:
            known = await self._known(booked.unowned)
            missing += missing_fills(booked.unowned, known)
            await self.take_unowned(booked.unowned, cursor)
        return [replace(fill, raw={}) for fill in missing]

    async def _known(self, fills: tuple[FillReport, ...]) -> frozenset[FillId]:
        async with self._floor.db.read() as unit:
            keys = await booked_keys(unit, self._account.id, fills)
        return frozenset(FillId(*key) for key in keys)

    async def take_unowned(self, fills: tuple[FillReport, ...], cursor: FillCursor | None = None) -> None:
        """Book fills whose order nobody knows, after its record has been read: it says whose they are.

        Raises `ReadFailed`, also where the venue does not show an order that may be ours; the cursor then stays.
        """
        first_of: dict[str, FillReport] = {}
        for fill in fills:
            first_of.setdefault(fill.exchange_order_id, fill)
        waiting = await self._may_be_ours(
            [one for one in first_of.values() if not await self._learn_order(one)]
        )
        if owned := tuple(fill for fill in fills if fill.exchange_order_id not in waiting):
            moved = None if waiting else cursor
            await self._floor.bookkeeper.submit(
                FillsSeen(self._account.id, owned, FillSource.REST, moved, adopt=True)
            )
        if waiting:
            raise ReadFailed(f"the venue does not show yet whose orders {', '.join(sorted(waiting))} are")

    async def _may_be_ours(self, fills: Sequence[FillReport]) -> set[str]:
        """Of fills whose orders the venue does not show, the orders that may be ours: those of a moment ago, and
        young ones where an order of ours may have a number that nobody knows. Booked as external they would be lost
        to it for good."""
        now = self._floor.clock.now()
        young = [fill for fill in fills if fill.exchange_at >= now - WAIT_FOR_RECORD]
        if not young:
            return set()
        async with self._floor.db.read() as unit:
            unnamed = await rows.lanes_of_unnamed_orders(unit, self._account.id)
        return {
            fill.exchange_order_id
            for fill in young
            if (fill.symbol, fill.side) in unnamed or fill.exchange_at >= now - SHOWN_WITHIN
        }

    async def _learn_order(self, fill: FillReport) -> bool:
        """Read the record of a fill's order: its client id says whose it is. False: the venue shows none."""
        ref = OrderRef(fill.symbol, fill.client_order_id or "", fill.exchange_order_id, Book.NORMAL)
        report = await self._venue.find_order(ref)
        if report is not None:
            await take_report(self._floor, self._venue, self._account.id, report)
            self._learned = [*self._learned, report][-LEARNED_KEPT:]
        return report is not None
