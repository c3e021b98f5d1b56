"""Bybit orders: create, amend, cancel, alone and in batches; `realtime` and `history`.

An order keeps its id when its trigger fires. `realtime` shows live orders, and by id also the 500 latest ended
ones of each category; `history` shows ended ones, but those without a fill only for a day.
"""

from collections.abc import Callable
from typing import Any

import orjson

from fillbook.accounts.core import PositionMode, PositionSide
from fillbook.kernel.money import ZERO, divide
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderType, TimeInForce
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.modes import is_closing
from fillbook.venues.sim.core.vocabulary import NewOrder, Refusal, Refused, SimOrder, TriggerPrice
from fillbook.venues.sim.wire.bybit.context import Context, Route, Routes, page_of, window_of
from fillbook.venues.sim.wire.bybit.errors import BybitError, from_refusal, illegal
from fillbook.venues.sim.wire.bybit.text import (
    LEGS,
    SIDES,
    TIMES_IN_FORCE,
    Params,
    amount,
    cancel_type,
    create_type,
    flag,
    given_link_id,
    is_conditional,
    is_untriggered,
    leg_number,
    link_id,
    order_id_of,
    order_id_text,
    reject_reason,
    required,
    required_amount,
    side_name,
    status_name,
    time_name,
    trigger_direction,
    type_name,
)
from fillbook.venues.sim.wire.numbers import fixed, places_of, short
from fillbook.venues.sim.wire.requests import flat

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
MAX_BATCH = 10
CLOSED_KEPT = 500
UNFILLED_KEPT_MS = 86_400_000
ORDER_FILTERS = frozenset({"Order", "StopOrder", "tpslOrder"})


def new_order_of(context: Context, account: Account, params: Params) -> tuple[Market, NewOrder]:
    market = context.market_of(params)
    side_text, type_text = required(params, "side"), required(params, "orderType")
    if side_text not in SIDES:
        raise illegal("side")
    if type_text not in ("Market", "Limit"):
        raise illegal("orderType")
    side, is_limit = SIDES[side_text], type_text == "Limit"
    time_text = params.get("timeInForce") or "GTC"
    if time_text not in TIMES_IN_FORCE:
        raise illegal("timeInForce")
    stop_price = amount(params, "triggerPrice")
    is_spot = market.listing.market_type is SPOT
    if is_spot and stop_price is not None and params.get("orderFilter") not in ("StopOrder", "tpslOrder"):
        raise illegal("orderFilter")
    quantity, quote_quantity = required_amount(params, "qty"), None
    default_unit = "quoteCoin" if side is Side.BUY else "baseCoin"
    # A conditional order does not heed the unit.
    unit = params.get("marketUnit") if stop_price is None else None
    if is_spot and not is_limit and (unit or default_unit) == "quoteCoin":
        quantity, quote_quantity = ZERO, quantity
    leg, reduces = (PositionSide.NET, False) if is_spot else _leg_of(account, side, params)
    return market, NewOrder(
        symbol=market.symbol,
        side=side,
        order_type=_order_type(market, side, is_limit, params),
        quantity=quantity,
        price=required_amount(params, "price") if is_limit else None,
        stop_price=stop_price,
        time_in_force=TIMES_IN_FORCE[time_text] if is_limit else TimeInForce.GTC,
        client_order_id=given_link_id(params),
        quote_quantity=quote_quantity,
        reduce_only=reduces,
        position_side=leg,
        trigger_on=TriggerPrice.MARK if params.get("triggerBy") == "MarkPrice" else TriggerPrice.LAST,
    )


def _leg_of(account: Account, side: Side, params: Params) -> tuple[PositionSide, bool]:
    """The leg, and whether the order may only reduce a net position: in hedge mode the leg says it."""
    number = params.get("positionIdx") or "0"
    if number not in LEGS:
        raise illegal("positionIdx")
    leg, reduces = LEGS[number], flag(params, "reduceOnly")
    if account.position_mode is not PositionMode.HEDGE or not reduces:
        return leg, reduces
    if not is_closing(leg, side):
        raise from_refusal(Refusal.REDUCE_ONLY_IN_HEDGE_MODE, FUTURES)
    return leg, False


def _order_type(market: Market, side: Side, is_limit: bool, params: Params) -> OrderType:
    trigger = amount(params, "triggerPrice")
    if trigger is None:
        return OrderType.LIMIT if is_limit else OrderType.MARKET
    if market.listing.market_type is SPOT:
        rises = trigger > market.price
    else:
        direction = required(params, "triggerDirection")
        if direction not in ("1", "2"):
            raise illegal("triggerDirection")
        rises = direction == "1"
    if rises is (side is Side.BUY):
        return OrderType.STOP_LIMIT if is_limit else OrderType.STOP_MARKET
    return OrderType.TAKE_PROFIT_LIMIT if is_limit else OrderType.TAKE_PROFIT_MARKET


