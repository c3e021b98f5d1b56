"""Bytes to JSON, exactly and within bounds: numbers stay decimal, depth and size are limited.

The content type is not asked: TradingView sends JSON as text/plain whenever it cannot parse it itself.
"""

import json
import re
from decimal import Decimal
from typing import Any

from fillbook.signals.core.errors import AlertRefused, BodyTooLarge, MalformedJson
from fillbook.signals.core.masking import mask

MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 12
MAX_NUMBER_LENGTH = 60

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TOKEN_IN_TEXT = re.compile(r"""["']?token["']?\s*[:=]\s*["']?([A-Za-z0-9_.~+/=-]{8,200})""", re.IGNORECASE)


def check_length(body_bytes: int) -> None:
    """Raises `BodyTooLarge`."""
    if body_bytes > MAX_BODY_BYTES:
        raise BodyTooLarge(
            f"The body has {body_bytes} bytes; an alert may have {MAX_BODY_BYTES}. Send only the fields of the"
            " alert format."
        )


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Numbers come as `Decimal`.

    Raises `BodyTooLarge` or `MalformedJson`; the latter names the line, the column and what stands there.
    """
    check_length(len(body))
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The body is not UTF-8 text (byte {error.start}). Send JSON in UTF-8.") from None
    if not text.strip():
        raise MalformedJson("The body is empty. Put the alert's JSON text into the message of the alert.")
    try:
        document = json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise MalformedJson(_explain(text, error)) from None
    except RecursionError:
        raise MalformedJson(f"The JSON is nested deeper than {MAX_DEPTH} levels.") from None
    if not isinstance(document, dict):
        raise MalformedJson("The body must be one JSON object: it starts with { and ends with }.")
    _check_tree(document)
    return document


def token_in(document: dict[str, Any]) -> str | None:
    """The webhook key that a body names; field names are read in any case."""
    for name, value in document.items():
        if name.lower() == "token" and isinstance(value, str):
            return value.strip() or None
    return None


def token_in_text(body: bytes) -> str | None:
    """The webhook key in a body that is not JSON, so that its owner can be shown what went wrong."""
    found = _TOKEN_IN_TEXT.search(body[:MAX_BODY_BYTES].decode("utf-8", "replace"))
    return found.group(1) if found else None


def _number(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
        raise MalformedJson(
            f"The number {text[:20]}... has {len(text)} characters; no price needs that many."
        )
    return Decimal(text)


def _refuse_constant(text: str) -> Any:
    raise MalformedJson(f"{text} is not a number that JSON knows. Check the placeholder that produced it.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedJson(f"The field {twice[:40]!r} stands twice in one object. Keep one of them.")
    return made


def _explain(text: str, error: json.JSONDecodeError) -> str:
    around = text[max(error.pos - 15, 0) : error.pos + 15].replace("\n", " ").replace("\x00", "\ufffd")
    nearby = text[max(error.pos - 100, 0) : error.pos + 100]
    # Part of a key is not recognised as one any more: where one is near, nothing is quoted.
    quoted = f", near `{around}`" if mask(nearby) == nearby else ""
    hint = ""
    if "'" in around and '"' not in around:
        hint = ' JSON needs double quotes ("), not single ones.'
    elif "“" in around or "”" in around:
        hint = ' Replace the curly quotes with straight ones (").'
    elif "{{" in text:
        hint = " A placeholder between {{ and }} was not filled in, or stands outside quotes."
    return f"Not valid JSON at line {error.lineno}, column {error.colno}{quoted}: {error.msg}.{hint}"


def _check_tree(document: Any) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        if any(isinstance(value, str) and _UNSTORABLE.search(value) for value in level):
            raise MalformedJson("The text holds a character that is none (NUL or half of a pair). Remove it.")
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise MalformedJson(f"The JSON is nested deeper than {MAX_DEPTH} levels.")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def decimal_from(value: Any, refusal: type[AlertRefused], loc: tuple[str | int, ...]) -> Decimal:
    """A finite decimal from a JSON number or a numeric string, at most 20 digits before the point.

    Raises `refusal` for anything else, telling what stands there.
    """
    name = loc[-1]
    if isinstance(value, Decimal):
        amount = value
    elif isinstance(value, str):
        text = value.strip()
        if "{{" in text:
            raise refusal(f"`{name}` still holds the placeholder {text[:40]}: it was not filled in.", loc)
        if len(text) > MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
            raise refusal(f"`{name}` must be a number such as 0.5, not {text[:40]!r}.", loc)
        amount = Decimal(text)
    else:
        raise refusal(f"`{name}` must be a number such as 0.5, not {_kind_of(value)}.", loc)
    digits, exponent = len(amount.as_tuple().digits), int(amount.as_tuple().exponent)
    if digits + exponent > 20 or exponent < -60 or (amount and amount.adjusted() < -18):
        raise refusal(f"`{name}` is {str(amount)[:40]}, which is outside what can be traded.", loc)
    return amount


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case dict():
            return "an object"
        case list():
            return "a list"
    return "text"
