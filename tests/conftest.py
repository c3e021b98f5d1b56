"""Fixtures for every test: a clock that moves by hand, and real databases.

`database` is a migrated database without rows, on SQLite and on each server whose URL the environment names
(FILLBOOK_TEST_POSTGRES_URL, FILLBOOK_TEST_MYSQL_URL: a user who may create databases). Each test run makes
databases of its own there and drops them. `sqlite_database` is the same on SQLite alone, for tests of what
does not depend on the database.
"""

import asyncio
import os
import random
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from fillbook.migrations.models import load_metadata
from fillbook.storage import migrate
from fillbook.storage.database import create_engine, normalise_url
from fillbook.storage.unit import Database

SERVERS = {"postgresql": "FILLBOOK_TEST_POSTGRES_URL", "mysql": "FILLBOOK_TEST_MYSQL_URL"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the tests that take minutes")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "full: takes minutes; runs only with --full")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    for item in items:
        if "full" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes minutes: run with --full"))


class ManualClock:
    """Stands still until it is moved; sleeping moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._elapsed_s = 1000.0

    def now(self) -> datetime:
        return self._now

    def elapsed_s(self) -> float:
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._elapsed_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file without rows, to be copied."""
    path = tmp_path_factory.mktemp("template") / "fillbook.db"
    asyncio.run(migrate.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def server_database() -> Iterator[Callable[[str], str]]:
    """Gives the URL of this run's own migrated database on a server; skips when no server is named."""
    made: dict[str, str] = {}

    def database_on(server: str) -> str:
        if server not in made:
            made[server] = create_server_database(server)
            asyncio.run(migrate.upgrade(made[server]))
        return made[server]

    yield database_on
    for url in made.values():
        asyncio.run(_on_server(url, "DROP DATABASE {name}"))


@pytest.fixture
def empty_server_database() -> Iterator[Callable[[str], str]]:
    """Gives the URL of a new database on a server, with nothing in it, dropped after the test."""
    made: list[str] = []

    def database_on(server: str) -> str:
        made.append(create_server_database(server))
        return made[-1]

    yield database_on
    for url in made:
        asyncio.run(_on_server(url, "DROP DATABASE {name}"))


def create_server_database(server: str) -> str:
    base = os.environ.get(SERVERS[server])
    if not base:
        pytest.skip(f"no {server} server: set {SERVERS[server]} to the URL of one that may be written to")
    name = f"fillbook_test_{secrets.token_hex(6)}"
    url = normalise_url(base).set(database=name).render_as_string(hide_password=False)
    asyncio.run(_on_server(url, "CREATE DATABASE {name}"))
    return url


async def _on_server(url: str, statement: str) -> None:
    """Run a statement about the database that the URL names, from the server's own database."""
    parsed = sa.make_url(url)
    own = "postgres" if parsed.get_backend_name() == "postgresql" else "mysql"
    engine = create_engine(parsed.set(database=own).render_as_string(hide_password=False))
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with autocommit.connect() as connection:
        await connection.exec_driver_sql(statement.format(name=parsed.database))
    await engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated database without rows, on each of the three."""
    if request.param == "sqlite":
        path = tmp_path / "fillbook.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    return str(request.getfixturevalue("server_database")(request.param))


@pytest.fixture
async def database(database_url: str, clock: ManualClock) -> AsyncIterator[Database]:
    async with open_database(database_url, clock) as database:
        yield database


@pytest.fixture
async def sqlite_database(
    sqlite_template: Path, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Database]:
    path = tmp_path / "fillbook.db"
    shutil.copy(sqlite_template, path)
    async with open_database(f"sqlite:///{path}", clock) as database:
        yield database


@asynccontextmanager
async def open_database(url: str, clock: ManualClock) -> AsyncIterator[Database]:
    database = Database.connect(url, clock, rng=random.Random(7))
    try:
        yield database
        if database.engine.dialect.name != "sqlite":
            await empty(database)
    finally:
        await database.close()


async def empty(database: Database) -> None:
    """Remove all rows. References are not checked meanwhile, so that the order does not matter."""
    names = [table.name for table in load_metadata().sorted_tables]
    async with database.unit() as unit:
        if unit.dialect == "postgresql":
            await unit.connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        else:
            await unit.connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        for name in names:
            await unit.connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608 - our own tables
        if unit.dialect == "mysql":
            await unit.connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")
