"""Optimistic locking: a row's `version` is its ETag, and a change names the version that it was made from."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fillbook.kernel.errors import FillbookError, NotFound
from fillbook.storage.scope import Scope, owned
from fillbook.storage.unit import Unit


class ChangedMeanwhile(FillbookError):
    code = "precondition_failed"
    status = 412


async def update_version(
    unit: Unit, table: sa.Table, number: int, scope: Scope, expected: int | None, changes: Mapping[str, Any]
) -> int:
    """Change one row and count its version up; returns the new version. `expected` None: any version.

    Raises `NotFound` for a row outside the scope, `ChangedMeanwhile` when the version is another.
    """
    statement = owned(sa.select(table.c.version).where(table.c.id == number), table, scope)
    found = await unit.scalar(statement.with_for_update())
    if found is None:
        raise NotFound(f"There is no such entry among your {table.name}.")
    if expected is not None and found != expected:
        raise ChangedMeanwhile(
            "It was changed by somebody else meanwhile: read it again, then repeat the change."
        )
    await unit.execute(sa.update(table).where(table.c.id == number).values(**changes, version=found + 1))
    return int(found) + 1
