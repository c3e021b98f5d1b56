"""Steps that may be run again.

MariaDB and MySQL commit at every DDL statement, so a chain that broke half way starts again in the middle:
each step is one statement, and does nothing when its work is done.
"""

import re
from typing import Any

import sqlalchemy as sa
from alembic import op


def create_table(name: str, *items: sa.schema.SchemaItem, growing: bool = False, **options: Any) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for item in items:
        # Names in a revision are final: the naming convention has made them already.
        if isinstance(item, sa.CheckConstraint):
            item.name = op.f(str(item.name))
            if is_sqlite:
                item.sqltext = sa.text(_spelt_out(str(item.sqltext)))
    op.create_table(
        name,
        *items,
        if_not_exists=True,
        sqlite_autoincrement=growing,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        **options,
    )


_ONE_OF = re.compile(r"(\w+) IN \(('[^']*'(?:, '[^']*')*)\)")


def _spelt_out(condition: str) -> str:
    """`a IN ('x', 'y')` as `a = 'x' OR a = 'y'`. SQLite makes an index of the list anew for every row that it
    checks, which costs as much as writing the row. A file with the shorter words means the same."""
    return _ONE_OF.sub(
        lambda one: "(" + " OR ".join(f"{one[1]} = {word}" for word in one[2].split(", ")) + ")", condition
    )


def create_index(name: str, table: str, columns: list[str], *, unique: bool = False) -> None:
    # MySQL has no CREATE INDEX IF NOT EXISTS.
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name not in existing:
        op.create_index(name, table, columns, unique=unique)


def add_column(table: str, column: sa.Column[Any]) -> None:
    # MySQL and SQLite have no ADD COLUMN IF NOT EXISTS.
    if column.name not in _columns(table):
        op.add_column(table, column)


def drop_column(table: str, name: str) -> None:
    if name in _columns(table):
        op.drop_column(table, name)


def _columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def drop_index(name: str, table: str) -> None:
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name in existing:
        op.drop_index(name, table)


def drop_table(name: str) -> None:
    op.drop_table(name, if_exists=True)


def create_view(name: str, select: str) -> None:
    """The name and the query are ours, from a revision."""
    drop_view(name)
    op.execute(f"CREATE VIEW {name} AS {select}")


def drop_view(name: str) -> None:
    op.execute(f"DROP VIEW IF EXISTS {name}")
