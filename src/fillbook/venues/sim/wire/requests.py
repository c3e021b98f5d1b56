"""A request's parameters as text: of its query, and of a body in form or JSON."""

from typing import Any
from urllib.parse import unquote_plus

import orjson


def read_pairs(text: str) -> dict[str, str]:
    """`a=1&b=2`, decoded; the last of a repeated name counts."""
    params: dict[str, str] = {}
    for pair in text.split("&") if text else ():
        name, _, value = pair.partition("=")
        params[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return params


def read_json(text: str) -> Any:
    """A JSON body, None when there is none. Raises `ValueError` for what is not JSON."""
    return orjson.loads(text) if text else None


def flat(row: dict[str, Any]) -> dict[str, str]:
    """The single values of a JSON object as text; lists, objects and nulls are left out."""
    return {name: word(value) for name, value in row.items() if isinstance(value, str | int | float)}


def word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
