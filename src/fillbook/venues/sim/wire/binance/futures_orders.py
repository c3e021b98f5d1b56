"""Binance USD-M orders: `/fapi/v1/order`, batches, amendment, history and own trades."""

from typing import Any

from fillbook.kernel.money import ZERO, divide
from fillbook.ledger.core.fill import Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderType, TimeInForce
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder, Refused, SimFill, SimOrder, TriggerPrice
from fillbook.venues.sim.wire.binance.context import Context, Route, Routes, translated
from fillbook.venues.sim.wire.binance.errors import CANCEL_REJECTED, UNKNOWN_ORDER, BinanceError, missing
from fillbook.venues.sim.wire.binance.text import (
    FUTURES_TYPES,
    POSITION_SIDES,
    Params,
    amount,
    client_id,
    flag,
    integer,
    json_list,
    leg_name,
    required,
    required_amount,
    side_name,
    status_name,
    time_in_force,
    time_in_force_name,
    type_name,
)
from fillbook.venues.sim.wire.binance.windows import order_window, page_of_fills, trade_window
from fillbook.venues.sim.wire.numbers import fixed, places_of

FUTURES = MarketType.FUTURES
_WEEK_MS = 7 * 86_400_000
MAX_BATCH = 5
CANCELED_ALL = {"code": 200, "msg": "The operation of cancel all open order is done."}


def new_order_of(context: Context, params: Params, book: Book) -> tuple[Market, NewOrder]:
    """An order from its parameters; a conditional one names its trigger price and client id differently."""
    market = context.market_of(FUTURES, params)
    side, type_text = required(params, "side"), required(params, "type")
    if side not in ("BUY", "SELL"):
        raise BinanceError(-1117, "Invalid side.")
    if type_text not in FUTURES_TYPES:
        raise BinanceError(-1116, "Invalid orderType.")
    order_type = FUTURES_TYPES[type_text]
    if order_type.has_stop_price is (book is Book.NORMAL):
        raise BinanceError(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        )
    leg = params.get("positionSide", "BOTH")
    if leg not in POSITION_SIDES:
        raise BinanceError(-1118, "Invalid positionSide.")
    closes = flag(params, "closePosition")
    in_force = TimeInForce.GTC
    if order_type.has_price and (book is Book.NORMAL or params.get("timeInForce")):
        in_force = time_in_force(params)
    is_conditional = book is Book.CONDITIONAL
    quantity = ZERO if closes else required_amount(params, "quantity")
    _check_precision(market, quantity)
    mark = params.get("workingType") == "MARK_PRICE"
    return market, NewOrder(
        symbol=market.symbol,
        side=Side.BUY if side == "BUY" else Side.SELL,
        order_type=order_type,
        quantity=quantity,
        price=required_amount(params, "price") if order_type.has_price else None,
        stop_price=required_amount(params, "triggerPrice") if is_conditional else None,
        time_in_force=in_force,
        client_order_id=client_id(params, "clientAlgoId" if is_conditional else "newClientOrderId"),
        reduce_only=flag(params, "reduceOnly"),
        close_position=closes,
        position_side=POSITION_SIDES[leg],
        book=book,
        trigger_on=TriggerPrice.MARK if mark else TriggerPrice.LAST,
    )


def _check_precision(market: Market, quantity: Any) -> None:
    if quantity % market.listing.instrument.lot:
        raise BinanceError(-1111, "Precision is over the maximum defined for this asset.")


def place(context: Context, account: Account, params: Params) -> Any:
    market, new = new_order_of(context, params, Book.NORMAL)
    try:
        order = context.exchange.place(account, new)
    except Refused as refused:
        raise translated(refused, market) from refused
    row = order_row(context, order)
    if params.get("newOrderRespType", "ACK") != "RESULT":
        row |= {"status": "NEW", "executedQty": fixed(ZERO, places_of(market.listing.instrument.lot))}
        row |= {"avgPrice": "0.00", "cumQuote": "0.00"}
    return row


def test_place(context: Context, account: Account, params: Params) -> Any:
    new_order_of(context, params, Book.NORMAL)
    return {}


