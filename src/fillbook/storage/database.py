"""The engine behind a database URL: which driver, which isolation, which timeouts.

READ COMMITTED on the servers; a lock is waited for, and a transaction may idle, for less time than a lease
lives (`LOCK_TIMEOUT_S`), so that a worker that hangs cannot hold rows that are no longer its own.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fillbook.kernel.errors import FillbookError
from fillbook.storage.sqlite_async import BEGIN_BRIEF, BEGIN_WRITING, AsyncSqliteConnection

LOCK_TIMEOUT_S = 5
IDLE_IN_TRANSACTION_TIMEOUT_S = 10

AsyncCreator = Callable[[], Awaitable[Any]]

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "mysql": "mysql+asyncmy",
    "mariadb": "mariadb+asyncmy",
}
_MYSQL_SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION', "
    f"time_zone = '+00:00', innodb_lock_wait_timeout = {LOCK_TIMEOUT_S}"
    # MariaDB alone reads this part; MySQL has no such limit.
    f" /*M!100301 , idle_transaction_timeout = {IDLE_IN_TRANSACTION_TIMEOUT_S} */"
)


class UnusableDatabaseUrl(FillbookError):
    code = "database_url"
    status = 500


def normalise_url(url: str) -> sa.URL:
    """The URL with its asynchronous driver. Raises `UnusableDatabaseUrl`, without the URL's password."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise UnusableDatabaseUrl("the database URL cannot be read; see FILLBOOK_DATABASE_URL") from error
    driver = _DRIVERS.get(parsed.drivername.partition("+")[0])
    if driver is None:
        raise UnusableDatabaseUrl(
            f"a {parsed.drivername} database is not supported: use sqlite, postgresql, mysql or mariadb"
        )
    if driver.startswith("sqlite") and parsed.database in (None, "", ":memory:"):
        raise UnusableDatabaseUrl("an SQLite database needs a file: facts are not kept in memory")
    return parsed.set(drivername=driver)


def create_engine(url: str, *, async_creator: AsyncCreator | None = None, pool_size: int = 10) -> AsyncEngine:
    """The asynchronous engine of a URL; sqlite, postgresql, mysql and mariadb, with or without a driver.

    `async_creator` opens SQLite connections in place of `AsyncSqliteConnection`; what it opens must be made by
    `storage.sqlite.open_sqlite`, which sets the pragmas and registers the functions.
    """
    parsed = normalise_url(url)
    options: dict[str, Any] = {
        "json_serializer": _to_json,
        "json_deserializer": orjson.loads,
        # An error's text goes to logs, and parameters hold hashes, ciphertexts and whole alerts.
        "hide_parameters": True,
    }
    if parsed.get_backend_name() == "sqlite":
        return _create_sqlite_engine(parsed, options, async_creator)
    assert async_creator is None, "only SQLite connections are injected"
    options |= {
        "isolation_level": "READ COMMITTED",
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_pre_ping": True,
    }
    if parsed.get_backend_name() == "postgresql":
        server_settings = {
            "lock_timeout": f"{LOCK_TIMEOUT_S}s",
            "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_TIMEOUT_S}s",
            "timezone": "UTC",
            "application_name": "fillbook",
        }
        engine = create_async_engine(parsed, connect_args={"server_settings": server_settings}, **options)
        sa.event.listen(engine.sync_engine, "handle_error", _hide_row)
        return engine
    return create_async_engine(
        parsed, connect_args={"charset": "utf8mb4", "init_command": _MYSQL_SESSION}, **options
    )


def _create_sqlite_engine(
    url: sa.URL, options: dict[str, Any], async_creator: AsyncCreator | None
) -> AsyncEngine:
    path = Path(url.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    # By the file's URL: SQLAlchemy shares one connection among all who use an in-memory one.
    creator = async_creator or partial(AsyncSqliteConnection.open, path)
    engine = create_async_engine(url, async_creator=creator, **options)
    sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a deferred transaction that first reads fails at its write, unwaited."""
    options = connection.get_execution_options()
    if not options.get("fillbook_reads_only", False):
        connection.exec_driver_sql(BEGIN_WRITING)
    else:
        connection.exec_driver_sql(BEGIN_BRIEF if options.get("fillbook_brief", False) else "BEGIN")


def _hide_row(context: sa.engine.ExceptionContext) -> None:
    """PostgreSQL's errors quote the whole row ("Failing row contains ..."): keep it out of every traceback."""
    error: BaseException | None = context.original_exception
    while error is not None:
        if getattr(error, "detail", None) is not None:
            error.detail = None  # type: ignore[attr-defined]
        error = error.__cause__


def _to_json(document: Any) -> str:
    return orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
