from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.accounts.core import PositionSide
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, Order, OrderStatus, OrderType, Owner
from fillbook.orders.core.worst_case import InFlight, in_flight, worst_case

ORDER = Order(
    id=1,
    user_id=1,
    account_id=1,
    strategy_account_id=1,
    signal_id=1,
    leg="0000",
    attempt=1,
    client_order_id="fb",
    exchange_order_id=None,
    book=Book.NORMAL,
    symbol="BTC/USDT:USDT",
    market_type=MarketType.FUTURES,
    side=Side.BUY,
    position_side=PositionSide.NET,
    order_type=OrderType.MARKET,
    time_in_force=None,
    reduce_only=False,
    quantity=Decimal(4),
    price=None,
    stop_price=None,
    status=OrderStatus.PENDING_NEW,
    owner=Owner.OURS,
    created_at=datetime(2026, 1, 5, tzinfo=UTC),
)


def test_an_order_of_unknown_fate_counts_with_all_that_is_left_of_it() -> None:
    order = replace(ORDER, unknown_since=ORDER.created_at, filled_quantity=Decimal(1))

    assert in_flight(order, Decimal(100)) == InFlight(
        Side.BUY, Decimal(3), reduces=False, reserved=Decimal(75)
    )


@pytest.mark.parametrize("status", list(OrderStatus))
def test_only_live_orders_are_in_flight(status: OrderStatus) -> None:
    ended = {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED}

    assert (in_flight(replace(ORDER, status=status)) is None) is (status in ended)


def test_what_is_left_of_an_order_is_exact_beyond_pythons_default_context() -> None:
    quantity = Decimal("1234567890123456789.000000000000000001")

    assert replace(ORDER, quantity=quantity, filled_quantity=Decimal(0)).remaining == quantity


def test_an_overfilled_order_has_nothing_left() -> None:
    assert in_flight(replace(ORDER, filled_quantity=Decimal(5))) is None


@pytest.mark.parametrize(
    ("change", "reduces"),
    [
        ({"reduce_only": True}, True),
        ({"side": Side.SELL}, False),
        ({"side": Side.SELL, "position_side": PositionSide.LONG}, True),
        ({"side": Side.BUY, "position_side": PositionSide.LONG}, False),
        ({"side": Side.BUY, "position_side": PositionSide.SHORT}, True),
        ({"side": Side.SELL, "market_type": MarketType.SPOT}, True),
        ({"side": Side.BUY, "market_type": MarketType.SPOT}, False),
    ],
)
def test_closes_on_a_hedge_leg_and_spot_sells_only_reduce(change: dict[str, object], reduces: bool) -> None:
    flying = in_flight(replace(ORDER, **change))  # type: ignore[arg-type]

    assert flying is not None
    assert flying.reduces is reduces


def test_closes_under_way_leave_less_to_close() -> None:
    close = InFlight(Side.SELL, Decimal("0.4"), reduces=True)
    limit = InFlight(Side.SELL, Decimal("0.5"), reduces=False)

    assert worst_case(Decimal(1), [close]).closable == Decimal("0.6")
    assert worst_case(Decimal(1), [close, limit]).closable == Decimal("0.1")
    assert worst_case(Decimal(1), [close, close, limit]).closable == 0
    assert worst_case(Decimal(-1), [close, limit]).closable == 1
    assert worst_case(Decimal(0), [close]).closable == 0


def test_a_second_entry_counts_the_first_that_nobody_has_seen_fill() -> None:
    entry = InFlight(Side.BUY, Decimal(2), reduces=False, reserved=Decimal(50))

    worst = worst_case(Decimal(1), [entry, entry])

    assert (worst.max_long, worst.added_long, worst.max_short, worst.added_short) == (5, 4, 0, 0)
    assert worst.reserved == 100


def test_a_reversal_counts_both_ways() -> None:
    sell = InFlight(Side.SELL, Decimal(3), reduces=False)

    worst = worst_case(Decimal(1), [sell])

    assert (worst.max_long, worst.max_short, worst.added_short) == (1, 2, 2)


FLYING = st.builds(
    InFlight, st.sampled_from(Side), st.integers(1, 4).map(Decimal), st.booleans(), st.just(Decimal(1))
)


@given(quantity=st.integers(-4, 4).map(Decimal), orders=st.lists(FLYING, max_size=4))
def test_no_order_of_events_goes_further_and_one_goes_as_far(
    quantity: Decimal, orders: list[InFlight]
) -> None:
    reached = {quantity}
    for sequence in permutations(orders):
        at = quantity
        for order in sequence:
            if order.reduces:
                room = max(-at, Decimal(0)) if order.side is Side.BUY else max(at, Decimal(0))
                at += order.side.sign * min(order.remaining, room)
            else:
                at += order.side.sign * order.remaining
            reached.add(at)

    worst = worst_case(quantity, orders)

    assert worst.max_long == max(*reached, Decimal(0))
    assert worst.max_short == max(-min(*reached, Decimal(0)), Decimal(0))
    assert worst.reserved == len(orders)
