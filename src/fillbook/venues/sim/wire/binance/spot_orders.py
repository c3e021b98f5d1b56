"""Binance spot orders: `/api/v3/order`, open and past orders, own trades, cancel and replace."""

from typing import Any

from fillbook.kernel.money import ZERO
from fillbook.ledger.core.fill import Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderType, TimeInForce
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder, Refused, SimFill, SimOrder
from fillbook.venues.sim.wire.binance.context import Context, Route, Routes, translated
from fillbook.venues.sim.wire.binance.errors import CANCEL_REJECTED, UNKNOWN_ORDER, BinanceError, missing
from fillbook.venues.sim.wire.binance.text import (
    SPOT_TYPES,
    Params,
    amount,
    client_id,
    integer,
    required,
    required_amount,
    side_name,
    status_name,
    time_in_force,
    time_in_force_name,
    type_name,
)
from fillbook.venues.sim.wire.binance.windows import order_window, page_of_fills, trade_window
from fillbook.venues.sim.wire.numbers import fixed

_SPOT = MarketType.SPOT
_DAY_MS = 86_400_000


def new_order_of(context: Context, params: Params) -> tuple[Market, NewOrder]:
    market = context.market_of(_SPOT, params)
    side = required(params, "side")
    type_text = required(params, "type")
    if side not in ("BUY", "SELL"):
        raise BinanceError(-1117, "Invalid side.")
    if type_text not in SPOT_TYPES:
        raise BinanceError(-1116, "Invalid orderType.")
    if "reduceOnly" in params:
        raise BinanceError(
            -1104, "Not all sent parameters were read; read '9' parameter(s) but was sent '10'."
        )
    order_type = SPOT_TYPES[type_text]
    quote_quantity = amount(params, "quoteOrderQty") if order_type is OrderType.MARKET else None
    if quote_quantity is None:
        quantity = required_amount(params, "quantity")
    else:
        quantity = ZERO
        if "quantity" in params:
            raise BinanceError(-1128, "Combination of optional parameters invalid.")
    in_force = TimeInForce.GTC
    if type_text == "LIMIT_MAKER":
        in_force = TimeInForce.POST_ONLY
    elif order_type.has_price:
        in_force = time_in_force(params)
    return market, NewOrder(
        symbol=market.symbol,
        side=Side.BUY if side == "BUY" else Side.SELL,
        order_type=order_type,
        quantity=quantity,
        price=required_amount(params, "price") if order_type.has_price else None,
        stop_price=required_amount(params, "stopPrice") if order_type.has_stop_price else None,
        time_in_force=in_force,
        client_order_id=client_id(params, "newClientOrderId"),
        quote_quantity=quote_quantity,
    )


def place(context: Context, account: Account, params: Params) -> Any:
    market, new = new_order_of(context, params)
    try:
        order = context.exchange.place(account, new)
    except Refused as refused:
        raise translated(refused, market) from refused
    return placed_row(context, order, params.get("newOrderRespType") or _default_response(order))


def _default_response(order: SimOrder) -> str:
    return "FULL" if order.order_type in (OrderType.MARKET, OrderType.LIMIT) else "ACK"


def test_place(context: Context, account: Account, params: Params) -> Any:
    new_order_of(context, params)
    return {}


def placed_row(context: Context, order: SimOrder, response_type: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "symbol": context.wire_ids[order.symbol],
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_ms,
    }
    if response_type == "ACK":
        return row
    row |= _amounts(order)
    row["workingTime"] = order.working_ms or -1
    row["selfTradePreventionMode"] = "NONE"
    if response_type == "FULL":
        row["fills"] = [
            {
                "price": fixed(fill.price),
                "qty": fixed(fill.quantity),
                "commission": fixed(fill.fee),
                "commissionAsset": fill.fee_asset,
                "tradeId": fill.trade_id,
            }
            for fill in order.fills
        ]
    return row


def _amounts(order: SimOrder) -> dict[str, Any]:
    row: dict[str, Any] = {
        "price": fixed(order.price),
        "origQty": fixed(order.quantity),
        "executedQty": fixed(order.filled),
        "origQuoteOrderQty": fixed(order.quote_quantity),
        "cummulativeQuoteQty": fixed(order.cost),
        "status": status_name(order.status),
        "timeInForce": time_in_force_name(order),
        "type": type_name(order),
        "side": side_name(order),
    }
    if order.stop_price is not None:
        row["stopPrice"] = fixed(order.stop_price)
    return row


def order_row(context: Context, order: SimOrder) -> dict[str, Any]:
    row = {
        "symbol": context.wire_ids[order.symbol],
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
    } | _amounts(order)
    row |= {
        "stopPrice": fixed(order.stop_price),
        "icebergQty": fixed(None),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.is_working,
        "workingTime": order.working_ms or -1,
        "selfTradePreventionMode": "NONE",
    }
    return row


def canceled_row(context: Context, order: SimOrder) -> dict[str, Any]:
    return {
        "symbol": context.wire_ids[order.symbol],
        "origClientOrderId": order.client_order_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.cancel_id,
        "transactTime": order.updated_ms,
        **_amounts(order),
        "selfTradePreventionMode": "NONE",
    }


