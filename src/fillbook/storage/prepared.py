"""Statements for many rows, compiled once and filled column by column.

SQLAlchemy builds each row's parameters anew, which costs more than the database does. Here a statement's text
and its columns' processors are kept per dialect, and what is left to do for a row is what its types ask for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from fillbook.storage.statements import insert_if_new, upsert

Row = Mapping[str, Any]
Processor = Callable[[Any], Any]

ROW_ID = "row_id"


@dataclass(frozen=True, slots=True)
class Prepared:
    """SQL for the driver. `binds` are its parameters in order, each with what turns a value into the driver's;
    `defaults` are columns that rows need not give."""

    sql: str
    binds: tuple[tuple[str, Processor | None], ...]
    defaults: tuple[tuple[str, Any], ...]

    def parameters(self, rows: Sequence[Row], now: datetime) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them. All rows have the columns that the statement was made for."""
        context = SimpleNamespace(execution_options={"fillbook_now": now})
        given = {name: arg(context) if callable(arg) else arg for name, arg in self.defaults}
        columns: list[Iterable[Any]] = []
        for name, processor in self.binds:
            if name in given:
                value = given[name]
                columns.append([value if processor is None else processor(value)] * len(rows))
                continue
            values = [row[name] for row in rows]
            columns.append(values if processor is None else map(processor, values))
        return list(zip(*columns, strict=True))


@lru_cache(maxsize=512)
def prepare_insert(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> Prepared:
    """INSERT of these columns, the others by their defaults."""
    return _prepare(dialect, sa.insert(table).inline(), names, _defaults(table, names))


@lru_cache(maxsize=512)
def prepare_insert_numbered(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> Prepared:
    """INSERT of one row, which returns the number that the database gave it."""
    return _prepare(dialect, sa.insert(table).returning(table.c.id), names, _defaults(table, names))


@lru_cache(maxsize=512)
def prepare_insert_if_new(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> Prepared:
    return _prepare(dialect, insert_if_new(table), names, _defaults(table, names))


@lru_cache(maxsize=512)
def prepare_upsert(
    dialect: Dialect, table: sa.Table, names: tuple[str, ...], keys: tuple[str, ...], changed: tuple[str, ...]
) -> Prepared:
    kind = "mysql" if dialect.name == "mariadb" else dialect.name
    return _prepare(dialect, upsert(kind, table, keys, changed), names, _defaults(table, names))


@lru_cache(maxsize=512)
def prepare_update(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> Prepared:
    """UPDATE of these columns (and of those that every update sets) by `row_id`, the row's number."""
    stamped = {
        column.name: _argument(column.onupdate)
        for column in table.columns
        if column.onupdate is not None and column.name not in names
    }
    values = {name: sa.bindparam(name, type_=table.c[name].type) for name in (*names, *stamped)}
    statement = sa.update(table).where(table.c.id == sa.bindparam(ROW_ID)).values(values)
    return _prepare(dialect, statement, None, tuple(stamped.items()))


def _defaults(table: sa.Table, names: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (column.name, _argument(column.default))
        for column in table.columns
        if column.default is not None and column.name not in names
    )


def _argument(default: Any) -> Any:
    """A default's value, or what makes it out of a statement's context."""
    return default.arg


def _prepare(
    dialect: Dialect, statement: Any, names: tuple[str, ...] | None, defaults: tuple[tuple[str, Any], ...]
) -> Prepared:
    keys = None if names is None else [*names, *(name for name, _ in defaults)]
    compiled = statement.compile(dialect=dialect, column_keys=keys)
    assert compiled.positiontup is not None, "every driver of ours takes parameters by position"
    types = {bind.key: bind.type for bind in compiled.binds.values()}
    binds = tuple(
        (name, types[name].dialect_impl(dialect).bind_processor(dialect)) for name in compiled.positiontup
    )
    return Prepared(compiled.string, binds, defaults)
