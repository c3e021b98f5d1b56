"""Our orders in Bybit's parameters. Pure: what goes on the wire, before timestamp and signature.

A spot market order is always by base quantity and never on credit; the client order id is always ours.
"""

from typing import Any

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import to_text
from fillbook.market.core import MarketType, Side, market_type_of
from fillbook.orders.core.order import OrderRef, OrderRequest, TimeInForce
from fillbook.venues.ccxt.bybit.words import CATEGORIES, LEG_NUMBERS, VENUE_TIMES_IN_FORCE

Params = dict[str, Any]

SPOT_FILTERS = ("Order", "StopOrder", "tpslOrder")
"""Spot sorts live orders by kind, and a request names one. A stop is an ordinary order once it has triggered."""


def place(request: OrderRequest, venue_id: str) -> Params:
    """A new order. Raises `ValueError` for a request that Bybit has no words for."""
    if request.order_type.has_price and request.price is None:
        raise ValueError(f"a {request.order_type} order needs a price")
    if request.order_type.has_stop_price and request.stop_price is None:
        raise ValueError(f"a {request.order_type} order needs a stop price")
    is_spot = market_type_of(request.symbol) is MarketType.SPOT
    params: Params = {
        **subject(request.symbol, venue_id),
        "side": request.side.value.capitalize(),
        "orderType": "Limit" if request.order_type.has_price else "Market",
        "qty": to_text(request.quantity),
        "orderLinkId": request.client_order_id,
    }
    if request.order_type.has_price and request.price is not None:
        params["price"] = to_text(request.price)
        params["timeInForce"] = VENUE_TIMES_IN_FORCE[request.time_in_force or TimeInForce.GTC]
    if request.order_type.has_stop_price and request.stop_price is not None:
        params["triggerPrice"] = to_text(request.stop_price)
    if is_spot:
        return params | _of_spot(request)
    return params | _of_linear(request)


def _of_spot(request: OrderRequest) -> Params:
    """Whether a stop that buys at market heeds the unit of its quantity, or takes it for a cost, is not certain
    [?]: ten times too much would be bought of what costs a tenth."""
    params: Params = {"isLeverage": 0}
    if request.order_type.has_stop_price:
        if not request.order_type.has_price and request.side is Side.BUY:
            raise ValueError(
                "Bybit spot has no stop that surely buys a quantity at market: use a stop-limit order"
            )
        return params | {"orderFilter": "StopOrder"}
    if not request.order_type.has_price:
        params["marketUnit"] = "baseCoin"
    return params


def _of_linear(request: OrderRequest) -> Params:
    params: Params = {"positionIdx": LEG_NUMBERS[request.position_side]}
    if request.order_type.has_stop_price:
        params["triggerDirection"] = 1 if request.trigger_rises else 2
        params["triggerBy"] = "LastPrice"
    # In hedge mode the leg says it all.
    if request.reduce_only and request.position_side is PositionSide.NET:
        params["reduceOnly"] = True
    return params


def amend(ref: OrderRef, request: OrderRequest, venue_id: str) -> Params:
    """New price and quantity of a resting limit order. The quantity is the whole order's, what has filled included:
    Bybit refuses one that is no more than that (110064)."""
    if request.order_type.has_stop_price or request.price is None:
        raise ValueError("only a limit order can be amended: cancel it and place another")
    return name(ref, venue_id) | {"qty": to_text(request.quantity), "price": to_text(request.price)}


def name(ref: OrderRef, venue_id: str) -> Params:
    """How an order is named on the wire: by the venue's id where it is known, else by ours."""
    params = subject(ref.symbol, venue_id)
    if ref.exchange_order_id is not None:
        return params | {"orderId": ref.exchange_order_id}
    return params | {"orderLinkId": ref.client_order_id}


def subject(symbol: str, venue_id: str) -> Params:
    return {"category": CATEGORIES[market_type_of(symbol)], "symbol": venue_id}
