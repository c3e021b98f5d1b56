"""How a database's schema is compared with the tables that the code declares.

Alembic's comparison, without what a database makes by itself: partitions, indexes behind foreign keys, and
types that come back under another name.
"""

import re
from typing import Any

import sqlalchemy as sa

from fillbook.storage.types import Amount, Instant

_PARTITION = re.compile(r"_y\d{4}m\d{2}(_|$)")


def is_ours(item: Any, name: str | None, kind: str, reflected: bool, counterpart: Any) -> bool:
    """Whether alembic compares an object: partitions and MariaDB's indexes for references are not ours."""
    if name is not None and _PARTITION.search(name):
        return False
    is_of_reference = kind == "index" and reflected and counterpart is None and (name or "").startswith("fk_")
    return not is_of_reference


def types_differ(
    context: Any, inspected: Any, declared: Any, inspected_type: Any, declared_type: Any
) -> bool | None:
    """False where the types are known to agree, None to let alembic compare them."""
    dialect = context.dialect.name
    if isinstance(declared_type, sa.JSON):
        return not isinstance(inspected_type, sa.JSON | sa.String)
    if isinstance(declared_type, sa.Boolean):
        return not isinstance(inspected_type, sa.Boolean | sa.Integer)
    if dialect == "sqlite" and isinstance(declared_type, Amount):
        return not isinstance(inspected_type, sa.Text)
    if isinstance(declared_type, Instant):
        if dialect == "sqlite":
            return not (isinstance(inspected_type, sa.String) and inspected_type.length == 27)
        if dialect in ("mysql", "mariadb"):
            return getattr(inspected_type, "fsp", None) != 6
        return not (isinstance(inspected_type, sa.DateTime) and inspected_type.timezone)
    return None


def missing_from(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """CHECKs and primary keys in which the code and the database differ: alembic compares neither.

    Databases keep a CHECK in words of their own, so only the words that it allows are compared.
    """
    inspector = sa.inspect(connection)
    present = set(inspector.get_table_names())
    found: list[str] = []
    for table in metadata.sorted_tables:
        if table.name not in present:
            continue
        checks = {check["name"]: check["sqltext"] for check in inspector.get_check_constraints(table.name)}
        for constraint in table.constraints:
            if not isinstance(constraint, sa.CheckConstraint):
                continue
            known = checks.get(str(constraint.name))
            if known is None:
                found.append(f"{table.name}: CHECK {constraint.name} is missing")
            elif _quoted(known) != _quoted(str(constraint.sqltext)):
                found.append(f"{table.name}: CHECK {constraint.name} allows other words")
        key = inspector.get_pk_constraint(table.name)["constrained_columns"]
        if key != [column.name for column in table.primary_key]:
            found.append(f"{table.name}: the primary key is ({', '.join(key)})")
    return found


def _quoted(condition: str) -> set[str]:
    return set(re.findall(r"'([^']*)'", condition))
