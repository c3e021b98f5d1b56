"""What a venue's history of one symbol comes to, when there are no books yet. Pure.

A venue tells only so far back, and forgets orders before fills. Two things follow. A position that was open when
the history begins was opened by a fill that nobody can read: it is inferred (`openings`), so that quantities are
right from the start, and its price is an estimate. And a fill whose order is forgotten cannot be attributed:
what was opened without an owner must also be closed without one, so attribution begins where the position is
first flat.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from fillbook.accounts.core import PositionReport, PositionSide
from fillbook.kernel.money import ONE, ZERO, divide, exact
from fillbook.ledger.core.fill import FillKind, FillReport
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.venue_traits import VenueTraits

BEGINNING: Final = datetime(2017, 7, 1, tzinfo=UTC)
"""Before the oldest of the venues traded."""
MARGIN: Final = timedelta(hours=1)
"""A reading takes a while, and the venue's limit moves on meanwhile."""
LONGEST_RESTING: Final = timedelta(days=90)
"""How long before the first fill that is wanted its order may have been placed."""
OPENING: Final = "opening"


class RebuildCase(StrEnum):
    """What a rebuild has to say. Pages and scripts rely on the words; docs/operating/disaster.md explains them."""

    REBUILT = "rebuilt"
    OPENING_INFERRED = "opening_inferred"
    ATTRIBUTION_BEGINS = "attribution_begins"
    ORDERS_FORGOTTEN = "orders_forgotten"
    FILLS_FORGOTTEN = "fills_forgotten"
    STRATEGY_RECOVERED = "strategy_recovered"
    FEE_RATE_ESTIMATED = "fee_rate_estimated"
    LEVERAGE_ESTIMATED = "leverage_estimated"
    POSITION_DIFFERS = "position_differs"
    NOT_READ = "not_read"


@dataclass(frozen=True, slots=True)
class RebuildFinding:
    """One thing that a person should know. `is_repaired`: nothing is left to do about it."""

    case: RebuildCase
    subject: str
    cause: str
    after: Mapping[str, Any]
    symbol: str | None = None
    is_repaired: bool = True


@dataclass(frozen=True, slots=True)
class Horizon:
    """From when on a venue's fills and its records of orders are read."""

    fills: datetime
    orders: datetime


def horizon(traits: VenueTraits, market_type: MarketType, now: datetime, since: datetime | None) -> Horizon:
    """As far back as the venue tells; `since` asks for less."""
    oldest = _kept_since(traits.fills_kept.get(market_type), now)
    orders = max(oldest, _kept_since(traits.orders_kept.get(market_type), now))
    if since is None:
        return Horizon(oldest, orders)
    return Horizon(max(oldest, since), max(orders, since - LONGEST_RESTING))


def _kept_since(kept: timedelta | None, now: datetime) -> datetime:
    return BEGINNING if kept is None else now - kept + MARGIN


@dataclass(frozen=True, slots=True)
class History:
    """A symbol's fills in canonical order, as they are to be booked: inferred openings, then fills without an
    owner, then fills whose orders say whose they are. `attributed_since` None: from the first on."""

    openings: tuple[FillReport, ...] = ()
    unattributed: tuple[FillReport, ...] = ()
    attributed: tuple[FillReport, ...] = ()
    attributed_since: datetime | None = None


def arrange(
    fills: Iterable[FillReport], positions: Sequence[PositionReport] | None, read_from: Horizon
) -> History:
    """Arrange what was read of one symbol. `positions` are what the venue states now; None on spot, where what
    was there before is the owner's own coin and no position."""
    ordered = in_order(fills)
    if positions is None:
        begins = next(
            (n for n, one in enumerate(ordered) if one.exchange_at >= read_from.orders), len(ordered)
        )
        return _history((), ordered, dict.fromkeys(PositionSide, begins), read_from)
    openings, begins_at = [], {}
    for leg in PositionSide:
        numbered = [(place, one) for place, one in enumerate(ordered) if one.position_side is leg]
        now = next((one for one in positions if one.position_side is leg and one.quantity), None)
        before = _held_before([one for _, one in numbered], now)
        if before:
            openings.append(_opening(leg, before, [one for _, one in numbered], now, ordered, read_from))
        begins_at[leg] = _attributed_from(numbered, before, len(ordered), read_from)
    return _history(tuple(openings), ordered, begins_at, read_from)


