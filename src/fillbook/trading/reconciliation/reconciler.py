"""One account's reconciler: runs one look at a time, and writes down what was found.

A quiet look that found nothing leaves no row here; `rounds` keeps the latest of each account.
"""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import structlog

from fillbook.accounts.core import Account
from fillbook.storage.unit import Unit
from fillbook.trading.backfill import Backfill
from fillbook.trading.cancels import CancelWorker
from fillbook.trading.core.reconcile import FindingKey, reconcile
from fillbook.trading.core.reconcile.cases import Case
from fillbook.trading.core.reconcile.pace import ENTRIES_EVERY, Cause, Depth
from fillbook.trading.core.reconcile.repairs import LookUpOrder, TakeRecord
from fillbook.trading.floor import Floor
from fillbook.trading.ports import Venue
from fillbook.trading.reconciliation import store
from fillbook.trading.reconciliation.books import Memory, read_books
from fillbook.trading.reconciliation.repairs import Repairs
from fillbook.trading.reconciliation.run import Outcome, Run, Tools
from fillbook.trading.reconciliation.venue_side import VenueSide

SEEN_AT_EVERY_LOOK: Final = frozenset(
    {
        Case.POSITION_DIFFERS,
        Case.POSITION_UNRECORDED,
        Case.CLOSE_MISSING,
        Case.BALANCE_BELOW,
        Case.ORDER_NOT_FOUND,
        Case.CANCEL_UNFINISHED,
    }
)
"""Cases of which a look that could read everything and does not meet them proves that they are over."""
SEEN_AT_A_WHOLE_LOOK: Final = SEEN_AT_EVERY_LOOK | {Case.ENDED_BUT_LIVES}
"""The same of a look that reads every list of open orders: what one of them shows may be older than the order's end."""

log = structlog.get_logger(__name__)


class Reconciler:
    def __init__(
        self, account: Account, venue: Venue, floor: Floor, backfill: Backfill, cancels: CancelWorker
    ) -> None:
        self._tools = Tools(account, venue, floor, backfill, cancels, Memory())
        self._open: dict[FindingKey, int] | None = None
        self._unread_run: int | None = None
        self._entries_due_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def run(self, cause: Cause, depth: Depth, run_ids: Collection[int] = ()) -> Outcome:
        """Look at the account and repair what differs. `run_ids` are rows of runs that were asked for."""
        async with self._lock:
            started_at = self._tools.floor.clock.now()
            outcome = await Run(self._tools, cause, depth).to_its_end()
            if depth is Depth.WHOLE:
                outcome = await self._with_entries(outcome, started_at)
            await self._write_down(cause, depth, started_at, outcome, run_ids)
        return outcome

    async def sweep(self) -> list[str]:
        """Take in every open order of every book; what could not be read, and why. Heavy."""
        tools = self._tools
        side = VenueSide(tools.account, tools.venue, tools.floor)
        await side.read_books()
        async with tools.floor.db.read() as unit:
            local = await read_books(
                unit,
                tools.floor,
                tools.account,
                tools.memory,
                catching_up_since=None,
                is_brief=False,
                reports=side.reports(),
            )
        repairs = Repairs(tools.account, tools.floor, tools.backfill, tools.cancels, side)
        for repair in reconcile(local, side.snapshot(tools.floor.clock.now())).repairs:
            if isinstance(repair, TakeRecord | LookUpOrder):
                await repairs.do(repair)
        return side.snapshot(tools.floor.clock.now()).unread()

    async def _with_entries(self, outcome: Outcome, now: datetime) -> Outcome:
        """Funding and transfers too, when they are due."""
        if self._entries_due_at is not None and now < self._entries_due_at:
            return outcome
        unread = await self._tools.backfill.read_entries()
        self._entries_due_at = now + (timedelta(0) if unread else ENTRIES_EVERY)
        return Outcome(outcome.findings, outcome.repaired, (*outcome.unread, *unread), outcome.is_unresolved)

    async def _write_down(
        self,
        cause: Cause,
        depth: Depth,
        started_at: datetime,
        outcome: Outcome,
        run_ids: Collection[int],
    ) -> None:
        tools = self._tools
        if self._open is None:
            async with tools.floor.db.read() as unit:
                self._open = await store.open_findings(unit, tools.account.id)
        known = self._open
        met = {finding.key for finding in outcome.findings}
        provable = SEEN_AT_A_WHOLE_LOOK if depth is Depth.WHOLE else SEEN_AT_EVERY_LOOK
        over = {key for key in known.keys() - met if key[0] in provable}
        settled = set() if outcome.unread else over
        is_news = bool(met - known.keys() or outcome.repaired & known.keys() or settled or run_ids)
        if not is_news and not outcome.unread:
            self._unread_run = None
            return
        if not is_news and self._unread_run is not None:
            run_ids = (self._unread_run,)
        record = store.RunRecord(
            cause,
            depth,
            started_at,
            tools.floor.clock.now(),
            outcome.findings,
            outcome.repaired,
            outcome.unread,
        )

        async def write(unit: Unit) -> tuple[int, dict[FindingKey, int]]:
            number = await store.save_run(
                unit, tools.account, record, run_ids, known, settled, tools.floor.events
            )
            return number, await store.open_findings(unit, tools.account.id)

        number, self._open = await tools.floor.db.run(write)
        self._unread_run = None if is_news else number
        if outcome.unread:
            log.warning("not_read", account_id=tools.account.id, unread=list(outcome.unread))
