"""Bringing a database to the schema of this version, and back.

The chain runs on the asynchronous driver itself, inside the running loop: `serve`, the command line and the
tests all use the same few functions. Each takes a URL, or an engine that is already there.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fillbook.kernel.errors import FillbookError
from fillbook.storage.comparison import is_ours, missing_from, types_differ
from fillbook.storage.database import create_engine

Target = str | AsyncEngine


class SchemaOutOfDate(FillbookError):
    code = "schema_out_of_date"
    status = 503


class BrokenReferences(FillbookError):
    code = "broken_references"
    status = 500


def head() -> str:
    """The newest revision that this version of the program knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None
    return newest


async def upgrade(target: Target, revision: str = "head") -> None:
    """Run the chain up to a revision. Running it again does nothing."""
    await _run(target, lambda connection: command.upgrade(_config(connection), revision))


async def downgrade(target: Target, revision: str) -> None:
    """Run the chain down to a revision, or to `base`. Rows of dropped tables are lost."""
    await _run(target, lambda connection: command.downgrade(_config(connection), revision))


async def current(target: Target) -> str | None:
    """The revision that the database is at; None: it has no tables of ours."""
    async with _engine_of(target) as engine, engine.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def require_head(target: Target) -> None:
    """Raise `SchemaOutOfDate` unless the database has exactly this version's schema."""
    found = await current(target)
    if found != head():
        raise SchemaOutOfDate(
            f"The database is at schema {found or 'none'}, this version needs {head()}: "
            "back it up, then run `fillbook db upgrade`."
        )


async def check(target: Target) -> list[str]:
    """How the database differs from the tables that the code declares, one sentence each."""

    def compare(connection: sa.Connection) -> list[str]:
        from fillbook.migrations.models import load_metadata  # it knows all domains: not at import time

        metadata = load_metadata()
        context = MigrationContext.configure(
            connection, opts={"include_object": is_ours, "compare_type": types_differ}
        )
        differences: list[Any] = compare_metadata(context, metadata)
        return [str(difference) for difference in differences] + missing_from(connection, metadata)

    async with _engine_of(target) as engine, engine.connect() as connection:
        return await connection.run_sync(compare)


async def copy_sqlite(target: Target, path: Path) -> None:
    """A whole, consistent copy of an SQLite database, made while it is in use. The file must not exist."""
    async with _engine_of(target) as engine, engine.connect() as connection:
        assert engine.dialect.name == "sqlite"
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("VACUUM INTO ?", (str(path),))


async def _run(target: Target, chain: Callable[[sa.Connection], None]) -> None:
    async with _engine_of(target) as engine, engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            await _run_on_sqlite(connection, chain)
            return
        with _without_notes():
            await connection.run_sync(chain)
        await connection.commit()


@contextmanager
def _without_notes() -> Iterator[None]:
    """Without asyncmy's notes: MariaDB remarks on every primary key that has a name."""
    notes = logging.getLogger("asyncmy")
    before = notes.level
    notes.setLevel(logging.ERROR)
    try:
        yield
    finally:
        notes.setLevel(before)


async def _run_on_sqlite(connection: AsyncConnection, chain: Callable[[sa.Connection], None]) -> None:
    """With references unchecked while tables are copied (dropping the old one would empty its children)."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.execute("PRAGMA foreign_keys = OFF")
    try:
        await connection.begin()
        await connection.run_sync(chain)
        broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
        if broken:
            tables = ", ".join(sorted({str(row[0]) for row in broken}))
            raise BrokenReferences(f"The migration would break references of {tables}; nothing was changed.")
        await connection.commit()
    finally:
        await connection.rollback()
        await driver.execute("PRAGMA foreign_keys = ON")


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "fillbook:migrations")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


@asynccontextmanager
async def _engine_of(target: Target) -> AsyncIterator[AsyncEngine]:
    if isinstance(target, AsyncEngine):
        yield target
        return
    engine = create_engine(target)
    try:
        yield engine
    finally:
        await engine.dispose()
