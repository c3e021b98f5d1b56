"""Numbers as venues write them: text, with as many places as the field has, or with none too many."""

from decimal import Decimal
from functools import cache

from fillbook.kernel.money import ZERO, to_text


def fixed(amount: Decimal | None, places: int = 8) -> str:
    return format(amount if amount is not None else ZERO, f".{places}f")


def short(amount: Decimal | None) -> str:
    """Without trailing zeros; nothing is an empty text."""
    return "" if amount is None else to_text(amount)


@cache
def places_of(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
