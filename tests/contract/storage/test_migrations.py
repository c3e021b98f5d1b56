"""The chain and the declared tables agree on every database, and the chain runs both ways with rows in it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from fillbook.accounts.tables import accounts
from fillbook.identity.tables import users
from fillbook.kernel.clock import Clock, SystemClock
from fillbook.ledger.tables import fills
from fillbook.migrations.models import load_metadata
from fillbook.orders.tables import open_orders, orders
from fillbook.storage import migrate
from fillbook.storage.database import create_engine
from fillbook.storage.partitions import ensure_partition
from fillbook.storage.unit import Database, Unit


async def test_the_chain_makes_what_the_code_declares(database_url: str) -> None:
    assert await migrate.check(database_url) == []
    assert await migrate.current(database_url) == migrate.head()
    await migrate.require_head(database_url)


async def test_a_schema_that_differs_is_told_apart(sqlite_database: Database) -> None:
    async with sqlite_database.unit() as unit:
        for statement in (
            "DROP INDEX ix_accounts_user_id",
            "DROP TABLE api_tokens",
            "DROP TABLE installation",
            "CREATE TABLE installation (id INTEGER PRIMARY KEY)",
            "DROP TABLE workers",
            "CREATE TABLE workers (name TEXT, pid INTEGER PRIMARY KEY)",
            "DROP TABLE cancels",
            "CREATE TABLE cancels (side TEXT, CONSTRAINT ck_cancels_side CHECK (side IN ('buy', 'short')))",
        ):
            await unit.connection.exec_driver_sql(statement)
    found = await migrate.check(sqlite_database.engine)
    assert any("ix_accounts_user_id" in sentence for sentence in found)
    assert any("api_tokens" in sentence for sentence in found)
    assert "installation: CHECK ck_installation_single is missing" in found
    assert "cancels: CHECK ck_cancels_side allows other words" in found
    assert "workers: the primary key is (pid)" in found


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def empty_url(
    request: pytest.FixtureRequest, tmp_path: Path, empty_server_database: Callable[[str], str]
) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return empty_server_database(request.param)


async def test_the_chain_runs_up_and_down_with_rows_in_it(empty_url: str) -> None:
    await migrate.upgrade(empty_url)
    database = Database.connect(empty_url, SystemClock())
    async with database.unit() as unit:
        await write_one_of_each(unit)
    await database.close()
    await migrate.downgrade(empty_url, "0003")
    assert await migrate.current(empty_url) == "0003"
    await migrate.downgrade(empty_url, "base")
    engine = create_engine(empty_url)
    async with engine.connect() as connection:
        left = set(await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()))
        views = await connection.run_sync(lambda sync: sa.inspect(sync).get_view_names())
    await engine.dispose()
    assert left == {"alembic_version"}
    assert views == []
    await migrate.upgrade(empty_url)
    assert await migrate.check(empty_url) == []


async def test_every_step_can_be_run_again(empty_url: str) -> None:
    """A chain that broke half way on MariaDB starts again from a version that is behind its tables."""
    await migrate.upgrade(empty_url)
    engine = create_engine(empty_url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM alembic_version")
    await migrate.upgrade(engine)
    assert await migrate.check(engine) == []
    await engine.dispose()


async def test_an_old_schema_is_refused_and_the_command_is_named(empty_url: str) -> None:
    await migrate.upgrade(empty_url, "0002")
    with pytest.raises(migrate.SchemaOutOfDate, match="fillbook db upgrade"):
        await migrate.require_head(empty_url)


async def test_migrations_run_inside_a_running_loop(empty_url: str) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await migrate.upgrade(empty_url)
    ticking.cancel()
    assert ticks > 10, "the loop went on meanwhile"


async def test_every_table_of_the_code_is_in_the_database(database_url: str) -> None:
    engine = create_engine(database_url)
    async with engine.connect() as connection:
        present = set(await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()))
        views = await connection.run_sync(lambda sync: sa.inspect(sync).get_view_names())
    await engine.dispose()
    assert set(load_metadata().tables) <= present
    assert views == ["open_orders"]


async def test_a_copy_of_an_sqlite_database_is_whole(
    sqlite_database: Database, tmp_path: Path, clock: Clock
) -> None:
    async with sqlite_database.unit() as unit:
        await unit.insert(users, {"email": "ann@example.org", "username": "ann"})
    copy = tmp_path / "copy.db"
    await migrate.copy_sqlite(sqlite_database.engine, copy)
    copied = Database.connect(f"sqlite:///{copy}", clock)
    async with copied.read() as unit:
        assert await unit.scalar(sa.select(users.c.username)) == "ann"
    await copied.close()


async def test_the_view_of_open_orders_shows_live_orders_alone(database: Database) -> None:
    async with database.unit() as unit:
        account_id, user_id = await write_one_of_each(unit)
        row = order_row(account_id, user_id) | {"client_order_id": "ended", "status": "FILLED"}
        await unit.insert(orders, row)
        found = await unit.all(sa.select(open_orders))
    assert [(one.account_id, one.status, one.quantity) for one in found] == [
        (account_id, "NEW", Decimal("0.5"))
    ]


def order_row(account_id: int, user_id: int) -> dict[str, object]:
    return {
        "account_id": account_id,
        "user_id": user_id,
        "environment": "paper",
        "currency": "USDT",
        "client_order_id": "c1",
        "symbol": "BTC/USDT",
        "market_type": "spot",
        "side": "buy",
        "order_type": "MARKET",
        "quantity": Decimal("0.5"),
        "status": "NEW",
    }


async def write_one_of_each(unit: Unit) -> tuple[int, int]:
    """A user, an account, an order and a fill; returns the ids of account and user."""
    user_id = await unit.insert(users, {"email": "ann@example.org", "username": "ann"})
    account_id = await unit.insert(
        accounts,
        {
            "uid": "u1",
            "user_id": user_id,
            "name": "one",
            "exchange": "binance",
            "environment": "paper",
            "market_types": ["spot"],
        },
    )
    await unit.insert(orders, order_row(account_id, user_id))
    at = datetime(2026, 3, 4, tzinfo=UTC)
    await ensure_partition(unit, fills, at)
    await unit.insert_many(
        fills,
        [
            {
                "id": 1,
                "account_id": account_id,
                "user_id": user_id,
                "environment": "paper",
                "symbol": "BTC/USDT",
                "exchange_order_id": "1",
                "venue_fill_id": "1",
                "side": "buy",
                "price": Decimal(1),
                "quantity": Decimal(1),
                "cost": Decimal(1),
                "currency": "USDT",
                "market_type": "spot",
                "source": "rest",
                "exchange_at": at,
            }
        ],
    )
    return account_id, user_id
