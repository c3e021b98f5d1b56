"""Amounts and instants come back as they went in, and compare, sort and add up alike on every database."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fillbook.accounts.tables import account_symbols, accounts
from fillbook.fleet.tables import leases
from fillbook.identity.tables import users
from fillbook.kernel.money import ZERO, exact, quantise
from fillbook.storage.types import amount_order, amount_sum
from fillbook.storage.unit import Database

AMOUNTS = st.decimals(
    min_value=Decimal("-99999999999999999999"),
    max_value=Decimal("99999999999999999999"),
    places=18,
    allow_nan=False,
    allow_infinity=False,
)
INSTANTS = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
# The database is emptied by each example itself.
EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


async def write_amounts(database: Database, amounts: list[Decimal]) -> None:
    async with database.unit() as unit:
        await unit.execute(sa.delete(account_symbols))
        account = await unit.one_or_none(sa.select(accounts.c.id, accounts.c.user_id))
        if account is None:
            user_id = await unit.insert(users, {"email": "ann@example.org", "username": "ann"})
            row = {
                "uid": "u",
                "user_id": user_id,
                "name": "one",
                "exchange": "okx",
                "environment": "demo",
                "market_types": [],
            }
            account_id = await unit.insert(accounts, row)
        else:
            account_id, user_id = account
        rows: list[dict[str, Any]] = [
            {
                "account_id": account_id,
                "user_id": user_id,
                "environment": "demo",
                "symbol": f"S{place}",
                "leverage": amount,
                "verified_at": unit.now,
            }
            for place, amount in enumerate(amounts)
        ]
        await unit.insert_many(account_symbols, rows)


LEVERAGE = account_symbols.c.leverage


@exact
def exact_sum(amounts: list[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


@EXAMPLES
@given(amounts=st.lists(AMOUNTS, min_size=1, max_size=20), pivot=AMOUNTS)
async def test_amounts_round_trip_compare_sort_and_sum(
    database: Database, amounts: list[Decimal], pivot: Decimal
) -> None:
    whole = exact_sum(amounts)
    assume(abs(whole) < Decimal(10) ** 20)
    await write_amounts(database, amounts)
    leverage = LEVERAGE
    async with database.read() as unit:
        by_symbol = {
            row.symbol: row.leverage for row in await unit.all(sa.select(account_symbols.c.symbol, LEVERAGE))
        }
        in_order = [row[0] for row in await unit.all(sa.select(LEVERAGE).order_by(amount_order(LEVERAGE)))]
        total = await unit.scalar(sa.select(amount_sum(LEVERAGE)))
        counts = [
            await unit.scalar(sa.select(sa.func.count()).select_from(account_symbols).where(condition))
            for condition in (
                leverage < pivot,
                leverage <= pivot,
                leverage > pivot,
                leverage >= pivot,
                leverage == pivot,
            )
        ]
    assert [by_symbol[f"S{place}"] for place in range(len(amounts))] == amounts
    assert in_order == sorted(amounts)
    assert total == whole
    assert counts == [
        sum(amount < pivot for amount in amounts),
        sum(amount <= pivot for amount in amounts),
        sum(amount > pivot for amount in amounts),
        sum(amount >= pivot for amount in amounts),
        sum(amount == pivot for amount in amounts),
    ]


async def test_amounts_come_back_plain(database: Database) -> None:
    await write_amounts(database, [Decimal("1.500"), Decimal("1E+3"), Decimal("-0.0"), Decimal("1E-18")])
    async with database.read() as unit:
        rows = await unit.all(sa.select(LEVERAGE).order_by(account_symbols.c.symbol))
    assert [str(row[0]) for row in rows] == ["1.5", "1000", "0", "1E-18"]


async def test_what_is_finer_than_18_places_is_rounded_half_even_alike(database: Database) -> None:
    amounts = [Decimal("0.0000000000000000005"), Decimal("0.0000000000000000015"), Decimal(2) / Decimal(3)]
    await write_amounts(database, amounts)
    async with database.read() as unit:
        rows = await unit.all(sa.select(LEVERAGE).order_by(account_symbols.c.symbol))
    assert [row[0] for row in rows] == [quantise(amount) for amount in amounts]


@pytest.mark.parametrize("wrong", [1.5, "1.5"])
async def test_floats_and_text_are_no_amounts(sqlite_database: Database, wrong: Any) -> None:
    with pytest.raises((TypeError, sa.exc.StatementError), match="an amount is a Decimal"):
        await write_amounts(sqlite_database, [wrong])


async def test_an_amount_that_does_not_fit_is_refused(database: Database) -> None:
    with pytest.raises((OverflowError, sa.exc.StatementError), match="does not fit"):
        await write_amounts(database, [Decimal(10) ** 20])


def test_amounts_are_not_computed_in_sql() -> None:
    for compute in (
        lambda: LEVERAGE + Decimal(1),
        lambda: Decimal(2) * LEVERAGE,
        lambda: LEVERAGE / LEVERAGE,
    ):
        with pytest.raises(TypeError, match="not computed in SQL"):
            compute()


async def test_a_sum_that_sqlite_made_a_float_is_refused(sqlite_database: Database) -> None:
    await write_amounts(sqlite_database, [Decimal("0.1"), Decimal("0.2")])
    async with sqlite_database.read() as unit:
        with pytest.raises(TypeError, match="amount_sum"):
            await unit.scalar(sa.select(sa.func.sum(LEVERAGE)))


async def test_a_sum_without_rows_is_null(database: Database) -> None:
    async with database.read() as unit:
        assert await unit.scalar(sa.select(amount_sum(LEVERAGE))) is None


@EXAMPLES
@given(moments=st.lists(INSTANTS, min_size=1, max_size=20, unique=True))
async def test_instants_round_trip_and_sort_as_time_does(database: Database, moments: list[datetime]) -> None:
    async with database.unit() as unit:
        await unit.execute(sa.delete(leases))
        rows = [
            {"resource": f"r{place}", "epoch": 1, "expires_at": moment, "acquired_at": moment}
            for place, moment in enumerate(moments)
        ]
        await unit.insert_many(leases, rows)
        stored = [
            row[0] for row in await unit.all(sa.select(leases.c.expires_at).order_by(leases.c.expires_at))
        ]
        later = await unit.scalar(
            sa.select(sa.func.count()).select_from(leases).where(leases.c.expires_at > moments[0])
        )
    assert stored == sorted(moments)
    assert all(moment.tzinfo is UTC for moment in stored)
    assert later == sum(moment > moments[0] for moment in moments)


async def test_other_time_zones_are_stored_as_utc(database: Database) -> None:
    seoul = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    async with database.unit() as unit:
        await unit.insert_many(
            leases, [{"resource": "r", "epoch": 1, "expires_at": seoul, "acquired_at": seoul}]
        )
        assert await unit.scalar(sa.select(leases.c.expires_at)) == datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_naive_time_is_refused(sqlite_database: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises((TypeError, sa.exc.StatementError), match="aware"):
        async with sqlite_database.unit() as unit:
            await unit.insert_many(
                leases, [{"resource": "r", "epoch": 1, "expires_at": naive, "acquired_at": naive}]
            )


async def test_documents_come_back_as_they_went_in(database: Database) -> None:
    document = {"text": "값 ☂", "list": [1, None, True], "nested": {"a": "1.10"}}
    async with database.unit() as unit:
        row = {"email": "ann@example.org", "username": "ann"}
        user_id = await unit.insert(users, row)
        account = {
            "uid": "u",
            "user_id": user_id,
            "name": "one",
            "exchange": "okx",
            "environment": "demo",
            "market_types": ["spot"],
            "permissions": document,
        }
        await unit.insert(accounts, account)
        stored = (await unit.all(sa.select(accounts.c.permissions, accounts.c.market_types)))[0]
    assert stored == (document, ["spot"])


async def test_text_compares_byte_by_byte(database: Database) -> None:
    async with database.unit() as unit:
        await unit.insert(users, {"email": "a@example.org", "username": "Ann"})
        await unit.insert(users, {"email": "b@example.org", "username": "ann"})
        found = await unit.all(sa.select(users.c.email).where(users.c.username == "ann"))
    assert [row.email for row in found] == ["b@example.org"]
