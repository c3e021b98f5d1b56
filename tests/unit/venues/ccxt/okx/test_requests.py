from decimal import Decimal

import pytest

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.market.core import InexactQuantity, Side
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderType, TimeInForce
from fillbook.venues.ccxt.okx import endpoints as at
from fillbook.venues.ccxt.okx import requests

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
CROSS = MarginMode.CROSS


def order(symbol=SPOT, order_type=OrderType.LIMIT, **changes):
    terms = {"quantity": Decimal("0.0100"), "side": Side.BUY}
    if order_type.has_price:
        terms["price"] = Decimal("30000.10")
    if order_type.has_stop_price:
        terms["stop_price"] = Decimal("29000")
    return OrderRequest(client_order_id="fbmine", symbol=symbol, order_type=order_type, **(terms | changes))


@pytest.fixture
def placed(listing):
    def place(request, mode=CROSS):
        return requests.place(request, listing(request.symbol), mode)[1]

    return place


def test_a_swap_is_ordered_in_contracts_and_spot_in_base_units(placed):
    assert placed(order(PERP))["sz"] == "1"
    assert placed(order(PERP, quantity=Decimal("0.0005")))["sz"] == "0.05"
    assert placed(order(SPOT))["sz"] == "0.01"


@pytest.mark.parametrize("quantity", ["0.00005", "0.01234567"])
def test_what_is_no_whole_number_of_lots_is_refused_never_rounded(placed, quantity):
    with pytest.raises(InexactQuantity):
        placed(order(PERP, quantity=Decimal(quantity)))


def test_a_spot_market_buy_is_by_base_quantity_and_never_on_credit(placed):
    params = placed(order(SPOT, OrderType.MARKET))
    assert (params["tgtCcy"], params["tdMode"], params["ordType"]) == ("base_ccy", "cash", "market")
    assert "px" not in params


@pytest.mark.parametrize("mode", list(MarginMode))
def test_a_swap_order_names_its_margin_mode(placed, mode):
    params = placed(order(PERP), mode)
    assert params["tdMode"] == mode.value
    assert "tgtCcy" not in params


@pytest.mark.parametrize("symbol", [SPOT, PERP])
@pytest.mark.parametrize("order_type", list(OrderType))
def test_the_client_order_id_is_always_ours_under_both_names_of_a_conditional_order(
    placed, symbol, order_type
):
    params = placed(order(symbol, order_type))
    assert params["clOrdId"] == "fbmine"
    assert params.get("algoClOrdId") == ("fbmine" if order_type.has_stop_price else None)


@pytest.mark.parametrize(
    ("in_force", "word"),
    [
        (None, "limit"),
        (TimeInForce.GTC, "limit"),
        (TimeInForce.IOC, "ioc"),
        (TimeInForce.FOK, "fok"),
        (TimeInForce.POST_ONLY, "post_only"),
    ],
)
def test_times_in_force_are_order_types(placed, in_force, word):
    assert placed(order(time_in_force=in_force))["ordType"] == word


def test_reduce_only_is_sent_in_one_way_mode_and_the_leg_in_hedge_mode(placed):
    one_way = placed(order(PERP, reduce_only=True))
    hedge = placed(order(PERP, reduce_only=True, position_side=PositionSide.LONG))
    assert one_way["reduceOnly"] is True
    assert "posSide" not in one_way
    assert hedge["posSide"] == "long"
    assert "reduceOnly" not in hedge


def test_spot_knows_no_reduce_only_and_no_leg(placed):
    params = placed(order(SPOT, reduce_only=True, position_side=PositionSide.LONG))
    assert not {"reduceOnly", "posSide"} & params.keys()


@pytest.mark.parametrize(
    ("order_type", "prefix", "price"),
    [
        (OrderType.STOP_MARKET, "sl", "-1"),
        (OrderType.STOP_LIMIT, "sl", "30000.1"),
        (OrderType.TAKE_PROFIT_MARKET, "tp", "-1"),
        (OrderType.TAKE_PROFIT_LIMIT, "tp", "30000.1"),
    ],
)
@pytest.mark.parametrize("symbol", [SPOT, PERP])
def test_a_conditional_order_says_whether_it_stops_a_loss_or_takes_a_profit(
    listing, symbol, order_type, prefix, price
):
    endpoint, params = requests.place(order(symbol, order_type), listing(symbol), CROSS)
    assert endpoint is at.ALGO_PLACE
    assert (params["ordType"], params[f"{prefix}TriggerPx"], params[f"{prefix}OrdPx"]) == (
        "conditional",
        "29000",
        price,
    )
    assert params[f"{prefix}TriggerPxType"] == "last"
    assert "px" not in params


@pytest.mark.parametrize("in_force", [TimeInForce.IOC, TimeInForce.FOK, TimeInForce.POST_ONLY])
def test_a_conditional_order_with_a_time_in_force_is_refused(placed, in_force):
    with pytest.raises(ValueError, match="conditional"):
        placed(order(PERP, OrderType.STOP_LIMIT, time_in_force=in_force))


@pytest.mark.parametrize("order_type", [OrderType.LIMIT, OrderType.STOP_LIMIT])
def test_an_order_without_the_price_that_it_needs_is_refused(placed, order_type):
    with pytest.raises(ValueError, match="price"):
        placed(order(PERP, order_type, price=None))


@pytest.mark.parametrize(
    ("book", "exchange_id", "named"),
    [
        (Book.NORMAL, "7", {"ordId": "7"}),
        (Book.NORMAL, None, {"clOrdId": "fbmine"}),
        (Book.CONDITIONAL, "7", {"algoId": "7"}),
        (Book.CONDITIONAL, None, {"algoClOrdId": "fbmine"}),
    ],
)
def test_an_order_is_named_by_the_venues_id_where_it_is_known(book, exchange_id, named):
    ref = OrderRef(PERP, "fbmine", exchange_id, book)
    assert requests.name(ref, "BTC-USDT-SWAP") == {"instId": "BTC-USDT-SWAP"} | named


def test_an_amendment_names_the_whole_quantity_in_contracts(listing):
    ref = OrderRef(PERP, "fbmine", "7", Book.NORMAL)
    params = requests.amend(ref, order(PERP, quantity=Decimal("0.02")), listing(PERP))
    assert params == {"instId": "BTC-USDT-SWAP", "ordId": "7", "newSz": "2", "newPx": "30000.1"}


@pytest.mark.parametrize(
    ("book", "order_type"),
    [
        (Book.CONDITIONAL, OrderType.LIMIT),
        (Book.NORMAL, OrderType.STOP_LIMIT),
        (Book.NORMAL, OrderType.MARKET),
    ],
)
def test_only_a_limit_order_can_be_amended(listing, book, order_type):
    with pytest.raises(ValueError, match="limit order"):
        requests.amend(OrderRef(PERP, "fbmine", "7", book), order(PERP, order_type), listing(PERP))
