"""Worlds: the whole path on SQLite, or on each database."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fillbook.storage.unit import Database
from support.world import World, open_world


@pytest.fixture
async def world(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[World]:
    """The path on SQLite."""
    path = tmp_path / "fillbook.db"
    shutil.copy(sqlite_template, path)
    async with open_world(f"sqlite:///{path}") as world:
        yield world


@pytest.fixture
async def world_anywhere(database_url: str, database: Database) -> AsyncIterator[World]:
    """The path on each of the three databases, which `database` empties afterwards."""
    async with open_world(database_url) as world:
        yield world
