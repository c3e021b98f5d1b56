"""How long ago each account was looked at, for `/metrics` and for its latest row.

Quiet looks are thousands; their rows are written together, every so often, one an account.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from fillbook.accounts.core import Account
from fillbook.kernel.clock import Clock
from fillbook.storage.unit import Database
from fillbook.trading.core.reconcile.pace import Depth
from fillbook.trading.reconciliation import store

SAVE_EVERY_S: Final = 30.0


class Age(NamedTuple):
    """Seconds since an account was last looked at: at all, and whole. Until it was, since it came here."""

    account_id: int
    looked_s: float
    whole_s: float


class Ages:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._looked_s: dict[int, float] = {}
        self._whole_s: dict[int, float] = {}
        self._quiet: dict[int, tuple[Account, datetime]] = {}

    def begin(self, account_id: int) -> None:
        """An account came here."""
        self._looked_s[account_id] = self._whole_s[account_id] = self._clock.elapsed_s()

    def end(self, account_id: int) -> None:
        """An account is no longer looked at here."""
        self._looked_s.pop(account_id, None)
        self._whole_s.pop(account_id, None)
        self._quiet.pop(account_id, None)

    def note(self, account: Account, depth: Depth, *, is_quiet: bool) -> None:
        """An account was looked at and everything could be read; `is_quiet`: nothing differed."""
        if account.id not in self._looked_s:
            return
        now_s = self._clock.elapsed_s()
        self._looked_s[account.id] = now_s
        if depth is Depth.WHOLE:
            self._whole_s[account.id] = now_s
        if is_quiet:
            self._quiet[account.id] = (account, self._clock.now())

    def __iter__(self) -> Iterator[Age]:
        now_s = self._clock.elapsed_s()
        for account_id, looked_s in self._looked_s.items():
            yield Age(account_id, now_s - looked_s, now_s - self._whole_s[account_id])

    async def run(self) -> None:
        """Keep the latest quiet look of each account."""
        while True:
            await self._clock.sleep(SAVE_EVERY_S)
            await self.save()

    async def save(self) -> None:
        quiet, self._quiet = self._quiet, {}
        if quiet:
            await self._db.run(lambda unit: store.save_quiet(unit, quiet))
