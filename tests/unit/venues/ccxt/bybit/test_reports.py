"""Rows and messages that the venue really sent, and what we make of them."""

from decimal import Decimal

import pytest

from fillbook.accounts.core import PositionSide
from fillbook.kernel.clock import from_ms
from fillbook.ledger.core.fill import Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce
from fillbook.venues.ccxt.bybit import reports
from fillbook.venues.ccxt.bybit.instruments import linear_listings, spot_listings
from support.bybit import order
from support.shapes import recorded

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def rows(name):
    message = recorded("bybit", name)
    return message["data"] if "data" in message else message["result"]["list"]


def test_a_live_order():
    report = reports.order_report(rows("http_get_orders_realtime")[1], "ETH/USDT:USDT")
    assert (report.exchange_order_id, report.client_order_id) == ("open-order-2", "client-open-2")
    assert (report.side, report.order_type, report.status) == (Side.SELL, OrderType.LIMIT, OrderStatus.NEW)
    assert (report.quantity, report.price, report.filled_quantity) == (
        Decimal("0.010"),
        Decimal("3940.42"),
        0,
    )
    assert report.time_in_force is TimeInForce.GTC
    assert report.exchange_at == from_ms(1761355905609)


@pytest.mark.parametrize(
    "name", ["http_get_order_partially_filled_rejected", "ws_account_order_partially_filled_rejected"]
)
def test_an_order_that_was_rejected_after_fills_was_placed_and_has_them(name):
    row = rows(name)[0]
    report = reports.order_report(row, PERP)
    assert report.status is OrderStatus.CANCELED
    assert report.filled_quantity == Decimal(row["cumExecQty"]) > 0
    assert report.client_order_id == "O-20251001-164609-APEX-000-49"


def test_a_rejected_order_without_fills_is_rejected():
    assert reports.order_report(order(1, 1, orderStatus="Rejected"), PERP).status is OrderStatus.REJECTED


@pytest.mark.parametrize(
    ("name", "side", "kind", "trigger", "price"),
    [
        ("ws_account_order_buy_stop_market", Side.BUY, OrderType.STOP_MARKET, 55_000, None),
        ("ws_account_order_limit_if_touched", Side.BUY, OrderType.TAKE_PROFIT_LIMIT, 55_000, 55_500),
        ("ws_account_order_sell_market_if_touched", Side.SELL, OrderType.TAKE_PROFIT_MARKET, 55_000, None),
        ("ws_account_order_stop_limit", Side.SELL, OrderType.STOP_LIMIT, 45_000, 44_500),
        ("ws_account_order_stop_loss", Side.SELL, OrderType.STOP_MARKET, 48_000, None),
        ("ws_account_order_take_profit", Side.SELL, OrderType.TAKE_PROFIT_MARKET, 55_000, None),
    ],
)
def test_conditional_orders_by_side_and_direction(name, side, kind, trigger, price):
    report = reports.order_report(rows(name)[0], PERP)
    assert (report.side, report.order_type, report.stop_price, report.price) == (side, kind, trigger, price)
    assert report.status is OrderStatus.NEW


def test_stops_and_take_profits_of_a_position():
    take_profit, stop_loss = rows("http_get_orders_realtime_tp_sl")
    assert reports.order_report(take_profit, PERP).order_type is OrderType.TAKE_PROFIT_MARKET
    report = reports.order_report(stop_loss, PERP)
    assert (report.order_type, report.reduce_only) == (OrderType.STOP_LIMIT, True)


@pytest.mark.parametrize(
    ("word", "reason", "filled", "status"),
    [
        ("New", "EC_NoError", "0", OrderStatus.NEW),
        ("Untriggered", "EC_NoError", "0", OrderStatus.NEW),
        ("Triggered", "EC_NoError", "0", OrderStatus.NEW),
        ("PartiallyFilled", "EC_NoError", "4", OrderStatus.PARTIALLY_FILLED),
        ("Filled", "EC_NoError", "9", OrderStatus.FILLED),
        ("Cancelled", "EC_PerCancelRequest", "0", OrderStatus.CANCELED),
        ("Cancelled", "EC_PostOnlyWillTakeLiquidity", "0", OrderStatus.EXPIRED),
        ("Cancelled", "EC_NoImmediateQtyToFill", "4", OrderStatus.EXPIRED),
        ("PartiallyFilledCanceled", "EC_PerCancelRequest", "4", OrderStatus.CANCELED),
        ("Deactivated", "EC_PerCancelRequest", "0", OrderStatus.CANCELED),
        ("PendingCancel", "EC_NoError", "0", OrderStatus.PENDING_CANCEL),
        ("SomethingNew", "EC_NoError", "0", OrderStatus.NEW),
        ("SomethingNew", "EC_NoError", "4", OrderStatus.PARTIALLY_FILLED),
        ("SomethingNew", "EC_NoError", "9", OrderStatus.FILLED),
    ],
)
def test_statuses(word, reason, filled, status):
    row = order(1, 1, filled, orderStatus=word, rejectReason=reason)
    assert reports.order_report(row, PERP).status is status


