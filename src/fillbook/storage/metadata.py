"""The one metadata, and how tables are declared on it.

The naming convention makes every index and constraint name unique in its schema (PostgreSQL asks for that).
On MariaDB text compares byte by byte, as it does on the other two.
"""

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *items: sa.schema.SchemaItem, growing: bool = False, **options: Any) -> sa.Table:
    """Declare a table. `growing`: its numbers are never given out twice, on SQLite too."""
    checks = [
        sa.CheckConstraint(item.info["check"], name=item.name)
        for item in items
        if isinstance(item, sa.Column) and "check" in item.info
    ]
    return sa.Table(
        name,
        metadata,
        *items,
        *checks,
        sqlite_autoincrement=growing,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        **options,
    )


def partitioned_by_month(name: str, moment: str, *items: sa.schema.SchemaItem) -> sa.Table:
    """Declare a table whose months are partitions on PostgreSQL; the primary key is (id, moment).

    Ids come from `kernel.ids.RowIds`. No foreign key can point here, and there is no default partition:
    `storage.partitions.ensure_partition` makes a month before its first row.
    """
    return table(
        name,
        *items,
        sa.PrimaryKeyConstraint("id", moment),
        postgresql_partition_by=f"RANGE ({moment})",
        info={"partitioned_by": moment},
    )
