"""Statements for many rows, on each database: what they set, what they leave to defaults, what they return."""

import asyncio
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from fillbook.identity.tables import users
from fillbook.storage.unit import Database
from fillbook.strategies.tables import strategies


def person(name: str) -> dict[str, str]:
    return {"email": f"{name}@example.org", "username": name}


async def test_rows_get_their_defaults_and_their_moment(database: Database) -> None:
    async with database.unit() as unit:
        await unit.insert_many(users, [person("ann"), person("bea")])
        now = unit.now
    async with database.read() as unit:
        rows = await unit.all(sa.select(users).order_by(users.c.username))
    assert [(row.username, row.is_active, row.role, row.created_at) for row in rows] == [
        ("ann", True, "user", now),
        ("bea", True, "user", now),
    ]


async def test_many_rows_are_updated_by_their_numbers_and_stamped(database: Database) -> None:
    async with database.unit() as unit:
        ann, bea, eve = await unit.insert_numbered(users, [person(name) for name in ("ann", "bea", "eve")])
    async with database.unit() as unit:
        moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
        changes = [
            {"row_id": ann, "name": "Ann", "last_login": moment},
            {"row_id": bea, "name": None, "last_login": None},
        ]
        await unit.update_many(users, changes)
        now = unit.now
    async with database.read() as unit:
        rows = {row.id: row for row in await unit.all(sa.select(users))}
    assert (rows[ann].name, rows[ann].last_login, rows[ann].updated_at) == ("Ann", moment, now)
    assert (rows[bea].name, rows[bea].updated_at) == (None, now)
    assert rows[eve].updated_at == rows[eve].created_at


async def test_a_single_row_is_numbered_like_many(database: Database) -> None:
    async with database.unit() as unit:
        first = await unit.insert(users, person("ann"))
        (second,) = await unit.insert_numbered(users, [person("bea")])
        more = await unit.insert_numbered(users, [person("eve"), person("joe")])
    async with database.read() as unit:
        numbers = {row.username: row.id for row in await unit.all(sa.select(users))}
    assert [first, second, *more] == [numbers[name] for name in ("ann", "bea", "eve", "joe")]


async def test_a_document_is_written_as_it_is_read(database: Database) -> None:
    document = {"window_s": 30, "words": ["a", None], "deep": {"x": True}}
    row = {"code6": "abc123", "name": "s", "group_name": "g", "market_type": "spot"}
    async with database.unit() as unit:
        await unit.insert_many(
            strategies, [{**row, "params": document}, {**row, "code6": "abc124", "params": None}]
        )
    async with database.read() as unit:
        found = await unit.all(sa.select(strategies.c.params).order_by(strategies.c.code6))
        missing = await unit.all(sa.select(strategies.c.id).where(strategies.c.params.is_(None)))
    assert [one.params for one in found] == [document, None]
    assert len(missing) == 1


async def test_a_brief_read_sees_what_is_committed_and_nothing_else(database: Database) -> None:
    inserted, seen = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.unit() as unit:
            await unit.insert(users, person("ann"))
            inserted.set()
            await seen.wait()

    async def count() -> int:
        async with database.read(brief=True) as unit:
            return int(await unit.scalar(sa.select(sa.func.count()).select_from(users)))

    writing = asyncio.create_task(write())
    await inserted.wait()
    assert await count() == 0
    seen.set()
    await writing
    assert await count() == 1


async def test_a_failed_read_leaves_its_connection_fit_for_the_next(database: Database) -> None:
    for brief in (True, False):
        with pytest.raises(LookupError):
            async with database.read(brief=brief) as unit:
                await unit.scalar(sa.select(sa.literal(1)))
                raise LookupError
    async with database.unit() as unit:
        await unit.insert(users, person("ann"))
    async with database.read(brief=True) as unit:
        assert await unit.scalar(sa.select(sa.func.count()).select_from(users)) == 1


async def test_of_many_rows_all_are_written_or_none(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        async with database.unit() as unit:
            await unit.insert_many(users, [person("ann"), person("bea"), person("ann")])
    async with database.read() as unit:
        assert await unit.all(sa.select(users)) == []


@pytest.mark.parametrize("count", [1, 2])
async def test_a_word_that_its_column_does_not_know_is_refused(database: Database, count: int) -> None:
    row = {"code6": "abc123", "name": "s", "group_name": "g", "market_type": "spot"}
    rows = [{**row, "code6": f"abc{number}"} for number in range(count)]
    rows[-1]["market_type"] = "margin"
    with pytest.raises(sa.exc.DBAPIError, match="ck_strategies_market_type"):
        async with database.unit() as unit:
            await unit.insert_many(strategies, rows)
