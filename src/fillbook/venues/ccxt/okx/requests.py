"""Our orders in OKX's parameters. Pure: what goes on the wire, before timestamp and signature.

Sizes are contracts on swaps and base units on spot, where `tgtCcy` says so: without it a market buy would be by
cost. The margin mode belongs to each order; spot is never on credit. Client ids are always ours, under both names
of a conditional order, for one is looked up by the one and reported under the other.
"""

from typing import Any

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.kernel.money import to_text
from fillbook.market.core import Instrument, MarketType, to_contracts
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderType, TimeInForce
from fillbook.venues.ccxt.calls import Endpoint
from fillbook.venues.ccxt.okx import endpoints as at
from fillbook.venues.ccxt.okx.words import VENUE_ORDER_TYPES
from fillbook.venues.ccxt.site import Listing

Params = dict[str, Any]
_AT_MARKET = "-1"
_STOPS = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT})


def place(request: OrderRequest, listing: Listing, mode: MarginMode) -> tuple[Endpoint, Params]:
    """Endpoint and parameters of a new order.

    Raises `ValueError` for a request that OKX has no words for, `InexactQuantity` for one that is no whole lots.
    """
    if request.order_type.has_price and request.price is None:
        raise ValueError(f"a {request.order_type} order needs a price")
    params = _common(request, listing, mode)
    if request.order_type.has_stop_price:
        return at.ALGO_PLACE, params | _trigger(request)
    if request.order_type is OrderType.MARKET or request.price is None:
        return at.PLACE, params | {"ordType": "market"}
    order_type = VENUE_ORDER_TYPES[request.time_in_force or TimeInForce.GTC]
    return at.PLACE, params | {"ordType": order_type, "px": to_text(request.price)}


def _common(request: OrderRequest, listing: Listing, mode: MarginMode) -> Params:
    instrument = listing.instrument
    params: Params = {
        "instId": listing.venue_id,
        "side": request.side.value,
        "sz": size_of(instrument, request),
        "clOrdId": request.client_order_id,
    }
    if instrument.market_type is MarketType.SPOT:
        return params | {"tdMode": "cash", "tgtCcy": "base_ccy"}
    params["tdMode"] = mode.value
    if request.position_side is not PositionSide.NET:
        # In long-short mode the leg says it all.
        params["posSide"] = request.position_side.value
    elif request.reduce_only:
        params["reduceOnly"] = True
    return params


def _trigger(request: OrderRequest) -> Params:
    """As a stop-loss or take-profit by name: a plain trigger names no side from which the price must come, and
    would wait for the price to return where it is passed already. These are refused then."""
    if request.stop_price is None:
        raise ValueError(f"a {request.order_type} order needs a stop price")
    if request.time_in_force not in (None, TimeInForce.GTC):
        raise ValueError(f"a conditional order at OKX cannot be {request.time_in_force}")
    prefix = "sl" if request.order_type in _STOPS else "tp"
    price = (
        _AT_MARKET if not request.order_type.has_price or request.price is None else to_text(request.price)
    )
    return {
        "ordType": "conditional",
        "algoClOrdId": request.client_order_id,
        f"{prefix}TriggerPx": to_text(request.stop_price),
        f"{prefix}OrdPx": price,
        f"{prefix}TriggerPxType": "last",
    }


def amend(ref: OrderRef, request: OrderRequest, listing: Listing) -> Params:
    """New price and quantity of a resting limit order; the quantity is the whole order's, with what has filled.
    `ValueError` for one that is not."""
    if ref.book is Book.CONDITIONAL or request.order_type is not OrderType.LIMIT or request.price is None:
        raise ValueError("only a limit order can be amended: cancel it and place another")
    return name(ref, listing.venue_id) | {
        "newSz": size_of(listing.instrument, request),
        "newPx": to_text(request.price),
    }


def name(ref: OrderRef, venue_id: str) -> Params:
    """How an order is named on the wire: by the venue's id where it is known, else by ours."""
    ours, theirs = ("algoClOrdId", "algoId") if ref.book is Book.CONDITIONAL else ("clOrdId", "ordId")
    if ref.exchange_order_id is not None:
        return {"instId": venue_id, theirs: ref.exchange_order_id}
    return {"instId": venue_id, ours: ref.client_order_id}


def size_of(instrument: Instrument, request: OrderRequest) -> str:
    return to_text(to_contracts(instrument, request.quantity))