def in_order(fills: Iterable[FillReport]) -> tuple[FillReport, ...]:
    """Fills in canonical order, each once."""
    known = {(one.exchange_order_id, one.venue_fill_id): one for one in fills}
    return tuple(sorted(known.values(), key=lambda one: one.canonical_key))


def _history(
    openings: tuple[FillReport, ...],
    ordered: Sequence[FillReport],
    begins: Mapping[PositionSide, int],
    read_from: Horizon,
) -> History:
    owned = [place >= begins[one.position_side] for place, one in enumerate(ordered)]
    attributed = [one for one, is_owned in zip(ordered, owned, strict=True) if is_owned]
    nameless = [
        replace(one, client_order_id=None)
        for one, is_owned in zip(ordered, owned, strict=True)
        if not is_owned
    ]
    since = None
    if nameless:
        since = attributed[0].exchange_at if attributed else nameless[-1].exchange_at
    return History(openings, tuple(nameless), tuple(attributed), since)


@exact
def _held_before(fills: Iterable[FillReport], now: PositionReport | None) -> Decimal:
    """Signed base units that the leg held before the first of its fills."""
    held = ZERO if now is None else now.quantity
    return held - sum((one.side.sign * one.quantity for one in fills), ZERO)


@exact
def _attributed_from(
    numbered: Sequence[tuple[int, FillReport]], before: Decimal, end: int, read_from: Horizon
) -> int:
    """The place of the first fill of a leg that can be attributed; `end` when none can."""
    held = before
    for place, one in numbered:
        if not held and (one.exchange_at >= read_from.orders):
            return place
        held += one.side.sign * one.quantity
    return end


@exact
def _opening(
    leg: PositionSide,
    before: Decimal,
    fills: Sequence[FillReport],
    now: PositionReport | None,
    ordered: Sequence[FillReport],
    read_from: Horizon,
) -> FillReport:
    """The fill that must have been there before the history begins."""
    side = Side.BUY if before > 0 else Side.SELL
    first = ordered[0].exchange_at - timedelta(milliseconds=1) if ordered else read_from.fills
    symbol = fills[0].symbol if fills else now.symbol if now else ""
    return FillReport(
        symbol=symbol,
        exchange_order_id=f"{OPENING}:{leg}",
        client_order_id=None,
        venue_fill_id=f"{OPENING}:{leg}",
        side=side,
        position_side=leg,
        price=_opening_price(before, fills, now),
        quantity=abs(before),
        fee=ZERO,
        fee_asset=None,
        liquidity=None,
        kind=FillKind.TRADE,
        exchange_at=min(read_from.fills, first),
        cumulative_quantity=abs(before),
        raw={"inferred": "It was open when the venue's history begins; its price is an estimate."},
    )


def _opening_price(before: Decimal, fills: Sequence[FillReport], now: PositionReport | None) -> Decimal:
    """Its average entry, from what the venue realised at the first reduction, or from its present average."""
    sign = ONE if before > 0 else -ONE
    held, added = before, ZERO
    for one in fills:
        signed = one.side.sign * one.quantity
        if signed * sign > 0:
            held, added = held + signed, added + one.price * one.quantity
            continue
        closed = min(one.quantity, abs(held))
        if one.venue_realized_pnl is None:
            return one.price
        average = one.price - sign * divide(one.venue_realized_pnl, closed)
        return _price_of_rest(average * abs(held) - added, before, one.price)
    if now is None:
        return fills[0].price
    return _price_of_rest(now.entry_price * abs(held) - added, before, now.entry_price)


def _price_of_rest(cost: Decimal, before: Decimal, otherwise: Decimal) -> Decimal:
    price = divide(cost, abs(before))
    return price if price > 0 else otherwise


@exact
def order_of_fills(fills: Sequence[FillReport]) -> OrderReport:
    """The record of an order that its venue has forgotten, as far as its fills (at least one) tell."""
    first = fills[0]
    quantity = sum((one.quantity for one in fills), ZERO)
    return OrderReport(
        symbol=first.symbol,
        exchange_order_id=first.exchange_order_id,
        client_order_id=first.client_order_id,
        book=Book.NORMAL,
        side=first.side,
        order_type=OrderType.MARKET,
        status=OrderStatus.FILLED,
        quantity=quantity,
        filled_quantity=quantity,
        cost=sum((one.price * one.quantity for one in fills), ZERO),
        price=None,
        stop_price=None,
        time_in_force=None,
        reduce_only=False,
        position_side=first.position_side,
        exchange_at=first.exchange_at,
        raw={"made_of_fills": len(fills)},
    )