def find(context: Context, account: Account, params: Params) -> SimOrder:
    market = context.market_of(_SPOT, params)
    order_id, original_id = integer(params, "orderId"), params.get("origClientOrderId")
    if order_id is None and not original_id:
        raise BinanceError(
            -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        )
    try:
        return context.exchange.find(
            account, market.symbol, Book.NORMAL, order_id=order_id, client_order_id=original_id
        )
    except Refused as refused:
        raise translated(refused, market) from refused


def fetch(context: Context, account: Account, params: Params) -> Any:
    order = find(context, account, params)
    if not context.is_visible(order):
        raise BinanceError(*UNKNOWN_ORDER)
    return order_row(context, order)


def cancel(context: Context, account: Account, params: Params) -> Any:
    try:
        own_id = cancel_id(context, params)
        order = context.exchange.cancel(account, find(context, account, params), own_id)
    except Refused as refused:
        raise BinanceError(*CANCEL_REJECTED) from refused
    except BinanceError as error:
        if error.code != UNKNOWN_ORDER[0]:
            raise
        raise BinanceError(*CANCEL_REJECTED) from error
    return canceled_row(context, order)


def cancel_id(context: Context, params: Params) -> str:
    return client_id(params, "newClientOrderId") or f"cancel{context.exchange.next_order_id()}"


def cancel_open(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(_SPOT, params)
    own_id = cancel_id(context, params)
    canceled = context.exchange.cancel_all(account, market.symbol, Book.NORMAL, own_id)
    if not canceled:
        raise BinanceError(*CANCEL_REJECTED)
    return [canceled_row(context, order) for order in canceled]


def open_orders(context: Context, account: Account, params: Params) -> Any:
    market = context.optional_market(_SPOT, params)
    return [
        order_row(context, order)
        for order in account.open_orders.values()
        if order.market_type is _SPOT
        and (market is None or order.symbol == market.symbol)
        and context.is_visible(order)
    ]


def all_orders(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(_SPOT, params)
    orders = [
        order
        for order in account.orders.values()
        if order.symbol == market.symbol and context.is_visible(order)
    ]
    return [order_row(context, order) for order in order_window(orders, params, _DAY_MS)]


def my_trades(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(_SPOT, params)
    if "fromId" in params and ("startTime" in params or "endTime" in params):
        raise BinanceError(-1128, "Combination of optional parameters invalid.")
    trade_window(params, _DAY_MS)
    fills = [fill for fill in account.fills if fill.symbol == market.symbol]
    return [trade_row(context, fill) for fill in page_of_fills(fills, params)]


def trade_row(context: Context, fill: SimFill) -> dict[str, Any]:
    return {
        "symbol": context.wire_ids[fill.symbol],
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "quoteQty": fixed(fill.price * fill.quantity),
        "commission": fixed(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.at_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.liquidity is Liquidity.MAKER,
        "isBestMatch": True,
    }


def cancel_replace(context: Context, account: Account, params: Params) -> Any:
    """Cancel, then place; a failure names both fates in `data`."""
    mode = required(params, "cancelReplaceMode")
    if "cancelOrderId" not in params and "cancelOrigClientOrderId" not in params:
        raise missing("cancelOrderId")
    lookup = {
        "symbol": required(params, "symbol"),
        "orderId": params.get("cancelOrderId", ""),
        "origClientOrderId": params.get("cancelOrigClientOrderId", ""),
        "newClientOrderId": params.get("cancelNewClientOrderId", ""),
    }
    answer: dict[str, Any] = {
        "cancelResult": "SUCCESS",
        "newOrderResult": "NOT_ATTEMPTED",
        "cancelResponse": None,
        "newOrderResponse": None,
    }
    try:
        answer["cancelResponse"] = cancel(context, account, lookup)
    except BinanceError as error:
        answer["cancelResult"] = "FAILURE"
        answer["cancelResponse"] = {"code": error.code, "msg": error.message}
        if mode == "STOP_ON_FAILURE":
            raise ReplaceFailed(-2022, "Order cancel-replace failed.", 400, answer) from error
    try:
        answer["newOrderResponse"] = place(context, account, params)
        answer["newOrderResult"] = "SUCCESS"
    except BinanceError as error:
        answer["newOrderResult"] = "FAILURE"
        answer["newOrderResponse"] = {"code": error.code, "msg": error.message}
    if "FAILURE" in (answer["cancelResult"], answer["newOrderResult"]):
        both = answer["cancelResult"] == answer["newOrderResult"]
        code, status = (-2022, 400) if both else (-2021, 409)
        text = "Order cancel-replace failed." if both else "Order cancel-replace partially failed."
        raise ReplaceFailed(code, text, status, answer)
    return answer


class ReplaceFailed(BinanceError):
    def __init__(self, code: int, message: str, status: int, parts: dict[str, Any]) -> None:
        super().__init__(code, message, status)
        self.data = parts


ROUTES: Routes = {
    ("POST", "/api/v3/order"): Route(place),
    ("POST", "/api/v3/order/test"): Route(test_place),
    ("GET", "/api/v3/order"): Route(fetch, weight=4),
    ("DELETE", "/api/v3/order"): Route(cancel),
    ("POST", "/api/v3/order/cancelReplace"): Route(cancel_replace),
    ("GET", "/api/v3/openOrders"): Route(open_orders, weight=6, weight_of_all=80),
    ("DELETE", "/api/v3/openOrders"): Route(cancel_open),
    ("GET", "/api/v3/allOrders"): Route(all_orders, weight=20),
    ("GET", "/api/v3/myTrades"): Route(my_trades, weight=20),
}
