"""`fillbook rebuild`: accounts' books from their exchanges' histories, by a process that trades nothing.

It holds the accounts' leases meanwhile, so that no server trades on books that are half there.
"""

import os
import random
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from fillbook.accounts import service as accounts
from fillbook.accounts.core import Account
from fillbook.accounts.vault import Vault
from fillbook.app.alone import Alone
from fillbook.identity.service import installation_id
from fillbook.kernel.clock import Clock
from fillbook.kernel.errors import FillbookError, NotFound
from fillbook.kernel.ids import RowIds
from fillbook.kernel.scope import EVERYONE
from fillbook.ledger.core.fees import FeeRateSource
from fillbook.ledger.service.booking import Ledger
from fillbook.storage.unit import Database, Unit
from fillbook.trading.core.rebuild import RebuildCase, RebuildFinding
from fillbook.trading.ports import Venue
from fillbook.trading.rebuild import AccountRebuild, RebuildAsked, Rebuilt
from fillbook.trading.rebuild_record import record_run
from fillbook.trading.tenure import OpenVenue


@dataclass(frozen=True, slots=True)
class AccountResult:
    """What became of an account; `failure` where it could not be begun."""

    account: Account
    symbols: Sequence[Rebuilt]
    failure: str | None = None

    @property
    def is_whole(self) -> bool:
        return self.failure is None and all(
            finding.case not in (RebuildCase.NOT_READ, RebuildCase.POSITION_DIFFERS)
            for symbol in self.symbols
            for finding in symbol.findings
        )


class Rebuilder:
    """Rebuilds accounts of one database, one after the other. `installations`: further ids whose orders are ours."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        rng: random.Random,
        vault: Vault,
        open_venue: OpenVenue,
        *,
        owns_directory: bool,
        installations: Collection[str] = (),
        on_symbol: Callable[[Account, Rebuilt], object] = lambda account, rebuilt: None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._rng = rng
        self._vault = vault
        self._open_venue = open_venue
        self._installations = frozenset(installations)
        self._on_symbol = on_symbol
        holder = f"rebuild:{socket.gethostname()}:{os.getpid()}"
        self._alone = Alone(db, clock, holder, owns_directory)

    async def accounts(self, names: Collection[str] = ()) -> list[Account]:
        """The accounts of these names, or all. Raises `NotFound` for a name that nobody has."""
        async with self._db.read() as unit:
            every = await accounts.list_accounts(unit, EVERYONE)
        missing = sorted(set(names) - {account.name for account in every})
        if missing:
            raise NotFound(
                f"There is no account {', '.join(missing)}: `fillbook config import` brings them back."
            )
        return [account for account in every if not names or account.name in names]

    async def run(self, wanted: Sequence[Account], asked: RebuildAsked) -> list[AccountResult]:
        """Raises `AccountTraded` when a server trades one of them; then nothing was done."""
        async with self._alone.leases(wanted):
            own = await self._db.run(lambda unit: installation_id(unit, self._rng))
            return [await self._rebuild(account, asked, self._installations | {own}) for account in wanted]

    async def _rebuild(
        self, account: Account, asked: RebuildAsked, installations: Collection[str]
    ) -> AccountResult:
        started_at = self._clock.now()
        try:
            async with self._db.read() as unit:
                credentials = await accounts.credentials_of(unit, account.id, self._vault)
            venue = self._open_venue(account, credentials)
        except FillbookError as failure:
            return AccountResult(account, (), failure.detail)
        try:
            symbols = await self._account_rebuild(account, venue, installations).run(asked)
            result = AccountResult(account, symbols)
        except FillbookError as failure:
            result = AccountResult(account, (), failure.detail)
        finally:
            await venue.close()
        await self._db.run(lambda unit: _record(unit, result, started_at))
        return result

    def _account_rebuild(
        self, account: Account, venue: Venue, installations: Collection[str]
    ) -> AccountRebuild:
        ledger = Ledger(RowIds(self._clock, self._rng), FeeRateSource.ESTIMATED)
        floor, booking = self._alone.floor(account, ledger, installations)
        return AccountRebuild(account, venue, floor, booking, installations, self._on_symbol)


async def _record(unit: Unit, result: AccountResult, started_at: datetime) -> None:
    findings = [finding for symbol in result.symbols for finding in (_summary(symbol), *symbol.findings)]
    unread = [f.cause for f in findings if f.case is RebuildCase.NOT_READ]
    if result.failure is not None:
        unread.append(result.failure)
    await record_run(unit, result.account, started_at, findings, unread)


def _summary(rebuilt: Rebuilt) -> RebuildFinding:
    since = None if rebuilt.complete_since is None else rebuilt.complete_since.isoformat()
    return RebuildFinding(
        RebuildCase.REBUILT,
        rebuilt.symbol,
        "The books of this symbol come from the venue's history."
        if since
        else "Its history could not be read.",
        {"complete_since": since, "orders": rebuilt.orders, "fills": rebuilt.fills},
        rebuilt.symbol,
        since is not None,
    )
