"""What every venue writes alike: amounts as text, times in milliseconds, ids of fills.

A missing field raises `KeyError`, a number that is none `ValueError` (`UNREADABLE`): the answer cannot be read.
"""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import ZERO, parse_amount
from fillbook.ledger.core.fill_ids import fill_id_of

UNREADABLE = (KeyError, ValueError, TypeError, IndexError, AttributeError, InvalidOperation)
"""What a parser raises for an answer of another shape than documented."""


def amount(value: Any) -> Decimal:
    """An exact amount; absent and empty are zero."""
    return ZERO if value is None or value == "" else parse_amount(value)


def positive(value: Any) -> Decimal | None:
    """An exact amount above zero, else None: venues write zero for 'has none'."""
    parsed = amount(value)
    return parsed if parsed > 0 else None


def moment(milliseconds: Any) -> datetime:
    return from_ms(int(milliseconds))


def floor_ms(at_time: datetime) -> int:
    """Milliseconds, rounded down: rounding up could leave a fill before the window."""
    return int((at_time - from_ms(0)) / timedelta(milliseconds=1))


fill_id = fill_id_of
"""The venue's id of a fill, or the one that is derived where it is missing or zero."""
