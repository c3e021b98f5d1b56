"""Our orders in Binance's parameters. Pure: what goes on the wire, before timestamp and signature.

A market order never carries a price (on spot it would become a quote quantity); the client order id is always
ours (ccxt would add a broker's); spot has neither reduce-only nor position sides.
"""

from typing import Any

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import to_text
from fillbook.market.core import MarketType, market_type_of
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, TimeInForce
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.words import VENUE_ORDER_TYPES
from fillbook.venues.ccxt.calls import Endpoint

Params = dict[str, Any]


def is_algo(request: OrderRequest) -> bool:
    """Whether the order goes to the futures book of conditional orders."""
    return market_type_of(request.symbol) is MarketType.FUTURES and request.order_type.has_stop_price


def in_algo_book(symbol: str, book: Book) -> bool:
    """Spot keeps its stops among the ordinary orders, whatever the ref says."""
    return book is Book.CONDITIONAL and market_type_of(symbol) is MarketType.FUTURES


def place(request: OrderRequest, venue_id: str) -> tuple[Endpoint, Params]:
    """Endpoint and parameters of a new order. Raises `ValueError` for a request that Binance has no words for."""
    if request.order_type.has_price and request.price is None:
        raise ValueError(f"a {request.order_type} order needs a price")
    if request.order_type.has_stop_price and request.stop_price is None:
        raise ValueError(f"a {request.order_type} order needs a stop price")
    if market_type_of(request.symbol) is MarketType.SPOT:
        return at.SPOT_PLACE, _spot_order(request, venue_id)
    if request.order_type.has_stop_price:
        return at.ALGO_PLACE, _algo_order(request, venue_id)
    params = _common(request, venue_id, MarketType.FUTURES)
    params["newClientOrderId"] = request.client_order_id
    params["newOrderRespType"] = "RESULT"
    return at.FUTURES_PLACE, params


def amend(ref: OrderRef, request: OrderRequest, venue_id: str) -> tuple[Endpoint, Params]:
    """Spot replaces the order by a new one under the request's client id; futures changes it in place."""
    if in_algo_book(ref.symbol, ref.book) or is_algo(request):
        raise ValueError("a conditional futures order cannot be amended: cancel it and place another")
    if market_type_of(request.symbol) is MarketType.SPOT:
        params = _spot_order(request, venue_id)
        params["cancelReplaceMode"] = "STOP_ON_FAILURE"
        if ref.exchange_order_id is not None:
            params["cancelOrderId"] = ref.exchange_order_id
        else:
            params["cancelOrigClientOrderId"] = ref.client_order_id
        return at.SPOT_REPLACE, params
    if request.price is None:
        raise ValueError("only a limit order can be amended")
    params = {
        **name(ref, venue_id),
        "side": request.side.value.upper(),
        "quantity": to_text(request.quantity),
        "price": to_text(request.price),
    }
    return at.FUTURES_AMEND, params


def name(ref: OrderRef, venue_id: str) -> Params:
    """How an order is named on the wire: by the venue's id where it is known, else by ours."""
    if in_algo_book(ref.symbol, ref.book):
        if ref.exchange_order_id is not None:
            return {"algoId": ref.exchange_order_id}
        return {"clientAlgoId": ref.client_order_id}
    if ref.exchange_order_id is not None:
        return {"symbol": venue_id, "orderId": ref.exchange_order_id}
    return {"symbol": venue_id, "origClientOrderId": ref.client_order_id}


def _spot_order(request: OrderRequest, venue_id: str) -> Params:
    params = _common(request, venue_id, MarketType.SPOT)
    params["newClientOrderId"] = request.client_order_id
    params["newOrderRespType"] = "FULL"
    if request.stop_price is not None and request.order_type.has_stop_price:
        params["stopPrice"] = to_text(request.stop_price)
    if request.time_in_force is TimeInForce.POST_ONLY:
        if request.order_type.has_stop_price:
            raise ValueError("a spot stop order cannot be post only")
        params["type"] = "LIMIT_MAKER"
        del params["timeInForce"]
    return params


def _algo_order(request: OrderRequest, venue_id: str) -> Params:
    params = _common(request, venue_id, MarketType.FUTURES)
    params["algoType"] = "CONDITIONAL"
    params["clientAlgoId"] = request.client_order_id
    if request.stop_price is not None:
        params["triggerPrice"] = to_text(request.stop_price)
    return params


def _common(request: OrderRequest, venue_id: str, market_type: MarketType) -> Params:
    params: Params = {
        "symbol": venue_id,
        "side": request.side.value.upper(),
        "type": VENUE_ORDER_TYPES[market_type][request.order_type],
        "quantity": to_text(request.quantity),
    }
    if request.order_type.has_price and request.price is not None:
        params["price"] = to_text(request.price)
        post_only = request.time_in_force is TimeInForce.POST_ONLY
        params["timeInForce"] = "GTX" if post_only else (request.time_in_force or TimeInForce.GTC).value
    if market_type is MarketType.FUTURES:
        if request.position_side is not PositionSide.NET:
            # In hedge mode the leg says it all, and Binance refuses reduceOnly beside it.
            params["positionSide"] = request.position_side.value.upper()
        elif request.reduce_only:
            params["reduceOnly"] = "true"
    return params
