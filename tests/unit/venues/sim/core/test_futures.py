"""Linear futures: positions, margin, modes, conditional orders, funding, liquidation."""

from decimal import Decimal

import pytest

from fillbook.accounts.core import MarginMode, PositionMode, PositionSide
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce
from fillbook.venues.sim.core.margin import liquidation_price, margin_state
from fillbook.venues.sim.core.modes import set_leverage, set_margin_mode, set_position_mode
from fillbook.venues.sim.core.vocabulary import Execution, OrderEvent, Refusal, Refused

BUY, SELL = Side.BUY, Side.SELL
PERP = "BTC/USDT:USDT"
NET = PositionSide.NET


def _state(floor):
    return margin_state(floor.alice, floor.exchange.markets, "USDT")


def test_a_position_averages_in_and_realises_on_the_way_out(floor):
    floor.order(floor.alice, BUY, "1", symbol=PERP)
    floor.exchange.set_price(PERP, Decimal(62000))
    floor.order(floor.alice, BUY, "1", symbol=PERP)
    position = floor.alice.position(PERP, NET)
    assert position.entry_price == (Decimal("60000.1") + Decimal("62000.1")) / 2
    closing = floor.order(floor.alice, SELL, "1", symbol=PERP, reduce_only=True)
    assert closing.fills[0].realized_pnl == Decimal("61999.9") - Decimal("61000.1")
    assert position.quantity == 1


def test_a_fill_through_zero_turns_the_position_around(floor):
    floor.order(floor.alice, BUY, "1", symbol=PERP)
    floor.order(floor.alice, SELL, "3", symbol=PERP)
    position = floor.alice.position(PERP, NET)
    assert (position.quantity, position.entry_price) == (-2, Decimal("59999.9"))


def test_a_reduce_only_order_never_turns_a_position_around(floor):
    floor.order(floor.alice, BUY, "1", symbol=PERP)
    order = floor.order(floor.alice, SELL, "3", symbol=PERP, reduce_only=True)
    assert (order.filled, order.status) == (1, OrderStatus.EXPIRED)
    assert floor.alice.position(PERP, NET).quantity == 0


def test_a_reduce_only_order_without_a_position_is_refused(floor):
    with pytest.raises(Refused) as refused:
        floor.order(floor.alice, SELL, "1", symbol=PERP, reduce_only=True)
    assert refused.value.reason is Refusal.REDUCE_ONLY


def test_resting_reduce_only_orders_expire_when_the_position_closes(floor):
    floor.order(floor.alice, BUY, "1", symbol=PERP)
    resting = floor.order(floor.alice, SELL, "1", "65000", symbol=PERP, reduce_only=True)
    floor.order(floor.alice, SELL, "1", symbol=PERP)
    assert resting.status is OrderStatus.EXPIRED


def test_margin_is_reserved_by_resting_orders_and_given_back(floor):
    order = floor.order(floor.alice, BUY, "1", "50000", symbol=PERP)
    assert (_state(floor).order_margin, _state(floor).available) == (2500, 997_500)
    set_leverage(floor.alice, floor.exchange.markets[PERP], Decimal(10), floor.exchange.markets)
    assert _state(floor).order_margin == 5000
    floor.exchange.cancel(floor.alice, order)
    assert _state(floor).order_margin == 0


def test_an_order_beyond_the_margin_is_refused(floor):
    with pytest.raises(Refused) as refused:
        floor.order(floor.alice, BUY, "400", "60000", symbol=PERP)
    assert refused.value.reason is Refusal.INSUFFICIENT_MARGIN


def test_closing_needs_no_margin(floor):
    set_leverage(floor.alice, floor.exchange.markets[PERP], Decimal(1), floor.exchange.markets)
    floor.order(floor.alice, BUY, "16", symbol=PERP)
    assert floor.order(floor.alice, SELL, "16", symbol=PERP).status is OrderStatus.FILLED


def test_a_triggered_conditional_order_places_one_of_its_own(floor):
    floor.order(floor.alice, BUY, "1", symbol=PERP)
    algo = floor.order(
        floor.alice,
        SELL,
        "1",
        symbol=PERP,
        order_type=OrderType.STOP_MARKET,
        stop_price=Decimal(59000),
        reduce_only=True,
        client_order_id="stop",
        book=Book.CONDITIONAL,
    )
    floor.exchange.set_price(PERP, Decimal(58999))
    child = floor.exchange.orders[algo.child_id]
    assert (child.client_order_id, child.status, child.parent_id) == (
        "stop",
        OrderStatus.FILLED,
        algo.order_id,
    )
    told = [event.execution for event in floor.of(OrderEvent) if event.order is algo]
    assert told == [Execution.NEW, Execution.TRIGGERED, Execution.FINISHED]
    assert not floor.alice.open_orders