def test_a_market_order_shows_no_price_although_the_venue_gives_it_a_limit():
    report = reports.order_report(order(1, 1, orderType="Market", price="61200", timeInForce="IOC"), PERP)
    assert (report.order_type, report.price, report.time_in_force) == (OrderType.MARKET, None, None)


def test_a_spot_order_by_cost_has_the_quantity_that_it_filled():
    row = order(1, 1, "0.1", qty="6000", marketUnit="quoteCoin", orderType="Market", orderStatus="Filled")
    assert reports.order_report(row, SPOT).quantity == Decimal("0.1")


def test_an_execution_of_the_stream():
    (row,) = rows("ws_account_execution")
    report = reports.fill_report(row, PERP, PositionSide.NET)
    assert report.venue_fill_id == "0ab1bdf7-4219-438b-b30a-32ec863018f7"
    assert (report.exchange_order_id, report.client_order_id) == (
        "9aac161b-8ed6-450d-9cab-c5cc67c21784",
        "test-order-link-001",
    )
    assert (report.side, report.price, report.quantity) == (Side.SELL, Decimal("95900.1"), Decimal("0.5"))
    assert (report.fee, report.fee_asset) == (Decimal("26.3725275"), "USDT")
    assert report.liquidity is Liquidity.TAKER
    assert report.exchange_at == from_ms(1746270400353)


def test_executions_of_the_history_have_a_venues_order():
    first, second = rows("http_get_executions")
    assert sorted([second, first], key=reports.fill_order) == [first, second]
    report = reports.fill_report(first, PERP, PositionSide.NET)
    assert (report.liquidity, report.fee, report.client_order_id) == (
        Liquidity.MAKER,
        Decimal("0.0150"),
        "test-order-001",
    )


def test_positions_are_signed():
    long, short, flat = (reports.position_report(row, PERP, None) for row in rows("http_get_positions"))
    assert (long.quantity, long.entry_price, long.leverage) == (Decimal("0.5"), 50_000, 10)
    assert (short.quantity, short.liquidation_price) == (Decimal("-5.0"), 3_500)
    assert (flat.quantity, flat.liquidation_price) == (0, None)
    streamed = reports.position_report(rows("ws_account_position")[0], "ETH/USDT:USDT", None)
    assert (streamed.quantity, streamed.entry_price) == (Decimal("-0.01"), Decimal("3641.075"))


def test_what_is_margin_or_locked_is_not_free_and_may_exceed_the_balance():
    at = from_ms(0)
    (wallet,) = rows("ws_account_wallet_small_order")
    report = reports.balance_report(wallet["coin"][0], MarketType.FUTURES, at)
    assert (report.total, report.locked) == (Decimal("51333.82543837"), Decimal("50.028"))
    (wallet,) = rows("ws_account_wallet_locked_exceeds_total")
    report = reports.balance_report(wallet["coin"][0], MarketType.FUTURES, at)
    assert (report.total, report.free) == (100, -20)


def test_a_borrowed_asset_says_so():
    coins = {row["coin"]: row for row in rows("http_get_wallet_balance")[0]["coin"]}
    report = reports.balance_report(coins["ETH"], MarketType.SPOT, from_ms(0))
    assert (report.total, report.borrowed) == (0, Decimal("0.06142"))


def test_instruments_of_both_markets():
    spot = {row.instrument.symbol: row.instrument for row in spot_listings(rows("http_get_instruments_spot"))}
    assert (spot[SPOT].tick, spot[SPOT].lot, spot[SPOT].min_notional) == (
        Decimal("0.1"),
        Decimal("0.0001"),
        10,
    )
    listed = linear_listings(rows("http_get_instruments_linear"))
    linear = {row.instrument.symbol: row.instrument for row in listed}
    assert (linear[PERP].tick, linear[PERP].lot, linear[PERP].max_market_quantity) == (
        Decimal("0.5"),
        Decimal("0.001"),
        50,
    )
    assert {row.venue_id for row in listed} == {"BTCUSDT", "ETHUSDT"}


def test_only_contracts_that_are_settled_in_their_quote_are_listed_and_dated_ones_by_their_day():
    assert linear_listings(rows("http_get_instruments_inverse")) == []
    (row, _) = rows("http_get_instruments_linear")
    dated = row | {"contractType": "LinearFutures", "symbol": "BTC-26DEC25", "deliveryTime": "1766736000000"}
    (listing,) = linear_listings([dated | {"status": "PreLaunch"}])
    assert listing.instrument.symbol == "BTC/USDT:USDT-251226"
    assert not listing.instrument.is_active
