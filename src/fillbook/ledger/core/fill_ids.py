"""Ids of fills to which the venue gave none: derived from the order and its cumulative quantity.

Two sources that tell of one execution derive one id, so it is booked once. An inferred fill stands for a
stretch of its order's quantity; its id begins with a sign that no venue's id begins with.
"""

from decimal import Decimal
from typing import Final

from fillbook.kernel.money import to_text

INFERRED_SIGN: Final = "~"
_NO_IDS: Final = frozenset({"", "0", "-1"})


def fill_id_of(venue_id: object, exchange_order_id: str, cumulative: Decimal) -> str:
    """The venue's id of a fill, or the derived one where it is missing, zero or below.

    `cumulative` is what the order had filled with this fill, in base units.
    """
    text = "" if venue_id is None else str(venue_id)
    return derived_fill_id(exchange_order_id, cumulative) if text in _NO_IDS else text


def derived_fill_id(exchange_order_id: str, cumulative: Decimal) -> str:
    return f"{exchange_order_id}-{to_text(cumulative)}"


def inferred_fill_id(exchange_order_id: str, upto: Decimal, quantity: Decimal) -> str:
    """The id of the fill that stands for the last `quantity` base units of what the order had filled `upto`."""
    return f"{INFERRED_SIGN}{derived_fill_id(exchange_order_id, upto)}-{to_text(quantity)}"


def is_inferred_id(venue_fill_id: str) -> bool:
    return venue_fill_id.startswith(INFERRED_SIGN)
