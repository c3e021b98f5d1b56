"""A month of a partitioned table exists before its first row, whoever needs it first."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.signals.tables import webhook_logs
from fillbook.storage.partitions import ensure_partition, month_of
from fillbook.storage.unit import Database, Unit


def log_row(number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "webhook_key": "prefix",
        "webhook_key_hash": "hash",
        "request_data": "{}",
        "status": "received",
        "created_at": at,
    }


async def test_rows_find_their_month_even_when_two_make_it_at_once(database: Database) -> None:
    at = datetime(2031, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

    async def write(number: int) -> None:
        async def work(unit: Unit) -> None:
            await ensure_partition(unit, webhook_logs, at)
            await unit.insert_many(webhook_logs, [log_row(number, at)])

        await database.run(work)

    await asyncio.gather(*(write(number) for number in range(1, 5)))
    async with database.read() as unit:
        assert await unit.scalar(sa.select(sa.func.count()).select_from(webhook_logs)) == 4


async def test_a_month_that_was_rolled_back_is_made_again(database: Database) -> None:
    at = datetime(2032, 2, 1, tzinfo=UTC)
    with pytest.raises(LookupError):
        async with database.unit() as unit:
            await ensure_partition(unit, webhook_logs, at)
            raise LookupError
    async with database.unit() as unit:
        await ensure_partition(unit, webhook_logs, at)
        await unit.insert_many(webhook_logs, [log_row(1, at)])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_without_its_month_a_row_is_refused_so_none_hides_in_a_default(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="no partition"):
        async with database.unit() as unit:
            await unit.insert_many(webhook_logs, [log_row(1, datetime(1999, 1, 1, tzinfo=UTC))])


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (
            datetime(2026, 12, 31, 23, tzinfo=UTC),
            ("fills_y2026m12", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ),
        (
            datetime(2026, 2, 1, tzinfo=UTC),
            ("fills_y2026m02", "2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"),
        ),
    ],
)
def test_a_month_begins_and_ends_in_utc(moment: datetime, expected: tuple[str, str, str]) -> None:
    assert month_of("fills", moment) == expected
