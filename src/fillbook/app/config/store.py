"""Reads and writes the rows of sections. The one place that touches several domains' tables: as configuration
they are plain rows, and no rule of theirs is applied a second time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa

from fillbook.app.config.document import DocumentRow, from_value, to_value
from fillbook.app.config.errors import ConfigCollides, ConfigDamaged
from fillbook.app.config.sections import Section
from fillbook.identity.tables import installation
from fillbook.orders.tables import orders
from fillbook.storage.unit import Unit

_NAMED: Final = 5
_AT_ONCE: Final = 400

Names = dict[str, dict[int, Any]]
"""By section and row number: what names the row in the document."""


async def read_section(unit: Unit, section: Section, names: Names) -> list[DocumentRow]:
    """A section's rows as the document has them, in the order of their names; `names` learns them."""
    table = section.table
    statement = sa.select(table).where(*(table.c[name] == value for name, value in section.fixed.items()))
    if section.present is not None:
        statement = statement.where(table.c[section.present].is_(None))
    found = []
    for row in await unit.all(statement):
        document_row = _to_document(section, dict(row._mapping), names)
        if document_row is None:
            continue
        name = _name(section, document_row)
        if "id" in table.c:
            names.setdefault(section.name, {})[row.id] = name
        found.append((orjson.dumps(name), document_row))
    return [document_row for _, document_row in sorted(found, key=lambda one: one[0])]


def _to_document(section: Section, row: Mapping[str, Any], names: Names) -> DocumentRow | None:
    """None for a row that hangs on one that is gone, as a link on a deleted account."""
    table = section.table
    document_row = {name: to_value(table.c[name], row[name]) for name in section.columns}
    for column, target in section.references.items():
        name = None if row[column] is None else names.get(target, {}).get(row[column])
        if name is None and row[column] is not None and column in section.key:
            return None
        document_row[field_of(column)] = name
    return document_row


def field_of(column: str) -> str:
    """What a reference is called in the document: it holds a name there, not a number."""
    return column.removesuffix("_id")


def _name(section: Section, row: DocumentRow) -> Any:
    parts = [row[field_of(name) if name in section.references else name] for name in section.key]
    return parts[0] if len(parts) == 1 else parts


class Writer:
    """Writes sections in their order, each row under a new number."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._rows: dict[str, dict[bytes, dict[str, Any]]] = {}

    async def write(self, section: Section, document_rows: Sequence[DocumentRow]) -> None:
        """Raises `ConfigDamaged` for a row that cannot be used, `ConfigCollides` where a name is taken."""
        rows = [self._to_row(section, place, row) for place, row in enumerate(document_rows)]
        for group in (section.key, *section.unique):
            await self._check_free(section, group, rows)
        if "id" not in section.table.c:
            await self._unit.insert_many(section.table, rows)
            return
        numbers = await self._unit.insert_numbered(section.table, rows)
        for document_row, row, number in zip(document_rows, rows, numbers, strict=True):
            self._rows.setdefault(section.name, {})[orjson.dumps(_name(section, document_row))] = {
                **row,
                "id": number,
            }

    def _to_row(self, section: Section, place: int, given: DocumentRow) -> dict[str, Any]:
        table = section.table
        expected = {*section.columns, *map(field_of, section.references)}
        if not isinstance(given, Mapping) or given.keys() != expected:
            raise ConfigDamaged(
                f"Row {place + 1} of {section.name} has other fields than this version knows."
            )
        row: dict[str, Any] = dict(section.fixed)
        for name in section.columns:
            try:
                row[name] = from_value(table.c[name], given[name])
            except ValueError as error:
                raise ConfigDamaged(
                    f"`{name}` in row {place + 1} of {section.name} cannot be used: {error}."
                ) from None
        row |= dict.fromkeys(section.at_import, self._unit.now)
        referenced = {
            column: self._find(section, place, target, given[field_of(column)])
            for column, target in section.references.items()
        }
        row |= {column: None if found is None else found["id"] for column, found in referenced.items()}
        for column, (by, copied) in section.copied.items():
            source = referenced[by]
            assert source is not None, "what is copied comes from a row that must be there"
            row[column] = source[copied]
        return row

    def _find(self, section: Section, place: int, target: str, name: Any) -> dict[str, Any] | None:
        if name is None:
            return None
        found = self._rows.get(target, {}).get(orjson.dumps(name))
        if found is None:
            raise ConfigDamaged(f"Row {place + 1} of {section.name} names one of {target} that is not there.")
        return found

    async def _check_free(
        self, section: Section, group: Sequence[str], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        columns = [section.table.c[name] for name in group]
        wanted = [
            tuple(row[name] for name in group) for row in rows if all(row[name] is not None for name in group)
        ]
        if len(set(wanted)) < len(wanted):
            raise ConfigDamaged(f"Two rows of {section.name} have the same {' and '.join(group)}.")
        same = [section.table.c[name] == value for name, value in section.fixed.items()]
        taken: list[str] = []
        for some in _chunks(wanted):
            found = await self._unit.all(sa.select(*columns).where(sa.tuple_(*columns).in_(some), *same))
            taken += [" ".join(map(str, row)) for row in found]
        if taken:
            raise ConfigCollides(
                f"This database has {section.name} of the same {' and '.join(group)} already "
                f"({', '.join(taken[:_NAMED])}): import into an empty database. Nothing was changed."
            )


async def take_installation(unit: Unit, installation_id: str) -> None:
    """Be the installation whose configuration this is, so that its orders are recognised as ours."""
    found = await unit.scalar(sa.select(installation.c.installation_id))
    if found == installation_id:
        return
    if found is None:
        await unit.insert(installation, {"id": 1, "installation_id": installation_id})
        return
    if await unit.scalar(sa.select(orders.c.id).limit(1)) is not None:
        raise ConfigCollides(
            f"This database is the installation {found} and has orders of its own: import into an empty one. "
            "Nothing was changed."
        )
    await unit.execute(sa.update(installation).values(installation_id=installation_id))


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
