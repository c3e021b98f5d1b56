"""Months of a partitioned table on PostgreSQL: `fills`, `webhook_logs`.

There is no default partition, so a month must exist before its first row. Whoever writes a row calls
`ensure_partition` for the row's moment; it costs nothing once this process has seen the month.
"""

from datetime import UTC, datetime

import sqlalchemy as sa

from fillbook.storage.unit import Unit

_LOCK_SPACE = 0x66696C6C  # "fill": partitions are made by one transaction at a time


async def ensure_partition(unit: Unit, table: sa.Table, moment: datetime) -> None:
    """Make the partition of the moment's month (UTC) when it is missing. Nothing to do on other databases."""
    if unit.dialect != "postgresql":
        return
    name, first, after = month_of(table.name, moment)
    known = unit.known_partitions
    if name in known:
        return
    assert "partitioned_by" in table.info, f"{table.name} is not partitioned"
    if await unit.connection.scalar(sa.select(sa.func.to_regclass(name).cast(sa.Text))) is None:
        await unit.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_SPACE)))
        await unit.connection.exec_driver_sql(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table.name} "
            f"FOR VALUES FROM ('{first}') TO ('{after}')"
        )
    unit.after_commit(lambda: known.add(name))


def month_of(table: str, moment: datetime) -> tuple[str, str, str]:
    """Name of the partition, its first instant, and the first instant after it."""
    first = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return f"{table}_y{first:%Y}m{first:%m}", first.isoformat(), after.isoformat()
