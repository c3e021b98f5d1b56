"""Leases: who may act for a resource, such as the account `account:12`, until when, under which epoch.

No broker can fence an exchange, so ownership lives beside the intents: a transaction that commits an intent
locks the lease row and checks holder and epoch (`lock_and_check`). Each new holder counts the epoch up, so
that whatever an old one still tries fails.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from fillbook.fleet.tables import leases
from fillbook.kernel.errors import Conflict
from fillbook.storage.unit import Unit

_LONG_AGO = timedelta(days=1)


class LeaseLost(Conflict):
    """Somebody else holds the resource, or nobody does: nothing may be committed for it here."""

    code = "lease_lost"


@dataclass(frozen=True, slots=True)
class Lease:
    resource: str
    holder: str
    epoch: int
    expires_at: datetime
    previous_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldBy:
    """Somebody else's lease."""

    resource: str
    holder: str
    expires_at: datetime


_LOCKED = (
    sa.select(leases)
    .where(leases.c.resource.in_(sa.bindparam("resources", expanding=True)))
    .order_by(leases.c.resource)
    .with_for_update()
)


def account_resource(account_id: int) -> str:
    return f"account:{account_id}"


async def acquire(
    unit: Unit,
    resource: str,
    holder: str,
    ttl_s: float,
    now: datetime | None = None,
    *,
    take_over: bool = False,
) -> Lease | HeldBy:
    """Take a lease that is free, expired or one's own, under a new epoch.

    `take_over`: the caller knows that no other holder lives (it holds the lock of the data directory).

    `previous_expires_at` of the lease says until when another holder may still have acted; None: nobody did.
    """
    now = now or unit.now
    fresh = {"resource": resource, "epoch": 0, "expires_at": now - _LONG_AGO, "acquired_at": now}
    await unit.insert_if_new(leases, [fresh])
    row = (await unit.execute(sa.select(leases).where(leases.c.resource == resource).with_for_update())).one()
    if not take_over and row.holder is not None and row.holder != holder and row.expires_at > now:
        return HeldBy(resource, row.holder, row.expires_at)
    previous = row.expires_at if row.epoch and row.holder not in (None, holder) else None
    lease = Lease(resource, holder, row.epoch + 1, now + timedelta(seconds=ttl_s), previous)
    await unit.execute(
        sa.update(leases)
        .where(leases.c.resource == resource)
        .values(holder=holder, epoch=lease.epoch, expires_at=lease.expires_at, acquired_at=now)
    )
    return lease


async def renew(unit: Unit, held: Sequence[Lease], ttl_s: float, now: datetime | None = None) -> list[Lease]:
    """Extend leases; those that come back are still held, the others are lost."""
    if not held:
        return []
    now = now or unit.now
    rows = await _lock(unit, (lease.resource for lease in held))
    expires_at = now + timedelta(seconds=ttl_s)
    kept = [
        Lease(lease.resource, lease.holder, lease.epoch, expires_at)
        for lease in held
        if rows.get(lease.resource, (None, 0))[:2] == (lease.holder, lease.epoch)
    ]
    await unit.execute(
        sa.update(leases)
        .where(leases.c.resource.in_([lease.resource for lease in kept]))
        .values(expires_at=expires_at)
    )
    return kept


async def release(unit: Unit, held: Sequence[Lease]) -> None:
    """Give leases up, so that the next holder need not wait for their end. Lost ones are left alone."""
    rows = await _lock(unit, (lease.resource for lease in held))
    own = [
        lease.resource
        for lease in held
        if rows.get(lease.resource, (None, 0))[:2] == (lease.holder, lease.epoch)
    ]
    await unit.execute(
        sa.update(leases).where(leases.c.resource.in_(own)).values(holder=None, expires_at=unit.now)
    )


async def still_held(unit: Unit, held: Sequence[Lease], now: datetime | None = None) -> list[Lease]:
    """Those leases that are held and have not expired; all their rows stay locked until the unit ends."""
    now = now or unit.now
    rows = await _lock(unit, (lease.resource for lease in held))
    kept = []
    for lease in held:
        holder, epoch, expires_at = rows.get(lease.resource, (None, 0, now))
        if (holder, epoch) == (lease.holder, lease.epoch) and expires_at > now:
            kept.append(lease)
    return kept


async def lock_and_check(unit: Unit, held: Sequence[Lease], now: datetime | None = None) -> None:
    """Lock the rows of leases until the unit ends, and make sure that all are held and have not expired.

    Raises `LeaseLost`: the unit must not commit.
    """
    kept = await still_held(unit, held, now)
    for lease in held:
        if lease not in kept:
            raise LeaseLost(f"The lease of {lease.resource} is lost: another process acts for it now.")


async def live_leases(unit: Unit) -> list[HeldBy]:
    """Every lease that somebody holds now."""
    held = sa.select(leases).where(leases.c.holder.is_not(None), leases.c.expires_at > unit.now)
    return [HeldBy(row.resource, row.holder, row.expires_at) for row in await unit.all(held)]


async def _lock(unit: Unit, resources: Iterable[str]) -> dict[str, tuple[str | None, int, datetime]]:
    """The rows, locked in one order for all, so that two processes never wait for each other."""
    rows = await unit.all(_LOCKED, {"resources": sorted(set(resources))})
    return {row.resource: (row.holder, row.epoch, row.expires_at) for row in rows}
