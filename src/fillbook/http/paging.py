"""Lists: `{"items": [...], "next_cursor": ...}`, `?limit=`, `?cursor=`, and filters by field name."""

from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from fillbook.http.fields import has_unstorable
from fillbook.kernel.errors import InvalidInput
from fillbook.storage.listing import DEFAULT_LIMIT, LARGEST_LIMIT, PageRequest, RowPage


class InvalidFilter(InvalidInput):
    code = "invalid_filter"


M = TypeVar("M", bound=BaseModel)


class Page(BaseModel, Generic[M]):
    items: Sequence[M]
    next_cursor: str | None


def page_of(model: type[M], rows: RowPage) -> Page[M]:
    return Page[model](  # type: ignore[valid-type]
        items=[model.model_validate(row) for row in rows.rows], next_cursor=rows.next_cursor
    )


def page_of_objects(model: type[M], found: tuple[Sequence[Any], str | None]) -> Page[M]:
    return Page[model](  # type: ignore[valid-type]
        items=[model.model_validate(item) for item in found[0]], next_cursor=found[1]
    )


def paged(**filters: Any) -> Callable[..., Any]:
    """A dependency for `Depends`: the page that was asked for; each keyword is a filter and its type."""

    async def read(limit: int, cursor: str | None, **values: Any) -> PageRequest:
        if has_unstorable(values):
            raise InvalidFilter("A filter holds a character that is none (NUL or half of a pair).")
        given = {name: value for name, value in values.items() if value is not None}
        return PageRequest(limit, cursor, given)

    def parameter(name: str, annotation: Any, default: Any) -> Parameter:
        return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    limit = Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="How many items, at most 500.")]
    cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)]
    read.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            parameter("limit", limit, DEFAULT_LIMIT),
            parameter("cursor", cursor, None),
            *(parameter(name, Annotated[kind | None, Query()], None) for name, kind in filters.items()),
        ]
    )
    return read
