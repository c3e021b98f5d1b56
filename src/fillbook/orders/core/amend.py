"""A change of price and quantity that is wanted of a resting order, until the venue's record shows or excludes it.

Written down before the venue is asked, and sent once. While nobody can say, the order counts by its old terms: an
amend never raises what an order may take (`trading.core.amending` sees to it).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillbook.kernel.money import parse_amount, to_text


@dataclass(frozen=True, slots=True)
class Amend:
    price: Decimal
    quantity: Decimal
    asked_at: datetime


def amend_to_json(amend: Amend | None) -> dict[str, str] | None:
    if amend is None:
        return None
    return {
        "price": to_text(amend.price),
        "quantity": to_text(amend.quantity),
        "asked_at": amend.asked_at.isoformat(),
    }


def amend_from_json(document: Mapping[str, Any] | None) -> Amend | None:
    if not document:
        return None
    asked_at = datetime.fromisoformat(document["asked_at"])
    return Amend(parse_amount(document["price"]), parse_amount(document["quantity"]), asked_at)
