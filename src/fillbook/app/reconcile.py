"""`fillbook reconcile`: asks for a run of each account and waits for it.

Whoever trades an account does its run. An account that nobody trades is reconciled here, under its lease.
"""

import asyncio
import os
import random
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fillbook.accounts import service as accounts
from fillbook.accounts.core import Account
from fillbook.accounts.vault import Vault
from fillbook.app.alone import AccountTraded, Alone
from fillbook.fleet.events import EventSignal
from fillbook.fleet.leases import account_resource, live_leases
from fillbook.identity.service import installation_id
from fillbook.kernel.clock import Clock
from fillbook.kernel.errors import FillbookError, NotFound
from fillbook.kernel.ids import RowIds
from fillbook.kernel.scope import EVERYONE
from fillbook.ledger.service.booking import Ledger
from fillbook.market.errors import ReadFailed
from fillbook.storage.unit import Database
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.reconciliation import store
from fillbook.trading.runner import AccountRunner
from fillbook.trading.tenure import OpenVenue

POLL_S: Final = 0.5
RULES_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to; `failure` where it could not be begun."""

    account: Account
    run: Mapping[str, Any] | None = None
    findings: Sequence[Any] = ()
    failure: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether everything was read, and everything that differed is repaired."""
        return (
            self.run is not None and not self.run["unread"] and all(row.is_repaired for row in self.findings)
        )


class Reconciliation:
    """`owns_directory`: no server works on this database file, so every account is reconciled here."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        rng: random.Random,
        vault: Vault,
        open_venue: OpenVenue,
        *,
        owns_directory: bool,
    ) -> None:
        self._db = db
        self._clock = clock
        self._rng = rng
        self._vault = vault
        self._open_venue = open_venue
        self._alone = Alone(db, clock, f"reconcile:{socket.gethostname()}:{os.getpid()}", owns_directory)

    async def accounts(self, names: Collection[str] = ()) -> list[Account]:
        """The accounts of these names, or all that are switched on. Raises `NotFound` for a name that nobody has."""
        async with self._db.read() as unit:
            every = await accounts.list_accounts(unit, EVERYONE)
        missing = sorted(set(names) - {account.name for account in every})
        if missing:
            raise NotFound(f"There is no account {', '.join(missing)}.")
        return [account for account in every if (account.name in names if names else account.is_active)]

    async def run(self, wanted: Sequence[Account]) -> list[RunResult]:
        """Ask for a run of each, and wait until all have ended."""
        return list(await asyncio.gather(*(self._reconcile(account) for account in wanted)))

    async def _reconcile(self, account: Account) -> RunResult:
        if not account.is_active:
            return RunResult(account, failure="It is switched off: switch it on first.")
        number = await self._db.run(lambda unit: store.ask(unit, account))
        try:
            while (run := await self._ended(number)) is None:
                if not await self._is_traded(account):
                    await self._by_itself(account, number)
                await self._clock.sleep(POLL_S)
        except FillbookError as failure:
            return RunResult(account, failure=failure.detail)
        async with self._db.read() as unit:
            return RunResult(account, run, await store.findings_of(unit, number))

    async def _ended(self, number: int) -> Mapping[str, Any] | None:
        async with self._db.read() as unit:
            run = await store.run_of(unit, number)
        return run if run["finished_at"] is not None else None

    async def _is_traded(self, account: Account) -> bool:
        if self._alone.owns_directory:
            return False
        async with self._db.read() as unit:
            held = {lease.resource for lease in await live_leases(unit)}
        return account_resource(account.id) in held

    async def _by_itself(self, account: Account, number: int) -> None:
        try:
            async with self._alone.leases([account]):
                await self._look(account, number)
        except AccountTraded:
            return  # a server has just begun to trade it: the run is its own now

    async def _look(self, account: Account, number: int) -> None:
        async with self._db.read() as unit:
            credentials = await accounts.credentials_of(unit, account.id, self._vault)
        own = await self._db.run(lambda unit: installation_id(unit, self._rng))
        ledger = Ledger(RowIds(self._clock, self._rng))
        floor, _ = self._alone.floor(account, ledger, {own}, EventSignal())
        runner = AccountRunner(account, self._open_venue(account, credentials), floor)
        bookkeeper = asyncio.create_task(floor.bookkeeper.run())
        try:
            async with asyncio.timeout(RULES_WITHIN_S):
                await runner.learn_instruments()
            await runner.reconciler.run(Cause.ASKED, Depth.WHOLE, [number])
        except TimeoutError:
            raise ReadFailed(
                f"{account.exchange} does not tell its trading rules: try again later."
            ) from None
        finally:
            bookkeeper.cancel()
            await asyncio.gather(bookkeeper, return_exceptions=True)
            await runner.stop()
