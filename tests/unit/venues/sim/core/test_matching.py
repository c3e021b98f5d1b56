"""Price-time priority, times in force, and what a moving price does to resting orders."""

from decimal import Decimal

import pytest

from fillbook.ledger.core.fill import Liquidity
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce
from fillbook.venues.sim.core.vocabulary import Execution, OrderEvent, Refusal, Refused, TradeEvent

BUY, SELL = Side.BUY, Side.SELL


def test_a_market_order_takes_the_best_quote(floor):
    order = floor.order(floor.alice, BUY, "0.5")
    assert order.status is OrderStatus.FILLED
    assert [(fill.price, fill.liquidity) for fill in order.fills] == [(Decimal("60000.01"), Liquidity.TAKER)]


def test_a_limit_order_away_from_the_price_rests_and_moves_nothing(floor):
    order = floor.order(floor.alice, BUY, "0.5", "59000")
    assert order.status is OrderStatus.NEW
    assert floor.exchange.markets["BTC/USDT"].price == 60000
    assert not floor.of(TradeEvent)


def test_the_better_price_trades_first_then_the_earlier_order(floor):
    first = floor.order(floor.alice, SELL, "1", "60000")
    second = floor.order(floor.bob, SELL, "1", "60000")
    best = floor.order(floor.bob, SELL, "1", "59999.99", time_in_force=TimeInForce.GTC)
    assert best.status is OrderStatus.FILLED  # the market maker bids there
    taker = floor.order(floor.bob, BUY, "1.5", "60000")
    assert taker.status is OrderStatus.FILLED
    assert first.status is OrderStatus.FILLED
    assert (second.status, second.filled) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.5"))


def test_accounts_come_before_the_market_maker_at_an_equal_price(floor):
    resting = floor.order(floor.alice, SELL, "1", "60000.01")
    floor.order(floor.bob, BUY, "1")
    assert resting.status is OrderStatus.FILLED
    assert resting.fills[0].liquidity is Liquidity.MAKER


def test_an_order_that_traded_with_itself_has_two_fills_of_one_trade(floor):
    resting = floor.order(floor.alice, SELL, "1", "60000")
    taker = floor.order(floor.alice, BUY, "1", "60000")
    assert resting.fills[0].trade_id == taker.fills[0].trade_id
    assert len(floor.alice.fills) == 2


def test_trade_ids_count_per_symbol(floor):
    spot = floor.order(floor.alice, BUY, "1").fills[0]
    future = floor.order(floor.alice, BUY, "1", symbol="BTC/USDT:USDT").fills[0]
    assert spot.trade_id == future.trade_id
    assert spot.order_id != future.order_id


def test_ioc_expires_with_what_is_left(thin_floor):
    floor = thin_floor("0.3")
    order = floor.order(floor.alice, BUY, "1", "60000.01", time_in_force=TimeInForce.IOC)
    assert (order.status, order.filled) == (OrderStatus.EXPIRED, Decimal("0.3"))
    assert floor.alice.purse("USDT").locked == 0


def test_fok_fills_whole_or_not_at_all(thin_floor):
    floor = thin_floor("0.3")
    order = floor.order(floor.alice, BUY, "1", "60000.01", time_in_force=TimeInForce.FOK)
    assert (order.status, order.filled) == (OrderStatus.EXPIRED, 0)
    whole = floor.order(floor.alice, BUY, "0.3", "60000.01", time_in_force=TimeInForce.FOK)
    assert whole.status is OrderStatus.FILLED


def test_a_post_only_order_that_would_take_is_refused(floor, post_only):
    with pytest.raises(Refused) as refused:
        floor.order(floor.alice, BUY, "1", "60000.01", **post_only)
    assert refused.value.reason is Refusal.WOULD_TAKE
    assert floor.order(floor.alice, BUY, "1", "60000", **post_only).status is OrderStatus.NEW


def test_a_market_order_beyond_the_book_expires_partly_filled(thin_floor):
    floor = thin_floor("0.3")
    order = floor.order(floor.alice, BUY, "1")
    assert (order.status, order.filled) == (OrderStatus.EXPIRED, Decimal("0.3"))


def test_a_partly_filled_limit_order_fills_on_when_the_price_is_set_again(thin_floor):
    floor = thin_floor("0.3")
    order = floor.order(floor.alice, BUY, "0.5", "60000.01")
    assert (order.status, order.filled) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.3"))
    floor.exchange.set_price("BTC/USDT", Decimal(60000))
    assert order.status is OrderStatus.FILLED
    assert order.fills[1].liquidity is Liquidity.MAKER


def test_a_price_that_touches_a_resting_order_fills_it_at_its_own_price(floor):
    order = floor.order(floor.alice, BUY, "1", "59000")
    floor.exchange.set_price("BTC/USDT", Decimal("59000.01"))
    assert order.status is OrderStatus.NEW
    floor.exchange.set_price("BTC/USDT", Decimal(58000))
    assert [fill.price for fill in order.fills] == [Decimal(59000)]


def test_a_spot_market_order_by_cost_spends_no_more_than_the_cost(floor):
    order = floor.order(floor.alice, BUY, "0", quote_quantity=Decimal(1000))
    assert order.status is OrderStatus.FILLED
    assert Decimal(999) < order.cost <= 1000
    assert order.quantity == order.filled
    assert floor.of(OrderEvent)[-1].order.status is OrderStatus.FILLED
    assert floor.alice.purse("USDT").locked == 0


