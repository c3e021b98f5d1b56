"""Whose fill it is, when no order of ours asked for it: a liquidation, ADL, a person's close on the venue.

Such a fill is divided pro rata over the open positions of the side that it reduces, by largest remainder in
whole lots; what exceeds them belongs to the owner `external`. Parts always add up to the whole exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fillbook.kernel.money import ZERO, exact, floor_to, share
from fillbook.ledger.core.fill import Fill
from fillbook.ledger.core.position import FillPart
from fillbook.ledger.core.round_trip import ExitReason, TradeSource


@dataclass(frozen=True, slots=True)
class Shares:
    """`owners` are base units in the order of the given positions; `external` is what exceeds them all."""

    owners: tuple[Decimal, ...]
    external: Decimal


@exact
def allocate_pro_rata(quantity: Decimal, open_quantities: Sequence[Decimal], lot: Decimal) -> Shares:
    """Divide `quantity` over open positions (all >= 0, base units), none beyond its own size.

    Every owner gets its exact share rounded down to the lot; the lots that are left go one each to the
    largest remainders, ties to the earlier owner. `sum(owners) + external == quantity`.
    """
    if quantity < 0 or any(held < 0 for held in open_quantities):
        raise ValueError("quantities to allocate are not below zero")
    total = sum(open_quantities, ZERO)
    if quantity >= total:
        return Shares(tuple(open_quantities), quantity - total)
    wanted = [share(quantity, held, total) for held in open_quantities]
    given = [floor_to(part, lot) for part in wanted]
    by_remainder = sorted(range(len(wanted)), key=lambda index: (given[index] - wanted[index], index))
    left = quantity - sum(given, ZERO)
    # Positions hold more than the quantity in all, so each pass gives something: the loop ends.
    while left > 0:
        for index in by_remainder:
            extra = min(lot, left, open_quantities[index] - given[index])
            given[index] += extra
            left -= extra
    return Shares(tuple(given), ZERO)


@exact
def split_amount(amount: Decimal, parts: Sequence[Decimal]) -> list[Decimal]:
    """`amount` in proportion to `parts` (>= 0, not all 0), 18 places each, adding up exactly."""
    whole = sum(parts, ZERO)
    shares: list[Decimal] = []
    reached = before = ZERO
    for part in parts:
        reached += part
        upto = amount if reached == whole else share(amount, reached, whole)
        shares.append(upto - before)
        before = upto
    return shares


def whole_fill(fill: Fill, leverage: Decimal, exit_reason: ExitReason, trade_source: TradeSource) -> FillPart:
    """The usual case: one owner takes all of a fill."""
    return FillPart(
        fill, fill.quantity, fill.cost, fill.fee, fill.fee_quote, leverage, exit_reason, trade_source
    )


@exact
def split_fill(fill: Fill, quantities: Sequence[Decimal]) -> list[FillPart | None]:
    """Parts of a fill by quantities that add up to it; None where an owner gets nothing.

    Leverage, exit reason and source are the defaults: `dataclasses.replace` sets each owner's own.
    """
    if sum(quantities, ZERO) != fill.quantity:
        raise ValueError("the parts of a fill add up to its quantity")
    costs = split_amount(fill.cost, quantities)
    fees = split_amount(fill.fee, quantities)
    fees_quote = split_amount(fill.fee_quote, quantities)
    return [
        FillPart(fill, quantity, cost, fee, fee_quote) if quantity else None
        for quantity, cost, fee, fee_quote in zip(quantities, costs, fees, fees_quote, strict=True)
    ]
