"""When an account is looked at: at its start, at every connection, when somebody asks, soon again while something
is unresolved or unread, else in quiet turns; and whole, in a lane of its own.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from fillbook.accounts.core import Account
from fillbook.kernel.bell import Bell
from fillbook.trading.core.reconcile import pace
from fillbook.trading.core.reconcile.pace import Cause, Depth, Standing
from fillbook.trading.floor import Floor
from fillbook.trading.reconciliation.reconciler import Reconciler
from fillbook.trading.reconciliation.run import Outcome

GATHER_S: Final = 0.1
"""Streams of several markets connect within moments: one look serves them all."""
STREAM_POLL_S: Final = 1.0
_SECOND: Final = timedelta(seconds=1)


class Rounds:
    """One account's loops. `is_streaming` says whether every feed of the account is up."""

    def __init__(
        self, account: Account, reconciler: Reconciler, floor: Floor, is_streaming: Callable[[], bool]
    ) -> None:
        self._account = account
        self._reconciler = reconciler
        self._floor = floor
        self._is_streaming = is_streaming
        self._bell = Bell()
        self._wanted: Cause | None = Cause.START
        self._asked: set[int] = set()
        self._under_way: set[int] = set()
        self._looked_s = float("-inf")
        self._whole_s = float("-inf")
        self._standing = Standing(is_streaming=False, was_read=False, is_unresolved=False)

    def connected(self) -> None:
        """The stream came up: what happened before is to be fetched."""
        if self._wanted is None:
            self._wanted = Cause.CONNECTION
        self._bell.ring()

    def look_soon(self) -> None:
        """Something was seen that the books do not have yet."""
        if self._wanted is None:
            self._wanted = Cause.REPEAT
        self._bell.ring()

    def ask(self, run_id: int) -> None:
        """Somebody waits for this run; one that is under way is not begun again."""
        if run_id not in self._asked and run_id not in self._under_way:
            self._asked.add(run_id)
            self._bell.ring()

    async def run(self) -> None:
        self._floor.ages.begin(self._account.id)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look_when_due(), name=f"looks-{self._account.id}")
                group.create_task(self._look_at_the_whole(), name=f"whole-looks-{self._account.id}")
        finally:
            self._floor.ages.end(self._account.id)

    async def _look_when_due(self) -> None:
        while True:
            await self._floor.clock.sleep(GATHER_S)
            await self._bell.wait(0)
            await self._look(*self._next())
            await self._bell.wait(pace.pause_after(self._standing) / _SECOND)

    def _next(self) -> tuple[Cause, Depth]:
        """Why and how deep the next look is."""
        wanted, self._wanted = self._wanted, None
        if self._asked:
            return Cause.ASKED, Depth.WHOLE
        if wanted is not None:
            return wanted, Depth.CATCH_UP
        if not self._standing.was_read or not self._is_streaming():
            return Cause.REPEAT, Depth.CATCH_UP
        return (Cause.REPEAT if self._standing.is_unresolved else Cause.ROUTINE), Depth.QUIET

    async def _look_at_the_whole(self) -> None:
        """In turn with the other accounts of the address, while the stream brings the rest."""
        while True:
            left_s = self._whole_s + pace.WHOLE_EVERY / _SECOND - self._now_s()
            if left_s <= 0 and self._is_streaming():
                await self._look(Cause.ROUTINE, Depth.WHOLE)
            else:
                await self._floor.clock.sleep(max(left_s, STREAM_POLL_S))

    def _now_s(self) -> float:
        return self._floor.clock.elapsed_s()

    async def _look(self, cause: Cause, depth: Depth) -> None:
        is_routine_whole = depth is Depth.WHOLE and cause is Cause.ROUTINE
        last_s = self._whole_s if is_routine_whole else self._looked_s
        async with self._floor.turns.taken(self._account, last_s, is_whole=is_routine_whole):
            if cause is Cause.ASKED:
                self._under_way, self._asked = self._asked, set()
            try:
                outcome = await self._reconciler.run(
                    cause, depth, self._under_way if cause is Cause.ASKED else ()
                )
            finally:
                if cause is Cause.ASKED:
                    self._under_way = set()
        self._remember(outcome, depth)

    def _remember(self, outcome: Outcome, depth: Depth) -> None:
        was_read = not outcome.unread
        in_trouble = outcome.is_unresolved or not was_read
        self._standing = Standing(
            self._is_streaming(),
            was_read,
            outcome.is_unresolved,
            self._standing.troubles + 1 if in_trouble else 0,
        )
        self._looked_s = self._now_s()
        if depth is Depth.WHOLE:
            self._whole_s = self._now_s()
        if was_read:
            self._floor.ages.note(self._account, depth, is_quiet=not outcome.findings)
