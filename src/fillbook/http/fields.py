"""Field types of every schema: amounts are decimal text, moments are RFC 3339 in UTC with a `Z`."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from fillbook.kernel.money import STORED_PLACES, to_text

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST = Decimal(10) ** (38 - STORED_PLACES)


def _read_amount(value: Any) -> Any:
    """A JSON number arrives as a float; its shortest spelling is what the sender wrote."""
    if isinstance(value, bool):
        raise ValueError('an amount is a decimal in quotes, such as "0.5"')
    return repr(value) if isinstance(value, float) else value


def _check_amount(value: Decimal) -> Decimal:
    if abs(value) >= _LARGEST or (value and -int(value.normalize().as_tuple().exponent) > STORED_PLACES):
        raise ValueError(f"an amount has at most 20 digits before and {STORED_PLACES} after the point")
    return value


def _write_moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Amount = Annotated[
    Decimal,
    BeforeValidator(_read_amount),
    AfterValidator(_check_amount),
    PlainSerializer(to_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "decimal", "examples": ["0.0125"]}),
]
Moment = Annotated[
    AwareDatetime,
    PlainSerializer(_write_moment, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-02T03:04:05.678900Z"]}),
]


RowId = Annotated[int, Field(ge=1, le=2**53 - 1)]
"""A row's number: one that every database and every JSON reader can hold."""


class Schema(BaseModel):
    """What goes out: built from rows or objects."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What comes in: a field that is not known is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unstorable(cls, value: Any) -> Any:
        if has_unstorable(value):
            raise ValueError("text holds a character that is none (NUL or half of a pair)")
        return value


def has_unstorable(value: Any) -> bool:
    """Whether any text in a document holds what not every database can store."""
    match value:
        case str():
            return _UNSTORABLE.search(value) is not None
        case dict():
            return any(has_unstorable(name) or has_unstorable(child) for name, child in value.items())
        case list():
            return any(has_unstorable(child) for child in value)
    return False


def plain_json(value: Any) -> Any:
    """A document of ours as JSON: amounts as text, moments with a `Z`, whatever the depth."""
    match value:
        case Decimal():
            return to_text(value)
        case datetime():
            return _write_moment(value)
        case dict():
            return {str(name): plain_json(child) for name, child in value.items()}
        case list() | tuple():
            return [plain_json(child) for child in value]
    return value


Document = Annotated[Any, PlainSerializer(plain_json)]
"""Free JSON that may hold amounts and moments."""
