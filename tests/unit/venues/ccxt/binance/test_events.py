from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.kernel.clock import from_ms
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.venues.ccxt.binance import events

PERP = "BTC/USDT:USDT"


def spot_trade(**changes):
    message = {
        "e": "executionReport", "E": 1709654401001, "s": "ETHUSDT", "c": "mine", "S": "BUY", "o": "LIMIT",
        "f": "GTC", "q": "1.00000000", "p": "2500.00000000", "P": "0.00000000", "C": "", "x": "TRADE",
        "X": "PARTIALLY_FILLED", "r": "NONE", "i": 12345678, "l": "0.30000000", "z": "0.30000000",
        "L": "2499.99000000", "n": "0.00030000", "N": "ETH", "T": 1709654401000, "t": 77, "w": False,
        "m": True, "O": 1709654400000, "Z": "749.99700000",
    }  # fmt: skip
    return message | changes


def test_a_spot_execution_gives_its_fill_and_then_the_orders_state():
    fill, order = events.spot_execution(spot_trade(), "ETH/USDT")
    assert isinstance(fill, FillReport)
    assert isinstance(order, OrderReport)
    assert (fill.venue_fill_id, fill.exchange_order_id, fill.client_order_id) == ("77", "12345678", "mine")
    assert (fill.price, fill.quantity, fill.fee, fill.fee_asset) == (
        Decimal("2499.99"),
        Decimal("0.3"),
        Decimal("0.0003"),
        "ETH",
    )
    assert (fill.liquidity, fill.kind, fill.position_side) == (
        Liquidity.MAKER,
        FillKind.TRADE,
        PositionSide.NET,
    )
    assert fill.exchange_at == from_ms(1709654401000)
    assert (order.status, order.filled_quantity, order.cost) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("0.3"),
        Decimal("749.997"),
    )


@pytest.mark.parametrize("absent", [-1, 0, None])
def test_a_fill_without_an_id_gets_one_from_its_order_and_cumulative_quantity(absent):
    fill, _ = events.spot_execution(spot_trade(t=absent, z="0.50000000"), "ETH/USDT")
    assert fill.venue_fill_id == "12345678-0.5"


def test_a_cancelled_spot_order_is_known_by_its_own_client_id_not_by_the_cancels():
    message = spot_trade(x="CANCELED", X="CANCELED", c="the-cancel", C="mine", l="0.00000000", t=-1)
    (order,) = events.spot_execution(message, "ETH/USDT")
    assert (order.client_order_id, order.status) == ("mine", OrderStatus.CANCELED)


def test_an_order_that_self_trade_prevention_ended_has_expired():
    message = spot_trade(x="TRADE_PREVENTION", X="EXPIRED_IN_MATCH", l="0.30000000")
    (order,) = events.spot_execution(message, "ETH/USDT")
    assert order.status is OrderStatus.EXPIRED


@pytest.mark.parametrize(
    ("name", "status", "order_type"),
    [
        ("new", OrderStatus.NEW, OrderType.LIMIT),
        ("canceled", OrderStatus.CANCELED, OrderType.LIMIT),
        ("expired", OrderStatus.EXPIRED, OrderType.LIMIT),
        ("stop_loss", OrderStatus.NEW, OrderType.STOP_LIMIT),
    ],
)
def test_recorded_spot_orders_are_read(recorded, name, status, order_type):
    (order,) = events.spot_execution(recorded(f"spot__user_data__execution_report_{name}"), "ETH/USDT")
    assert (order.status, order.order_type) == (status, order_type)
    assert order.client_order_id.startswith("x-TD67BGP9-")
    assert order.quantity == 1


def test_a_recorded_futures_fill_is_read(recorded):
    fill, order = events.futures_execution(recorded("futures__user_data__order_update_trade"), PERP)
    assert (fill.price, fill.quantity, fill.fee, fill.fee_asset) == (
        Decimal("7100.5"),
        Decimal("0.001"),
        Decimal("0.01"),
        "USDT",
    )
    assert (fill.venue_realized_pnl, fill.liquidity, fill.position_side) == (
        Decimal("12.34"),
        Liquidity.MAKER,
        PositionSide.LONG,
    )
    assert (fill.venue_fill_id, fill.side, fill.kind) == ("12345678", Side.BUY, FillKind.TRADE)
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert order.cost is None


