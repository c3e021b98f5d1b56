"""Rows by keys of several columns, as many as are asked for, on each database."""

import sqlalchemy as sa

from fillbook.identity.tables import users
from fillbook.storage.keyed import KeyedSelect
from fillbook.storage.unit import Database

BY_NAME_AND_ROLE = KeyedSelect(
    sa.select(users.c.username).where(users.c.name == sa.bindparam("name")), users.c.username, users.c.role
)


async def test_the_rows_of_exactly_these_keys_are_found(database: Database) -> None:
    people = [
        {"email": f"{number}@example.org", "username": f"u{number}", "name": "x" if number % 2 else "y"}
        for number in range(900)
    ]
    async with database.unit() as unit:
        await unit.insert_many(users, people)
    keys = {(f"u{number}", "user") for number in range(850)} | {("u899", "admin"), ("nobody", "user")}
    async with database.read() as unit:
        found = {row.username for row in await BY_NAME_AND_ROLE.rows(unit, keys, name="x")}
        assert await BY_NAME_AND_ROLE.rows(unit, set(), name="x") == []
    assert found == {f"u{number}" for number in range(1, 850, 2)}
