"""OKX's rows as reports: base units, charges above zero, ids of orders and never of what placed them."""

from decimal import Decimal

import pytest

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.kernel.clock import from_ms
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce
from fillbook.venues.ccxt.okx import reports
from fillbook.venues.ccxt.values import UNREADABLE

SPOT, PERP, ETH = "BTC/USDT", "BTC/USDT:USDT", "ETH/USDT:USDT"


@pytest.fixture
def instrument(listing):
    return lambda symbol: listing(symbol).instrument


def order(**changes):
    row = {
        "instId": "BTC-USDT-SWAP", "instType": "SWAP", "ordId": "7", "clOrdId": "fbmine", "algoId": "",
        "algoClOrdId": "", "ordType": "limit", "side": "buy", "posSide": "net", "px": "50000", "sz": "3",
        "accFillSz": "0", "avgPx": "", "state": "live", "reduceOnly": "false", "category": "normal",
        "cancelSource": "", "tgtCcy": "", "cTime": "1000", "uTime": "2000",
    }  # fmt: skip
    return row | changes


def test_contracts_are_base_units(instrument):
    report = reports.order_report(order(accFillSz="1", state="partially_filled"), instrument(PERP))
    assert (report.quantity, report.filled_quantity) == (Decimal("0.03"), Decimal("0.01"))
    assert (report.status, report.price, report.exchange_at) == (
        OrderStatus.PARTIALLY_FILLED,
        50_000,
        from_ms(2000),
    )


def test_a_recorded_past_order_is_read(recorded, instrument):
    row = recorded("http_get_orders_history")["data"][0]
    report = reports.order_report(row, instrument(PERP))
    assert (report.exchange_order_id, report.client_order_id) == ("2497956918703120384", None)
    assert (report.status, report.order_type, report.position_side) == (
        OrderStatus.FILLED,
        OrderType.MARKET,
        PositionSide.LONG,
    )
    assert (report.quantity, report.filled_quantity) == (Decimal("0.0003"), Decimal("0.0003"))


def test_a_recorded_waiting_order_is_read(recorded, instrument):
    report = reports.order_report(recorded("http_get_orders_pending")["data"][0], instrument(PERP))
    assert (report.client_order_id, report.status) == ("client-order-1", OrderStatus.NEW)
    assert (report.time_in_force, report.price) == (TimeInForce.GTC, 103_500)


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("", OrderStatus.CANCELED),
        ("1", OrderStatus.CANCELED),
        ("20", OrderStatus.CANCELED),
        ("13", OrderStatus.EXPIRED),
        ("14", OrderStatus.EXPIRED),
        ("31", OrderStatus.EXPIRED),
        ("32", OrderStatus.EXPIRED),
    ],
)
def test_who_ended_an_order_decides_between_canceled_and_expired(instrument, source, status):
    row = order(state="canceled", cancelSource=source)
    assert reports.order_report(row, instrument(PERP)).status is status


@pytest.mark.parametrize(
    ("filled", "status"),
    [("0", OrderStatus.NEW), ("1", OrderStatus.PARTIALLY_FILLED), ("3", OrderStatus.FILLED)],
)
def test_a_state_that_nobody_knows_follows_its_quantities(instrument, filled, status):
    row = order(state="something_new", accFillSz=filled)
    assert reports.order_report(row, instrument(PERP)).status is status


def test_an_order_by_cost_is_as_large_as_it_has_filled(instrument):
    row = order(ordType="market", px="", sz="6000", tgtCcy="quote_ccy", accFillSz="0.09999", state="filled")
    assert reports.order_report(row, instrument(SPOT)).quantity == Decimal("0.09999")


def test_the_rounded_average_states_no_cost(instrument):
    row = order(accFillSz="3", avgPx="50000.3333", state="filled")
    assert reports.order_report(row, instrument(PERP)).cost is None
    assert reports.order_report(order(), instrument(PERP)).cost == 0


def test_what_a_condition_placed_has_its_own_id_and_the_conditions_name(instrument):
    row = order(algoId="900", algoClOrdId="fbstop", clOrdId="900_0", ordType="market", px="")
    report = reports.order_report(row, instrument(PERP))
    assert (report.exchange_order_id, report.client_order_id) == ("7", "fbstop")


def test_okxs_own_names_are_nobodys(instrument):
    assert reports.order_report(order(clOrdId="900_0"), instrument(PERP)).client_order_id is None
    assert reports.order_report(order(clOrdId=""), instrument(PERP)).client_order_id is None


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("normal", FillKind.TRADE),
        ("full_liquidation", FillKind.LIQUIDATION),
        ("partial_liquidation", FillKind.LIQUIDATION),
        ("adl", FillKind.ADL),
        ("delivery", FillKind.SETTLEMENT),
        ("twap", FillKind.TRADE),
    ],
)
def test_the_category_says_what_an_orders_fills_are(instrument, category, kind):
    assert reports.order_report(order(category=category), instrument(PERP)).fills_kind is kind


