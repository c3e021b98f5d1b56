"""Rows by keys of several columns, as many as are asked for, on each database."""

import sqlalchemy as sa

from fillbook.identity.tables import users
from fillbook.orders.core.order import Book
from fillbook.orders.store.rows import by_client_ids, by_venue_ids
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


async def test_sqlite_looks_each_key_up_in_the_index(sqlite_database: Database) -> None:
    """For a list of keys of several columns it would read the whole table, at every booking."""
    asked: list[tuple[str, object]] = []
    engine = sqlite_database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    async with sqlite_database.read() as unit:
        await by_client_ids(unit, [(1, "a"), (2, "b")])
        await by_venue_ids(unit, [(1, "BTC/USDT", Book.NORMAL, "7")])
        statements = [one for one in asked if one[0].startswith("SELECT")]
        for statement, parameters in statements:
            plan = await unit.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(row.detail) for row in plan]
            assert [step for step in steps if step.startswith("SCAN ") and "wanted" not in step] == []
    assert len(statements) == 2
