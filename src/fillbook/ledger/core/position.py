"""A position is a fold: the fills of one owner on one (account, symbol, position side), in canonical order.

`apply` books one part of a fill, `fold` a history; the same parts give the same book to the last digit. The
entry is kept as a cost, so that reductions take their share of it and closing everything takes exactly the
rest. Derivatives flip through zero and split the fill in two; spot cannot be short: what is sold beyond the
holding was the account owner's own coin and is allocated as a surplus that changes no position.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ONE, ZERO, divide, exact, quantise, share
from fillbook.ledger.core.fill import CanonicalKey, Fill, canonical_key
from fillbook.ledger.core.round_trip import ExitReason, OpenTrip, RoundTrip, TradeSource, TripKey
from fillbook.market.core import MarketType, Side

__all__ = [
    "EMPTY",
    "Allocation",
    "Applied",
    "ExitReason",
    "FillPart",
    "FlatPoint",
    "FlatRule",
    "Folded",
    "OpenTrip",
    "OutOfOrder",
    "PositionBook",
    "RoundTrip",
    "TradeSource",
    "TripKey",
    "apply",
    "fold",
    "key_of",
    "resume_point",
    "unrealized_pnl",
]


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


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a fill on one side of zero.

    `quantity`, `cost` and `fee_quote` are the fill's; `moved` (base units) and `value` (quote) are what
    changes the holding, which differ when the fee was taken in kind, out of the base currency itself.
    """

    part: FillPart
    index: int
    quantity: Decimal
    cost: Decimal
    fee_quote: Decimal
    moved: Decimal
    value: Decimal

    @property
    def key(self) -> TripKey:
        return TripKey(self.part.fill.id, self.index)

    def allocation(self, realized_pnl: Decimal, opens: bool, trip: TripKey | None) -> Allocation:
        return Allocation(
            self.part.fill.id,
            self.index,
            self.quantity,
            self.cost,
            self.fee_quote,
            realized_pnl,
            opens,
            trip,
        )


def key_of(fill: Fill) -> CanonicalKey:
    return canonical_key(fill.exchange_at, fill.venue_fill_id, fill.exchange_order_id)


@exact
def apply(book: PositionBook, part: FillPart, rule: FlatRule) -> Applied:
    """Book one part. Raises `OutOfOrder` unless its fill comes after all that the book has seen."""
    key = key_of(part.fill)
    if book.last_key is not None and key <= book.last_key:
        raise OutOfOrder(f"fill {part.fill.venue_fill_id} does not come after the last one booked")
    sign = part.fill.side.sign
    held = book.quantity or book.dust_quantity
    against = abs(held) if held * sign < 0 else ZERO
    first, second = _split(part, against)
    allocations: list[Allocation] = []
    trips: list[OpenTrip] = []
    for piece, closes in ((first, True), (second, False)):
        if piece is None:
            continue
        if not closes and sign < 0 and part.fill.market_type is MarketType.SPOT:
            allocations.append(piece.allocation(ZERO, opens=False, trip=None))
            continue
        book, allocation, trip = _reduce(book, piece, rule, key) if closes else _increase(book, piece, key)
        allocations.append(allocation)
        trips.append(trip)
    if not trips:
        book = replace(book, last_key=key)
    return Applied(book, tuple(allocations), tuple(trip.summary() for trip in trips))


def _split(part: FillPart, against: Decimal) -> tuple[_Piece | None, _Piece | None]:
    """The piece that closes up to `against` base units, and the piece that goes beyond; fee pro rata."""
    fee_in_kind, value_in_kind = _in_kind(part, against)
    sign = part.fill.side.sign
    moved = part.quantity - sign * fee_in_kind
    value = part.cost - sign * value_in_kind
    if not against or moved <= against:
        whole = _Piece(part, 0, part.quantity, part.cost, part.fee_quote, moved, value)
        return (whole, None) if against else (None, whole)
    # A fee in kind never leads beyond zero (see `_in_kind`), so here quantity and movement are the same.
    cost = share(part.cost, against, part.quantity)
    fee_quote = share(part.fee_quote, against, part.quantity)
    rest, rest_cost = part.quantity - against, part.cost - cost
    return (
        _Piece(part, 0, against, cost, fee_quote, against, cost),
        _Piece(part, 1, rest, rest_cost, part.fee_quote - fee_quote, rest, rest_cost),
    )


def _in_kind(part: FillPart, against: Decimal) -> tuple[Decimal, Decimal]:
    """How much of the fee came out of the spot holding itself (base units), and what that was worth (quote).

    A bought coin's fee comes out of what was bought. A sold coin's fee comes out of what is left of the
    holding; beyond that it was paid with the owner's own coin, like a fee in any other asset. A fee as large
    as the fill cannot have been taken out of it.
    """
    fill = part.fill
    is_in_base = fill.market_type is MarketType.SPOT and fill.fee_asset == fill.symbol.partition("/")[0]
    if not is_in_base or not part.fee or abs(part.fee) >= part.quantity:
        return ZERO, ZERO
    if fill.side is Side.BUY:
        return part.fee, part.fee_quote
    if part.quantity > against:
        return ZERO, ZERO
    taken = min(part.fee, against - part.quantity)
    return taken, share(part.fee_quote, taken, part.fee)


