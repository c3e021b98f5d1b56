"""Runs that somebody asked for: rows that wait for whoever trades their account. A wake-up is a hint."""

from collections.abc import Callable
from typing import Final

from fillbook.kernel.bell import Bell
from fillbook.trading.floor import Floor
from fillbook.trading.reconciliation import store

POLL_S: Final = 2.0

Begin = Callable[[int, int], None]
"""Hands a run (account, run) to the account's desk, if there is one; one that it has already is not begun again."""


class AskedRuns:
    def __init__(self, floor: Floor, begin: Begin) -> None:
        self._floor = floor
        self._begin = begin
        self._bell = Bell()

    def wake(self) -> None:
        self._bell.ring()

    async def run(self) -> None:
        while True:
            await self.turn()
            await self._bell.wait(POLL_S)

    async def turn(self) -> None:
        """Hand out what waits: again at every turn, for a desk that was closed has forgotten it."""
        owned = self._floor.ownership.leases().keys()
        async with self._floor.db.read(brief=True) as unit:
            waiting = await store.wanted(unit, owned)
        for one in waiting:
            self._begin(one.account_id, one.id)
