"""A book while parts are folded into it: it changes in place, because a history folds into it by the thousand.

Nobody keeps one. `book` and `trips` give the values that it has come to. Its methods compute in the exact
context of whoever calls them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from fillbook.kernel.money import ONE, ZERO, divide, share
from fillbook.ledger.core.fill import CanonicalKey
from fillbook.ledger.core.position_book import Allocation, FillPart, FlatRule, OutOfOrder, PositionBook
from fillbook.ledger.core.round_trip import ExitReason, OpenTrip, RoundTrip, TripKey
from fillbook.market.core import MarketType, Side


class _Piece(NamedTuple):
    """A part of a fill on one side of zero.

    `quantity`, `cost` and `fee_quote` are the fill's; `moved` (base units) and `value` (quote) are what
    changes the holding, which differ when the fee was taken in kind, out of the base currency itself.
    """

    part: FillPart
    place: int
    quantity: Decimal
    cost: Decimal
    fee_quote: Decimal
    moved: Decimal
    value: Decimal


@dataclass(slots=True)
class _RunningTrip:
    """What changes of an `OpenTrip`; `begun` is it as it was when this fold met it."""

    begun: OpenTrip
    entered_quantity: Decimal
    entered_cost: Decimal
    exited_quantity: Decimal
    exited_value: Decimal
    capital: Decimal
    realized_pnl: Decimal
    fees: Decimal
    exit_reason: ExitReason | None
    closed_at: datetime | None

    @classmethod
    def of(cls, trip: OpenTrip) -> "_RunningTrip":
        return cls(
            trip,
            trip.entered_quantity,
            trip.entered_cost,
            trip.exited_quantity,
            trip.exited_value,
            trip.capital,
            trip.realized_pnl,
            trip.fees,
            trip.exit_reason,
            trip.closed_at,
        )

    def value(self) -> OpenTrip:
        begun = self.begun
        return OpenTrip(
            begun.key,
            begun.side,
            begun.leverage,
            begun.trade_source,
            begun.opened_at,
            self.entered_quantity,
            self.entered_cost,
            self.exited_quantity,
            self.exited_value,
            self.capital,
            self.realized_pnl,
            self.fees,
            self.exit_reason,
            self.closed_at,
        )


class RunningBook:
    """Takes parts of fills in canonical order. `allocations` are those of all that it took."""

    def __init__(self, book: PositionBook) -> None:
        self.quantity = book.quantity
        self._cost = book.cost
        self._capital_used = book.capital_used
        self._realized_pnl = book.realized_pnl
        self._fees = book.fees
        self._dust_quantity = book.dust_quantity
        self._dust_cost = book.dust_cost
        self._trip = None if book.trip is None else _RunningTrip.of(book.trip)
        self._left_trip = None if book.left_trip is None else _RunningTrip.of(book.left_trip)
        self._last_key = book.last_key
        self.allocations: list[Allocation] = []
        self._touched: dict[TripKey, _RunningTrip] = {}

    def book(self) -> PositionBook:
        return PositionBook(
            self.quantity,
            self._cost,
            self._capital_used,
            self._realized_pnl,
            self._fees,
            self._dust_quantity,
            self._dust_cost,
            None if self._trip is None else self._trip.value(),
            None if self._left_trip is None else self._left_trip.value(),
            self._last_key,
        )

    def trips(self) -> tuple[RoundTrip, ...]:
        """The trips that were opened, changed or closed, in this order, each in its last state."""
        return tuple(trip.value().summary() for trip in self._touched.values())

    def take(self, part: FillPart, key: CanonicalKey, rule: FlatRule) -> None:
        """Book one part. Raises `OutOfOrder` unless its fill comes after all that the book has seen."""
        if self._last_key is not None and key <= self._last_key:
            raise OutOfOrder(f"fill {part.fill.venue_fill_id} does not come after the last one booked")
        self._last_key = key
        fill = part.fill
        is_buy = fill.side is Side.BUY
        held = self.quantity or self._dust_quantity
        against = abs(held) if held and (held < 0) is is_buy else ZERO
        closing, beyond = _split(part, against)
        if closing is not None:
            self._reduce(closing, is_buy, rule)
        if beyond is None:
            return
        if not is_buy and fill.market_type is MarketType.SPOT:
            self._allocate(beyond, ZERO, None, opens=False)
        else:
            self._increase(beyond, is_buy)

    def _increase(self, piece: _Piece, is_buy: bool) -> None:
        """Open or enlarge. Dust of the same direction joins an opening at its cost."""
        part = piece.part
        added, added_cost = piece.moved, piece.value
        trip = self._trip
        opens = trip is None
        if trip is None:
            added += abs(self._dust_quantity)
            added_cost += self._dust_cost
            self._dust_quantity = self._dust_cost = ZERO
            self._left_trip = None
            key = TripKey(part.fill.id, piece.place)
            opened = OpenTrip(key, part.fill.side, part.leverage, part.trade_source, part.fill.exchange_at)
            trip = self._trip = _RunningTrip.of(opened)
        capital = added_cost if part.leverage == ONE else divide(added_cost, part.leverage)
        trip.entered_quantity += added
        trip.entered_cost += added_cost
        trip.capital += capital
        trip.fees += piece.fee_quote
        self.quantity += added if is_buy else -added
        self._cost += added_cost
        self._capital_used += capital
        self._fees += piece.fee_quote
        self._touched[trip.begun.key] = trip
        self._allocate(piece, ZERO, trip, opens=opens)

    def _reduce(self, piece: _Piece, is_buy: bool, rule: FlatRule) -> None:
        """Close some or all, at a proportional part of the cost. With no position open it sells the dust."""
        fill = piece.part.fill
        moved = piece.moved
        of_dust = not self.quantity
        held = self._dust_quantity if of_dust else self.quantity
        cost = self._dust_cost if of_dust else self._cost
        trip = self._left_trip if of_dust else self._trip
        size = abs(held)
        assert trip is not None, "what is held was entered by a trip"
        assert moved <= size, "a reduction never goes beyond zero"
        cost_taken = cost if moved == size else share(cost, moved, size)
        left, left_cost = held + moved if is_buy else held - moved, cost - cost_taken
        realized = cost_taken - piece.value if is_buy else piece.value - cost_taken
        is_flat = of_dust or not left or rule.is_flat(left, fill.price)
        trip.exited_quantity += moved
        trip.exited_value += piece.value
        trip.realized_pnl += realized
        trip.fees += piece.fee_quote
        trip.exit_reason = piece.part.exit_reason
        trip.closed_at = fill.exchange_at if is_flat else None
        self._realized_pnl += realized
        self._fees += piece.fee_quote
        if is_flat:
            self.quantity = self._cost = self._capital_used = ZERO
            self._dust_quantity, self._dust_cost = left, left_cost
            self._trip, self._left_trip = None, trip if left else None
        else:
            self.quantity, self._cost = left, left_cost
            self._capital_used -= share(self._capital_used, moved, size)
            self._dust_quantity = self._dust_cost = ZERO
        self._touched[trip.begun.key] = trip
        self._allocate(piece, realized, trip, opens=False)

    def _allocate(self, piece: _Piece, realized: Decimal, trip: _RunningTrip | None, *, opens: bool) -> None:
        self.allocations.append(
            Allocation(
                piece.part.fill.id,
                piece.place,
                piece.quantity,
                piece.cost,
                piece.fee_quote,
                realized,
                opens,
                None if trip is None else trip.begun.key,
            )
        )


def _split(part: FillPart, against: Decimal) -> tuple[_Piece | None, _Piece | None]:
    """The piece that closes up to `against` base units, and the piece that goes beyond; fee pro rata."""
    moved, value = part.quantity, part.cost
    if part.fill.market_type is MarketType.SPOT:
        moved, value = _moved_on_spot(part, against)
    if not against or moved <= against:
        whole = _Piece(part, 0, part.quantity, part.cost, part.fee_quote, moved, value)
        return (whole, None) if against else (None, whole)
    # A fee in kind never leads beyond zero (see `_moved_on_spot`), so quantity and movement are the same here.
    cost = share(part.cost, against, part.quantity)
    fee_quote = share(part.fee_quote, against, part.quantity)
    rest, rest_cost = part.quantity - against, part.cost - cost
    return (
        _Piece(part, 0, against, cost, fee_quote, against, cost),
        _Piece(part, 1, rest, rest_cost, part.fee_quote - fee_quote, rest, rest_cost),
    )


def _moved_on_spot(part: FillPart, against: Decimal) -> tuple[Decimal, Decimal]:
    """By how much (base units), and by what worth (quote), a part changes a spot holding.

    A bought coin's fee comes out of what was bought. A sold coin's fee comes out of what is left of the
    holding; beyond that it was paid with the owner's own coin, like a fee in any other asset. A fee as large
    as the fill cannot have been taken out of it.
    """
    fill = part.fill
    is_in_base = fill.fee_asset == fill.symbol.partition("/")[0]
    if not is_in_base or not part.fee or abs(part.fee) >= part.quantity:
        return part.quantity, part.cost
    if fill.side is Side.BUY:
        return part.quantity - part.fee, part.cost - part.fee_quote
    if part.quantity > against:
        return part.quantity, part.cost
    taken = min(part.fee, against - part.quantity)
    return part.quantity + taken, part.cost + share(part.fee_quote, taken, part.fee)
