"""Looks up orders of unknown fate until the venue's own record decides. Nothing is ever sent a second time."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from fillbook.accounts.core import Account
from fillbook.kernel.bell import Bell
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Order
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.orders.store import rows
from fillbook.trading.backfill import Backfill
from fillbook.trading.core.settle import REQUEST_WINDOW
from fillbook.trading.facts import Booked, LookedUp
from fillbook.trading.floor import Floor
from fillbook.trading.gaps import take_report
from fillbook.trading.ports import Venue
from fillbook.trading.sending import ref_of

AT_ONCE: Final = 20
IDLE_S: Final = 30.0

log = structlog.get_logger(__name__)


class LookUps:
    def __init__(self, account: Account, venue: Venue, floor: Floor, backfill: Backfill) -> None:
        self._backfill = backfill
        self._account = account
        self._venue = venue
        self._floor = floor
        self._bell = Bell()
        self.symbols: frozenset[str] = frozenset()
        """Symbols with orders of unknown fate, as of the last turn."""

    def wake(self) -> None:
        self._bell.ring()

    async def run(self) -> None:
        while True:
            pause_s = await self.turn()
            await self._bell.wait(pause_s)

    async def turn(self) -> float:
        """Look up what is due; returns the seconds until the next is."""
        now = self._floor.clock.now()
        async with self._floor.db.read() as unit:
            overdue = unit.now - REQUEST_WINDOW
            has_unanswered = await rows.has_unanswered(unit, self._account.id, overdue)
            due = await rows.due_lookups(unit, self._account.id, now, AT_ONCE)
            next_at = await rows.next_lookup_at(unit, self._account.id)
            self.symbols = await rows.symbols_of_unknown_fate(unit, self._account.id)
        if has_unanswered:
            # The database was away when the answer was to be booked, or when the order was written down.
            await self._floor.db.run(
                lambda unit: rows.mark_unresolved(unit, self._account.id, unit.now, send_by_before=overdue)
            )
        await asyncio.gather(*(self.look_up(order) for order in due))
        if due or has_unanswered:
            return 0.1
        if next_at is None:
            return IDLE_S
        return min(max((next_at - now) / timedelta(seconds=1), 0.05), IDLE_S)

    async def look_up(self, order: Order) -> Booked:
        """Ask the venue for one order, in its book and by its fills, and book what it says."""
        asked_at = self._floor.clock.now()
        try:
            report = await self._search(order)
        except ReadFailed as failure:
            log.warning(
                "look_up_failed", account_id=self._account.id, order_id=order.id, reason=failure.detail
            )
            return await self._floor.bookkeeper.submit(LookedUp(order, clean=False, at=asked_at))
        if report is None:
            return await self._floor.bookkeeper.submit(LookedUp(order, clean=True, at=asked_at))
        try:
            return await take_report(self._floor, self._venue, self._account.id, report)
        except ReadFailed as failure:
            log.warning(
                "fills_not_read", account_id=self._account.id, order_id=order.id, reason=failure.detail
            )
            return Booked(order, gap=True)

    async def _search(self, order: Order) -> OrderReport | None:
        """The order's record, from every book, and from the fills of its symbol. Raises `ReadFailed`."""
        ref = ref_of(order)
        others = TRAITS[self._account.exchange].books(order.market_type)
        books = [order.book, *(book for book in others if book is not order.book)]
        for book in books:
            report = await self._venue.find_order(replace(ref, book=book))
            if report is not None:
                return report
        # A fill that nobody knows leads to its order's record, and so to the order itself.
        await self._backfill.read_on(order.symbol)
        return None
