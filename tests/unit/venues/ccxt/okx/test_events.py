"""What a stream row yields: the fill first, then its order, then the condition that placed it."""

from decimal import Decimal

import pytest

from fillbook.kernel.clock import from_ms
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book, OrderStatus, OrderType
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.venues.ccxt.okx import events

PERP = "BTC/USDT:USDT"


def row(**changes):
    base = {
        "instId": "BTC-USDT-SWAP", "instType": "SWAP", "ordId": "7", "clOrdId": "fbmine", "algoId": "",
        "algoClOrdId": "", "ordType": "limit", "side": "buy", "posSide": "net", "px": "50000", "sz": "3",
        "accFillSz": "1", "state": "partially_filled", "reduceOnly": "false", "category": "normal",
        "cancelSource": "", "tgtCcy": "", "cTime": "1000", "uTime": "2000", "tradeId": "55", "fillPx": "50000",
        "fillSz": "1", "fillTime": "1999", "fillFee": "-0.25", "fillFeeCcy": "USDT", "fillPnl": "0",
        "execType": "T", "fee": "-0.25", "feeCcy": "USDT",
    }  # fmt: skip
    return base | changes


@pytest.fixture
def told(listing):
    return lambda **changes: events.order_update(row(**changes), listing(PERP).instrument)


def test_the_fill_comes_before_its_order(told):
    fill, order = told()
    assert isinstance(fill, FillReport)
    assert isinstance(order, OrderReport)
    assert (fill.venue_fill_id, fill.quantity, fill.fee, fill.exchange_at) == (
        "55",
        Decimal("0.01"),
        Decimal("0.25"),
        from_ms(1999),
    )
    assert fill.client_order_id == order.client_order_id == "fbmine"


@pytest.mark.parametrize(
    "changes", [{"tradeId": "", "fillSz": "0"}, {"tradeId": "0", "fillSz": "0"}, {"fillSz": ""}]
)
def test_a_row_without_a_trade_is_no_phantom_fill(told, changes):
    (order,) = told(**changes)
    assert isinstance(order, OrderReport)


@pytest.mark.parametrize("fee", ["", None])
def test_a_fill_that_does_not_say_what_it_cost_is_left_to_be_fetched(told, fee):
    (order,) = told(fillFee=fee)
    assert order.filled_quantity == Decimal("0.01")


def test_a_fill_after_the_cancel_is_a_fill(told):
    fill, order = told(state="canceled", cancelSource="1")
    assert (fill.quantity, order.status) == (Decimal("0.01"), OrderStatus.CANCELED)


def test_a_rebate_is_below_zero(told):
    assert told(fillFee="0.01")[0].fee == Decimal("-0.01")


def test_what_a_condition_placed_tells_the_conditions_fate_too(told):
    fill, order, condition = told(
        algoId="900",
        algoClOrdId="fbstop",
        clOrdId="900_0",
        px="",
        ordType="market",
        accFillSz="3",
        state="filled",
    )
    assert (fill.exchange_order_id, order.exchange_order_id, order.book) == ("7", "7", Book.NORMAL)
    assert {fill.client_order_id, order.client_order_id, condition.client_order_id} == {"fbstop"}
    assert (condition.book, condition.exchange_order_id, condition.triggered_order_id) == (
        Book.CONDITIONAL,
        "900",
        "7",
    )
    assert (condition.status, condition.filled_quantity, condition.order_type) == (
        OrderStatus.FILLED,
        Decimal("0.03"),
        OrderType.STOP_MARKET,
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ws_orders", FillKind.TRADE),
        ("ws_orders_trigger", FillKind.TRADE),
        ("ws_orders_optimal_limit_ioc", FillKind.TRADE),
        ("ws_orders_liquidation", FillKind.LIQUIDATION),
        ("ws_orders_adl", FillKind.ADL),
    ],
)
def test_recorded_messages_are_read_and_their_fills_too_when_they_say_their_fee(
    recorded, listing, name, kind
):
    message = recorded(name)["data"][0]
    symbol = "ETH/USDT:USDT" if message["instId"].startswith("ETH") else PERP
    (order,) = events.order_update(message, listing(symbol).instrument)
    assert (order.status, order.fills_kind) == (OrderStatus.FILLED, kind)
    with_fee = message | {"fillFee": message["fee"], "fillFeeCcy": message["feeCcy"]}
    fill, _ = events.order_update(with_fee, listing(symbol).instrument)
    assert (fill.kind, fill.venue_fill_id, fill.fee) == (kind, message["tradeId"], -Decimal(message["fee"]))


def test_a_recorded_wallet_is_told_for_each_market_of_the_account(recorded):
    body = recorded("ws_account")["data"][0]
    told = events.balance_updates(body, (MarketType.SPOT, MarketType.FUTURES))
    assert {(one.market_type, one.asset) for one in told} == {
        (market_type, detail["ccy"]) for detail in body["details"] for market_type in MarketType
    }
    assert told[0].total == Decimal("100.52768569797846")
    assert events.balance_updates(recorded("ws_account_empty")["data"][0], (MarketType.SPOT,)) == []