@pytest.mark.parametrize("name", ["accFillSz", "sz", "state", "ordId", "side", "uTime"])
def test_an_order_without_a_field_that_it_must_have_cannot_be_read(instrument, name):
    row = order()
    del row[name]
    with pytest.raises(UNREADABLE):
        reports.order_report(row, instrument(PERP))


def algo(**changes):
    row = {
        "algoId": "900", "algoClOrdId": "fbstop", "clOrdId": "", "ordId": "", "instId": "BTC-USDT-SWAP",
        "instType": "SWAP", "ordType": "conditional", "state": "live", "side": "sell", "posSide": "net", "sz": "3",
        "slTriggerPx": "49000", "slOrdPx": "-1", "tpTriggerPx": "", "tpOrdPx": "", "triggerPx": "", "ordPx": "",
        "reduceOnly": "true", "triggerTime": "", "cTime": "1000", "uTime": "2000",
    }  # fmt: skip
    return row | changes


TAKES = {"slTriggerPx": "", "slOrdPx": "", "tpTriggerPx": "51000"}
PLAIN = {"slTriggerPx": "", "slOrdPx": "", "ordType": "trigger", "triggerPx": "49000"}


@pytest.mark.parametrize(
    ("changes", "order_type", "price", "trigger"),
    [
        ({}, OrderType.STOP_MARKET, None, 49_000),
        ({"slOrdPx": "48900"}, OrderType.STOP_LIMIT, 48_900, 49_000),
        (TAKES | {"tpOrdPx": "-1"}, OrderType.TAKE_PROFIT_MARKET, None, 51_000),
        (TAKES | {"tpOrdPx": "51100"}, OrderType.TAKE_PROFIT_LIMIT, 51_100, 51_000),
        (PLAIN | {"ordPx": "-1"}, OrderType.STOP_MARKET, None, 49_000),
        (PLAIN | {"ordPx": "48000"}, OrderType.STOP_LIMIT, 48_000, 49_000),
        ({"ordType": "oco", "tpTriggerPx": "51000", "tpOrdPx": "-1"}, OrderType.STOP_MARKET, None, 49_000),
    ],
)
def test_a_conditional_order_is_a_stop_unless_it_takes_a_profit_by_name(
    instrument, changes, order_type, price, trigger
):
    report = reports.algo_report(algo(**changes), instrument(PERP))
    assert (report.order_type, report.price, report.stop_price) == (order_type, price, trigger)
    assert (report.book, report.client_order_id, report.reduce_only) == (Book.CONDITIONAL, "fbstop", True)


def test_a_triggered_order_lives_on_in_what_it_placed(instrument):
    for state in ("effective", "order_placed", "filled"):
        row = algo(state=state, ordId="7", triggerTime="1500")
        report = reports.algo_report(row, instrument(PERP))
        assert (report.status, report.triggered_order_id) == (OrderStatus.NEW, "7")
    several = algo(state="effective", ordId="7", ordIdList=["7", "8"])
    assert reports.algo_report(several, instrument(PERP)).triggered_order_id == "8"


def test_a_condition_whose_order_was_refused_is_rejected(instrument):
    assert reports.algo_report(algo(state="order_failed"), instrument(PERP)).status is OrderStatus.REJECTED


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("http_get_orders_algo_pending", PERP),
        ("http_get_orders_algo_history", ETH),
        ("http_get_orders_algo_pending_attached_oco", ETH),
    ],
)
def test_recorded_conditional_orders_are_read(recorded, instrument, name, symbol):
    row = recorded(name)["data"][0]
    report = reports.algo_report(row, instrument(symbol))
    assert report.exchange_order_id == row["algoId"]
    assert report.stop_price > 0
    assert report.triggered_order_id == (row["ordId"] or None)


def fill(**changes):
    row = {
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "tradeId": "55", "ordId": "7", "clOrdId": "fbmine",
        "billId": "1", "subType": "1", "fillPx": "50000", "fillSz": "3", "side": "buy", "posSide": "net",
        "execType": "T", "feeCcy": "USDT", "fee": "-0.75", "ts": "3000", "fillTime": "2999", "fillPnl": "1.5",
    }  # fmt: skip
    return row | changes


@pytest.mark.parametrize(("fee", "charge"), [("-0.75", "0.75"), ("0.1", "-0.1"), ("", "0"), ("0", "0")])
def test_a_fee_below_zero_is_a_charge_and_above_a_rebate(instrument, fee, charge):
    assert reports.fill_report(fill(fee=fee), instrument(PERP)).fee == Decimal(charge)


def test_a_fill_is_in_base_units_at_its_own_time(instrument):
    report = reports.fill_report(fill(execType="M"), instrument(PERP))
    assert (report.quantity, report.liquidity, report.exchange_at) == (
        Decimal("0.03"),
        Liquidity.MAKER,
        from_ms(2999),
    )
    assert report.venue_realized_pnl == Decimal("1.5")
    assert reports.fill_report(fill(fillTime=""), instrument(PERP)).exchange_at == from_ms(3000)


