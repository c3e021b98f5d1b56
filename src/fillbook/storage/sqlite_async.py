"""SQLite under asyncio, with no more threads changed than disks demand: aiosqlite's surface on sqlite3 itself.

A statement inside a transaction that writes, or that reads a few rows, takes microseconds, a change of threads
and back a hundred: such statements run in the loop's own thread. What waits (BEGIN IMMEDIATE for another
process's lock, COMMIT for the disk) and what may read at length (everything else) runs in the connection's
thread, rows included in one go.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fillbook.storage.sqlite import open_sqlite

T = TypeVar("T")

BEGIN_WRITING = "BEGIN IMMEDIATE"
BEGIN_BRIEF = "BEGIN DEFERRED"
"""Begins a transaction that reads a few rows by their keys."""


class AsyncSqliteConnection:
    """What SQLAlchemy's dialect asks of a connection. `_connection` (a name that it looks for) is None when
    it is closed."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection: sqlite3.Connection | None = connection
        self._conn = connection
        self._thread = thread
        self._is_idle = True
        self.is_direct = False

    @classmethod
    async def open(cls, path: str | Path) -> "AsyncSqliteConnection":
        thread = ThreadPoolExecutor(1, "sqlite")
        opening = partial(open_sqlite, path, check_same_thread=False)
        return cls(await asyncio.get_running_loop().run_in_executor(thread, opening), thread)

    @property
    def isolation_level(self) -> str | None:
        return self._conn.isolation_level

    def cursor(self) -> "AsyncSqliteCursor":
        return AsyncSqliteCursor(self, self._conn.cursor())

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "AsyncSqliteCursor":
        return await self.cursor().execute(sql, parameters)

    async def in_thread(self, act: Callable[[], T]) -> T:
        """Run in this connection's thread, after whatever a cancelled task has left running there."""
        self._is_idle = False
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    async def commit(self) -> None:
        """Commits; a transaction that cannot be committed (a full disk) is over all the same. The pool believes
        so, and would hand the connection on with the transaction open."""
        try:
            await self._end(self._conn.commit)
        except sqlite3.Error:
            await self._end(self._conn.rollback)
            raise

    async def rollback(self) -> None:
        """Rolls back; right after the end of a transaction (as the pool does) there is nothing to do."""
        if not self._is_idle:
            await self._end(self._conn.rollback)
        elif self.is_direct:
            self._conn.rollback()
            self.is_direct = False

    async def _end(self, act: Callable[[], None]) -> None:
        await self.in_thread(act)
        self.is_direct = False
        self._is_idle = True

    async def close(self) -> None:
        if self._connection is None:
            return
        self._connection = None
        await self.in_thread(self._conn.close)
        self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Close without waiting."""
        if self._connection is not None:
            self._connection = None
            self._thread.submit(self._conn.close)
            self._thread.shutdown(wait=False)

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        self._conn.create_function(*arguments, **options)


class AsyncSqliteCursor:
    """A cursor whose rows are there as soon as its statement has run."""

    def __init__(self, connection: AsyncSqliteConnection, cursor: sqlite3.Cursor) -> None:
        self._connection = connection
        self._cursor = cursor
        self._rows: list[Any] = []

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def __aenter__(self) -> "AsyncSqliteCursor":
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._cursor.close()

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "AsyncSqliteCursor":
        if sql == BEGIN_BRIEF:
            self._connection.is_direct = True
        if self._connection.is_direct:
            self._run(sql, parameters)
        else:
            await self._connection.in_thread(lambda: self._run(sql, parameters))
            self._connection.is_direct = sql == BEGIN_WRITING
        return self

    async def executemany(self, sql: str, parameters: Sequence[Any]) -> "AsyncSqliteCursor":
        if self._connection.is_direct:
            self._cursor.executemany(sql, parameters)
        else:
            await self._connection.in_thread(lambda: self._cursor.executemany(sql, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._cursor.close()

    def _run(self, sql: str, parameters: Sequence[Any]) -> None:
        self._cursor.execute(sql, parameters)
        self._rows = self._cursor.fetchall()
