"""The unit of work: one transaction, its moment, and what to do once it is committed.

Only this module commits. On SQLite a unit that may write holds one lock from BEGIN IMMEDIATE to COMMIT, so
that writers of this process queue fairly; on the servers units run side by side, and `Database.run` repeats
the whole of one that lost a deadlock, a serialisation check or the wait for a lock.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fillbook.kernel.clock import Clock
from fillbook.storage.database import AsyncCreator, create_engine
from fillbook.storage.prepared import (
    ROW_ID,
    Prepared,
    Row,
    prepare_insert,
    prepare_insert_if_new,
    prepare_insert_numbered,
    prepare_update,
    prepare_upsert,
)
from fillbook.storage.retries import is_worth_repeating

T = TypeVar("T")
MAX_ATTEMPTS = 6
FIRST_PAUSE_S = 0.02

# Where SQLite keeps the highest number that a table has ever given out.
_SEQUENCES = sa.table("sqlite_sequence", sa.column("name", sa.String), sa.column("seq", sa.Integer))

_log = logging.getLogger(__name__)


class Unit:
    """One transaction. `now` is the database's time at its start (the injected clock's on SQLite)."""

    def __init__(self, connection: AsyncConnection, now: datetime, known_partitions: set[str]) -> None:
        self.connection = connection
        self.now = now
        self.known_partitions = known_partitions
        self._callbacks: list[Callable[[], None]] = []

    @property
    def dialect(self) -> str:
        """`sqlite`, `postgresql` or `mysql` (MariaDB included)."""
        name = self.connection.dialect.name
        return "mysql" if name == "mariadb" else name

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call something that cannot fail once this unit is committed; it is a hint, never a record."""
        self._callbacks.append(callback)

    async def execute(
        self, statement: sa.Executable, parameters: Row | Sequence[Row] | None = None
    ) -> sa.CursorResult[Any]:
        return await self.connection.execute(statement, parameters)

    async def scalar(self, statement: sa.Executable) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.scalar(statement)

    async def one_or_none(self, statement: sa.Executable) -> sa.Row[Any] | None:
        return (await self.connection.execute(statement)).one_or_none()

    async def all(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[sa.Row[Any]]:
        return (await self.connection.execute(statement, parameters)).all()

    async def insert(self, table: sa.Table, row: Row) -> int:
        """Insert one row; returns its number (the first column of its primary key)."""
        dialect = self.connection.dialect
        if dialect.insert_returning and "id" in table.c and "id" not in row:
            prepared = prepare_insert_numbered(dialect, table, tuple(row))
            (values,) = prepared.parameters([row], self.now)
            return int((await self.connection.exec_driver_sql(prepared.sql, values)).scalar_one())
        result = await self.execute(sa.insert(table), row)
        key = result.inserted_primary_key
        return int(key[0]) if key is not None and isinstance(key[0], int) else 0

    async def insert_many(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Insert rows in one go. All rows have the same columns."""
        if rows:
            await self._execute_many(prepare_insert(self.connection.dialect, table, tuple(rows[0])), rows)

    async def update_many(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Set columns of rows by their numbers, which each row gives as `row_id`, no number twice. All rows have
        the same columns."""
        if rows:
            names = tuple(name for name in rows[0] if name != ROW_ID)
            await self._execute_many(prepare_update(self.connection.dialect, table, names), rows)

    async def insert_numbered(self, table: sa.Table, rows: Sequence[Row]) -> list[int]:
        """Insert rows that the database numbers; their numbers, in the order of the rows."""
        if not rows:
            return []
        if self.dialect == "sqlite" and len(rows) > 1 and "id" not in rows[0]:
            return await self._insert_under_next_numbers(table, rows)
        if len(rows) == 1 or not self.connection.dialect.insert_executemany_returning:
            return [await self.insert(table, row) for row in rows]
        statement = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
        return [int(number) for number in (await self.execute(statement, list(rows))).scalars()]

    async def _insert_under_next_numbers(self, table: sa.Table, rows: Sequence[Row]) -> list[int]:
        """SQLite numbers rows one statement at a time. This unit alone writes until it ends, so that the numbers
        that come next are its own to give."""
        never_again = table.dialect_options["sqlite"]["autoincrement"]
        last = sa.select(sa.func.max(table.c.id))
        if never_again:
            last = sa.select(_SEQUENCES.c.seq).where(_SEQUENCES.c.name == table.name)
        first = int(await self.scalar(last) or 0) + 1
        numbers = list(range(first, first + len(rows)))
        await self.insert_many(
            table, [{"id": number, **row} for number, row in zip(numbers, rows, strict=True)]
        )
        return numbers

    async def insert_if_new(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Insert the rows whose keys nobody has yet; the others change nothing."""
        if rows:
            names = tuple(rows[0])
            await self._execute_many(prepare_insert_if_new(self.connection.dialect, table, names), rows)

    async def upsert(
        self,
        table: sa.Table,
        rows: Sequence[Row],
        *,
        keys: Iterable[str],
        changed: Iterable[str] | None = None,
    ) -> None:
        """Insert rows, or set `changed` (default: every given column but the keys) where the keys exist."""
        if not rows:
            return
        names = tuple(rows[0])
        keys = tuple(keys)
        changed = tuple(name for name in names if name not in keys) if changed is None else tuple(changed)
        await self._execute_many(prepare_upsert(self.connection.dialect, table, names, keys, changed), rows)

    async def _execute_many(self, prepared: Prepared, rows: Sequence[Row]) -> None:
        if prepared.bulk_sql is not None and len(rows) > 1:
            await self.connection.exec_driver_sql(prepared.bulk_sql, tuple(prepared.columns(rows, self.now)))
        else:
            await self.connection.exec_driver_sql(prepared.sql, prepared.parameters(rows, self.now))

    def _committed(self) -> None:
        for callback in self._callbacks:
            callback()


class Database:
    """The one door to the rows. Made once per process (and event loop); `close` ends its connections."""

    def __init__(self, engine: AsyncEngine, clock: Clock, rng: random.Random | None = None) -> None:
        self.engine = engine
        self.clock = clock
        self._rng = rng or random.Random()
        self._known_partitions: set[str] = set()
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._write_lock = asyncio.Lock()
        self._writer: asyncio.Task[Any] | None = None

    @classmethod
    def connect(
        cls,
        url: str,
        clock: Clock,
        *,
        async_creator: AsyncCreator | None = None,
        rng: random.Random | None = None,
        pool_size: int = 10,
    ) -> "Database":
        """A database by URL. Nothing is opened before the first unit."""
        return cls(create_engine(url, async_creator=async_creator, pool_size=pool_size), clock, rng)

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """A transaction that may write; committed at the end, rolled back by an exception."""
        if not self._is_sqlite:
            async with self._transaction(reads_only=False) as unit:
                yield unit
            unit._committed()
            return
        task = asyncio.current_task()
        if self._writer is not None and self._writer is task:
            raise RuntimeError("this task already holds a unit of work: pass it down")
        async with self._write_lock:
            self._writer = task
            try:
                async with self._transaction(reads_only=False) as unit:
                    yield unit
            finally:
                self._writer = None
        unit._committed()

    @asynccontextmanager
    async def read(self, *, brief: bool = False) -> AsyncIterator[Unit]:
        """A transaction that only reads; it waits for no writer and is never committed.

        `brief`: a few rows by their keys, which on SQLite are read without a change of threads.
        """
        async with self._transaction(reads_only=True, brief=brief) as unit:
            yield unit

    async def run(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """`work(unit)` in a unit that may write; all of it is repeated when the database asks for that.

        A cancellation waits until the transaction has ended: one that is cut leaves its connection, and on
        SQLite the lock of the whole file, to the garbage collector.
        """
        return await _to_its_end(self._attempt(work))

    async def _attempt(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                async with self.unit() as unit:
                    return await work(unit)
            except sa.exc.DBAPIError as error:
                if attempt == MAX_ATTEMPTS or not is_worth_repeating(error):
                    raise
                _log.info("unit of work repeated", extra={"attempt": attempt})
            await self.clock.sleep(FIRST_PAUSE_S * 2**attempt * (0.5 + self._rng.random()))
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def _transaction(self, *, reads_only: bool, brief: bool = False) -> AsyncIterator[Unit]:
        connection = self.engine.connect()
        await connection.start()
        try:
            options = _synchronous(connection)
            options.execution_options(fillbook_reads_only=reads_only, fillbook_brief=brief)
            await connection.begin()
            now = await self._db_now(connection)
            options.execution_options(fillbook_now=now)
            yield Unit(connection, now, self._known_partitions)
            if reads_only:
                await _to_its_end(connection.rollback())
            else:
                await _to_its_end(connection.commit())
        finally:
            await _to_its_end(connection.close())

    async def _db_now(self, connection: AsyncConnection) -> datetime:
        if self._is_sqlite:
            return self.clock.now().astimezone(UTC)
        name = "clock_timestamp()" if self.engine.dialect.name == "postgresql" else "UTC_TIMESTAMP(6)"
        moment = (await connection.exec_driver_sql(f"SELECT {name}")).scalar_one()
        assert isinstance(moment, datetime)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _synchronous(connection: AsyncConnection) -> sa.Connection:
    """The connection's other face: its options are set without a word to the database."""
    assert connection.sync_connection is not None, "it is started"
    return connection.sync_connection


async def _to_its_end(act: Coroutine[Any, Any, T]) -> T:
    """Await something that a cancellation must not cut in two: the cancellation is delivered afterwards."""
    task = asyncio.ensure_future(act)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error from None
        raise
