"""Bitget's rows, by REST and by stream, as our reports."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce
from fillbook.venues.ccxt.bitget import events, reports
from support.bitget import (
    hedged,
    latest,
    mix_fill,
    mix_order,
    mix_plan,
    order_told,
    plan_told,
    position_told,
    spot_fill,
    spot_order,
    spot_plan,
)

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEDGE_CASES = [
    (("buy", "long", "open"), Side.BUY, PositionSide.LONG),
    (("buy", "long", "close"), Side.SELL, PositionSide.LONG),
    (("sell", "short", "open"), Side.SELL, PositionSide.SHORT),
    (("sell", "short", "close"), Side.BUY, PositionSide.SHORT),
]


def test_an_order_of_futures():
    report = reports.order_report(mix_order(7, 5, "4", quoteVolume="40", status="partially_filled"), PERP)
    assert (report.exchange_order_id, report.client_order_id, report.book) == ("7", "fb7", Book.NORMAL)
    assert (report.status, report.time_in_force) == (OrderStatus.PARTIALLY_FILLED, TimeInForce.GTC)
    assert (report.quantity, report.filled_quantity, report.cost, report.price) == (9, 4, 40, 10)
    assert (report.position_side, report.reduce_only) == (PositionSide.NET, False)


def test_detail_calls_the_status_state():
    row = mix_order(7, state="filled")
    del row["status"]
    assert reports.order_report(row, PERP).status is OrderStatus.FILLED


@pytest.mark.parametrize(("words", "side", "leg"), HEDGE_CASES)
def test_in_hedge_mode_an_orders_side_is_the_positions(words, side, leg):
    for report in (
        reports.order_report(mix_order(7, **hedged(*words)), PERP),
        reports.plan_report(mix_plan(7, **hedged(*words)), PERP),
        reports.fill_report(mix_fill(7, **hedged(*words)), PERP),
        events.order_row(order_told(7, **hedged(*words)), PERP),
        events.latest_fill(order_told(7, **hedged(*words)) | latest(1), PERP),
        events.plan_row(plan_told(7, **hedged(*words)), PERP),
    ):
        assert (report.side, report.position_side) == (side, leg)


@pytest.mark.parametrize(("words", "side", "leg"), HEDGE_CASES)
def test_on_the_fill_stream_the_side_is_the_trades(words, side, leg):
    row = mix_fill(7, posMode="hedge_mode", side=side.value, tradeSide=words[2])
    report = events.fill_row(row, PERP)
    assert (report.side, report.position_side) == (side, leg)


def test_a_leg_is_known_from_a_fill_that_does_not_name_it():
    row = mix_fill(7, posMode="hedge_mode", side="sell", tradeSide="close")
    report = reports.fill_report(row, PERP)
    assert (report.side, report.position_side) == (Side.BUY, PositionSide.SHORT)


@pytest.mark.parametrize(
    ("trade_side", "kind"),
    [
        ("buy_single", FillKind.TRADE),
        ("reduce_sell_single", FillKind.LIQUIDATION),
        ("burst_buy_single", FillKind.LIQUIDATION),
        ("offset_sell_single", FillKind.LIQUIDATION),
        ("dte_sys_adl_sell_single_side_mode", FillKind.ADL),
        ("delivery_sell_single", FillKind.SETTLEMENT),
    ],
)
def test_the_trade_side_tells_who_wanted_a_fill(trade_side, kind):
    row = mix_fill(7, tradeSide=trade_side)
    assert reports.fill_report(row, PERP).kind is kind
    assert events.fill_row(row, PERP).kind is kind
    told = order_told(7, tradeSide=trade_side) | latest(1)
    assert events.latest_fill(told, PERP).kind is kind


@pytest.mark.parametrize(
    ("trade_side", "side", "leg", "kind"),
    [
        ("burst_close_long", Side.SELL, PositionSide.LONG, FillKind.LIQUIDATION),
        ("reduce_close_short", Side.BUY, PositionSide.SHORT, FillKind.LIQUIDATION),
        ("dte_sys_adl_close_long", Side.SELL, PositionSide.LONG, FillKind.ADL),
        ("delivery_close_short", Side.BUY, PositionSide.SHORT, FillKind.SETTLEMENT),
    ],
)
def test_forced_fills_of_a_leg_close_it(trade_side, side, leg, kind):
    leg_side = "buy" if leg is PositionSide.LONG else "sell"
    of_rest = reports.fill_report(mix_fill(1, **hedged(leg_side, leg.value, trade_side)), PERP)
    row = mix_fill(1, posMode="hedge_mode", side=side.value, tradeSide=trade_side)
    for fill in (of_rest, events.fill_row(row, PERP)):
        assert (fill.side, fill.position_side, fill.kind) == (side, leg, kind)


@pytest.mark.parametrize(("wire", "fee"), [("-0.5", "0.5"), ("0.5", "-0.5"), ("0", "0"), ("", "0")])
def test_by_rest_a_fee_below_zero_is_a_charge_and_one_above_a_rebate(wire, fee):
    spot = reports.fill_report(spot_fill(1, feeDetail={"feeCoin": "BGB", "totalFee": wire}), SPOT)
    futures = reports.fill_report(mix_fill(1, feeDetail=[{"feeCoin": "BGB", "totalFee": wire}]), PERP)
    assert {spot.fee, futures.fee} == {Decimal(fee)}
    assert {spot.fee_asset, futures.fee_asset} == {"BGB"}


@pytest.mark.parametrize(("wire", "fee"), [("-0.5", "0.5"), ("0.5", "-0.5")])
def test_on_the_stream_futures_and_orders_sign_a_fee_as_rest_does(wire, fee):
    row = mix_fill(1, feeDetail=[{"feeCoin": "USDT", "totalFee": wire}])
    assert events.fill_row(row, PERP).fee == Decimal(fee)
    for is_spot, symbol in ((True, SPOT), (False, PERP)):
        told = order_told(1, is_spot=is_spot) | latest(1, fee=wire)
        assert events.latest_fill(told, symbol).fee == Decimal(fee)


def test_the_spot_fill_stream_writes_a_charge_above_zero():
    row = spot_fill(1, feeDetail=[{"feeCoin": "BTC", "totalFee": "0.5"}])
    assert events.fill_row(row, SPOT).fee == Decimal("0.5")


def test_a_fill_without_fees_has_none():
    report = reports.fill_report(mix_fill(1, feeDetail=None), PERP)
    assert (report.fee, report.fee_asset) == (0, None)


def test_what_has_filled_is_the_sum_and_not_the_latest_fill():
    told = order_told(7, "4") | latest(3, "1.5")
    assert events.order_row(told, PERP).filled_quantity == 4
    assert events.latest_fill(told, PERP).quantity == Decimal("1.5")


@pytest.mark.parametrize("changes", [{"tradeId": ""}, {"tradeId": None}, {"baseVolume": "0"}])
def test_an_order_row_without_a_fill_tells_of_none(changes):
    assert events.latest_fill(order_told(7, "4") | latest(3) | changes, PERP) is None
    assert events.latest_fill(order_told(7), PERP) is None


@pytest.mark.parametrize(("word", "liquidity"), [("taker", Liquidity.TAKER), ("maker", Liquidity.MAKER)])
def test_who_took(word, liquidity):
    assert reports.fill_report(spot_fill(1, tradeScope=word), SPOT).liquidity is liquidity
    assert events.fill_row(spot_fill(1, tradeScope=word[0].upper()), SPOT).liquidity is liquidity


def test_open_orders_of_spot_call_the_limit_price_an_average():
    row = spot_order(1, priceAvg="12")
    del row["price"]
    assert reports.order_report(row, SPOT).price == 12
    assert reports.order_report(spot_order(1, priceAvg="12"), SPOT).price == 10


def test_the_size_of_a_spot_market_buy_is_a_cost_and_no_quantity():
    row = spot_order(1, filled="3", orderType="market", size="45", status="filled")
    assert reports.order_report(row, SPOT).quantity == 3
    told = order_told(1, "3", is_spot=True, orderType="market", newSize="45", status="filled")
    assert events.order_row(told, SPOT).quantity == 3
    sale = spot_order(1, filled="3", orderType="market", side="sell", size="4")
    assert reports.order_report(sale, SPOT).quantity == 4


@pytest.mark.parametrize(
    ("force", "status"),
    [
        ("ioc", OrderStatus.EXPIRED),
        ("fok", OrderStatus.EXPIRED),
        ("gtc", OrderStatus.CANCELED),
        ("post_only", OrderStatus.CANCELED),
    ],
)
def test_an_order_that_may_not_rest_was_not_cancelled_by_anyone(force, status):
    assert reports.order_report(mix_order(1, status="canceled", force=force), PERP).status is status


def test_a_stop_is_what_it_was_asked_to_be():
    report = reports.plan_report(mix_plan(1, reduceOnly="YES", side="sell"), PERP)
    assert (report.order_type, report.stop_price, report.price) == (OrderType.STOP_MARKET, 11, None)
    assert (report.book, report.reduce_only, report.filled_quantity) == (Book.CONDITIONAL, True, 0)
    limit = reports.plan_report(spot_plan(1, orderType="limit", executePrice="12"), SPOT)
    assert (limit.order_type, limit.price) == (OrderType.STOP_LIMIT, 12)


def test_on_the_stream_a_plans_price_is_not_its_limit_price():
    assert events.plan_row(plan_told(1), PERP).price is None
    limit = plan_told(1, orderType="limit", executePrice="12")
    assert events.plan_row(limit, PERP).price == 12


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("live", OrderStatus.NEW),
        ("executed", OrderStatus.NEW),
        ("cancelled", OrderStatus.CANCELED),
        ("fail_execute", OrderStatus.REJECTED),
        ("fail_trigger", OrderStatus.REJECTED),
    ],
)
def test_a_plan_lives_on_in_what_its_trigger_makes(word, status):
    row = mix_plan(1, planStatus=word)
    assert reports.plan_report(row, PERP).status is status
    assert reports.has_triggered(row) is (word == "executed")


@pytest.mark.parametrize(
    ("parse", "row"),
    [
        (reports.order_report, mix_order(1, status="dreaming")),
        (reports.order_report, mix_order(1, orderId=None)),
        (reports.order_report, mix_order(1, size="many")),
        (reports.order_report, mix_order(1, side="up")),
        (reports.plan_report, mix_plan(1, planStatus="dreaming")),
        (reports.fill_report, mix_fill(1, orderId="")),
        (reports.fill_report, {"orderId": "1"}),
    ],
)
def test_a_row_that_cannot_be_read_is_never_guessed(parse, row):
    with pytest.raises((KeyError, ValueError)):
        parse(row, PERP)


def test_a_spot_balance_counts_what_is_locked_as_not_free():
    row = {"coin": "BTC", "available": "1.5", "frozen": "0.25", "locked": "0.25"}
    balance = reports.spot_balance(row, NOW)
    assert (balance.free, balance.total) == (Decimal("1.5"), 2)


@pytest.mark.parametrize(
    ("unrealized", "wallet"),
    [
        ({"unrealizedPL": "5"}, 95),
        ({"unrealizedPL": "-5"}, 105),
        ({"unrealizedPL": "", "crossedUnrealizedPL": "3", "isolatedUnrealizedPL": "2"}, 95),
        ({"unrealizedPL": None}, 100),
    ],
)
def test_a_futures_balance_is_the_wallet_without_unrealised_profit(unrealized, wallet):
    row = {"marginCoin": "USDT", "accountEquity": "100", "crossedMaxAvailable": "60"} | unrealized
    balance = reports.futures_balance(row, NOW)
    assert (balance.free, balance.total) == (60, wallet)


def test_free_futures_money_is_never_more_than_the_wallet_nor_below_zero():
    row = {"marginCoin": "USDT", "accountEquity": "100", "unrealizedPL": "30"}
    assert reports.futures_balance(row | {"crossedMaxAvailable": "90"}, NOW).free == 70
    assert reports.futures_balance(row | {"crossedMaxAvailable": "-5"}, NOW).free == 0


def test_positions_are_signed_and_know_their_leg():
    net = reports.position_report(position_told("short"), PERP)
    assert (net.position_side, net.quantity, net.margin_mode) == (PositionSide.NET, -2, MarginMode.CROSS)
    leg = reports.position_report(position_told("short", posMode="hedge_mode"), PERP)
    assert (leg.position_side, leg.quantity, leg.leverage) == (PositionSide.SHORT, -2, 10)
