from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import to_text
from fillbook.ledger.core.fill import Liquidity
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType
from fillbook.venues.ccxt.binance import reports
from fillbook.venues.ccxt.triggered import joined

PERP = "BTC/USDT:USDT"


def test_a_recorded_spot_answer_gives_the_order_and_each_of_its_fills(recorded):
    answer = recorded("spot__http__new_order_full_response")
    order = reports.order_report(answer, "BTC/USDT")
    fills = reports.fills_of_answer(answer, "BTC/USDT")
    assert (order.exchange_order_id, order.status, order.order_type) == (
        "28",
        OrderStatus.FILLED,
        OrderType.MARKET,
    )
    assert order.price is None
    assert [fill.venue_fill_id for fill in fills] == ["56", "57", "58", "59", "60"]
    assert sum(fill.quantity for fill in fills) == order.filled_quantity == 10
    assert fills[1].fee == Decimal("19.995")
    assert {(fill.liquidity, fill.side) for fill in fills} == {(Liquidity.TAKER, Side.SELL)}
    assert {fill.exchange_at for fill in fills} == {from_ms(1507725176595)}


def test_recorded_orders_of_queries_are_read(recorded):
    (order,) = [reports.order_report(row, "LTC/BTC") for row in recorded("spot__http__all_orders_response")]
    assert (order.client_order_id, order.price, order.cost) == ("myOrder1", Decimal("0.1"), 0)
    futures = reports.order_report(recorded("futures__http__order_response"), PERP)
    assert (futures.client_order_id, futures.cost, futures.stop_price) == ("testOrder123", 0, None)
    (algo,) = [reports.algo_report(row, PERP) for row in recorded("futures__http__open_algo_orders")]
    assert (algo.book, algo.client_order_id, algo.stop_price) == (
        Book.CONDITIONAL,
        "test-algo-order-1",
        Decimal(45000),
    )


def test_a_cancels_answer_names_the_order_by_its_own_client_id(recorded):
    rows = [row for row in recorded("spot__http__cancel_open_orders_response") if "orderId" in row]
    for row in rows:
        assert reports.order_report(row, "BTC/USDT").client_order_id == row["origClientOrderId"]


def test_recorded_balances_are_read(recorded):
    at = from_ms(0)
    btc, ltc = reports.spot_balances(recorded("spot__http__account_response"), at)
    assert (btc.asset, btc.free) == ("BTC", Decimal("4723846.89208129"))
    assert ltc.asset == "LTC"
    (usdt,) = reports.futures_balances(recorded("futures__http__account_info_v2"), at)
    assert (usdt.asset, usdt.total, usdt.free, usdt.locked) == (
        "USDT",
        Decimal("23.72469206"),
        Decimal("23.72469206"),
        0,
    )


def test_a_futures_balance_never_counts_unrealised_profit():
    row = {"assets": [{"asset": "USDT", "walletBalance": "100", "availableBalance": "130.5"}]}
    (usdt,) = reports.futures_balances(row, from_ms(0))
    assert (usdt.total, usdt.free, usdt.locked) == (100, 100, 0)


POSITION = {
    "symbol": "BTCUSDT", "positionSide": "SHORT", "positionAmt": "-0.014", "entryPrice": "9910.5",
    "markPrice": "9900.00", "unRealizedProfit": "0.147", "liquidationPrice": "0", "isolatedWallet": "0",
    "updateTime": 1_700_000_000_000,
}  # fmt: skip


def test_a_short_position_is_below_zero_and_keeps_its_leg():
    report = reports.position_report(POSITION, PERP)
    assert (report.quantity, report.position_side) == (Decimal("-0.014"), PositionSide.SHORT)
    assert (report.liquidation_price, report.margin_mode) == (None, MarginMode.CROSS)
    assert (
        reports.position_report(POSITION | {"isolatedWallet": "12.5"}, PERP).margin_mode
        is MarginMode.ISOLATED
    )


def test_fill_rows_of_both_markets_are_read():
    spot = {
        "symbol": "BTCUSDT", "id": 28457, "orderId": 100234, "price": "4.00000100", "qty": "12.00000000",
        "commission": "10.10000000", "commissionAsset": "BNB", "time": 1499865549590, "isBuyer": True,
        "isMaker": False,
    }  # fmt: skip
    fill = reports.fill_report(spot, "BTC/USDT")
    assert (fill.side, fill.liquidity, fill.price, fill.fee_asset) == (
        Side.BUY,
        Liquidity.TAKER,
        Decimal("4.000001"),
        "BNB",
    )
    futures = {
        "symbol": "BTCUSDT", "id": 698759, "orderId": 25851813, "side": "SELL", "price": "7819.01",
        "qty": "0.002", "commission": "-0.07819010", "commissionAsset": "USDT", "time": 1569514978020,
        "maker": True, "positionSide": "LONG", "realizedPnl": "-0.91539999",
    }  # fmt: skip
    fill = reports.fill_report(futures, PERP)
    assert (fill.side, fill.position_side, fill.fee) == (Side.SELL, PositionSide.LONG, Decimal("-0.0781901"))
    assert fill.venue_realized_pnl == Decimal("-0.91539999")


def test_an_answer_without_an_order_id_cannot_be_read():
    with pytest.raises(KeyError):
        reports.order_report({"origQty": "1", "executedQty": "0"}, "BTC/USDT")


def test_a_conditional_order_takes_the_fate_of_the_order_that_it_triggered(recorded):
    row = recorded("futures__http__open_algo_orders")[0] | {
        "algoStatus": "FINISHED",
        "actualOrderId": "12345678",
    }
    order = reports.order_report(
        recorded("futures__http__order_response")
        | {"status": "CANCELED", "executedQty": "0.0004", "cumQuote": "18"},
        PERP,
    )
    report = joined(reports.algo_report(row, PERP), order)
    assert (report.status, report.filled_quantity, report.cost) == (
        OrderStatus.CANCELED,
        Decimal("0.0004"),
        18,
    )
    assert (report.book, report.exchange_order_id) == (Book.CONDITIONAL, "123456789")


@given(st.decimals(min_value=0, max_value=10**12, places=8, allow_nan=False))
def test_every_quantity_and_price_survives_to_the_last_digit(value):
    row = {
        "orderId": 1, "clientOrderId": "a", "transactTime": 1, "origQty": f"{value:.8f}",
        "executedQty": f"{value:.8f}", "cummulativeQuoteQty": f"{value:.8f}", "status": "FILLED", "type": "MARKET",
        "side": "BUY", "fills": [{"price": f"{value:.8f}", "qty": f"{value:.8f}", "tradeId": 1}],
    }  # fmt: skip
    order = reports.order_report(row, "BTC/USDT")
    (fill,) = reports.fills_of_answer(row, "BTC/USDT")
    assert order.quantity == order.filled_quantity == order.cost == fill.price == fill.quantity == value
    assert Decimal(to_text(order.quantity)) == value