def _increase(
    book: PositionBook, piece: _Piece, key: CanonicalKey
) -> tuple[PositionBook, Allocation, OpenTrip]:
    """Open or enlarge. Dust of the same direction joins an opening at its cost."""
    part = piece.part
    side = part.fill.side
    added, added_cost = piece.moved, piece.value
    trip = book.trip
    opens = trip is None
    if trip is None:
        added += abs(book.dust_quantity)
        added_cost += book.dust_cost
        trip = OpenTrip(piece.key, side, part.leverage, part.trade_source, part.fill.exchange_at)
    capital = divide(added_cost, part.leverage)
    trip = replace(
        trip,
        entered_quantity=trip.entered_quantity + added,
        entered_cost=trip.entered_cost + added_cost,
        capital=trip.capital + capital,
        fees=trip.fees + piece.fee_quote,
    )
    book = replace(
        book,
        quantity=book.quantity + side.sign * added,
        cost=book.cost + added_cost,
        capital_used=book.capital_used + capital,
        fees=book.fees + piece.fee_quote,
        dust_quantity=ZERO,
        dust_cost=ZERO,
        trip=trip,
        left_trip=None,
        last_key=key,
    )
    return book, piece.allocation(ZERO, opens, trip.key), trip


def _reduce(
    book: PositionBook, piece: _Piece, rule: FlatRule, key: CanonicalKey
) -> tuple[PositionBook, Allocation, OpenTrip]:
    """Close some or all, at a proportional part of the cost. With no position open it sells the dust."""
    fill = piece.part.fill
    of_dust = not book.quantity
    held = book.dust_quantity if of_dust else book.quantity
    held_cost = book.dust_cost if of_dust else book.cost
    trip = book.left_trip if of_dust else book.trip
    assert trip is not None, "what is held was entered by a trip"
    assert piece.moved <= abs(held), "a reduction never goes beyond zero"
    cost_taken = share(held_cost, piece.moved, abs(held))
    released = share(book.capital_used, piece.moved, abs(held))
    realized = -fill.side.sign * (piece.value - cost_taken)
    left, left_cost = held + fill.side.sign * piece.moved, held_cost - cost_taken
    is_flat = of_dust or not left or rule.is_flat(left, fill.price)
    trip = replace(
        trip,
        exited_quantity=trip.exited_quantity + piece.moved,
        exited_value=trip.exited_value + piece.value,
        realized_pnl=trip.realized_pnl + realized,
        fees=trip.fees + piece.fee_quote,
        exit_reason=piece.part.exit_reason,
        closed_at=fill.exchange_at if is_flat else None,
    )
    book = replace(
        book,
        quantity=ZERO if is_flat else left,
        cost=ZERO if is_flat else left_cost,
        capital_used=ZERO if is_flat else book.capital_used - released,
        realized_pnl=book.realized_pnl + realized,
        fees=book.fees + piece.fee_quote,
        dust_quantity=left if is_flat else ZERO,
        dust_cost=left_cost if is_flat else ZERO,
        trip=None if is_flat else trip,
        left_trip=trip if is_flat and left else None,
        last_key=key,
    )
    return book, piece.allocation(realized, opens=False, trip=trip.key), trip


def fold(parts: Iterable[FillPart], rule: RuleAt, start: PositionBook = EMPTY) -> Folded:
    """Fold parts of any order into `start`; parts of one fill that come twice count once.

    `rule` may be a function of the venue's time, so that old fills keep the lot that was in force then.
    Raises `OutOfOrder` when a part belongs before the end of `start`.
    """
    in_order: dict[CanonicalKey, FillPart] = {}
    for part in parts:
        in_order.setdefault(key_of(part.fill), part)
    book = start
    allocations: list[Allocation] = []
    trips: dict[TripKey, RoundTrip] = {}
    flat_points: list[FlatPoint] = [FlatPoint(0, start)] if start.is_flat else []
    for count, key in enumerate(sorted(in_order), start=1):
        part = in_order[key]
        applied = apply(book, part, rule if isinstance(rule, FlatRule) else rule(part.fill.exchange_at))
        book = applied.book
        allocations.extend(applied.allocations)
        trips.update((trip.key, trip) for trip in applied.trips)
        if book.is_flat:
            flat_points.append(FlatPoint(count, book))
    return Folded(book, tuple(allocations), tuple(trips.values()), tuple(flat_points))


def resume_point(flat_points: Sequence[FlatPoint], late: CanonicalKey) -> FlatPoint | None:
    """The last flat point before a late fill: refold from its book with the parts after its `count`."""
    for point in reversed(flat_points):
        if point.book.last_key is None or point.book.last_key < late:
            return point
    return None


@exact
def unrealized_pnl(book: PositionBook, price: Decimal, *, with_dust: bool = False) -> Decimal:
    """What closing at `price` would realise before fees, in quote; `with_dust` values the dust too."""
    pnl = _open_pnl(book.quantity, book.cost, price)
    return quantise(pnl + _open_pnl(book.dust_quantity, book.dust_cost, price) if with_dust else pnl)


def _open_pnl(quantity: Decimal, cost: Decimal, price: Decimal) -> Decimal:
    return quantity * price - (cost if quantity > 0 else -cost)
