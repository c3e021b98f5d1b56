"""What orders that have filled call for: protection of what they opened, and the close of what filled too late.

All of it is worked out anew from the orders and the position whenever something changes, so that a crash between
any two steps changes nothing. One owner's entries on one (account, symbol) are looked at together; children name
their entry as parent, and say by their leg what they are for. The position that is left belongs to the newest
entries: what an owner closes, the oldest give up first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ZERO, exact, floor_to
from fillbook.ledger.core.round_trip import ExitReason
from fillbook.orders.core.order import Order, OrderStatus, OrderType

MOST_REFUSALS: Final = 5
REPLACED: Final = "replaced"
"""Marks a child that was cancelled from here. One that anybody else cancelled was withdrawn, and stays so."""


class FollowKind(StrEnum):
    """What a child order is for; its value is the child's leg."""

    STOP_LOSS = "sl"
    TAKE_PROFIT = "tp"
    LATE_CLOSE = "late"

    @property
    def exit_reason(self) -> ExitReason:
        match self:
            case FollowKind.STOP_LOSS:
                return ExitReason.STOP_LOSS
            case FollowKind.TAKE_PROFIT:
                return ExitReason.TAKE_PROFIT
            case FollowKind.LATE_CLOSE:
                return ExitReason.SIGNAL_REVERSE


@dataclass(frozen=True, slots=True)
class Followed:
    """An entry, and every order that it has called for so far."""

    entry: Order
    children: tuple[Order, ...] = ()

    def of_kind(self, kind: FollowKind) -> list[Order]:
        return [child for child in self.children if child.leg == kind]

    def price_of(self, kind: FollowKind) -> Decimal | None:
        if kind is FollowKind.STOP_LOSS:
            return self.entry.stop_loss_price
        return self.entry.take_profit_price if kind is FollowKind.TAKE_PROFIT else None


@dataclass(frozen=True, slots=True)
class Place:
    """A child that is due: it reduces `entry`'s position by `quantity`, at its trigger or at once."""

    entry: Order
    kind: FollowKind
    order_type: OrderType
    quantity: Decimal
    stop_price: Decimal | None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """`cancels` are children that protect more than there is; `done` are entries that call for nothing more;
    `unprotected` those whose children have come to nothing too often."""

    cancels: tuple[Order, ...]
    place: Place | None
    done: tuple[Order, ...]
    unprotected: tuple[Order, ...]


@exact
def follow_up(
    followed: Sequence[Followed],
    held: Mapping[PositionSide, Decimal],
    lot: Decimal,
    last_price: Decimal | None,
) -> FollowUp:
    """What is due now for one owner's entries on one symbol.

    `held` is the owner's position by leg, signed base units. At most one order is due at a time: ask again when
    it is written down.
    """
    cancels: list[Order] = []
    places: list[Place] = []
    done: list[Order] = []
    unprotected: list[Order] = []
    left = dict(held)
    for one in sorted(followed, key=lambda each: each.entry.id, reverse=True):
        entry, leg, sign = one.entry, one.entry.position_side, one.entry.side.sign
        reachable = max(left.get(leg, ZERO) * sign, ZERO)
        late = _late_quantity(one)
        closing = min(late, reachable)
        open_quantity = entry.filled_quantity - _filled(one.children) - late
        wanted = floor_to(min(max(open_quantity, ZERO), reachable - closing), lot)
        left[leg] = left.get(leg, ZERO) - (closing + wanted) * sign
        under_way = _open_quantity(one.of_kind(FollowKind.LATE_CLOSE))
        due = floor_to(closing - under_way, lot)
        if due > 0 and _has_failed(one, FollowKind.LATE_CLOSE):
            unprotected.append(entry)
        elif due > 0:
            places.append(Place(entry, FollowKind.LATE_CLOSE, OrderType.MARKET, due, None))
        for kind in (FollowKind.STOP_LOSS, FollowKind.TAKE_PROFIT):
            if one.price_of(kind) is not None:
                _protect(one, kind, wanted, last_price, cancels, places, unprotected)
        is_quiet = not entry.status.is_live and not any(child.status.is_live for child in one.children)
        if is_quiet and not floor_to(closing, lot) and (not wanted or not _is_protected(one)):
            done.append(entry)
    return FollowUp(tuple(cancels), places[0] if places else None, tuple(done), tuple(unprotected))


def _protect(
    one: Followed,
    kind: FollowKind,
    wanted: Decimal,
    last_price: Decimal | None,
    cancels: list[Order],
    places: list[Place],
    unprotected: list[Order],
) -> None:
    """Bring the protection of one kind to `wanted`. A child on its way out still counts: it may yet fill."""
    live = [child for child in one.of_kind(kind) if child.status.is_live]
    covered = _open_quantity(live)
    if covered > wanted:
        cancels += [child for child in live if not child.cancel_wanted]
    missing = wanted - covered
    if missing <= 0 or any(child.cancel_wanted for child in live) or _is_withdrawn(one, kind):
        return
    if one.entry.status.is_live and covered and missing < covered:
        return  # an order that fills in many pieces does not get a stop for each
    if _has_failed(one, kind):
        unprotected.append(one.entry)
        return
    price = one.price_of(kind)
    assert price is not None
    sign = one.entry.side.sign
    beyond = -sign if kind is FollowKind.STOP_LOSS else sign
    if last_price is not None and (last_price - price) * beyond >= 0:
        # The venue would refuse a trigger that the price has passed already: what it stands for is due now.
        places.append(Place(one.entry, kind, OrderType.MARKET, missing, None))
        return
    order_type = OrderType.STOP_MARKET if kind is FollowKind.STOP_LOSS else OrderType.TAKE_PROFIT_MARKET
    places.append(Place(one.entry, kind, order_type, missing, price))


def _has_failed(one: Followed, kind: FollowKind) -> bool:
    """Whether so many children of a kind have come to nothing that another would too: the venue refuses them, or
    ends them unfilled, as one that may only reduce where its net position is flat."""
    in_vain = [
        child
        for child in one.of_kind(kind)
        if child.status in (OrderStatus.REJECTED, OrderStatus.EXPIRED) and not child.filled_quantity
    ]
    return len(in_vain) >= MOST_REFUSALS


def _is_protected(one: Followed) -> bool:
    kinds = (FollowKind.STOP_LOSS, FollowKind.TAKE_PROFIT)
    return any(one.price_of(kind) is not None and not _is_withdrawn(one, kind) for kind in kinds)


def _is_withdrawn(one: Followed, kind: FollowKind) -> bool:
    return any(
        child.status is OrderStatus.CANCELED and child.error_code != REPLACED for child in one.of_kind(kind)
    )


def _late_quantity(one: Followed) -> Decimal:
    """What filled after a close had come, and no child has closed yet."""
    entry = one.entry
    if not entry.close_on_late_fill:
        return ZERO
    closed = _filled(one.of_kind(FollowKind.LATE_CLOSE))
    return max(entry.filled_quantity - (entry.late_fill_from or ZERO) - closed, ZERO)


def _filled(children: Sequence[Order]) -> Decimal:
    return sum((child.filled_quantity for child in children), ZERO)


def _open_quantity(children: Sequence[Order]) -> Decimal:
    return sum((child.remaining for child in children if child.status.is_live), ZERO)
