"""What the unit of work promises, on each database."""

import asyncio
import traceback

import pytest
import sqlalchemy as sa

from fillbook.identity.tables import users
from fillbook.storage.unit import Database, Unit


def person(name: str) -> dict[str, str]:
    return {"email": f"{name}@example.org", "username": name}


async def names(database: Database) -> list[str]:
    async with database.read() as unit:
        return [row.username for row in await unit.all(sa.select(users).order_by(users.c.username))]


async def test_a_unit_commits_all_of_its_rows(database: Database) -> None:
    async with database.unit() as unit:
        await unit.insert(users, person("ann"))
        await unit.insert(users, person("bea"))
    assert await names(database) == ["ann", "bea"]


async def test_an_exception_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.unit() as unit:
            await unit.insert(users, person("ann"))
            raise LookupError
    assert await names(database) == []


async def test_a_cancelled_unit_leaves_nothing_behind_and_frees_the_way(database: Database) -> None:
    inside = asyncio.Event()

    async def never_ends() -> None:
        async with database.unit() as unit:
            await unit.insert(users, person("ann"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(never_ends())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.unit() as unit:
        await unit.insert(users, person("bea"))
    assert await names(database) == ["bea"]


async def test_callbacks_run_after_the_commit_and_only_then(database: Database) -> None:
    called: list[str] = []
    async with database.unit() as unit:
        unit.after_commit(lambda: called.append("committed"))
        assert called == []
    with pytest.raises(LookupError):
        async with database.unit() as unit:
            unit.after_commit(lambda: called.append("rolled back"))
            raise LookupError
    assert called == ["committed"]


async def test_a_reading_unit_commits_nothing(database: Database) -> None:
    async with database.read() as unit:
        await unit.execute(sa.insert(users), person("ann"))
    assert await names(database) == []


async def test_rows_are_stamped_with_the_units_own_moment(database: Database) -> None:
    async with database.unit() as unit:
        await unit.insert(users, person("ann"))
        made = unit.now
    async with database.unit() as unit:
        await unit.execute(sa.update(users).values(name="Ann"))
        changed = unit.now
    async with database.read() as unit:
        row = (await unit.all(sa.select(users)))[0]
    assert (row.created_at, row.updated_at) == (made, changed)


async def test_insert_if_new_leaves_existing_rows_alone(database: Database) -> None:
    async with database.unit() as unit:
        await unit.insert(users, person("ann") | {"name": "first"})
        await unit.insert_if_new(users, [person("ann") | {"name": "again"}, person("bea") | {"name": "new"}])
    async with database.read() as unit:
        found = {row.username: row.name for row in await unit.all(sa.select(users))}
    assert found == {"ann": "first", "bea": "new"}


async def test_insert_if_new_still_refuses_what_a_check_refuses(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        async with database.unit() as unit:
            await unit.insert_if_new(users, [person("ann") | {"role": "king"}])
    assert await names(database) == []


async def test_upsert_changes_what_exists_and_adds_the_rest(database: Database) -> None:
    async with database.unit() as unit:
        await unit.insert(users, person("ann") | {"name": "first"})
        rows = [person("ann") | {"name": "again"}, person("bea") | {"name": "new"}]
        await unit.upsert(users, rows, keys=["username"])
    async with database.read() as unit:
        found = {row.username: row.name for row in await unit.all(sa.select(users))}
    assert found == {"ann": "again", "bea": "new"}


async def test_numbers_of_many_rows_come_back_in_their_order(database: Database) -> None:
    wanted = [person(name) for name in ("cleo", "ann", "bea")]
    async with database.unit() as unit:
        numbers = await unit.insert_numbered(users, wanted)
        found = {row.id: row.username for row in await unit.all(sa.select(users))}
    assert [found[number] for number in numbers] == ["cleo", "ann", "bea"]


async def test_a_deleted_number_does_not_come_back(database: Database) -> None:
    async with database.unit() as unit:
        first = await unit.insert(users, person("ann"))
        await unit.execute(sa.delete(users))
        second = await unit.insert(users, person("bea"))
    assert second > first


async def test_work_that_loses_a_deadlock_is_repeated_as_a_whole(database: Database) -> None:
    async with database.unit() as unit:
        ann, bea = await unit.insert_numbered(users, [person("ann"), person("bea")])
    meeting = asyncio.Barrier(2)
    attempts: list[str] = []

    async def rename(first: int, second: int, name: str) -> None:
        async def work(unit: Unit) -> None:
            attempts.append(name)
            await unit.execute(sa.update(users).where(users.c.id == first).values(name=name))
            if unit.dialect != "sqlite" and len(attempts) <= 2:
                await meeting.wait()
            await unit.execute(sa.update(users).where(users.c.id == second).values(name=name))

        await database.run(work)

    await asyncio.gather(rename(ann, bea, "one"), rename(bea, ann, "two"))
    async with database.read() as unit:
        final = {row.name for row in await unit.all(sa.select(users))}
    assert len(final) == 1, "one unit ran wholly after the other"
    assert len(attempts) == (2 if database.engine.dialect.name == "sqlite" else 3)


async def test_what_is_not_worth_repeating_is_raised_at_once(database: Database) -> None:
    attempts = 0

    async def work(unit: Unit) -> None:
        nonlocal attempts
        attempts += 1
        await unit.insert(users, person("ann") | {"role": "king"})

    with pytest.raises(sa.exc.DBAPIError):
        await database.run(work)
    assert attempts == 1


async def test_units_wait_for_each_others_rows(database: Database) -> None:
    async with database.unit() as unit:
        ann = await unit.insert(users, person("ann") | {"phone": "0"})

    async def count(unit: Unit) -> None:
        row = (await unit.all(sa.select(users).where(users.c.id == ann).with_for_update()))[0]
        await unit.execute(sa.update(users).values(phone=str(int(row.phone) + 1)))

    await asyncio.gather(*(database.run(count) for _ in range(8)))
    async with database.read() as unit:
        assert (await unit.all(sa.select(users.c.phone)))[0].phone == "8"


async def test_an_error_of_the_database_shows_no_values(database: Database) -> None:
    secret = "3c9a1f0e-secret"
    row = person("ann") | {"role": "king", "totp_secret": secret}
    with pytest.raises(sa.exc.DBAPIError) as raised:
        async with database.unit() as unit:
            await unit.insert(users, row)
    shown = "".join(traceback.TracebackException.from_exception(raised.value).format(chain=True))
    assert secret not in shown, shown
