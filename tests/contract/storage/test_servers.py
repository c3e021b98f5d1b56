"""What a server's connections are set to, and that a cancelled wait leaves nothing behind."""

import asyncio

import pytest
import sqlalchemy as sa

from fillbook.fleet.tables import leases
from fillbook.identity.tables import users
from fillbook.storage.database import IDLE_IN_TRANSACTION_TIMEOUT_S, LOCK_TIMEOUT_S
from fillbook.storage.unit import Database
from fillbook.trading.engine import LEASE_TTL_S

on_servers = pytest.mark.parametrize("database_url", ["postgresql", "mysql"], indirect=True)


@on_servers
async def test_transactions_are_read_committed_and_end_before_a_lease_does(database: Database) -> None:
    async with database.unit() as unit:
        names = (
            ("transaction_isolation", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")
            if unit.dialect == "postgresql"
            else ("@@tx_isolation", "@@innodb_lock_wait_timeout", "@@idle_transaction_timeout", "@@time_zone")
        )
        show = "SHOW" if unit.dialect == "postgresql" else "SELECT"
        found = [
            str((await unit.connection.exec_driver_sql(f"{show} {name}")).scalar_one()) for name in names
        ]
    isolation, lock_timeout, idle_timeout, zone = found
    assert isolation.lower().replace("-", " ") == "read committed"
    assert lock_timeout.removesuffix("s") == str(LOCK_TIMEOUT_S)
    assert idle_timeout.removesuffix("s") == str(IDLE_IN_TRANSACTION_TIMEOUT_S)
    assert zone in ("UTC", "+00:00")
    assert LOCK_TIMEOUT_S < IDLE_IN_TRANSACTION_TIMEOUT_S < LEASE_TTL_S


@pytest.mark.parametrize("database_url", ["mysql"], indirect=True)
async def test_mariadb_refuses_what_does_not_fit_instead_of_cutting_it(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        async with database.unit() as unit:
            await unit.insert(users, {"email": "a@b.cc", "username": "x" * 81})


@on_servers
async def test_a_cancelled_wait_for_a_lock_frees_its_connection_and_writes_nothing(
    database: Database,
) -> None:
    async with database.unit() as unit:
        row = {"resource": "r", "epoch": 1, "expires_at": unit.now, "acquired_at": unit.now}
        await unit.insert_many(leases, [row])

    async def count_up() -> None:
        async with database.unit() as unit:
            await unit.execute(sa.update(leases).values(epoch=2))

    async with database.unit() as unit:
        await unit.execute(sa.select(leases).with_for_update())
        waiting = asyncio.create_task(count_up())
        while not await is_waiting(database):
            assert not waiting.done(), "it waits for the lock"
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with database.unit() as unit:
        assert await unit.scalar(sa.select(leases.c.epoch)) == 1
        await unit.execute(sa.update(leases).values(epoch=3))


async def is_waiting(database: Database) -> bool:
    """Whether a statement waits for a lock in this database."""
    async with database.read() as unit:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
            if unit.dialect == "postgresql"
            else "SELECT count(*) FROM information_schema.processlist"
            " WHERE info LIKE 'UPDATE leases%%' AND db = database()"
        )
        return bool((await unit.connection.exec_driver_sql(query)).scalar_one())