def test_a_triggered_order_that_cannot_be_placed_is_rejected(floor):
    algo = floor.order(
        floor.alice,
        SELL,
        "1",
        symbol=PERP,
        order_type=OrderType.STOP_MARKET,
        stop_price=Decimal(59000),
        reduce_only=True,
        book=Book.CONDITIONAL,
    )
    floor.exchange.set_price(PERP, Decimal(58999))
    assert (algo.status, algo.end_reason, algo.child_id) == (OrderStatus.REJECTED, "reduce_only", None)


def test_hedge_mode_keeps_two_legs(floor):
    set_position_mode(floor.alice, PositionMode.HEDGE)
    long, short = PositionSide.LONG, PositionSide.SHORT
    floor.order(floor.alice, BUY, "2", symbol=PERP, position_side=long)
    floor.order(floor.alice, SELL, "1", symbol=PERP, position_side=short)
    floor.order(floor.alice, SELL, "1", symbol=PERP, position_side=long)
    assert floor.alice.position(PERP, long).quantity == 1
    assert floor.alice.position(PERP, short).quantity == -1
    for wrong, reason in (
        ({"position_side": NET}, Refusal.POSITION_SIDE),
        ({"position_side": long, "reduce_only": True}, Refusal.REDUCE_ONLY_IN_HEDGE_MODE),
    ):
        with pytest.raises(Refused) as refused:
            floor.order(floor.alice, SELL, "1", symbol=PERP, **wrong)
        assert refused.value.reason is reason


def test_modes_do_not_change_under_positions_or_orders(floor):
    market = floor.exchange.markets[PERP]
    order = floor.order(floor.alice, BUY, "1", "50000", symbol=PERP)
    for change in (
        lambda: set_position_mode(floor.alice, PositionMode.HEDGE),
        lambda: set_margin_mode(floor.alice, market, MarginMode.ISOLATED),
    ):
        with pytest.raises(Refused) as refused:
            change()
        assert refused.value.reason is Refusal.HAS_ORDERS
    floor.exchange.cancel(floor.alice, order)
    floor.order(floor.alice, BUY, "1", symbol=PERP)
    with pytest.raises(Refused) as refused:
        set_margin_mode(floor.alice, market, MarginMode.ISOLATED)
    assert refused.value.reason is Refusal.HAS_POSITIONS


def test_funding_moves_from_longs_to_shorts(floor):
    floor.order(floor.alice, BUY, "2", symbol=PERP)
    floor.order(floor.bob, SELL, "2", symbol=PERP)
    before = floor.alice.wallet["USDT"], floor.bob.wallet["USDT"]
    floor.exchange.fund(PERP, Decimal("0.0001"))
    assert floor.alice.wallet["USDT"] - before[0] == Decimal(-12)
    assert floor.bob.wallet["USDT"] - before[1] == Decimal(12)


def test_an_isolated_position_is_liquidated_by_itself_at_its_price(floor):
    market = floor.exchange.markets[PERP]
    set_margin_mode(floor.alice, market, MarginMode.ISOLATED)
    floor.order(floor.alice, BUY, "1", symbol=PERP)
    position = floor.alice.position(PERP, NET)
    assert position.isolated_wallet == Decimal("60000.1") / 20
    price = liquidation_price(floor.alice, position, market, _state(floor))
    assert Decimal(57000) < price < Decimal(57500)
    floor.exchange.set_price(PERP, Decimal(int(price) + 1))
    assert position.quantity == 1
    floor.exchange.set_price(PERP, Decimal(int(price)))
    assert position.quantity == 0
    assert floor.alice.fills[-1].kind is FillKind.LIQUIDATION
    assert floor.alice.wallet["USDT"] > 990_000


def test_a_cross_account_is_liquidated_as_a_whole_and_never_owes(floor):
    set_leverage(floor.alice, floor.exchange.markets[PERP], Decimal(100), floor.exchange.markets)
    floor.order(floor.alice, BUY, "300", symbol=PERP)
    resting = floor.order(floor.alice, BUY, "1", "40000", symbol=PERP)
    floor.exchange.set_price(PERP, Decimal(50000))
    assert floor.alice.position(PERP, NET).quantity == 0
    assert floor.alice.wallet["USDT"] == 0
    assert resting.status is OrderStatus.CANCELED


def test_an_unfillable_fok_is_refused_where_the_venue_does_so(floor):
    order = floor.order(floor.alice, BUY, "1", "50000", symbol=PERP, time_in_force=TimeInForce.FOK)
    assert order.status is OrderStatus.EXPIRED
