"""The document itself: canonical JSON with a checksum, the same bytes for the same configuration.

`{"format", "version", "installation_id", "master_keys", "sections", "checksum"}`: sections are lists of rows in
the order of their names, amounts and times are text. `master_keys` are fingerprints of the keys that its
ciphertexts need; the keys themselves are never in it.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from fillbook.app.config.errors import ConfigDamaged, ConfigUnreadable, ConfigVersionUnknown
from fillbook.kernel.money import parse_amount, to_text
from fillbook.storage.types import Amount, Instant

FORMAT: Final = "fillbook-config"
VERSION: Final = 1
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE

DocumentRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    installation_id: str
    master_keys: tuple[str, ...]
    sections: Mapping[str, Sequence[DocumentRow]]


def to_bytes(document: Document) -> bytes:
    content = {"format": FORMAT, "version": VERSION, **asdict(document)}
    return orjson.dumps({**content, "checksum": _checksum(content)}, option=_OPTIONS)


def from_bytes(text: bytes) -> Document:
    """Raises `ConfigUnreadable`, `ConfigVersionUnknown`, `ConfigDamaged`."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ConfigUnreadable(
            "This is not a whole configuration: the file is cut short, or is something else. Take another copy."
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ConfigUnreadable("This file was not written by `fillbook config export`.")
    version = content.get("version")
    if version != VERSION:
        raise ConfigVersionUnknown(
            f"This configuration has version {version!r}, and this Fillbook reads {VERSION}: "
            "use the version of Fillbook that wrote it."
        )
    if content.pop("checksum", None) != _checksum(content):
        raise ConfigDamaged("This configuration was changed after it was written: take an unchanged copy.")
    match content:
        case {"installation_id": str(installation), "master_keys": [*keys], "sections": dict(sections)} if (
            all(
                isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
                for rows in sections.values()
            )
        ):
            return Document(installation, tuple(keys), sections)
    raise ConfigDamaged("This configuration lacks a part: take an unchanged copy.")


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def to_value(column: sa.Column[Any], value: Any) -> Any:
    """A column's value as the document has it."""
    if value is None:
        return None
    if isinstance(column.type, Amount):
        return to_text(value)
    if isinstance(column.type, Instant):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value


def from_value(column: sa.Column[Any], value: Any) -> Any:
    """A document's value as the column takes it; raises `ValueError` for another kind of value."""
    if value is None:
        if not column.nullable:
            raise ValueError("it is missing")
        return None
    if isinstance(column.type, sa.JSON):
        return value
    read, kind = _READERS.get(type(column.type), (_same, column.type.python_type))
    if type(value) is not kind:
        raise ValueError(f"it is a {type(value).__name__}")
    return read(value)


def _same(value: Any) -> Any:
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("it has no time zone")
    return moment


_READERS: Final[Mapping[type, tuple[Callable[[Any], Any], type]]] = {
    Amount: (parse_amount, str),
    Instant: (_moment, str),
}
