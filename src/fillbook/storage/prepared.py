"""Statements for many rows, compiled once and filled column by column.

SQLAlchemy builds each row's parameters anew, which costs more than the database does. Here a statement's text
and its columns' processors are kept per dialect, and what is left to do for a row is what its types ask for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    `defaults` are columns that rows need not give. `bulk_sql` writes all rows at once and takes a list per
    parameter; only PostgreSQL has it."""

    sql: str
    binds: tuple[tuple[str, Processor | None], ...]
    defaults: tuple[tuple[str, Any], ...]
    bulk_sql: str | None = None

    def parameters(self, rows: Sequence[Row], now: datetime) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them. All rows have the columns that the statement was made for."""
        return list(zip(*self.columns(rows, now), strict=True))

    def columns(self, rows: Sequence[Row], now: datetime) -> list[list[Any]]:
        """The same, as a list of values for each parameter."""
        context = SimpleNamespace(execution_options={"fillbook_now": now})
        given = {name: arg(context) if callable(arg) else arg for name, arg in self.defaults}
        columns: list[list[Any]] = []
        for name, processor in self.binds:
            if name in given:
                value = given[name]
                columns.append([value if processor is None else processor(value)] * len(rows))
                continue
            values = [row[name] for row in rows]
            columns.append(values if processor is None else list(map(processor, values)))
        return columns


@lru_cache(maxsize=512)
def prepare_insert(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> Prepared:
    """INSERT of these columns, the others by their defaults."""
    defaults = _defaults(table, names)
    prepared = _prepare(dialect, sa.insert(table).inline(), names, defaults)
    return _with_bulk_insert(dialect, table, prepared)


@lru_cache(maxsize=512)
def prepare_insert_numbered(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> Prepared:
    """INSERT of one row, which returns the number that the database gave it."""
    return _prepare(dialect, sa.insert(table).returning(table.c.id), names, _defaults(table, names))


@lru_cache(maxsize=512)
def prepare_insert_if_new(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> Prepared:
    prepared = _prepare(dialect, insert_if_new(table), names, _defaults(table, names))
    return _with_bulk_insert(dialect, table, prepared, "ON CONFLICT DO NOTHING")


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
    return _with_bulk_update(dialect, table, _prepare(dialect, statement, None, tuple(stamped.items())))


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
        (name, _processor(dialect, statement.table, name, types[name])) for name in compiled.positiontup
    )
    return Prepared(compiled.string, binds, defaults)


def _processor(dialect: Dialect, table: sa.Table, name: str, kind: Any) -> Processor | None:
    processor: Processor | None = kind.dialect_impl(dialect).bind_processor(dialect)
    if processor is None and dialect.name == "sqlite" and name in table.c and "check" in table.c[name].info:
        return _plain_word
    return processor


def _plain_word(value: Any) -> str | None:
    """A word of an enum as a plain string: sqlite3 looks long for an adapter of anything else."""
    return None if value is None else str(value)


def _with_bulk_insert(dialect: Dialect, table: sa.Table, prepared: Prepared, conflict: str = "") -> Prepared:
    """PostgreSQL writes a list of rows with one statement in half the time of one statement for each."""
    if dialect.name != "postgresql":
        return prepared
    quote = dialect.identifier_preparer.quote
    names = [name for name, _ in prepared.binds]
    listed = ", ".join(map(quote, names))
    values = ", ".join(_from_list(dialect, table, name) for name in names)
    source = _lists(dialect, table, names)
    sql = f"INSERT INTO {quote(table.name)} ({listed}) SELECT {values} FROM {source} {conflict}"  # noqa: S608
    return replace(prepared, bulk_sql=sql)


def _with_bulk_update(dialect: Dialect, table: sa.Table, prepared: Prepared) -> Prepared:
    if dialect.name != "postgresql":
        return prepared
    quote = dialect.identifier_preparer.quote
    names = [name for name, _ in prepared.binds]
    changes = ", ".join(
        f"{quote(name)} = {_from_list(dialect, table, name)}" for name in names if name != ROW_ID
    )
    target, source = quote(table.name), _lists(dialect, table, names)
    sql = f"UPDATE {target} SET {changes} FROM {source} WHERE {target}.id = r.{ROW_ID}"  # noqa: S608
    return replace(prepared, bulk_sql=sql)


def _lists(dialect: Dialect, table: sa.Table, names: Sequence[str]) -> str:
    """Lists of values as rows `r`; texts of any kind come as text, and become what their columns are."""
    quote = dialect.identifier_preparer.quote
    lists = (f"${place}::{_list_type(dialect, table, name)}[]" for place, name in enumerate(names, start=1))
    return f"unnest({', '.join(lists)}) AS r ({', '.join(map(quote, names))})"


def _list_type(dialect: Dialect, table: sa.Table, name: str) -> str:
    if name == ROW_ID:
        return "BIGINT"
    kind = table.c[name].type
    return "TEXT" if isinstance(kind, sa.String | sa.JSON) else str(kind.compile(dialect=dialect))


def _from_list(dialect: Dialect, table: sa.Table, name: str) -> str:
    value = f"r.{dialect.identifier_preparer.quote(name)}"
    kind = table.c[name].type
    return f"{value}::{kind.compile(dialect=dialect)}" if isinstance(kind, sa.JSON) else value