@pytest.mark.parametrize(
    ("name", "kind", "quantity", "pnl"),
    [
        ("adl", FillKind.ADL, Decimal("0.005"), Decimal("-2.5")),
        ("insurance", FillKind.LIQUIDATION, Decimal("0.02"), Decimal("-8")),
        ("delivery", FillKind.SETTLEMENT, Decimal(1), Decimal(0)),
    ],
)
def test_forced_executions_are_fills_of_their_kind(recorded, name, kind, quantity, pnl):
    fill, order = events.futures_execution(recorded(f"futures__user_data__order_update_{name}"), PERP)
    assert (fill.kind, fill.quantity, fill.venue_realized_pnl) == (kind, quantity, pnl)
    assert order.status is OrderStatus.FILLED
    assert order.reduce_only


def test_a_liquidation_that_has_not_filled_yet_is_an_order_only(recorded):
    message = recorded("futures__user_data__order_update_calculated_pending")
    (order,) = events.futures_execution(message, PERP)
    assert (order.status, order.filled_quantity, order.cost) == (OrderStatus.NEW, 0, 0)


@pytest.mark.parametrize(("name", "status"), [("new", OrderStatus.NEW), ("canceled", OrderStatus.CANCELED)])
def test_a_recorded_conditional_order_is_read(recorded, name, status):
    report = events.algo_update(recorded(f"futures__user_data__algo_update_{name}"), "BNB/USDT:USDT")
    assert (report.book, report.status, report.exchange_order_id) == (Book.CONDITIONAL, status, "2148719")
    assert report.client_order_id == "Q5xaq5EGKgXXa0fD7fs0Ip"
    assert (report.order_type, report.stop_price, report.price) == (
        OrderType.TAKE_PROFIT_LIMIT,
        Decimal(750),
        Decimal(750),
    )
    assert report.triggered_order_id is None


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        ("TRIGGERED", "0", OrderStatus.NEW),
        ("TRIGGERED", "0.004", OrderStatus.PARTIALLY_FILLED),
        ("FINISHED", "0.01", OrderStatus.FILLED),
        ("FINISHED", "0.004", OrderStatus.CANCELED),
        ("EXPIRED", "0", OrderStatus.EXPIRED),
        ("REJECTED", "0", OrderStatus.REJECTED),
    ],
)
def test_a_triggered_order_lives_until_the_order_that_it_made_has_ended(word, filled, status):
    message = {
        "T": 1, "o": {"caid": "mine", "aid": 5, "o": "STOP_MARKET", "s": "BNBUSDT", "S": "SELL", "ps": "BOTH",
                      "f": "GTC", "q": "0.01", "X": word, "ai": "99", "aq": filled, "tp": "700", "p": "0",
                      "R": True},
    }  # fmt: skip
    report = events.algo_update(message, "BNB/USDT:USDT")
    assert report.status is status
    assert report.triggered_order_id == "99"
    assert report.reduce_only


def test_recorded_spot_balances_are_read(recorded):
    usdt, eth = events.spot_balances(recorded("spot__user_data__account_position"))
    assert (usdt.asset, usdt.free, usdt.locked, usdt.total) == (
        "USDT",
        Decimal(10000),
        Decimal(2500),
        Decimal(12500),
    )
    assert eth.asset == "ETH"
    assert usdt.at == datetime(2024, 3, 5, 16, 0, tzinfo=UTC)


def test_a_closed_position_is_reported_as_zero():
    part = {"s": "BTCUSDT", "pa": "0", "ep": "0.00000", "up": "0", "mt": "isolated", "iw": "0", "ps": "BOTH"}
    report = events.position_update(part, 1_700_000_000_000, PERP)
    assert (report.quantity, report.margin_mode) == (0, MarginMode.ISOLATED)


def test_an_amount_that_is_a_float_is_refused_rather_than_rounded():
    with pytest.raises(ValueError, match="float"):
        events.spot_execution(spot_trade(l=0.3), "ETH/USDT")


def test_post_only_is_recognised_on_both_markets(recorded):
    (order,) = events.spot_execution(spot_trade(x="NEW", X="NEW", o="LIMIT_MAKER"), "ETH/USDT")
    assert (order.order_type, order.time_in_force) == (OrderType.LIMIT, TimeInForce.POST_ONLY)
    message = recorded("futures__user_data__order_update_trade")
    message["o"]["f"] = "GTX"
    assert events.futures_execution(message, PERP)[1].time_in_force is TimeInForce.POST_ONLY
