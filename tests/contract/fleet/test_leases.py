"""Leases: one holder at a time, and nothing is committed under an epoch that has passed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from fillbook.fleet.leases import HeldBy, Lease, LeaseLost, acquire, lock_and_check, release, renew
from fillbook.storage.unit import Database, Unit

TTL_S = 15.0


async def take(
    database: Database, holder: str, later_s: float = 0, resource: str = "account:1"
) -> Lease | HeldBy:
    return await database.run(
        lambda unit: acquire(unit, resource, holder, TTL_S, unit.now + timedelta(seconds=later_s))
    )


async def held(database: Database, holder: str, later_s: float = 0, resource: str = "account:1") -> Lease:
    lease = await take(database, holder, later_s, resource)
    assert isinstance(lease, Lease)
    return lease


async def test_a_second_holder_is_refused_and_told_who_holds_it(database: Database) -> None:
    first = await held(database, "one")
    second = await take(database, "two")
    assert second == HeldBy("account:1", "one", first.expires_at)


async def test_of_many_that_come_at_once_one_gets_it(database: Database) -> None:
    found = await asyncio.gather(*(take(database, f"worker-{number}") for number in range(6)))
    winners = [one for one in found if isinstance(one, Lease)]
    assert len(winners) == 1
    assert all(one.holder == winners[0].holder for one in found)


async def test_an_expired_lease_goes_to_the_next_under_a_higher_epoch(database: Database) -> None:
    first = await held(database, "one")
    second = await held(database, "two", later_s=TTL_S + 1)
    assert second.epoch > first.epoch
    assert second.previous_expires_at == first.expires_at


async def test_an_old_epoch_cannot_commit(database: Database) -> None:
    first = await held(database, "one")
    await held(database, "two", later_s=TTL_S + 1)
    with pytest.raises(LeaseLost):
        async with database.unit() as unit:
            await lock_and_check(unit, [first])


async def test_an_expired_lease_cannot_commit_though_nobody_took_it(database: Database) -> None:
    lease = await held(database, "one")
    async with database.unit() as unit:
        await lock_and_check(unit, [lease])
        with pytest.raises(LeaseLost):
            await lock_and_check(unit, [lease], unit.now + timedelta(seconds=TTL_S + 1))


async def test_a_holder_that_comes_again_fences_its_former_self(database: Database) -> None:
    first = await held(database, "one")
    second = await held(database, "one")
    assert second.epoch == first.epoch + 1
    with pytest.raises(LeaseLost):
        async with database.unit() as unit:
            await lock_and_check(unit, [second, first])


async def test_renewing_keeps_what_is_held_and_names_no_lost_lease(database: Database) -> None:
    mine = await held(database, "one")
    lost = replace(mine, resource="account:2", epoch=7)
    async with database.unit() as unit:
        kept = await renew(unit, [mine, lost], 60.0)
        assert [lease.resource for lease in kept] == ["account:1"]
        assert kept[0].epoch == mine.epoch
        await lock_and_check(unit, kept, unit.now + timedelta(seconds=50))


async def test_a_released_lease_is_free_at_once_and_its_epoch_is_spent(database: Database) -> None:
    first = await held(database, "one")
    await database.run(lambda unit: release(unit, [first]))
    second = await held(database, "two")
    assert second.epoch == first.epoch + 1
    assert second.previous_expires_at is None
    await database.run(lambda unit: release(unit, [first]))
    assert isinstance(await take(database, "three"), HeldBy)


async def test_leases_are_locked_until_the_unit_ends(database: Database) -> None:
    mine = await held(database, "one")
    order: list[str] = []
    locked = asyncio.Event()

    async def commit_an_intent() -> None:
        async with database.unit() as unit:
            await lock_and_check(unit, [mine])
            locked.set()
            for _ in range(20):
                await asyncio.sleep(0)
            order.append("intent")

    async def take_over(unit: Unit) -> None:
        await acquire(unit, "account:1", "two", TTL_S, unit.now + timedelta(seconds=TTL_S + 1))
        order.append("heir")

    intent = asyncio.create_task(commit_an_intent())
    await locked.wait()
    await database.run(take_over)
    await intent
    assert order == ["intent", "heir"]
