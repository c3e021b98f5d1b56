"""SELECTs of rows by many keys of several columns, as fast as each database finds them.

PostgreSQL plans a list of a hundred keys anew each time, for longer than it takes to find the rows: it gets a
list of values for each column of the key. SQLite reads the whole table for a list of keys of several columns: it
gets them as rows of one JSON text, and looks each up in its index. MariaDB does so by itself.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fillbook.storage.unit import Unit

_KEYS_AT_ONCE: Final = 400


class KeyedSelect:
    """A SELECT of the rows whose `columns` are among keys that are given when it runs."""

    def __init__(self, select: sa.Select[Any], *columns: sa.Column[Any]) -> None:
        key = sa.tuple_(*columns)
        self._one_by_one = select.where(key.in_(sa.bindparam("keys", expanding=True)))
        lists = (
            sa.bindparam(f"key{place}", type_=postgresql.ARRAY(_plain_type(column)))
            for place, column in enumerate(columns)
        )
        listed = sa.func.unnest(*lists).table_valued(*(column.name for column in columns)).render_derived()
        self._listed = select.where(key.in_(sa.select(*listed.c)))
        rows = sa.func.json_each(sa.bindparam("keys", type_=sa.Text())).table_valued("value").alias("wanted")
        self._joined = select.where(
            *(
                column == sa.func.json_extract(rows.c.value, f"$[{place}]", type_=_plain_type(column))
                for place, column in enumerate(columns)
            )
        )

    async def rows(
        self, unit: Unit, keys: Collection[tuple[Any, ...]], **parameters: Any
    ) -> Sequence[sa.Row[Any]]:
        """The rows of these keys; `parameters` are those of the SELECT itself."""
        every = list(keys)
        if not every:
            return []
        if unit.dialect == "postgresql":
            lists = {f"key{place}": list(values) for place, values in enumerate(zip(*every, strict=True))}
            return await unit.all(self._listed, parameters | lists)
        if unit.dialect == "sqlite":
            return await unit.all(
                self._joined, {**parameters, "keys": orjson.dumps(sorted(set(every))).decode()}
            )
        found: list[sa.Row[Any]] = []
        for start in range(0, len(every), _KEYS_AT_ONCE):
            chunk = every[start : start + _KEYS_AT_ONCE]
            found += await unit.all(self._one_by_one, {**parameters, "keys": chunk})
        return found


def _plain_type(column: sa.Column[Any]) -> Any:
    return sa.Text() if isinstance(column.type, sa.String) else column.type
