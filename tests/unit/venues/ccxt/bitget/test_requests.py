"""What goes on the wire for each kind of order, and what is not sent at all."""

from decimal import Decimal

import pytest

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.market.core import Instrument, MarketType, Side, VenueName
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderType, TimeInForce
from fillbook.venues.ccxt.bitget import endpoints as at
from fillbook.venues.ccxt.bitget import requests

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
CROSS = MarginMode.CROSS


def asked(symbol=PERP, order_type=OrderType.LIMIT, **changes):
    terms = {"price": Decimal("10.50")} if order_type.has_price else {}
    if order_type.has_stop_price:
        terms["stop_price"] = Decimal("11.0")
    side = changes.pop("side", Side.BUY)
    return OrderRequest("fb1", symbol, side, order_type, Decimal("0.020"), **terms | changes)


COMMON = {"symbol": "BTCUSDT", "side": "buy", "size": "0.02", "clientOid": "fb1"}
MIX = COMMON | {"productType": "USDT-FUTURES", "marginCoin": "USDT", "marginMode": "crossed"}
LIMIT = {"orderType": "limit", "price": "10.5", "force": "gtc"}
MARKET = {"orderType": "market"}
TRIGGER = {"triggerPrice": "11", "triggerType": "fill_price"}

BODIES = [
    (asked(SPOT), at.SPOT_PLACE, COMMON | LIMIT),
    (asked(SPOT, reduce_only=True), at.SPOT_PLACE, COMMON | LIMIT),
    (asked(SPOT, OrderType.MARKET, side=Side.SELL), at.SPOT_PLACE, COMMON | MARKET | {"side": "sell"}),
    (
        asked(SPOT, OrderType.STOP_LIMIT),
        at.SPOT_PLACE_PLAN,
        COMMON | TRIGGER | {"orderType": "limit", "executePrice": "10.5", "planType": "amount"},
    ),
    (
        asked(SPOT, OrderType.STOP_MARKET, side=Side.SELL),
        at.SPOT_PLACE_PLAN,
        COMMON | TRIGGER | MARKET | {"side": "sell", "planType": "amount"},
    ),
    (asked(), at.MIX_PLACE, MIX | LIMIT),
    (asked(order_type=OrderType.MARKET), at.MIX_PLACE, MIX | MARKET),
    (asked(order_type=OrderType.MARKET, price=Decimal(9)), at.MIX_PLACE, MIX | MARKET),
    (asked(time_in_force=TimeInForce.POST_ONLY), at.MIX_PLACE, MIX | LIMIT | {"force": "post_only"}),
    (asked(time_in_force=TimeInForce.FOK), at.MIX_PLACE, MIX | LIMIT | {"force": "fok"}),
    (asked(reduce_only=True), at.MIX_PLACE, MIX | LIMIT | {"reduceOnly": "YES"}),
    (
        asked(order_type=OrderType.STOP_MARKET, side=Side.SELL, reduce_only=True),
        at.MIX_PLACE_PLAN,
        MIX | TRIGGER | MARKET | {"side": "sell", "reduceOnly": "YES", "planType": "normal_plan"},
    ),
    (
        asked(order_type=OrderType.TAKE_PROFIT_LIMIT),
        at.MIX_PLACE_PLAN,
        MIX | TRIGGER | {"orderType": "limit", "price": "10.5", "planType": "normal_plan"},
    ),
]


@pytest.mark.parametrize(("request_", "endpoint", "body"), BODIES)
def test_an_order_in_the_venues_words(request_, endpoint, body):
    requests.check(request_)
    assert requests.place(request_, "BTCUSDT", CROSS) == (endpoint, body)


@pytest.mark.parametrize(
    ("side", "leg", "word", "trade"),
    [
        (Side.BUY, PositionSide.LONG, "buy", "open"),
        (Side.SELL, PositionSide.LONG, "buy", "close"),
        (Side.SELL, PositionSide.SHORT, "sell", "open"),
        (Side.BUY, PositionSide.SHORT, "sell", "close"),
    ],
)
@pytest.mark.parametrize("order_type", list(OrderType))
def test_in_hedge_mode_the_side_is_the_positions_and_reducing_is_closing(side, leg, word, trade, order_type):
    order = asked(order_type=order_type, side=side, position_side=leg, reduce_only=trade == "close")
    _, body = requests.place(order, "BTCUSDT", CROSS)
    assert (body["side"], body["tradeSide"]) == (word, trade)
    assert "reduceOnly" not in body


