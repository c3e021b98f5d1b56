"""Hiding keys in text that is kept or shown. Works on any text, because a broken body holds its key too.

Three things are hidden: the key that was presented, the values of fields whose names say secret, and every
long run of characters that looks like a token.
"""

import re
from typing import Any

MASK = "***"

_SECRET_NAMES = (
    r"token|secret|passwd|password|passphrase|api[_-]?key|apikey|webhook[_-]?key|key|signature|authorization"
    r"|signaltoken|bot[_-]?uuid|private[_-]?key|access[_-]?key|code"
)
# A field's name is tried only from where its run of letters begins: later starts would make long runs slow.
_QUOTED_FIELD = re.compile(
    rf"""(?<![A-Za-z0-9_-])([A-Za-z0-9_-]*(?:{_SECRET_NAMES})["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)""",
    re.IGNORECASE,
)
_BARE_FIELD = re.compile(
    rf"""(?<![A-Za-z0-9_-])([A-Za-z0-9_-]*(?:{_SECRET_NAMES})["']?\s*[:=]\s*)(?!["'])([^\s,;&}}\]]+)""",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(rf"(?:{_SECRET_NAMES})$", re.IGNORECASE)
_BEARER = re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_TOKEN_LIKE = re.compile(
    r"(?<![A-Za-z0-9_+/=-])(?=[A-Za-z0-9_+/-]*\d)(?=[A-Za-z0-9_+/-]*[A-Za-z])"
    r"[A-Za-z0-9_+/-]{24,}={0,2}"
)
_LONG_DIGITS = re.compile(r"(?<![\d.])\d{24,}(?![\d.])")


def mask(text: str, presented_key: str | None = None) -> str:
    """The text with every key hidden. Masking a masked text changes nothing."""
    if presented_key:
        text = text.replace(presented_key, MASK)
    text = _BEARER.sub(lambda found: f"{found.group(1)}{MASK}", text)
    text = _QUOTED_FIELD.sub(lambda found: f'{found.group(1)}"{MASK}"', text)
    text = _BARE_FIELD.sub(lambda found: f"{found.group(1)}{MASK}", text)
    text = _TOKEN_LIKE.sub(MASK, text)
    return _LONG_DIGITS.sub(MASK, text)


def mask_document(value: Any, presented_key: str | None = None) -> Any:
    """A parsed document with every key hidden, by name and by shape, whatever the depth."""
    match value:
        case str():
            return mask(value, presented_key)
        case dict():
            return {
                mask(name, presented_key): MASK
                if _SECRET_NAME.search(name)
                else mask_document(child, presented_key)
                for name, child in value.items()
            }
        case list():
            return [mask_document(child, presented_key) for child in value]
    return value
