"""The types of a fold: the parts of fills that go in, and the book, allocations and trips that come out.

A book is one owner's on one (account, symbol, position side). All are values; `position.py` is what folds them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ONE, ZERO, divide, exact
from fillbook.ledger.core.fill import CanonicalKey, Fill, canonical_key
from fillbook.ledger.core.round_trip import ExitReason, OpenTrip, RoundTrip, TradeSource, TripKey


class OutOfOrder(ValueError):
    """A part does not come after the last one that the book has seen: refold instead."""


@dataclass(frozen=True, slots=True)
class FlatRule:
    """What is too little to be a position: below one `lot`, or worth less than `min_notional` (quote).

    Judged after reductions only, so that a small first fill of a large order still opens. On futures
    `min_notional` is 0: venues exempt reduce-only orders from it, so a remainder there is a real position.
    """

    lot: Decimal
    min_notional: Decimal = ZERO

    @exact
    def is_flat(self, quantity: Decimal, price: Decimal) -> bool:
        return abs(quantity) < self.lot or abs(quantity) * price < self.min_notional


RuleAt = FlatRule | Callable[[datetime], FlatRule]


@dataclass(frozen=True, slots=True)
class FillPart:
    """The part of a fill that one owner takes, usually all of it. `leverage` is the link's (spot: 1)."""

    fill: Fill
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    fee_quote: Decimal
    leverage: Decimal = ONE
    exit_reason: ExitReason = ExitReason.MANUAL
    trade_source: TradeSource = TradeSource.MANUAL

    def __post_init__(self) -> None:
        if self.quantity <= 0 or self.cost < 0 or self.leverage <= 0:
            raise ValueError("a part of a fill has quantity > 0, cost >= 0 and leverage > 0")


@dataclass(frozen=True, slots=True)
class PositionBook:
    """The fold's state. `quantity` and `dust_quantity` are signed base units; costs are >= 0, in quote.

    `realized_pnl` is gross and `fees` are what was charged, both since the beginning. While flat, `trip` is
    None and `left_trip` is the closed trip whose dust is still here: a fill against the dust belongs to it.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    capital_used: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    dust_quantity: Decimal = ZERO
    dust_cost: Decimal = ZERO
    trip: OpenTrip | None = None
    left_trip: OpenTrip | None = None
    last_key: CanonicalKey | None = None

    def __post_init__(self) -> None:
        assert (self.trip is None) == (not self.quantity), "a position has a trip exactly while it is open"
        assert not (self.quantity and self.dust_quantity), "dust joins the position that opens"

    @property
    def is_flat(self) -> bool:
        return not self.quantity

    @property
    def average_price(self) -> Decimal | None:
        """Average entry, derived from the cost; None when flat."""
        return divide(self.cost, self.quantity.copy_abs()) if self.quantity else None

    @property
    def direction(self) -> PositionSide | None:
        if not self.quantity:
            return None
        return PositionSide.LONG if self.quantity > 0 else PositionSide.SHORT


EMPTY = PositionBook()


@dataclass(frozen=True, slots=True)
class Allocation:
    """Which trip a part of a fill belongs to. The allocations of a fill add up to the fill exactly.

    `part_index` is 1 for the second part of a split (the opening half of a flip, the surplus of a spot sell).
    A surplus has no trip: the store writes it under the owner `external`.
    """

    fill_id: int
    part_index: int
    quantity: Decimal
    cost: Decimal
    fee_quote: Decimal
    realized_pnl: Decimal
    opens: bool
    trip: TripKey | None

    @property
    def is_surplus(self) -> bool:
        return self.trip is None


@dataclass(frozen=True, slots=True)
class Applied:
    """A book after one part, what the part was allocated to, and the trips it opened, changed or closed."""

    book: PositionBook
    allocations: tuple[Allocation, ...]
    trips: tuple[RoundTrip, ...]


@dataclass(frozen=True, slots=True)
class FlatPoint:
    """The book after the first `count` parts, when that book was flat: a fold may begin again here."""

    count: int
    book: PositionBook


@dataclass(frozen=True, slots=True)
class Folded:
    """The result of a history. `trips` are in the order of their opening, each in its last state."""

    book: PositionBook
    allocations: tuple[Allocation, ...]
    trips: tuple[RoundTrip, ...]
    flat_points: tuple[FlatPoint, ...]


def key_of(fill: Fill) -> CanonicalKey:
    return canonical_key(fill.exchange_at, fill.venue_fill_id, fill.exchange_order_id)
