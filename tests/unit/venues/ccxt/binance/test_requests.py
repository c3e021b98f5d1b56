from decimal import Decimal

import pytest

from fillbook.accounts.core import PositionSide
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderType, TimeInForce
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance import requests

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def order(symbol=SPOT, order_type=OrderType.LIMIT, **changes):
    terms = {"quantity": Decimal("0.00001000"), "side": Side.BUY}
    if order_type.has_price:
        terms["price"] = Decimal("30000.10")
    if order_type.has_stop_price:
        terms["stop_price"] = Decimal("29000")
    return OrderRequest(client_order_id="fbmine", symbol=symbol, order_type=order_type, **(terms | changes))


@pytest.mark.parametrize("symbol", [SPOT, PERP])
def test_a_market_order_never_carries_a_price(symbol):
    _, params = requests.place(order(symbol, OrderType.MARKET, price=Decimal(30000)), "BTCUSDT")
    assert params["type"] == "MARKET"
    assert not {"price", "quoteOrderQty", "timeInForce"} & params.keys()


@pytest.mark.parametrize("symbol", [SPOT, PERP])
@pytest.mark.parametrize("order_type", list(OrderType))
def test_the_client_order_id_is_always_ours(symbol, order_type):
    _, params = requests.place(order(symbol, order_type), "BTCUSDT")
    assert "fbmine" in (params.get("newClientOrderId"), params.get("clientAlgoId"))


def test_quantities_and_prices_are_plain_exact_text():
    _, params = requests.place(order(), "BTCUSDT")
    assert (params["quantity"], params["price"], params["timeInForce"]) == ("0.00001", "30000.1", "GTC")


def test_spot_knows_no_reduce_only_and_no_position_side():
    _, params = requests.place(order(reduce_only=True, position_side=PositionSide.LONG), "BTCUSDT")
    assert not {"reduceOnly", "positionSide"} & params.keys()


def test_reduce_only_is_sent_in_one_way_mode_and_the_leg_in_hedge_mode():
    _, one_way = requests.place(order(PERP, reduce_only=True), "BTCUSDT")
    _, hedge = requests.place(order(PERP, reduce_only=True, position_side=PositionSide.LONG), "BTCUSDT")
    assert one_way["reduceOnly"] == "true"
    assert "positionSide" not in one_way
    assert hedge["positionSide"] == "LONG"
    assert "reduceOnly" not in hedge


@pytest.mark.parametrize(
    ("symbol", "tif", "venue_type", "venue_tif"),
    [
        (SPOT, TimeInForce.POST_ONLY, "LIMIT_MAKER", None),
        (SPOT, TimeInForce.IOC, "LIMIT", "IOC"),
        (SPOT, TimeInForce.FOK, "LIMIT", "FOK"),
        (PERP, TimeInForce.POST_ONLY, "LIMIT", "GTX"),
        (PERP, TimeInForce.IOC, "LIMIT", "IOC"),
        (PERP, None, "LIMIT", "GTC"),
    ],
)
def test_times_in_force_in_the_venues_words(symbol, tif, venue_type, venue_tif):
    _, params = requests.place(order(symbol, time_in_force=tif), "BTCUSDT")
    assert (params["type"], params.get("timeInForce")) == (venue_type, venue_tif)


@pytest.mark.parametrize(
    ("order_type", "spot_type", "futures_type"),
    [
        (OrderType.STOP_MARKET, "STOP_LOSS", "STOP_MARKET"),
        (OrderType.STOP_LIMIT, "STOP_LOSS_LIMIT", "STOP"),
        (OrderType.TAKE_PROFIT_MARKET, "TAKE_PROFIT", "TAKE_PROFIT_MARKET"),
        (OrderType.TAKE_PROFIT_LIMIT, "TAKE_PROFIT_LIMIT", "TAKE_PROFIT"),
    ],
)
def test_conditional_orders_go_to_the_book_of_their_market(order_type, spot_type, futures_type):
    spot, params = requests.place(order(SPOT, order_type), "BTCUSDT")
    assert (spot, params["type"], params["stopPrice"]) == (at.SPOT_PLACE, spot_type, "29000")
    futures, params = requests.place(order(PERP, order_type), "BTCUSDT")
    assert (futures, params["type"], params["triggerPrice"]) == (at.ALGO_PLACE, futures_type, "29000")
    assert (params["algoType"], params["clientAlgoId"]) == ("CONDITIONAL", "fbmine")


@pytest.mark.parametrize(
    ("order_type", "missing"), [(OrderType.LIMIT, "price"), (OrderType.STOP_MARKET, "stop_price")]
)
def test_an_order_without_its_price_is_refused_before_it_is_sent(order_type, missing):
    with pytest.raises(ValueError, match="needs a"):
        requests.place(order(PERP, order_type, **{missing: None}), "BTCUSDT")


@pytest.mark.parametrize(
    ("symbol", "book", "exchange_id", "expected"),
    [
        (SPOT, Book.NORMAL, "7", {"symbol": "BTCUSDT", "orderId": "7"}),
        (SPOT, Book.CONDITIONAL, None, {"symbol": "BTCUSDT", "origClientOrderId": "fbmine"}),
        (PERP, Book.NORMAL, None, {"symbol": "BTCUSDT", "origClientOrderId": "fbmine"}),
        (PERP, Book.CONDITIONAL, "7", {"algoId": "7"}),
        (PERP, Book.CONDITIONAL, None, {"clientAlgoId": "fbmine"}),
    ],
)
def test_an_order_is_named_by_the_venues_id_first_in_its_own_book(symbol, book, exchange_id, expected):
    assert requests.name(OrderRef(symbol, "fbmine", exchange_id, book), "BTCUSDT") == expected


def test_amending_replaces_on_spot_and_changes_in_place_on_futures():
    ref = OrderRef(SPOT, "fbold", "7", Book.NORMAL)
    endpoint, params = requests.amend(ref, order(), "BTCUSDT")
    assert endpoint is at.SPOT_REPLACE
    assert (params["cancelOrderId"], params["newClientOrderId"]) == ("7", "fbmine")
    endpoint, params = requests.amend(OrderRef(PERP, "fbold", None, Book.NORMAL), order(PERP), "BTCUSDT")
    assert endpoint is at.FUTURES_AMEND
    assert (params["origClientOrderId"], params["quantity"], params["side"]) == ("fbold", "0.00001", "BUY")


def test_a_conditional_futures_order_cannot_be_amended():
    with pytest.raises(ValueError, match="cancel it"):
        requests.amend(OrderRef(PERP, "fbold", "7", Book.CONDITIONAL), order(PERP), "BTCUSDT")
