"""Keeps the leases of accounts, and a running desk for each account that is held.

An account whose lease somebody else holds is left alone and named in `held_by`. A lease that is lost ends its
desk at once; a desk that fails is started again, and no other notices.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from fillbook.accounts import service as accounts
from fillbook.accounts.core import Account, Credentials
from fillbook.accounts.vault import Vault
from fillbook.fleet.leases import HeldBy, Lease, account_resource, acquire, release, renew
from fillbook.kernel.bell import Bell
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.scope import EVERYONE
from fillbook.storage.unit import Unit
from fillbook.trading.floor import Floor
from fillbook.trading.ports import Venue
from fillbook.trading.runner import AccountRunner

LEASE_TTL_S: Final = 15.0
RENEW_EVERY_S: Final = 4.0
FORMER_HOLDER_WINDOW_S: Final = 20.0
"""Request time-out and receive window: how long a former holder's last request may still take effect."""
RESTART_PAUSE_S: Final = 2.0

log = structlog.get_logger(__name__)


class OpenVenue(Protocol):
    def __call__(self, account: Account, credentials: Credentials) -> Venue:
        """The way to an account's exchange. Opens nothing yet."""


@dataclass(slots=True)
class _Desk:
    runner: AccountRunner
    task: "asyncio.Task[None]"
    opened_with: tuple[object, ...]


class Tenure:
    """`runners` is shared with the dispatcher: a desk is in it from the moment it may be used."""

    def __init__(
        self,
        floor: Floor,
        vault: Vault,
        open_venue: OpenVenue,
        holder: str,
        runners: dict[int, AccountRunner],
        *,
        owns_directory: bool,
    ) -> None:
        self._floor = floor
        self._vault = vault
        self._open_venue = open_venue
        self._holder = holder
        self._runners = runners
        self._owns_directory = owns_directory
        self._desks: dict[int, _Desk] = {}
        self._free_at: dict[int, float] = {}
        self._bell = Bell()
        self.held_by: dict[int, HeldBy] = {}

    def wake(self) -> None:
        self._bell.ring()

    async def run(self) -> None:
        while True:
            try:
                await self.turn()
            except FillbookError as failure:
                log.error("tenure_turn_failed", code=failure.code, reason=failure.detail)
            await self._bell.wait(RENEW_EVERY_S)

    async def turn(self) -> None:
        """Renew what is held, take what is free, and let the desks follow."""
        begun_s = self._floor.clock.elapsed_s()
        every = {account.id: account for account in await self._floor.db.run(_all_accounts)}
        await self._renew(begun_s)
        for account_id in self._floor.ownership.leases().keys() - every.keys():
            await self._give_up(account_id)
        missing = [account for number, account in every.items() if number not in self._floor.ownership]
        await self._acquire(missing, begun_s)
        for account in every.values():
            if account.id not in self._floor.ownership:
                continue
            try:
                await self._follow(account)
            except FillbookError as failure:
                log.error(
                    "account_not_opened", account_id=account.id, code=failure.code, reason=failure.detail
                )

    async def _renew(self, begun_s: float) -> None:
        held = self._floor.ownership.leases()
        kept = await self._floor.db.run(lambda unit: renew(unit, list(held.values()), LEASE_TTL_S))
        by_resource = {lease.resource: lease for lease in kept}
        for account_id, lease in held.items():
            renewed = by_resource.get(lease.resource)
            if renewed is None:
                log.error("lease_lost", account_id=account_id)
                await self._give_up(account_id)
            else:
                self._floor.ownership.hold(account_id, renewed, begun_s + LEASE_TTL_S)

    async def _acquire(self, wanted: list[Account], begun_s: float) -> None:
        if not wanted:
            return
        answers = await self._floor.db.run(lambda unit: self._ask(unit, wanted))
        for account, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, HeldBy):
                if self.held_by.get(account.id) is None:
                    log.warning("account_held_elsewhere", account_id=account.id, holder=answer.holder)
                self.held_by[account.id] = answer
                continue
            self.held_by.pop(account.id, None)
            self._floor.accounts[account.id] = account
            self._free_at[account.id] = self._quiet_until(answer, begun_s)
            self._floor.ownership.hold(account.id, answer, begun_s + LEASE_TTL_S)

    async def _ask(self, unit: Unit, wanted: list[Account]) -> list[Lease | HeldBy]:
        return [
            await acquire(
                unit,
                account_resource(account.id),
                self._holder,
                LEASE_TTL_S,
                take_over=self._owns_directory,
            )
            for account in wanted
        ]

    def _quiet_until(self, lease: Lease, begun_s: float) -> float:
        """From when the heir may act: what a former holder sent last has had its time by then.

        With the lock of the data directory the former holder is a process that has ended; its orders of
        unknown fate count at their worst case until they are looked up.
        """
        if lease.previous_expires_at is None or self._owns_directory:
            return begun_s
        now = self._floor.clock.now()
        since_s = max((now - lease.previous_expires_at).total_seconds(), 0.0)
        return begun_s + max(FORMER_HOLDER_WINDOW_S - since_s, 0.0)

    async def _follow(self, account: Account) -> None:
        """Start, restart or stop an account's desk, as its settings and its quiet time say."""
        self._floor.accounts[account.id] = account
        desk = self._desks.get(account.id)
        if desk is not None:
            desk.runner.account = account
        if not account.is_active:
            await self._close(account.id)
            return
        if self._floor.clock.elapsed_s() < self._free_at.get(account.id, 0.0):
            return
        opened_with = (
            account.key_fingerprint,
            account.exchange,
            account.environment,
            account.market_types,
            account.egress,
        )
        if desk is not None and desk.opened_with != opened_with:
            await self._close(account.id)
            desk = None
        if desk is None:
            await self._open(account, opened_with)

    async def _open(self, account: Account, opened_with: tuple[object, ...]) -> None:
        async with self._floor.db.read() as unit:
            credentials = await accounts.credentials_of(unit, account.id, self._vault)
        runner = AccountRunner(account, self._open_venue(account, credentials), self._floor)
        task = asyncio.create_task(self._keep_running(runner), name=f"desk-{account.id}")
        self._desks[account.id] = _Desk(runner, task, opened_with)
        self._runners[account.id] = runner

    async def _keep_running(self, runner: AccountRunner) -> None:
        while True:
            try:
                await runner.run()
            except Exception as error:
                log.error(
                    "desk_failed", account_id=runner.account.id, error=type(error).__name__, exc_info=error
                )
            await self._floor.clock.sleep(RESTART_PAUSE_S)

    async def _give_up(self, account_id: int) -> None:
        self._floor.ownership.lose(account_id)
        await self._close(account_id)

    async def _close(self, account_id: int) -> None:
        desk = self._desks.pop(account_id, None)
        self._runners.pop(account_id, None)
        if desk is None:
            return
        desk.task.cancel()
        await asyncio.gather(desk.task, return_exceptions=True)
        await desk.runner.stop()

    async def stop(self) -> None:
        """Close every desk, then give the leases back."""
        await asyncio.gather(*(self._close(account_id) for account_id in list(self._desks)))
        held = list(self._floor.ownership.leases().values())
        await self._floor.db.run(lambda unit: release(unit, held))
        for account_id in self._floor.ownership.leases():
            self._floor.ownership.lose(account_id)


async def _all_accounts(unit: Unit) -> list[Account]:
    return await accounts.list_accounts(unit, EVERYONE)
