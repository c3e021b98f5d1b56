"""Pages of rows, newest first, by keyset: a page begins after the last row of the one before.

The cursor is opaque text; it holds the sort key and id of that row. A row that comes meanwhile appears on no
later page, and none is shown twice.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

import orjson
import sqlalchemy as sa

from fillbook.kernel.errors import InvalidInput
from fillbook.storage.unit import Unit

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 500


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=Numbered)


class InvalidCursor(InvalidInput):
    code = "invalid_cursor"
    status = 422


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many rows, after which one, and only those whose columns have these values."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)

    def without(self, name: str) -> tuple[Any, "PageRequest"]:
        """The value of one filter (None when it was not given), and the request without it."""
        rest = {other: value for other, value in self.filters.items() if other != name}
        return self.filters.get(name), PageRequest(self.limit, self.cursor, rest)


@dataclass(frozen=True, slots=True)
class RowPage:
    rows: Sequence[Mapping[str, Any]]
    next_cursor: str | None


async def list_page(
    unit: Unit,
    statement: sa.Select[Any],
    table: sa.Table,
    page: PageRequest,
    *,
    by_time: str | None = None,
) -> RowPage:
    """One page of a statement that already carries its owner scope; ordered by `by_time`, else by number.

    Filters name columns of `table`. Raises `InvalidCursor`.
    """
    for name, value in page.filters.items():
        statement = statement.where(table.c[name] == value)
    keys = [table.c[by_time], table.c.id] if by_time else [table.c.id]
    if page.cursor is not None:
        after = _read_cursor(page.cursor, with_time=by_time is not None)
        statement = statement.where(_is_before(keys, after))
    statement = statement.order_by(*(key.desc() for key in keys)).limit(page.limit + 1)
    rows = [dict(row._mapping) for row in await unit.all(statement)]
    has_more = len(rows) > page.limit
    rows = rows[: page.limit]
    return RowPage(rows, _write_cursor(rows[-1], by_time) if has_more else None)


def page_of_few(items: Sequence[T], page: PageRequest) -> tuple[Sequence[T], str | None]:
    """A page of what is few enough to be read whole; `items` are in the order of their numbers."""
    after = 0 if page.cursor is None else _read_cursor(page.cursor, with_time=False)[0]
    rest = [item for item in items if item.id > after]
    shown = rest[: page.limit]
    return shown, _write_cursor({"id": shown[-1].id}, None) if len(rest) > page.limit else None


def _is_before(keys: Sequence[sa.Column[Any]], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """(a, b) < (x, y), spelt out: not every database uses an index for row values."""
    if len(keys) == 1:
        return sa.and_(keys[0] < values[0])
    return sa.and_(
        keys[0] <= values[0], sa.or_(keys[0] < values[0], sa.and_(keys[0] == values[0], keys[1] < values[1]))
    )


def _write_cursor(row: Mapping[str, Any], by_time: str | None) -> str:
    key = [row[by_time].isoformat(), row["id"]] if by_time else [row["id"]]
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def _read_cursor(text: str, *, with_time: bool) -> list[Any]:
    try:
        key = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        assert isinstance(key, list)
        assert len(key) == (2 if with_time else 1)
        assert isinstance(key[-1], int)
        assert 0 <= key[-1] < 2**63
        return [datetime.fromisoformat(key[0]), key[1]] if with_time else key
    except (binascii.Error, orjson.JSONDecodeError, AssertionError, ValueError, TypeError) as error:
        raise InvalidCursor("This cursor was not made by this list: begin again without one.") from error
