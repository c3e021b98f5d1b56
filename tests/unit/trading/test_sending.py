"""The last step before the wire: an order that is late, or whose lease is, stays."""

from dataclasses import dataclass
from typing import Any

from fillbook.fleet.leases import Lease
from fillbook.orders.core.order import OrderType
from fillbook.risk.core import Denied
from fillbook.trading.floor import LEASE_MARGIN_S, Ownership
from fillbook.trading.sending import SEND_WITHIN_S, ref_of, request_of, too_late
from support.trading import PERP, an_order


@dataclass
class Floor:
    """As much of the floor as sending asks."""

    clock: Any
    ownership: Ownership


def floor_with_lease(clock: Any, lasts_s: float = 60) -> Any:
    ownership = Ownership(clock)
    ownership.hold(1, Lease("account:1", "me", 4, clock.now()), clock.elapsed_s() + lasts_s)
    return Floor(clock, ownership)


def test_an_order_leaves_within_its_time_and_not_after(clock: Any) -> None:
    floor, committed_s = floor_with_lease(clock), clock.elapsed_s()
    assert too_late(floor, 1, 4, committed_s) is None
    clock.advance(SEND_WITHIN_S)
    assert too_late(floor, 1, 4, committed_s) is None
    clock.advance(0.001)
    denied = too_late(floor, 1, 4, committed_s)
    assert isinstance(denied, Denied) and denied.code == "too_late"


def test_an_order_does_not_leave_when_the_lease_ends_before_its_answer_could_come(clock: Any) -> None:
    floor, committed_s = floor_with_lease(clock, lasts_s=5), clock.elapsed_s()
    clock.advance(5 - LEASE_MARGIN_S)
    denied = too_late(floor, 1, 4, committed_s)
    assert isinstance(denied, Denied) and denied.code == "too_late"


def test_an_order_of_a_former_epoch_does_not_leave(clock: Any) -> None:
    assert too_late(floor_with_lease(clock), 1, 3, clock.elapsed_s()) is not None


def test_what_is_asked_of_the_venue_is_what_was_written_down() -> None:
    order = an_order(order_type=OrderType.STOP_LIMIT, stop_price=an_order().price, reduce_only=True)
    request = request_of(order)
    for name in request.__dataclass_fields__:
        assert getattr(request, name) == getattr(order, name), name


def test_an_order_is_named_by_both_its_ids() -> None:
    ref = ref_of(an_order(exchange_order_id="900"))
    assert (ref.symbol, ref.client_order_id, ref.exchange_order_id) == (PERP, "fbtest", "900")
