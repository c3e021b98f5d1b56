"""SQLite in the loop's own thread, and what a crash leaves of it.

The statements, pragmas and functions are those of the real driver; only its threads are gone. Where it would
change threads, other tasks run first.
"""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from fillbook.kernel.clock import Clock
from fillbook.storage.database import create_engine
from fillbook.storage.sqlite import open_sqlite
from fillbook.storage.sqlite_async import BEGIN_WRITING, AsyncSqliteConnection, AsyncSqliteCursor
from fillbook.storage.unit import Database

T = TypeVar("T")

LOCK_POLL_S = 0.005
LOCK_POLLS = 2000


DISK_ERROR = "disk I/O error"
LOCKED = "locked"


def is_of_the_disk(error: object) -> bool:
    """Whether an error is one that a disk, or a process that stands still with the lock, brings about."""
    return DISK_ERROR in str(error) or LOCKED in str(error)


class Disk:
    """Where the file lies; now and then it fails a commit, which then has not happened."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.fails = 0.0

    def mend(self) -> None:
        self.fails = 0.0

    def check(self) -> None:
        if self.fails and self._rng.random() < self.fails:
            raise sqlite3.OperationalError(DISK_ERROR)


class ThreadlessConnection(AsyncSqliteConnection):
    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        super().__init__(connection, cast(Any, None))
        commit = connection.commit

        def commit_to_disk() -> None:
            disk.check()
            commit()

        connection.commit = commit_to_disk  # type: ignore[method-assign]
        connection.execute("PRAGMA busy_timeout = 0").close()

    def cursor(self) -> AsyncSqliteCursor:
        return _Cursor(self, self._conn.cursor())

    async def in_thread(self, act: Callable[[], T]) -> T:
        self._is_idle = False
        await asyncio.sleep(0)
        return act()

    async def close(self) -> None:
        self.stop()

    def stop(self) -> None:
        if self._connection is not None:
            self._connection = None
            self._conn.close()


class _Cursor(AsyncSqliteCursor):
    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> AsyncSqliteCursor:
        """Another process's lock is waited for in virtual time."""
        if sql != BEGIN_WRITING:
            return await super().execute(sql, parameters)
        for poll in range(LOCK_POLLS):
            try:
                return await super().execute(sql, parameters)
            except sqlite3.OperationalError as error:
                if LOCKED not in str(error) or poll == LOCK_POLLS - 1:
                    raise
                await asyncio.sleep(LOCK_POLL_S)
        raise AssertionError("the last poll returns or raises")


class Connections:
    """The connections of one process to one database file."""

    _first: AsyncEngine | None = None
    """The first engine of this interpreter: its dialect and its compiled statements serve all that follow."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.path = path
        self._disk = disk or Disk(random.Random(0))
        self._open: list[ThreadlessConnection] = []

    def database(self, clock: Clock, rng: random.Random | None = None) -> Database:
        engine = create_engine(f"sqlite:///{self.path}", async_creator=self.connect)
        if Connections._first is None:
            Connections._first = engine
        else:
            first = Connections._first.sync_engine
            engine.sync_engine.dialect = first.dialect
            engine.sync_engine._compiled_cache = first._compiled_cache
        return Database(engine, clock, rng)

    async def connect(self) -> ThreadlessConnection:
        connection = ThreadlessConnection(open_sqlite(self.path), self._disk)
        self._open.append(connection)
        return connection

    def cut(self) -> None:
        """The process is gone: what it had not committed is rolled back, and its locks are free."""
        for connection in self._open:
            connection.stop()


def copy_as_it_is(path: Path, copy: Path) -> None:
    """The database and its log as a killed process leaves them."""
    shutil.copyfile(path, copy)
    log = Path(f"{path}-wal")
    if log.exists():
        shutil.copyfile(log, f"{copy}-wal")
