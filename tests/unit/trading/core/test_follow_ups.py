"""What filled orders call for, decided without a venue."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.accounts.core import PositionSide
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, Order, OrderStatus, OrderType, Owner
from fillbook.trading.core.follow_ups import (
    MOST_REFUSALS,
    REPLACED,
    Followed,
    FollowKind,
    FollowUp,
    follow_up,
)

LOT = Decimal("0.001")
NET = PositionSide.NET
SL, TP, LATE = FollowKind.STOP_LOSS, FollowKind.TAKE_PROFIT, FollowKind.LATE_CLOSE


def order(number: int, **changes: Any) -> Order:
    known = Order(
        id=number,
        user_id=1,
        account_id=1,
        strategy_account_id=1,
        signal_id=None,
        leg="",
        attempt=1,
        client_order_id=f"c{number}",
        exchange_order_id=None,
        book=Book.NORMAL,
        symbol="BTC/USDT:USDT",
        market_type=MarketType.FUTURES,
        side=Side.BUY,
        position_side=NET,
        order_type=OrderType.MARKET,
        time_in_force=None,
        reduce_only=False,
        quantity=Decimal(1),
        price=None,
        stop_price=None,
        status=OrderStatus.FILLED,
        owner=Owner.OURS,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        filled_quantity=Decimal(1),
        stop_loss_price=Decimal(90),
        take_profit_price=Decimal(120),
        follow_up=True,
    )
    return replace(known, **changes)


def child(number: int, kind: FollowKind, quantity: str = "1", **changes: Any) -> Order:
    terms = {"status": OrderStatus.NEW, "filled_quantity": Decimal(0), "stop_loss_price": None}
    terms |= {"take_profit_price": None, "side": Side.SELL, "leg": kind.value, "parent_order_id": 1}
    return order(number, **{**terms, "quantity": Decimal(quantity), **changes})


def due(followed: Sequence[Followed], held: str, last: str | None = "100") -> FollowUp:
    return follow_up(followed, {NET: Decimal(held)}, LOT, None if last is None else Decimal(last))


def test_what_is_open_gets_its_stop_first_and_then_its_take_profit() -> None:
    first = due([Followed(order(1))], "1").place
    assert first is not None and (first.kind, first.quantity, first.stop_price) == (SL, 1, 90)
    second = due([Followed(order(1), (child(2, SL),))], "1").place
    assert second is not None and (second.kind, second.order_type) == (TP, OrderType.TAKE_PROFIT_MARKET)
    assert due([Followed(order(1), (child(2, SL), child(3, TP)))], "1").place is None


def test_one_that_fills_cancels_the_other() -> None:
    filled = child(2, SL, status=OrderStatus.FILLED, filled_quantity=Decimal(1))
    left = child(3, TP)
    answer = due([Followed(order(1), (filled, left))], "0")
    assert (answer.cancels, answer.place, answer.done) == ((left,), None, ())
    over = replace(left, status=OrderStatus.CANCELED, error_code=REPLACED)
    assert due([Followed(order(1), (filled, over))], "0").done == (order(1),)


def test_a_child_on_its_way_out_still_counts() -> None:
    entry = order(1, take_profit_price=None)
    for quantity in ("1", "0.2"):
        leaving = child(2, SL, quantity, cancel_wanted=True, status=OrderStatus.PENDING_CANCEL)
        answer = due([Followed(entry, (leaving,))], "0.5")
        assert (answer.cancels, answer.place) == ((), None)


def test_protection_shrinks_with_the_position() -> None:
    stop = child(2, SL)
    entry = order(1, take_profit_price=None)
    assert due([Followed(entry, (stop,))], "0.4").cancels == (stop,)
    over = replace(stop, status=OrderStatus.CANCELED, error_code=REPLACED)
    place = due([Followed(entry, (over,))], "0.4").place
    assert place is not None and place.quantity == Decimal("0.4")


def test_what_somebody_else_cancelled_is_not_placed_again() -> None:
    gone = child(2, SL, status=OrderStatus.CANCELED)
    answer = due([Followed(order(1, take_profit_price=None), (gone,))], "1")
    assert answer.place is None and len(answer.done) == 1


def test_the_position_that_is_left_belongs_to_the_newest_entries() -> None:
    older, newer = order(1, take_profit_price=None), order(5, take_profit_price=None)
    stops = [child(2, SL), child(6, SL, parent_order_id=5)]
    answer = due([Followed(older, (stops[0],)), Followed(newer, (stops[1],))], "1")
    assert answer.cancels == (stops[0],)


def test_a_trigger_that_the_price_has_passed_is_due_at_once() -> None:
    for last, kind in (("89", SL), ("121", TP)):
        entry = order(1, **({"take_profit_price": None} if kind is SL else {"stop_loss_price": None}))
        place = due([Followed(entry)], "1", last).place
        assert place is not None and (place.order_type, place.stop_price) == (OrderType.MARKET, None)


def test_a_stop_that_is_refused_again_and_again_raises_the_alarm() -> None:
    refused = tuple(child(2 + n, SL, status=OrderStatus.REJECTED) for n in range(MOST_REFUSALS))
    entry = order(1, take_profit_price=None)
    assert due([Followed(entry, refused[1:])], "1").place is not None
    answer = due([Followed(entry, refused)], "1")
    assert (answer.place, answer.unprotected) == (None, (entry,))


@pytest.mark.parametrize("kind", list(FollowKind))
def test_what_the_venue_ends_unfilled_is_not_tried_for_ever(kind: FollowKind) -> None:
    entry = order(1, close_on_late_fill=kind is LATE, late_fill_from=Decimal(0))
    if kind is not SL:
        entry = replace(entry, stop_loss_price=None)
    if kind is not TP:
        entry = replace(entry, take_profit_price=None)
    vain = tuple(child(2 + n, kind, status=OrderStatus.EXPIRED) for n in range(MOST_REFUSALS))
    assert due([Followed(entry, vain[1:])], "1").place is not None
    answer = due([Followed(entry, vain)], "1")
    assert (answer.place, answer.unprotected) == (None, (entry,))


def test_what_filled_after_the_close_is_closed_once() -> None:
    entry = order(
        1,
        stop_loss_price=None,
        take_profit_price=None,
        close_on_late_fill=True,
        late_fill_from=Decimal("0.25"),
    )
    place = due([Followed(entry)], "0.75").place
    assert place is not None and (place.kind, place.quantity) == (LATE, Decimal("0.75"))
    closing = child(2, LATE, "0.75", status=OrderStatus.PENDING_NEW)
    assert due([Followed(entry, (closing,))], "0.75").place is None
    closed = replace(closing, status=OrderStatus.FILLED, filled_quantity=Decimal("0.75"))
    assert due([Followed(entry, (closed,))], "0").done == (entry,)


_quantities = st.integers(0, 5).map(lambda n: n * LOT * 100)
_ends = st.sampled_from([OrderStatus.NEW, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.PENDING_NEW])


@st.composite
def _groups(draw: st.DrawFn) -> list[Followed]:
    groups = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        children = []
        for turn in range(draw(st.integers(0, 3))):
            status = draw(_ends)
            quantity = draw(_quantities) + LOT
            filled = quantity if status is OrderStatus.FILLED else Decimal(0)
            children.append(
                child(
                    number * 10 + turn,
                    draw(st.sampled_from([SL, TP])),
                    str(quantity),
                    status=status,
                    filled_quantity=filled,
                    error_code=REPLACED,
                )
            )
        groups.append(Followed(order(number, filled_quantity=draw(_quantities)), tuple(children)))
    return groups


@given(_groups(), _quantities)
def test_protection_never_grows_beyond_what_is_held(followed: list[Followed], held: Decimal) -> None:
    answer = follow_up(followed, {NET: held}, LOT, Decimal(100))
    if answer.place is None:
        return
    same_kind = [one for each in followed for one in each.of_kind(answer.place.kind)]
    live = sum((one.remaining for one in same_kind if one.status.is_live), Decimal(0))
    cancelled = sum((one.remaining for one in answer.cancels if one.leg == answer.place.kind), Decimal(0))
    assert live - cancelled + answer.place.quantity <= held + sum(
        (one.remaining for one in same_kind if one.status.is_live and one.cancel_wanted), Decimal(0)
    )
