"""SQLite connections as this program needs them: durable, strict about references, exact about amounts.

Whoever opens the database with another driver (the tests under virtual time do) opens it with
`open_sqlite`, so that the pragmas and functions are the same.
"""

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

from fillbook.kernel.money import EXACT, STORED_PLACES, ZERO, to_text

BUSY_TIMEOUT_MS = 10_000
_INTEGER_DIGITS = 38 - STORED_PLACES
_NINES_COMPLEMENT = str.maketrans("0123456789", "9876543210")


class SqliteConnection(sqlite3.Connection):
    """A connection in WAL mode with every commit on disk; transactions are begun explicitly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            self.execute(f"PRAGMA {pragma}").close()
        self.create_function("decimal_cmp", 2, decimal_cmp, deterministic=True)
        self.create_function("decimal_key", 1, decimal_key, deterministic=True)
        self.create_aggregate("decimal_sum", 1, DecimalSum)  # type: ignore[arg-type]


def open_sqlite(path: str | Path, *, check_same_thread: bool = True) -> SqliteConnection:
    connection = sqlite3.connect(path, factory=SqliteConnection, check_same_thread=check_same_thread)
    assert isinstance(connection, SqliteConnection)
    return connection


def decimal_cmp(left: str | None, right: str | None) -> int | None:
    """-1, 0 or 1 as the left amount is below, equal to or above the right one; NULL when either is."""
    if left is None or right is None:
        return None
    return int(Decimal(left).compare(Decimal(right), context=EXACT))


def decimal_key(amount: str | None) -> str | None:
    """Fixed-width text that sorts as the amounts do."""
    if amount is None:
        return None
    value = Decimal(amount)
    digits = f"{value.copy_abs():0{_INTEGER_DIGITS + 1 + STORED_PLACES}.{STORED_PLACES}f}"
    return f"1{digits}" if value >= 0 else f"0{digits.translate(_NINES_COMPLEMENT)}"


class DecimalSum:
    """Aggregate: the exact sum of amounts as canonical text; NULL without rows, as SUM has it."""

    def __init__(self) -> None:
        self._sum = ZERO
        self._seen = False

    def step(self, amount: str | None) -> None:
        if amount is not None:
            self._sum = EXACT.add(self._sum, Decimal(amount))
            self._seen = True

    def finalize(self) -> str | None:
        return to_text(self._sum) if self._seen else None
