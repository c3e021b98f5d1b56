"""Statements that the three databases spell differently."""

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.dml import Insert


class InsertIfNew(Insert):
    """INSERT that leaves a row alone whose key exists. It returns nothing: what is new shows in a SELECT."""

    inherit_cache = True


@compiles(InsertIfNew)
def _skip_conflicts(statement: InsertIfNew, compiler: Any, **kwargs: Any) -> str:
    return f"{compiler.visit_insert(statement, **kwargs)} ON CONFLICT DO NOTHING"


@compiles(InsertIfNew, "mysql", "mariadb")
def _keep_existing(statement: InsertIfNew, compiler: Any, **kwargs: Any) -> str:
    # INSERT IGNORE would also swallow a missing reference and a refused CHECK.
    first = compiler.preparer.format_column(next(iter(statement.table.primary_key)))
    return f"{compiler.visit_insert(statement, **kwargs)} ON DUPLICATE KEY UPDATE {first} = {first}"


@lru_cache(maxsize=256)
def insert_if_new(table: sa.Table) -> InsertIfNew:
    """INSERT ... ON CONFLICT DO NOTHING for one row or many."""
    return InsertIfNew(table).inline()


@lru_cache(maxsize=256)
def upsert(dialect: str, table: sa.Table, keys: tuple[str, ...], changed: tuple[str, ...]) -> Insert:
    """INSERT, or set `changed` to the given values where a row with these keys exists."""
    stamped = tuple(column.name for column in table.columns if column.onupdate and column.name not in keys)
    names = tuple(dict.fromkeys((*changed, *stamped)))
    if dialect == "mysql":
        statement = mysql.insert(table).inline()
        updating: Insert = statement.on_duplicate_key_update(
            {name: statement.inserted[name] for name in names}
        )
        return updating
    conflicting = (postgresql if dialect == "postgresql" else sqlite).insert(table).inline()
    upserting: Insert = conflicting.on_conflict_do_update(
        index_elements=[table.c[key] for key in keys],
        set_={name: conflicting.excluded[name] for name in names},
    )
    return upserting
