"""What orders that are live or of unknown fate may still do to a position and to capital.

Any of them may fill completely, in any order, and the others not at all: that is the case to plan for.
Reduce-only orders can bring a position to zero and no further; ended orders do nothing, and neither does one
proven never placed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ZERO, exact, share
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Order


@dataclass(frozen=True, slots=True)
class InFlight:
    """The part of an order that may still fill, in base units, with the capital (quote) reserved for it.

    `reduces` is true for reduce-only orders, for closes on a hedge leg and for spot sells.
    """

    side: Side
    remaining: Decimal
    reduces: bool
    reserved: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class WorstCase:
    """`max_long` and `max_short` are how far the position may go each way, both >= 0, in base units.

    `added_long` and `added_short` are what the orders may add to what is held; `closable` is what a new close
    may ask for without doubling the closes under way; `reserved` is capital in quote.
    """

    max_long: Decimal
    max_short: Decimal
    added_long: Decimal
    added_short: Decimal
    closable: Decimal
    reserved: Decimal


@exact
def in_flight(order: Order, reserved: Decimal = ZERO) -> InFlight | None:
    """What an order may still do; None when it has ended. `reserved` is the capital of its whole quantity."""
    if not order.status.is_live or not order.remaining:
        return None
    return InFlight(
        order.side,
        order.remaining,
        order.reduce_only or _can_only_close(order),
        share(reserved, order.remaining, order.quantity),
    )


def _can_only_close(order: Order) -> bool:
    if order.market_type is MarketType.SPOT:
        return order.side is Side.SELL
    match order.position_side:
        case PositionSide.LONG:
            return order.side is Side.SELL
        case PositionSide.SHORT:
            return order.side is Side.BUY
        case PositionSide.NET:
            return False


@exact
def worst_case(quantity: Decimal, orders: Iterable[InFlight]) -> WorstCase:
    """The worst that `orders` may do to a signed position of `quantity` base units (one book, one leg)."""
    opening = {Side.BUY: ZERO, Side.SELL: ZERO}
    reducing = {Side.BUY: ZERO, Side.SELL: ZERO}
    reserved = ZERO
    for order in orders:
        sums = reducing if order.reduces else opening
        sums[order.side] += order.remaining
        reserved += order.reserved
    closing = Side.SELL if quantity > 0 else Side.BUY
    closable = max(abs(quantity) - opening[closing] - reducing[closing], ZERO)
    # Reducing orders help an extreme only by first clearing the opposite position out of its way.
    highest = quantity if quantity > 0 else min(quantity + reducing[Side.BUY], ZERO)
    lowest = quantity if quantity < 0 else max(quantity - reducing[Side.SELL], ZERO)
    max_long = max(highest + opening[Side.BUY], ZERO)
    max_short = max(opening[Side.SELL] - lowest, ZERO)
    return WorstCase(
        max_long=max_long,
        max_short=max_short,
        added_long=max_long - max(quantity, ZERO),
        added_short=max_short - max(-quantity, ZERO),
        closable=closable,
        reserved=reserved,
    )