def test_a_futures_order_names_its_symbols_margin_mode_or_is_not_sent():
    assert requests.place(asked(), "BTCUSDT", MarginMode.ISOLATED)[1]["marginMode"] == "isolated"
    with pytest.raises(ValueError, match="margin mode"):
        requests.place(asked(), "BTCUSDT", None)


@pytest.mark.parametrize("order_type", [each for each in OrderType if each.has_stop_price])
def test_a_stop_is_of_exactly_our_quantity_and_never_of_a_whole_position(order_type):
    for symbol in (SPOT, PERP):
        order = asked(symbol, order_type, side=Side.SELL, reduce_only=symbol == PERP)
        endpoint, body = requests.place(order, "BTCUSDT", CROSS)
        assert endpoint in (at.SPOT_PLACE_PLAN, at.MIX_PLACE_PLAN)
        assert body["size"] == "0.02"
        assert body["planType"] == ("amount" if symbol == SPOT else "normal_plan")


@pytest.mark.parametrize(
    ("ask", "tick", "price"),
    [("100", "0.1", "101"), ("10.04", "0.1", "10.2"), ("0.00001234", "0.00000001", "0.00001247")],
)
def test_a_spot_market_buy_is_a_limit_order_that_never_rests_of_exactly_its_quantity(ask, tick, price):
    order = asked(SPOT, OrderType.MARKET)
    terms = ("BTC", "USDT", "USDT", Decimal(tick), Decimal("0.001"))
    instrument = Instrument(VenueName.BITGET, SPOT, MarketType.SPOT, *terms)
    endpoint, body = requests.spot_market_buy(order, "BTCUSDT", instrument, Decimal(ask))
    assert endpoint is at.SPOT_PLACE
    assert body == COMMON | {"orderType": "limit", "force": "ioc", "price": price}


def test_only_a_market_buy_on_spot_is_rewritten():
    assert requests.is_spot_market_buy(asked(SPOT, OrderType.MARKET))
    others = [
        asked(SPOT, OrderType.MARKET, side=Side.SELL),
        asked(PERP, OrderType.MARKET),
        asked(SPOT),
        asked(SPOT, OrderType.STOP_MARKET),
    ]
    assert not any(map(requests.is_spot_market_buy, others))


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (asked(price=None), "needs a price"),
        (asked(order_type=OrderType.STOP_LIMIT, price=None), "needs a price"),
        (asked(order_type=OrderType.STOP_MARKET, stop_price=None), "needs a stop price"),
        (asked(order_type=OrderType.STOP_LIMIT, time_in_force=TimeInForce.IOC), "leave its time in force"),
        (asked(SPOT, OrderType.STOP_MARKET), "give it a limit price"),
        (asked(SPOT, OrderType.TAKE_PROFIT_MARKET), "give it a limit price"),
    ],
)
def test_what_has_no_exact_words_is_not_sent(order, reason):
    with pytest.raises(ValueError, match=reason):
        requests.check(order)


IN_PLANS = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "planType": "normal_plan"}


@pytest.mark.parametrize(
    ("ref", "endpoint", "body"),
    [
        (OrderRef(SPOT, "fb1", "7", Book.NORMAL), at.SPOT_CANCEL, {"symbol": "BTCUSDT", "orderId": "7"}),
        (OrderRef(SPOT, "fb1", None, Book.CONDITIONAL), at.SPOT_CANCEL_PLAN, {"clientOid": "fb1"}),
        (
            OrderRef(PERP, "fb1", None, Book.NORMAL),
            at.MIX_CANCEL,
            {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "clientOid": "fb1"},
        ),
        (
            OrderRef(PERP, "fb1", "7", Book.CONDITIONAL),
            at.MIX_CANCEL_PLAN,
            IN_PLANS | {"orderIdList": [{"orderId": "7"}]},
        ),
    ],
)
def test_a_cancel_names_its_order_by_one_id_in_its_own_book(ref, endpoint, body):
    assert requests.cancel(ref, "BTCUSDT") == (endpoint, body)


def test_cancelling_all_stops_leaves_whole_position_ones_alone():
    assert requests.cancel_all(PERP, "BTCUSDT", Book.CONDITIONAL) == (at.MIX_CANCEL_PLAN, IN_PLANS)
    spot = requests.cancel_all(SPOT, "BTCUSDT", Book.CONDITIONAL)
    assert spot == (at.SPOT_CANCEL_ALL_PLANS, {"symbolList": ["BTCUSDT"]})
