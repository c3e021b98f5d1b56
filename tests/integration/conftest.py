"""A server in a process of its own."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fillbook.storage.unit import Database
from support.process import Process, free_port
from support.wires import WIRES
from support.world import BINANCE, open_world


@pytest.fixture
async def process_anywhere(database_url: str, database: Database, tmp_path: Path) -> AsyncIterator[Process]:
    """A server on each of the three databases, which `database` empties afterwards."""
    async with open_world(database_url, trades=False) as world:
        process = Process(world, tmp_path, free_port(), database_url=database_url)
        yield process
        process.stop()


@pytest.fixture(params=[venue for venue in WIRES if venue is not BINANCE])
async def process_elsewhere(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path
) -> AsyncIterator[Process]:
    """A server that trades at each of the other venues."""
    path = tmp_path / "fillbook.db"
    shutil.copy(sqlite_template, path)
    async with open_world(f"sqlite:///{path}", trades=False, venue=request.param) as world:
        process = Process(world, tmp_path, free_port())
        yield process
        process.stop()


@pytest.fixture
async def process(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Process]:
    shutil.copy(sqlite_template, tmp_path / "fillbook.db")
    async with open_world(f"sqlite:///{tmp_path / 'fillbook.db'}", trades=False) as world:
        process = Process(world, tmp_path, free_port())
        yield process
        process.stop()
