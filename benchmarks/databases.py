"""A database of its own for each measurement, in a data directory of its own; both are gone afterwards."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fillbook.storage import migrate
from fillbook.storage.database import create_engine, normalise_url

KINDS = ("sqlite", "postgresql")
DEFAULT_SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server may keep its rows."""

    kind: str
    url: str
    directory: Path


@contextmanager
def new_database(kind: str) -> Iterator[Place]:
    """An empty database on the newest schema. Raises `OSError` when there is no such server."""
    with tempfile.TemporaryDirectory(prefix="fillbook-bench-") as folder:
        directory = Path(folder)
        if kind == "sqlite":
            url = f"sqlite:///{directory / 'fillbook.db'}"
            asyncio.run(migrate.upgrade(url))
            yield Place(kind, url, directory)
            return
        server = normalise_url(os.environ.get("FILLBOOK_TEST_POSTGRES_URL", DEFAULT_SERVER))
        name = f"fillbook_bench_{secrets.token_hex(6)}"
        asyncio.run(_on_server(server, f"CREATE DATABASE {name}"))
        try:
            url = server.set(database=name).render_as_string(hide_password=False)
            asyncio.run(migrate.upgrade(url))
            yield Place(kind, url, directory)
        finally:
            asyncio.run(_on_server(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _on_server(server: sa.URL, statement: str) -> None:
    engine = create_engine(server.render_as_string(hide_password=False))
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.exec_driver_sql(statement)
    await engine.dispose()
