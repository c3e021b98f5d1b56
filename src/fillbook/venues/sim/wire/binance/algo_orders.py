"""Binance USD-M conditional orders: `/fapi/v1/algoOrder`. Their id is `algoId`; once triggered they name the
real order as `actualOrderId`, which carries the same client id."""

from typing import Any

from fillbook.orders.core.order import Book, OrderStatus
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import Refused, SimOrder, TriggerPrice
from fillbook.venues.sim.wire.binance.context import Context, Route, Routes, translated
from fillbook.venues.sim.wire.binance.errors import CANCEL_REJECTED, UNKNOWN_ORDER, BinanceError, missing
from fillbook.venues.sim.wire.binance.futures_orders import FUTURES, new_order_of
from fillbook.venues.sim.wire.binance.text import (
    Params,
    integer,
    leg_name,
    required,
    side_name,
    time_in_force_name,
    type_name,
)
from fillbook.venues.sim.wire.binance.windows import order_window
from fillbook.venues.sim.wire.numbers import fixed, places_of

_WEEK_MS = 7 * 86_400_000


def place(context: Context, account: Account, params: Params) -> Any:
    if required(params, "algoType") != "CONDITIONAL":
        raise BinanceError(-1130, "Data sent for parameter 'algoType' is not valid.")
    market, new = new_order_of(context, params, Book.CONDITIONAL)
    try:
        order = context.exchange.place(account, new)
    except Refused as refused:
        raise translated(refused, market) from refused
    return algo_row(context, order)


def algo_status(context: Context, order: SimOrder) -> str:
    if order.child_id is None:
        return order.status.value
    child = context.exchange.orders[order.child_id]
    return "TRIGGERED" if child.is_open else "FINISHED"


def algo_row(context: Context, order: SimOrder) -> dict[str, Any]:
    instrument = context.exchange.markets[order.symbol].listing.instrument
    places = places_of(instrument.tick)
    child = context.exchange.orders[order.child_id] if order.child_id is not None else None
    return {
        "algoId": order.order_id,
        "clientAlgoId": order.client_order_id,
        "algoType": "CONDITIONAL",
        "orderType": type_name(order),
        "symbol": context.wire_ids[order.symbol],
        "side": side_name(order),
        "positionSide": leg_name(order.position_side),
        "timeInForce": time_in_force_name(order),
        "quantity": fixed(order.quantity, places_of(instrument.lot)),
        "algoStatus": algo_status(context, order),
        "actualOrderId": str(order.child_id) if child is not None else "",
        "actualPrice": fixed(child.price, places) if child is not None else "0.00000",
        "triggerPrice": fixed(order.stop_price, places),
        "price": fixed(order.price, places),
        "icebergQuantity": None,
        "tpTriggerPrice": fixed(None, places),
        "tpPrice": fixed(None, places),
        "slTriggerPrice": fixed(None, places),
        "slPrice": fixed(None, places),
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": "MARK_PRICE" if order.trigger_on is TriggerPrice.MARK else "CONTRACT_PRICE",
        "priceMatch": "NONE",
        "closePosition": order.close_position,
        "priceProtect": False,
        "reduceOnly": order.reduce_only,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
        "goodTillDate": 0,
    }


def list_row(context: Context, order: SimOrder) -> dict[str, Any]:
    """A row of the lists, which also name the type as `type`."""
    row = algo_row(context, order)
    return row | {"type": row["orderType"]}


def find(context: Context, account: Account, params: Params) -> SimOrder:
    """By algoId or clientAlgoId; the symbol is not asked for."""
    algo_id, client_algo_id = integer(params, "algoId"), params.get("clientAlgoId", "")
    if algo_id is None and not client_algo_id:
        raise missing("algoId")
    order: SimOrder | None
    if algo_id is not None:
        order = account.orders.get(algo_id)
    else:
        names = ((market.symbol, Book.CONDITIONAL, client_algo_id) for market in context.markets(FUTURES))
        found = [account.by_client_id[name] for name in names if name in account.by_client_id]
        order = max(found, key=lambda one: one.order_id, default=None)
    if order is None or order.book is not Book.CONDITIONAL:
        raise BinanceError(*UNKNOWN_ORDER)
    return order


def fetch(context: Context, account: Account, params: Params) -> Any:
    order = find(context, account, params)
    if not context.is_visible(order):
        raise BinanceError(*UNKNOWN_ORDER)
    return algo_row(context, order)


def cancel(context: Context, account: Account, params: Params) -> Any:
    try:
        order = context.exchange.cancel(account, find(context, account, params))
    except (Refused, BinanceError) as error:
        if isinstance(error, BinanceError) and error.code != UNKNOWN_ORDER[0]:
            raise
        raise BinanceError(*CANCEL_REJECTED) from error
    return {
        "algoId": order.order_id,
        "clientAlgoId": order.client_order_id,
        "code": "200",
        "msg": "success",
    }


def cancel_open(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(FUTURES, params)
    context.exchange.cancel_all(account, market.symbol, Book.CONDITIONAL)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def _conditional(context: Context, account: Account, params: Params) -> list[SimOrder]:
    market = context.optional_market(FUTURES, params)
    return [
        order
        for order in account.orders.values()
        if order.book is Book.CONDITIONAL
        and (market is None or order.symbol == market.symbol)
        and context.is_visible(order)
    ]


def open_orders(context: Context, account: Account, params: Params) -> Any:
    orders = _conditional(context, account, params)
    return [list_row(context, order) for order in orders if order.status is OrderStatus.NEW]


def all_orders(context: Context, account: Account, params: Params) -> Any:
    orders = _conditional(context, account, params)
    renamed = params | ({"orderId": params["algoId"]} if "algoId" in params else {})
    return [list_row(context, order) for order in order_window(orders, renamed, _WEEK_MS)]


ROUTES: Routes = {
    ("POST", "/fapi/v1/algoOrder"): Route(place),
    ("GET", "/fapi/v1/algoOrder"): Route(fetch),
    ("DELETE", "/fapi/v1/algoOrder"): Route(cancel),
    ("GET", "/fapi/v1/openAlgoOrders"): Route(open_orders, weight=1, weight_of_all=40),
    ("GET", "/fapi/v1/allAlgoOrders"): Route(all_orders, weight=5),
    ("DELETE", "/fapi/v1/algoOpenOrders"): Route(cancel_open),
}
