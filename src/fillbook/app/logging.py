"""Structured logs without secrets: one processor chain for our own lines and for those of libraries.

Three things never reach a line: values that were announced with `hide`, values of fields whose names say
secret, and text that looks like a token.
"""

import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from fillbook.signals.core.masking import MASK, mask

_SECRET_WORDS = (
    "token",
    "secret",
    "passphrase",
    "password",
    "api_key",
    "apikey",
    "master_key",
    "authorization",
)
_LIBRARIES_TO_QUIET = ("alembic", "aiosqlite", "asyncio", "httpx", "httpcore", "uvicorn.access")
_SHORTEST_SECRET = 6


class SecretRedactor:
    """A structlog processor. Announce what must never appear; the rest is recognised by name and shape."""

    def __init__(self) -> None:
        self._hidden: set[str] = set()

    def hide(self, secrets: Iterable[str]) -> None:
        """Never show these values. Very short ones are not hidden: they would blot out ordinary words."""
        self._hidden.update(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {name: self._clean(name, value) for name, value in event.items()}

    def _clean(self, name: str, value: Any) -> Any:
        if any(word in name.lower() for word in _SECRET_WORDS):
            return MASK
        match value:
            case str():
                return self._clean_text(value)
            case bool() | int() | float() | None:
                return value
            case Mapping():
                return {str(key): self._clean(str(key), child) for key, child in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean("", child) for child in value]
        return self._clean_text(str(value)) if not name.startswith("_") and name != "exc_info" else value

    def _clean_text(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, MASK)
        return mask(text)


def configure_logging(
    level: str = "info",
    style: Literal["auto", "json", "text"] = "auto",
    stream: TextIO | None = None,
) -> SecretRedactor:
    """Set up structlog and the standard library's logging, on stderr unless told. Returns the redactor.

    `auto` writes text to a terminal and JSON elsewhere.
    """
    redactor, stream = SecretRedactor(), stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    as_text = style == "text" or (style == "auto" and stream.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer(default=str)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # An exception becomes text before the redactor, or its message would pass unseen.
                structlog.processors.format_exc_info,
                redactor,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _LIBRARIES_TO_QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return redactor
