"""The rows of `instruments`. The only SQL of this domain's service."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.market.tables import instruments
from fillbook.storage.unit import Unit

_RULES = tuple(field.name for field in fields(Instrument) if field.name != "valid_from")


async def in_force(unit: Unit, venues: Iterable[VenueName], environment: str) -> list[tuple[int, Instrument]]:
    """Row numbers and rules that have not ended."""
    statement = sa.select(instruments).where(
        instruments.c.venue.in_(list(venues)),
        instruments.c.environment == environment,
        instruments.c.valid_to.is_(None),
    )
    return [(row.id, _instrument(row)) for row in await unit.all(statement)]


async def history(unit: Unit, venue: VenueName, environment: str, symbol: str) -> list[Instrument]:
    """Every rule that a symbol ever had, oldest first."""
    statement = (
        sa.select(instruments)
        .where(
            instruments.c.venue == venue,
            instruments.c.environment == environment,
            instruments.c.symbol == symbol,
        )
        .order_by(instruments.c.valid_from)
    )
    return [_instrument(row) for row in await unit.all(statement)]


async def close(unit: Unit, row_ids: Sequence[int]) -> None:
    if row_ids:
        statement = sa.update(instruments).where(instruments.c.id == sa.bindparam("row_id"))
        await unit.execute(statement.values(valid_to=unit.now), [{"row_id": number} for number in row_ids])


async def insert(unit: Unit, environment: str, found: Iterable[Instrument]) -> None:
    rows = [
        {name: getattr(one, name) for name in _RULES} | {"valid_from": unit.now, "environment": environment}
        for one in found
    ]
    await unit.insert_if_new(instruments, rows)  # two processes may read one venue at once


def _instrument(row: sa.Row[Any]) -> Instrument:
    values = {name: getattr(row, name) for name in _RULES}
    values["venue"] = VenueName(row.venue)
    values["market_type"] = MarketType(row.market_type)
    return Instrument(**values, valid_from=row.valid_from)
