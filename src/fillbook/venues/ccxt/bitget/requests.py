"""Our orders in Bitget's parameters. Pure: what goes on the wire, before headers and signature.

All numbers are text. A spot market buy has no quantity at Bitget, only a cost: `spot_market_buy` says what is
sent instead. A stop is a `normal_plan` of exactly our quantity, never a stop of the whole position.
"""

from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.kernel.money import ceil_to, exact, to_text
from fillbook.market.core import Instrument, MarketType, Side, market_type_of
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderType, TimeInForce
from fillbook.venues.ccxt.bitget import endpoints as at
from fillbook.venues.ccxt.bitget.words import FORCE_WORDS, MARGIN_WORDS, position_word, trade_word
from fillbook.venues.ccxt.calls import Endpoint

Params = dict[str, Any]

MARKET_BUY_ABOVE = Decimal("1.01")
"""How far above the best ask a spot market buy may pay."""


def check(request: OrderRequest) -> None:
    """Raises `ValueError` for a request that Bitget has no exact words for."""
    if request.order_type.has_price and request.price is None:
        raise ValueError(f"a {request.order_type} order needs a price")
    if not request.order_type.has_stop_price:
        return
    if request.stop_price is None:
        raise ValueError(f"a {request.order_type} order needs a stop price")
    if request.time_in_force not in (None, TimeInForce.GTC):
        raise ValueError(
            "on Bitget a conditional order rests until it is cancelled: leave its time in force out"
        )
    is_spot = market_type_of(request.symbol) is MarketType.SPOT
    if is_spot and request.side is Side.BUY and not request.order_type.has_price:
        raise ValueError(
            "on Bitget a spot stop cannot buy at market by base quantity: give it a limit price (stop limit)"
        )


def is_spot_market_buy(request: OrderRequest) -> bool:
    is_spot = market_type_of(request.symbol) is MarketType.SPOT
    return is_spot and request.side is Side.BUY and request.order_type is OrderType.MARKET


@exact
def spot_market_buy(
    request: OrderRequest, venue_id: str, instrument: Instrument, ask: Decimal
) -> tuple[Endpoint, Params]:
    """The same quantity as a limit order that takes at once, up to a bounded price, and never rests."""
    limit = ceil_to(ask * MARKET_BUY_ABOVE, instrument.tick)
    return at.SPOT_PLACE, {
        "symbol": venue_id,
        "side": "buy",
        "orderType": "limit",
        "force": "ioc",
        "price": to_text(limit),
        "size": to_text(request.quantity),
        "clientOid": request.client_order_id,
    }


def place(request: OrderRequest, venue_id: str, margin_mode: MarginMode | None) -> tuple[Endpoint, Params]:
    """Endpoint and parameters of a checked order; futures name their symbol's margin mode."""
    params: Params = {
        "symbol": venue_id,
        "side": position_word(request.side, request.position_side),
        "orderType": "limit" if request.order_type.has_price else "market",
        "size": to_text(request.quantity),
        "clientOid": request.client_order_id,
    }
    is_plan = request.order_type.has_stop_price
    if request.stop_price is not None and is_plan:
        params |= {"triggerPrice": to_text(request.stop_price), "triggerType": "fill_price"}
    elif request.order_type.has_price:
        params["force"] = FORCE_WORDS[request.time_in_force or TimeInForce.GTC]
    if market_type_of(request.symbol) is MarketType.SPOT:
        if request.price is not None and request.order_type.has_price:
            params["executePrice" if is_plan else "price"] = to_text(request.price)
        return (at.SPOT_PLACE_PLAN, params | {"planType": "amount"}) if is_plan else (at.SPOT_PLACE, params)
    if request.price is not None and request.order_type.has_price:
        params["price"] = to_text(request.price)
    params |= _futures_terms(request, margin_mode)
    return (at.MIX_PLACE_PLAN, params | {"planType": "normal_plan"}) if is_plan else (at.MIX_PLACE, params)


def _futures_terms(request: OrderRequest, margin_mode: MarginMode | None) -> Params:
    if margin_mode is None:
        raise ValueError("a futures order needs its symbol's margin mode")
    terms: Params = {
        "productType": at.PRODUCT_TYPE,
        "marginCoin": request.symbol.rpartition(":")[2],
        "marginMode": MARGIN_WORDS[margin_mode],
    }
    if request.position_side is not PositionSide.NET:
        # The leg and what is done to it say it all; Bitget reads `reduceOnly` in one-way mode only.
        return terms | {"tradeSide": trade_word(request.side, request.position_side)}
    return terms | ({"reduceOnly": "YES"} if request.reduce_only else {})


def name(ref: OrderRef) -> Params:
    """How an order is named on the wire: by the venue's id where it is known, else by ours."""
    if ref.exchange_order_id is not None:
        return {"orderId": ref.exchange_order_id}
    return {"clientOid": ref.client_order_id}


def cancel(ref: OrderRef, venue_id: str) -> tuple[Endpoint, Params]:
    is_spot = market_type_of(ref.symbol) is MarketType.SPOT
    if ref.book is Book.NORMAL:
        if is_spot:
            return at.SPOT_CANCEL, {"symbol": venue_id, **name(ref)}
        return at.MIX_CANCEL, {"symbol": venue_id, "productType": at.PRODUCT_TYPE, **name(ref)}
    if is_spot:
        return at.SPOT_CANCEL_PLAN, name(ref)
    named = {"orderIdList": [name(ref)], "planType": "normal_plan"}
    return at.MIX_CANCEL_PLAN, {"symbol": venue_id, "productType": at.PRODUCT_TYPE, **named}


def cancel_all(symbol: str, venue_id: str, book: Book) -> tuple[Endpoint, Params]:
    if market_type_of(symbol) is MarketType.SPOT:
        if book is Book.NORMAL:
            return at.SPOT_CANCEL_ALL, {"symbol": venue_id}
        return at.SPOT_CANCEL_ALL_PLANS, {"symbolList": [venue_id]}
    params = {"symbol": venue_id, "productType": at.PRODUCT_TYPE}
    if book is Book.NORMAL:
        return at.MIX_CANCEL_ALL, params
    return at.MIX_CANCEL_PLAN, params | {"planType": "normal_plan"}
