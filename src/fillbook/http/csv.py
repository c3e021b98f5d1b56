"""A list as CSV: the whole filter, all pages, streamed; full decimals; the header is the field names.

A text cell that a spreadsheet would run as a formula is guarded with an apostrophe; numbers are left alone.
"""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import orjson
from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from fillbook.http.paging import Page, page_of
from fillbook.storage.listing import LARGEST_LIMIT, PageRequest, RowPage
from fillbook.storage.unit import Database, Unit

M = TypeVar("M", bound=BaseModel)
Fetch = Callable[[Unit, PageRequest], Awaitable[RowPage]]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


async def page_or_csv(
    request: Request, database: Database, model: type[M], page: PageRequest, fetch: Fetch
) -> Page[M]:
    """The page that was asked for, or a CSV of everything behind the filter for `Accept: text/csv`."""
    if "text/csv" in request.headers.get("accept", ""):
        return StreamingResponse(  # type: ignore[return-value]  # the framework passes responses through
            _lines(database, model, replace(page, limit=LARGEST_LIMIT, cursor=None), fetch),
            media_type="text/csv; charset=utf-8",
        )
    async with database.read() as unit:
        return page_of(model, await fetch(unit, page))


async def _lines(
    database: Database, model: type[BaseModel], page: PageRequest, fetch: Fetch
) -> AsyncIterator[str]:
    """One transaction a page: a long export holds nothing for long."""
    names = list(model.model_fields)
    yield _line(names)
    while True:
        async with database.read() as unit:
            found = await fetch(unit, page)
        for row in found.rows:
            document = model.model_validate(row).model_dump(mode="json")
            yield _line([_cell(document[name]) for name in names])
        if found.next_cursor is None:
            return
        page = replace(page, cursor=found.next_cursor)


def _line(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if value.startswith(_FORMULA_STARTS) and not _is_number(value) else value
        case dict() | list():
            return orjson.dumps(value).decode()
    return str(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