@pytest.mark.parametrize(
    ("sub_type", "kind"),
    [
        ("1", FillKind.TRADE),
        ("5", FillKind.TRADE),
        ("100", FillKind.LIQUIDATION),
        ("107", FillKind.LIQUIDATION),
        ("125", FillKind.ADL),
        ("112", FillKind.SETTLEMENT),
        ("", FillKind.TRADE),
    ],
)
def test_the_kind_of_bill_says_what_forced_a_fill(instrument, sub_type, kind):
    assert reports.fill_report(fill(subType=sub_type), instrument(PERP)).kind is kind


def test_a_fill_without_an_id_gets_one_of_its_order(instrument):
    for missing in ("", "0"):
        report = reports.fill_report(fill(tradeId=missing), instrument(PERP))
        assert report.venue_fill_id == "7-0.03"


def test_recorded_fills_are_read(recorded, instrument):
    for name in ("http_transaction_detail", "http_transaction_detail_empty_fee"):
        report = reports.fill_report(recorded(name), instrument(SPOT))
        assert (report.venue_fill_id, report.quantity) == ("123456789", Decimal("0.001"))


@pytest.mark.parametrize(
    ("detail", "free", "locked"),
    [
        ({"cashBal": "100", "availBal": "60", "availEq": "60"}, "60", "40"),
        ({"cashBal": "100", "availBal": "60", "availEq": ""}, "60", "40"),
        # Unrealised profit may be used, but is not ours yet.
        ({"cashBal": "100", "availBal": "120", "availEq": "120"}, "100", "0"),
        ({"cashBal": "100"}, "0", "100"),
    ],
)
def test_the_wallet_counts_no_unrealised_profit(detail, free, locked):
    for market_type in MarketType:
        report = reports.balance_report({"ccy": "USDT", **detail}, market_type, from_ms(1))
        assert (report.free, report.locked, report.total) == (Decimal(free), Decimal(locked), 100)


def test_recorded_balances_are_read(recorded):
    detail = recorded("http_get_account_balance")["data"][0]["details"][0]
    report = reports.balance_report(detail, MarketType.FUTURES, from_ms(1))
    assert report.free == report.total == Decimal("94.42612990333333")


@pytest.mark.parametrize(
    ("leg", "size", "quantity"),
    [
        ("net", "3", "0.03"),
        ("net", "-3", "-0.03"),
        ("long", "3", "0.03"),
        ("short", "3", "-0.03"),
        ("short", "-3", "-0.03"),
        ("net", "0", "0"),
    ],
)
def test_a_position_is_signed_by_its_leg_or_in_net_mode_by_itself(instrument, leg, size, quantity):
    row = {
        "posSide": leg,
        "pos": size,
        "avgPx": "",
        "upl": "",
        "mgnMode": "isolated",
        "lever": "5",
        "uTime": "1",
    }
    report = reports.position_report(row, instrument(PERP))
    assert (report.quantity, report.margin_mode, report.leverage) == (
        Decimal(quantity),
        MarginMode.ISOLATED,
        5,
    )


@pytest.mark.parametrize(
    ("sizes", "prices", "quantity", "entry"),
    [(("1", "3"), ("100", "200"), "0.04", "175"), (("3", "-1"), ("100", "200"), "0.02", "0")],
)
def test_positions_of_both_margin_modes_are_one_leg(instrument, sizes, prices, quantity, entry):
    rows = [
        {
            "posSide": "net",
            "pos": size,
            "avgPx": price,
            "upl": "1",
            "mgnMode": mode,
            "lever": "5",
            "uTime": "1",
        }
        for size, price, mode in zip(sizes, prices, ("cross", "isolated"), strict=True)
    ]
    (report,) = reports.one_per_leg([reports.position_report(row, instrument(PERP)) for row in rows])
    assert (report.quantity, report.entry_price, report.unrealized_pnl) == (
        Decimal(quantity),
        Decimal(entry),
        2,
    )
    assert (report.margin_mode, report.leverage) == (None, None)


def test_legs_and_symbols_stay_apart(instrument):
    rows = [
        {"posSide": leg, "pos": "1", "avgPx": "1", "upl": "0", "mgnMode": "cross", "lever": "5", "uTime": "1"}
        for leg in ("long", "short")
    ]
    found = [reports.position_report(row, instrument(symbol)) for row in rows for symbol in (PERP, ETH)]
    assert len(reports.one_per_leg(found)) == 4


def test_a_recorded_position_is_read(recorded, instrument):
    report = reports.position_report(recorded("http_get_positions")["data"][0], instrument(PERP))
    assert (report.quantity, report.entry_price, report.liquidation_price) == (
        Decimal("0.005"),
        10_000,
        9_000,
    )


def test_a_recorded_ticker_is_a_price(recorded):
    price = reports.price_report(recorded("ws_tickers")["data"][0], SPOT)
    assert (price.last, price.bid, price.ask) == (Decimal("9999.99"), Decimal("8888.88"), Decimal("9999.99"))


def test_sides_are_theirs(instrument):
    assert reports.order_report(order(side="sell"), instrument(PERP)).side is Side.SELL
