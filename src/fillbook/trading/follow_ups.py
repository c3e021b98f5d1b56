"""What is due on a lane for orders that have filled: loads them, asks the core, notes what is over."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import structlog

from fillbook.accounts.core import PositionSide
from fillbook.orders.core.order import Order
from fillbook.orders.store import follow_ups as entries
from fillbook.orders.store import rows
from fillbook.risk.core import Denied
from fillbook.storage.unit import Unit
from fillbook.trading.core.follow_ups import Followed, FollowUp, Place, follow_up
from fillbook.trading.core.wishes import OrderWish
from fillbook.trading.work import LegWork

UNPROTECTED: Final = "unprotected"
NOTHING_DUE: Final = Denied("nothing_due", "Nothing is called for now.")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DueFollowUp:
    """Children to cancel, and the one order to place: as a wish, and on whose behalf."""

    cancels: tuple[Order, ...]
    place: Place | None
    wish: OrderWish | None


async def due_follow_up(
    unit: Unit, work: LegWork, held: Mapping[PositionSide, Decimal], lot: Decimal, last: Decimal | None
) -> DueFollowUp:
    """Work out what is due for one owner on one lane, and note which entries call for nothing more."""
    waiting = await entries.waiting_of(unit, work.account_id, work.symbol, work.strategy_account_id)
    children: dict[int, list[Order]] = defaultdict(list)
    for child in await entries.children_of(unit, [order.id for order in waiting]):
        assert child.parent_order_id is not None
        children[child.parent_order_id].append(child)
    due = follow_up([Followed(order, tuple(children[order.id])) for order in waiting], held, lot, last)
    await entries.finish(unit, [order.id for order in due.done])
    await _say_unprotected(unit, due)
    return DueFollowUp(due.cancels, due.place, None if due.place is None else _wish(due.place))


def _wish(place: Place) -> OrderWish:
    return OrderWish(
        order_type=place.order_type,
        side=place.entry.side.opposite,
        stop_price=place.stop_price,
        quantity=place.quantity,
        position_side=place.entry.position_side,
        follows=True,
        exit_reason=place.kind.exit_reason,
    )


async def _say_unprotected(unit: Unit, due: FollowUp) -> None:
    fresh = [order for order in due.unprotected if order.error_code != UNPROTECTED]
    reason = "Its stop-loss, take-profit or late close comes to nothing at the venue: see to the position yourself."
    await rows.say_error(unit, [order.id for order in fresh], UNPROTECTED, reason)
    for order in fresh:
        log.error("order_unprotected", account_id=order.account_id, order_id=order.id)
