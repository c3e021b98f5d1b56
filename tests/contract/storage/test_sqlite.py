"""What is particular to SQLite: pragmas, BEGIN IMMEDIATE, one writer, injected connections."""

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.identity.tables import users
from fillbook.kernel.clock import Clock
from fillbook.storage.sqlite import open_sqlite
from fillbook.storage.unit import Database, Unit


async def test_connections_are_durable_and_check_references(sqlite_database: Database) -> None:
    async with sqlite_database.unit() as unit:
        found = [
            (await unit.connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    full = 2
    assert found == ["wal", full, 1]


async def test_a_writing_unit_takes_the_write_lock_before_it_writes(
    sqlite_database: Database, tmp_path: Path
) -> None:
    other = open_sqlite(tmp_path / "fillbook.db")
    other.execute("PRAGMA busy_timeout = 0")
    async with sqlite_database.unit():
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    async with sqlite_database.read():
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
    other.close()


async def test_a_unit_inside_a_unit_is_refused_instead_of_waiting_for_itself(
    sqlite_database: Database,
) -> None:
    async with sqlite_database.unit():
        with pytest.raises(RuntimeError, match="pass it down"):
            async with sqlite_database.unit():
                pytest.fail("two writers at once")


async def test_units_run_one_after_the_other(sqlite_database: Database) -> None:
    running = most = 0

    async def work() -> None:
        nonlocal running, most
        async with sqlite_database.unit() as unit:
            running += 1
            most = max(most, running)
            await unit.all(sa.select(users))
            running -= 1

    await asyncio.gather(*(work() for _ in range(5)))
    assert most == 1


class DirectCursor:
    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    async def __aenter__(self) -> "DirectCursor":
        return self

    async def __aexit__(self, *raised: object) -> None:
        return None

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "DirectCursor":
        self._cursor.execute(sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Any]) -> "DirectCursor":
        self._cursor.executemany(sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()


class DirectConnection:
    """The part of aiosqlite's surface that SQLAlchemy uses, on sqlite3 itself, without a thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._conn = self._connection = connection
        self.daemon = True
        self.isolation_level = connection.isolation_level

    def cursor(self) -> DirectCursor:
        return DirectCursor(self._conn.cursor())

    async def execute(self, *arguments: Any) -> DirectCursor:
        return DirectCursor(self._conn.execute(*arguments))

    async def commit(self) -> None:
        self._conn.commit()

    async def rollback(self) -> None:
        self._conn.rollback()

    async def close(self) -> None:
        self._conn.close()

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        self._conn.create_function(*arguments, **options)


async def test_connections_can_be_injected_and_need_no_thread(
    sqlite_template: Path, tmp_path: Path, clock: Clock
) -> None:
    opened = 0

    path = tmp_path / "injected.db"
    shutil.copy(sqlite_template, path)

    async def connect() -> DirectConnection:
        nonlocal opened
        opened += 1
        return DirectConnection(open_sqlite(path))

    database = Database.connect(f"sqlite:///{path}", clock, async_creator=connect)
    with pytest.raises(LookupError):
        async with database.unit() as unit:
            await unit.insert(users, {"email": "ann@example.org", "username": "ann"})
            assert unit.now == clock.now()
            raise LookupError
    async with database.read() as unit:
        assert await unit.all(sa.select(users)) == []
    async with database.unit() as writing, database.read() as reading:
        await writing.insert(users, {"email": "bea@example.org", "username": "bea"})
        assert await reading.all(sa.select(users)) == [], "a reader sees what was committed, on its own"
        await writing.execute(sa.delete(users))
    await database.close()
    assert opened == 2


async def test_a_commit_that_fails_leaves_its_connection_as_good_as_new(sqlite_database: Database) -> None:
    """References are checked at the commit here, so that the commit itself fails, as on a full disk."""

    async def refer_to_nobody(unit: Unit) -> None:
        await unit.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        await unit.execute(
            sa.text(
                "INSERT INTO signal_keys (strategy_id, hash, first_seen_at, signal_id)"
                " VALUES (99, 'h', '2026-01-01T00:00:00.000000Z', 99)"
            )
        )

    with pytest.raises(sa.exc.IntegrityError):
        await sqlite_database.run(refer_to_nobody)
    for _ in range(12):  # more often than the pool has connections
        assert await sqlite_database.run(_count_keys) == 0


async def _count_keys(unit: Unit) -> int:
    return int(await unit.scalar(sa.text("SELECT COUNT(*) FROM signal_keys")))