def order_row(context: Context, order: SimOrder) -> dict[str, Any]:
    instrument = context.exchange.markets[order.symbol].listing.instrument
    price_places, quantity_places = places_of(instrument.tick), places_of(instrument.lot)
    average = divide(order.cost, order.filled) if order.filled else ZERO
    return {
        "orderId": order.order_id,
        "symbol": context.wire_ids[order.symbol],
        "status": status_name(order.status),
        "clientOrderId": order.client_order_id,
        "price": fixed(order.price, price_places),
        "avgPrice": fixed(average, max(price_places, 5)),
        "origQty": fixed(order.quantity, quantity_places),
        "executedQty": fixed(order.filled, quantity_places),
        "cumQty": fixed(order.filled, quantity_places),
        "cumQuote": fixed(order.cost, 5),
        "timeInForce": time_in_force_name(order),
        "type": type_name(order),
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": side_name(order),
        "positionSide": leg_name(order.position_side),
        "stopPrice": fixed(order.stop_price, price_places),
        "workingType": "MARK_PRICE" if order.trigger_on is TriggerPrice.MARK else "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": type_name(order),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def find(context: Context, account: Account, params: Params) -> tuple[Market, SimOrder]:
    market = context.market_of(FUTURES, params)
    order_id, original_id = integer(params, "orderId"), params.get("origClientOrderId")
    if order_id is None and not original_id:
        raise missing("orderId")
    try:
        return market, context.exchange.find(
            account, market.symbol, Book.NORMAL, order_id=order_id, client_order_id=original_id
        )
    except Refused as refused:
        raise translated(refused, market) from refused


def fetch(context: Context, account: Account, params: Params) -> Any:
    _, order = find(context, account, params)
    if not context.is_visible(order):
        raise BinanceError(*UNKNOWN_ORDER)
    return order_row(context, order)


def fetch_open(context: Context, account: Account, params: Params) -> Any:
    _, order = find(context, account, params)
    if not order.is_open or not context.is_visible(order):
        raise BinanceError(*UNKNOWN_ORDER)
    return order_row(context, order)


def cancel(context: Context, account: Account, params: Params) -> Any:
    try:
        order = context.exchange.cancel(account, find(context, account, params)[1])
    except Refused as refused:
        raise BinanceError(*CANCEL_REJECTED) from refused
    except BinanceError as error:
        if error.code != UNKNOWN_ORDER[0]:
            raise
        raise BinanceError(*CANCEL_REJECTED) from error
    return order_row(context, order)


def cancel_open(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(FUTURES, params)
    context.exchange.cancel_all(account, market.symbol, Book.NORMAL)
    return CANCELED_ALL


def amend(context: Context, account: Account, params: Params) -> Any:
    market, order = find(context, account, params)
    quantity, price = amount(params, "quantity"), amount(params, "price")
    if quantity is None or price is None:
        raise missing("quantity" if quantity is None else "price")
    if required(params, "side") != side_name(order):
        raise BinanceError(-1117, "Invalid side.")
    if order.order_type is not OrderType.LIMIT:
        raise BinanceError(-4192, "Only limit order is supported.")
    try:
        context.exchange.amend(account, order, quantity, price)
    except Refused as refused:
        raise translated(refused, market) from refused
    return order_row(context, order)


def place_batch(context: Context, account: Account, params: Params) -> Any:
    return [_each(place, context, account, row) for row in _rows(params)]


def amend_batch(context: Context, account: Account, params: Params) -> Any:
    return [_each(amend, context, account, row) for row in _rows(params)]


def _each(act: Any, context: Context, account: Account, row: Params) -> Any:
    try:
        return act(context, account, row)
    except BinanceError as error:
        return {"code": error.code, "msg": error.message}


def _rows(params: Params) -> list[Params]:
    rows = json_list(required(params, "batchOrders"), "batchOrders")
    if not rows or len(rows) > MAX_BATCH or not all(isinstance(row, dict) for row in rows):
        raise BinanceError(-4082, "Invalid number of batch place orders.")
    return [
        {key: _word(value) for key, value in row.items()} | {"newOrderRespType": "RESULT"} for row in rows
    ]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def cancel_batch(context: Context, account: Account, params: Params) -> Any:
    symbol = required(params, "symbol")
    lists = {key.lower(): value for key, value in params.items()}
    name, field = "orderidlist", "orderId"
    if name not in lists:
        name, field = "origclientorderidlist", "origClientOrderId"
    if name not in lists:
        raise missing("orderIdList")
    wanted = json_list(lists[name], name)
    if not wanted or len(wanted) > 10:
        raise BinanceError(-4082, "Invalid number of batch place orders.")
    return [_each(cancel, context, account, {"symbol": symbol, field: str(one)}) for one in wanted]


def open_orders(context: Context, account: Account, params: Params) -> Any:
    market = context.optional_market(FUTURES, params)
    return [
        order_row(context, order)
        for order in account.open_orders.values()
        if order.market_type is FUTURES
        and order.book is Book.NORMAL
        and (market is None or order.symbol == market.symbol)
        and context.is_visible(order)
    ]


def all_orders(context: Context, account: Account, params: Params) -> Any:
    market = context.optional_market(FUTURES, params)
    orders = [
        order
        for order in account.orders.values()
        if order.market_type is FUTURES
        and order.book is Book.NORMAL
        and (market is None or order.symbol == market.symbol)
        and context.is_visible(order)
    ]
    return [order_row(context, order) for order in order_window(orders, params, _WEEK_MS)]


def user_trades(context: Context, account: Account, params: Params) -> Any:
    """Trades of one symbol or of all; a window is at most 7 days, and the latest 7 days without one."""
    market = context.optional_market(FUTURES, params)
    if "fromId" in params and ("startTime" in params or "endTime" in params):
        raise BinanceError(-1128, "Combination of optional parameters invalid.")
    trade_window(params, _WEEK_MS)
    fills = [
        fill
        for fill in account.fills
        if (fill.symbol == market.symbol if market is not None else ":" in fill.symbol)
    ]
    return [trade_row(context, fill) for fill in page_of_fills(fills, params, _WEEK_MS, context.now_ms())]


def trade_row(context: Context, fill: SimFill) -> dict[str, Any]:
    instrument = context.exchange.markets[fill.symbol].listing.instrument
    return {
        "symbol": context.wire_ids[fill.symbol],
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side.value.upper(),
        "price": fixed(fill.price, places_of(instrument.tick)),
        "qty": fixed(fill.quantity, places_of(instrument.lot)),
        "realizedPnl": fixed(fill.realized_pnl),
        "quoteQty": fixed(fill.price * fill.quantity, 5),
        "commission": fixed(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.at_ms,
        "positionSide": leg_name(fill.position_side),
        "maker": fill.liquidity is Liquidity.MAKER,
        "buyer": fill.side is Side.BUY,
    }


ROUTES: Routes = {
    ("POST", "/fapi/v1/order"): Route(place),
    ("POST", "/fapi/v1/order/test"): Route(test_place),
    ("PUT", "/fapi/v1/order"): Route(amend),
    ("GET", "/fapi/v1/order"): Route(fetch),
    ("DELETE", "/fapi/v1/order"): Route(cancel),
    ("GET", "/fapi/v1/openOrder"): Route(fetch_open),
    ("POST", "/fapi/v1/batchOrders"): Route(place_batch, weight=5),
    ("PUT", "/fapi/v1/batchOrders"): Route(amend_batch, weight=5),
    ("DELETE", "/fapi/v1/batchOrders"): Route(cancel_batch),
    ("DELETE", "/fapi/v1/allOpenOrders"): Route(cancel_open),
    ("GET", "/fapi/v1/openOrders"): Route(open_orders, weight=1, weight_of_all=40),
    ("GET", "/fapi/v1/allOrders"): Route(all_orders, weight=5),
    ("GET", "/fapi/v1/userTrades"): Route(user_trades, weight=5),
}