@pytest.mark.parametrize(
    ("side", "kind", "stop", "until"),
    [
        (SELL, OrderType.STOP_MARKET, "59000", "59000"),
        (BUY, OrderType.STOP_MARKET, "61000", "61000"),
        (SELL, OrderType.TAKE_PROFIT_MARKET, "61000", "61000"),
        (BUY, OrderType.TAKE_PROFIT_MARKET, "59000", "59000"),
    ],
)
def test_a_conditional_order_waits_for_its_price(floor, side, kind, stop, until):
    order = floor.order(floor.alice, side, "1", order_type=kind, stop_price=Decimal(stop))
    assert not order.is_working
    floor.exchange.set_price("BTC/USDT", Decimal(60001))
    assert order.status is OrderStatus.NEW
    floor.exchange.set_price("BTC/USDT", Decimal(until))
    assert order.status is OrderStatus.FILLED


def test_a_stop_limit_order_rests_at_its_price_once_triggered(floor):
    order = floor.order(
        floor.alice, SELL, "1", "59500", order_type=OrderType.STOP_LIMIT, stop_price=Decimal(59000)
    )
    floor.exchange.set_price("BTC/USDT", Decimal(58900))
    assert (order.status, order.is_working) == (OrderStatus.NEW, True)
    floor.exchange.set_price("BTC/USDT", Decimal(59500))
    assert order.status is OrderStatus.FILLED


def test_a_stop_that_would_trigger_at_once_is_refused(floor):
    with pytest.raises(Refused) as refused:
        floor.order(floor.alice, SELL, "1", order_type=OrderType.STOP_MARKET, stop_price=Decimal(60000))
    assert refused.value.reason is Refusal.WOULD_TRIGGER
    assert floor.alice.purse("BTC").locked == 0


def test_a_client_id_is_taken_only_while_its_order_is_open(floor):
    resting = floor.order(floor.alice, BUY, "1", "59000", client_order_id="mine")
    with pytest.raises(Refused) as refused:
        floor.order(floor.alice, BUY, "1", "59000", client_order_id="mine")
    assert refused.value.reason is Refusal.DUPLICATE_CLIENT_ID
    floor.order(floor.bob, BUY, "1", "59000", client_order_id="mine")
    floor.exchange.cancel(floor.alice, resting)
    assert floor.order(floor.alice, BUY, "1", client_order_id="mine").status is OrderStatus.FILLED


def test_a_cancel_gives_back_what_was_locked_and_a_second_one_is_refused(floor):
    before = floor.alice.purse("USDT").free
    order = floor.order(floor.alice, BUY, "1", "59000")
    assert floor.alice.purse("USDT").locked == 59000
    floor.exchange.cancel(floor.alice, order)
    assert (floor.alice.purse("USDT").free, floor.alice.purse("USDT").locked) == (before, 0)
    with pytest.raises(Refused):
        floor.exchange.cancel(floor.alice, order)


def test_an_amended_order_keeps_its_id_and_loses_its_place(floor):
    first = floor.order(floor.alice, SELL, "1", "61000")
    second = floor.order(floor.bob, SELL, "1", "61000")
    floor.exchange.amend(floor.alice, first, Decimal(2), Decimal(61000))
    assert floor.alice.purse("BTC").locked == 2
    in_line = list(floor.exchange.markets["BTC/USDT"].book.resting[SELL].in_priority())
    assert in_line == [second, first]


def test_an_amendment_that_cannot_be_paid_changes_nothing(floor):
    order = floor.order(floor.alice, SELL, "1", "61000")
    with pytest.raises(Refused):
        floor.exchange.amend(floor.alice, order, Decimal(100), Decimal(61000))
    assert (order.quantity, floor.alice.purse("BTC").locked) == (1, 1)
    floor.exchange.set_price("BTC/USDT", Decimal(61000))
    assert order.status is OrderStatus.FILLED


def test_a_late_fill_is_booked_on_a_canceled_order(floor):
    order = floor.order(floor.alice, BUY, "1", "59000")
    floor.exchange.cancel(floor.alice, order)
    floor.exchange.fill_late(order, Decimal("0.5"))
    assert (order.status, order.filled) == (OrderStatus.CANCELED, Decimal("0.5"))
    assert [event.execution for event in floor.of(OrderEvent)] == [
        Execution.NEW,
        Execution.CANCELED,
        Execution.TRADE,
    ]


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        ("0.5", "59000.001", Refusal.PRICE_TICK),
        ("0.000001", "59000", Refusal.QUANTITY_RANGE),
        ("0.000015", "59000", Refusal.QUANTITY_LOT),
        ("0.00001", "59000", Refusal.MIN_NOTIONAL),
        ("100", "59000", Refusal.INSUFFICIENT_BALANCE),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_and_leaves_no_trace(floor, quantity, price, reason):
    with pytest.raises(Refused) as refused:
        floor.order(floor.alice, BUY, quantity, price)
    assert refused.value.reason is reason
    assert not floor.alice.orders
    assert floor.alice.purse("USDT").locked == 0


def test_an_exchange_that_is_started_anew_repeats_no_id(new_floor):
    ids = []
    for started_ms in (1_700_000_000_000, 1_700_000_001_000):
        floor = new_floor(None, started_ms)
        orders = [floor.order(floor.alice, BUY, "0.01") for _ in range(50)]
        ids.append({(order.order_id, order.fills[0].trade_id) for order in orders})
    first, second = ids
    assert max(first) < min(second)
    assert max(trade for _, trade in first) < min(trade for _, trade in second)
