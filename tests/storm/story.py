"""What happened in a run, in order, and a hash of it: the same seed tells the same story."""

import hashlib
import traceback
from collections import Counter, deque
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

from storm.sql import is_of_the_disk

LINES_KEPT = 4000
# What these say is told by the acts and faults themselves.
QUIET = frozenset({"stream"})
UNEXPECTED = frozenset(
    {
        "loop_failed",
        "desk_failed",
        "order_not_settled",
        "batch_not_planned",
        "not_prepared",
        "tenure_turn_failed",
    }
)
"""Log events of something that nobody foresaw."""


def _flat(error: Any) -> list[Any]:
    """An error, or the errors that a group of tasks ended with."""
    if isinstance(error, BaseExceptionGroup):
        return [inner for one in error.exceptions for inner in _flat(one)]
    return [error]


class Story:
    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.counts: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self._hash = hashlib.sha256()

    def tell(self, kind: str, text: str) -> None:
        line = f"{self._now_s():9.3f} {kind:<9} {text}"
        self.counts[kind] += 1
        self.lines.append(line)
        self._hash.update(line.encode())

    def log(self, _: Any, level: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """A structlog processor: what the application logs is part of the story."""
        name = event.get("event", "")
        details = {key: value for key, value in event.items() if key not in ("event", "exc_info")}
        error = event.get("exc_info")
        if name in UNEXPECTED and not is_of_the_disk(_flat(error)):
            trace = "".join(traceback.format_exception(error)) if isinstance(error, Exception) else ""
            self.unexpected.append(f"{name} {details}: {error!r}\n{trace}")
        if name not in QUIET:
            self.tell("log", f"{level} {name} {details}" + (f" {error!r}" if error else ""))
        raise structlog.DropEvent

    def update_hash(self, text: str) -> None:
        self._hash.update(text.encode())

    @property
    def hash(self) -> str:
        return self._hash.hexdigest()[:16]
