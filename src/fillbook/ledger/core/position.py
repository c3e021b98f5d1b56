"""A position is a fold: the fills of one owner on one (account, symbol, position side), in canonical order.

`apply` books one part of a fill, `fold` a history; the same parts give the same book to the last digit. The
entry is kept as a cost, so that reductions take their share of it and closing everything takes exactly the
rest. Derivatives flip through zero and split the fill in two; spot cannot be short: what is sold beyond the
holding was the account owner's own coin and is allocated as a surplus that changes no position.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from fillbook.kernel.money import exact, quantise
from fillbook.ledger.core.fill import CanonicalKey
from fillbook.ledger.core.position_book import (
    EMPTY,
    Allocation,
    Applied,
    FillPart,
    FlatPoint,
    FlatRule,
    Folded,
    OutOfOrder,
    PositionBook,
    RuleAt,
    key_of,
)
from fillbook.ledger.core.round_trip import ExitReason, OpenTrip, RoundTrip, TradeSource, TripKey
from fillbook.ledger.core.running import RunningBook

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
    "RuleAt",
    "TradeSource",
    "TripKey",
    "apply",
    "fold",
    "key_of",
    "resume_point",
    "unrealized_pnl",
]


@exact
def apply(book: PositionBook, part: FillPart, rule: FlatRule) -> Applied:
    """Book one part. Raises `OutOfOrder` unless its fill comes after all that the book has seen."""
    running = RunningBook(book)
    running.take(part, key_of(part.fill), rule)
    return Applied(running.book(), tuple(running.allocations), running.trips())


@exact
def fold(parts: Iterable[FillPart], rule: RuleAt, start: PositionBook = EMPTY) -> Folded:
    """Fold parts of any order into `start`; parts of one fill that come twice count once.

    `rule` may be a function of the venue's time, so that old fills keep the lot that was in force then.
    Raises `OutOfOrder` when a part belongs before the end of `start`.
    """
    in_order: dict[CanonicalKey, FillPart] = {}
    for part in parts:
        in_order.setdefault(key_of(part.fill), part)
    running = RunningBook(start)
    flat_points: list[FlatPoint] = [FlatPoint(0, start)] if start.is_flat else []
    for count, (key, part) in enumerate(sorted(in_order.items(), key=_first), start=1):
        running.take(part, key, rule if isinstance(rule, FlatRule) else rule(part.fill.exchange_at))
        if not running.quantity:
            flat_points.append(FlatPoint(count, running.book()))
    return Folded(running.book(), tuple(running.allocations), running.trips(), tuple(flat_points))


def _first(item: tuple[CanonicalKey, FillPart]) -> CanonicalKey:
    return item[0]


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