def create(context: Context, account: Account, params: Params) -> Any:
    market, new = new_order_of(context, account, params)
    market_type = market.listing.market_type
    if new.client_order_id is not None and _by_link_id(context, account, market_type, new.client_order_id):
        raise from_refusal(Refusal.DUPLICATE_CLIENT_ID, market_type)
    try:
        order = context.exchange.place(account, new)
    except Refused as refused:
        raise from_refusal(refused.reason, market_type) from refused
    return ids_of(order)


def ids_of(order: SimOrder) -> dict[str, str]:
    return {"orderId": order_id_text(order.order_id, order.market_type), "orderLinkId": link_id(order)}


def amend(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(params)
    market_type = market.listing.market_type
    order = _named(context, account, params)
    quantity, price = amount(params, "qty"), amount(params, "price")
    if is_conditional(order) or order.price is None:
        # Triggers are not amended here: the simulated exchange changes resting limit orders only.
        raise BybitError(10001, "params error: only a limit order can be amended")
    try:
        context.exchange.amend(account, order, quantity or order.quantity, price or order.price)
    except Refused as refused:
        raise from_refusal(refused.reason, market_type) from refused
    return ids_of(order)


def cancel(context: Context, account: Account, params: Params) -> Any:
    market_type = context.market_of(params).listing.market_type
    order = _named(context, account, params)
    if (
        market_type is SPOT
        and order.is_open
        and order_filter(order) != (params.get("orderFilter") or "Order")
    ):
        raise from_refusal(Refusal.UNKNOWN_ORDER, SPOT)
    try:
        context.exchange.cancel(account, order)
    except Refused as refused:
        raise from_refusal(refused.reason, market_type) from refused
    return ids_of(order)


def order_filter(order: SimOrder) -> str:
    """The kind that spot sorts an order under: a stop is one until its trigger has fired."""
    return "StopOrder" if is_untriggered(order) else "Order"


def cancel_all(context: Context, account: Account, params: Params) -> Any:
    markets = {market.symbol for market in context.markets_of(params)}
    market_type = context.category(params)
    default = "Order" if market_type is SPOT else None
    wanted = params.get("orderFilter") or default
    canceled = []
    for order in list(account.open_orders.values()):
        if order.symbol in markets and wanted in (None, order_filter(order)):
            canceled.append(ids_of(context.exchange.cancel(account, order)))
    return {"list": canceled, "success": "1"}


def create_batch(context: Context, account: Account, params: Params) -> Any:
    return _batch(create, context, account, params)


def amend_batch(context: Context, account: Account, params: Params) -> Any:
    return _batch(amend, context, account, params)


def cancel_batch(context: Context, account: Account, params: Params) -> Any:
    return _batch(cancel, context, account, params)


class Batch(dict[str, Any]):
    """The `result` of a batch, with what becomes its `retExtInfo`."""

    def __init__(self, rows: list[dict[str, Any]], fates: list[dict[str, Any]]) -> None:
        super().__init__(list=rows)
        self.fates = {"list": fates}


def _batch(
    act: Callable[[Context, Account, Params], Any], context: Context, account: Account, params: Params
) -> Batch:
    requests = orjson.loads(required(params, "request"))
    if not isinstance(requests, list) or not 0 < len(requests) <= MAX_BATCH:
        raise illegal("request")
    rows, fates = [], []
    for request in requests:
        own = flat(request) | {"category": required(params, "category")}
        row = {"category": own["category"], "symbol": own.get("symbol", "")}
        row |= {"orderId": "", "orderLinkId": own.get("orderLinkId", ""), "createAt": str(context.now_ms())}
        try:
            row |= act(context, account, own)
            fates.append({"code": 0, "msg": "OK"})
        except BybitError as error:
            fates.append({"code": error.code, "msg": error.message})
        rows.append(row)
    return Batch(rows, fates)


def _by_link_id(
    context: Context, account: Account, market_type: MarketType, client_id: str
) -> SimOrder | None:
    found = [
        order
        for market in context.markets(market_type)
        if (order := account.by_client_id.get((market.symbol, Book.NORMAL, client_id))) is not None
    ]
    return max(found, key=lambda order: order.order_id, default=None)


def _by_name(context: Context, account: Account, market_type: MarketType, params: Params) -> SimOrder | None:
    """The order that is named, if an id or a link id is given at all."""
    if params.get("orderId"):
        order = account.orders.get(order_id_of(params["orderId"]))
    else:
        order = _by_link_id(context, account, market_type, params["orderLinkId"])
    return order if order is not None and order.market_type is market_type else None


def _named(context: Context, account: Account, params: Params) -> SimOrder:
    market = context.market_of(params)
    market_type = market.listing.market_type
    if not params.get("orderId") and not params.get("orderLinkId"):
        raise BybitError(10001, "params error: orderId or orderLinkId is required")
    order = _by_name(context, account, market_type, params)
    if order is None or order.symbol != market.symbol:
        raise from_refusal(Refusal.UNKNOWN_ORDER, market_type)
    return order


def realtime(context: Context, account: Account, params: Params) -> Any:
    market_type = context.category(params)
    ended = [
        order for order in account.orders.values() if not order.is_open and order.market_type is market_type
    ]
    recent = sorted(ended, key=lambda order: order.updated_ms)[-CLOSED_KEPT:]
    if params.get("orderId") or params.get("orderLinkId"):
        named = _by_name(context, account, market_type, params)
        found = [named] if named is not None and (named.is_open or named in recent) else []
    else:
        symbols = {market.symbol for market in context.markets_of(params)}
        orders = recent if params.get("openOnly") == "1" else account.open_orders.values()
        found = [order for order in orders if order.symbol in symbols]
    return _listed(context, found, params)


def history(context: Context, account: Account, params: Params) -> Any:
    market_type = context.category(params)
    start, end = window_of(params, context.now_ms())
    oldest_unfilled = context.now_ms() - UNFILLED_KEPT_MS
    if params.get("orderId") or params.get("orderLinkId"):
        named = _by_name(context, account, market_type, params)
        orders = [] if named is None else [named]
    else:
        symbols = {market.symbol for market in context.markets(market_type)}
        if params.get("symbol"):
            symbols = {context.market(market_type, params["symbol"]).symbol}
        orders = [order for order in account.orders.values() if order.symbol in symbols]
    found = [
        order
        for order in orders
        if not order.is_open
        and start <= order.created_ms <= end
        and (order.filled or order.updated_ms >= oldest_unfilled)
        and params.get("orderStatus") in (None, "", status_name(order))
    ]
    return _listed(context, found, params)


def _listed(context: Context, orders: list[SimOrder], params: Params) -> dict[str, Any]:
    wanted = params.get("orderFilter")
    shown = [
        order
        for order in orders
        if context.is_visible(order) and (not wanted or wanted == order_filter(order) or not order.is_open)
    ]
    page, cursor = page_of(shown, lambda order: (order.created_ms, order.order_id), params, 20, 50)
    return {
        "list": [order_row(context, order) for order in page],
        "nextPageCursor": cursor,
        "category": params["category"],
    }


def order_row(context: Context, order: SimOrder) -> dict[str, Any]:
    instrument = context.exchange.markets[order.symbol].listing.instrument
    price_places, lot_places = places_of(instrument.tick), places_of(instrument.lot)
    price = order.price if order.price is not None else order.stop_price
    left = order.remaining if order.quote_quantity is None else ZERO
    fees: dict[str, Any] = {}
    for fill in order.fills:
        fees[fill.fee_asset] = fees.get(fill.fee_asset, ZERO) + fill.fee
    row = {
        "orderId": order_id_text(order.order_id, order.market_type),
        "orderLinkId": link_id(order),
        "blockTradeId": "",
        "symbol": context.wire_ids[order.symbol],
        "price": fixed(order.price, price_places),
        "qty": fixed(order.quote_quantity or order.quantity, lot_places),
        "side": side_name(order.side),
        "isLeverage": "0",
        "positionIdx": leg_number(order.position_side),
        "orderStatus": status_name(order),
        "createType": create_type(order),
        "cancelType": cancel_type(order),
        "rejectReason": reject_reason(order),
        "avgPrice": short(divide(order.cost, order.filled)) if order.filled else "",
        "leavesQty": fixed(left, lot_places),
        "leavesValue": short(left * (price or ZERO)),
        "cumExecQty": fixed(order.filled, lot_places),
        "cumExecValue": short(order.cost),
        "cumExecFee": short(sum(fees.values(), ZERO)),
        "cumFeeDetail": {asset: short(fee) for asset, fee in fees.items()},
        "timeInForce": time_name(order),
        "orderType": type_name(order.order_type),
        "stopOrderType": "Stop" if is_conditional(order) else "",
        "orderIv": "",
        "marketUnit": "quoteCoin" if order.quote_quantity is not None else "",
        "triggerPrice": fixed(order.stop_price, price_places),
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": trigger_direction(order),
        "triggerBy": _trigger_by(order),
        "lastPriceOnCreated": fixed(context.exchange.markets[order.symbol].price, price_places),
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": False,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": "",
        "tpLimitPrice": "0",
        "slLimitPrice": "0",
        "placeType": "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
    }
    if order.market_type is SPOT:
        # Clients take an order for one of a contract by the mere presence of this key.
        del row["tpslMode"]
    return row


def _trigger_by(order: SimOrder) -> str:
    if not is_conditional(order):
        return ""
    return "MarkPrice" if order.trigger_on is TriggerPrice.MARK else "LastPrice"


ROUTES: Routes = {
    ("POST", "/v5/order/create"): Route(create),
    ("POST", "/v5/order/amend"): Route(amend),
    ("POST", "/v5/order/cancel"): Route(cancel),
    ("POST", "/v5/order/cancel-all"): Route(cancel_all),
    ("POST", "/v5/order/create-batch"): Route(create_batch),
    ("POST", "/v5/order/amend-batch"): Route(amend_batch),
    ("POST", "/v5/order/cancel-batch"): Route(cancel_batch),
    ("GET", "/v5/order/realtime"): Route(realtime),
    ("GET", "/v5/order/history"): Route(history),
}
