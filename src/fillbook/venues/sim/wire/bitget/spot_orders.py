"""Bitget spot orders: placing, cancelling, looking up, history and own fills."""

from typing import Any

from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book, OrderType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import NewOrder, Refused, SimOrder
from fillbook.venues.sim.wire.bitget.context import Context, Route, Routes, translated
from fillbook.venues.sim.wire.bitget.errors import ENDED_ORDER, UNKNOWN_ORDER, BitgetError
from fillbook.venues.sim.wire.bitget.paging import page
from fillbook.venues.sim.wire.bitget.rows import (
    acknowledged,
    is_market_buy,
    spot_fill,
    spot_order,
    spot_unfilled,
)
from fillbook.venues.sim.wire.bitget.words import (
    Params,
    client_id,
    integer,
    is_limit,
    objects,
    required_amount,
    side,
    time_in_force,
)

SPOT = MarketType.SPOT
_WINDOW_DAYS = 90
_CLIENT_ID_LOOKUP_MS = 2 * 3_600_000


def place(context: Context, account: Account, params: Params) -> Any:
    """The size of a market buy is what it may cost."""
    market = context.market_of(SPOT, params)
    order_side, has_price = side(params), is_limit(params)
    size = required_amount(params, "size")
    by_cost = is_market_buy(order_side, has_price, SPOT)
    new = NewOrder(
        symbol=market.symbol,
        side=order_side,
        order_type=OrderType.LIMIT if has_price else OrderType.MARKET,
        quantity=ZERO if by_cost else size,
        quote_quantity=size if by_cost else None,
        price=required_amount(params, "price") if has_price else None,
        time_in_force=time_in_force(params),
        client_order_id=client_id(params),
    )
    try:
        return acknowledged(context.exchange.place(account, new))
    except Refused as refused:
        raise translated(refused, market) from refused


def cancel(context: Context, account: Account, params: Params) -> Any:
    context.market_of(SPOT, params)
    order = context.named(account, SPOT, Book.NORMAL, params)
    return acknowledged(cancelled(context, account, order, SPOT))


def cancelled(
    context: Context, account: Account, order: SimOrder | None, market_type: MarketType
) -> SimOrder:
    """The order, cancelled; raises for one that is unknown or has ended."""
    if order is None:
        raise BitgetError(*UNKNOWN_ORDER[market_type])
    try:
        return context.exchange.cancel(account, order)
    except Refused as refused:
        raise BitgetError(*ENDED_ORDER[market_type]) from refused


def cancel_each(
    context: Context, account: Account, rows: list[Any], market_type: MarketType, book: Book
) -> dict[str, Any]:
    """A batch of cancels: what could not be cancelled is listed, and nothing is raised."""
    done, failed = [], []
    for row in rows:
        try:
            order = context.named(account, market_type, book, {key: str(value) for key, value in row.items()})
            done.append(acknowledged(cancelled(context, account, order, market_type)))
        except BitgetError as error:
            names = {"orderId": str(row.get("orderId", "")), "clientOid": str(row.get("clientOid", ""))}
            failed.append(names | {"errorMsg": "notExistend", "errorCode": error.code})
    return {"successList": done, "failureList": failed}


def cancel_batch(context: Context, account: Account, params: Params) -> Any:
    return cancel_each(context, account, objects(params, "orderList"), SPOT, Book.NORMAL)


def cancel_symbol(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(SPOT, params)
    context.exchange.cancel_all(account, market.symbol, Book.NORMAL)
    return {"symbol": context.wire_ids[market.symbol]}


def order_info(context: Context, account: Account, params: Params) -> Any:
    """An empty list when there is none; by client id only orders of the last two hours are known."""
    order = context.shown(account, SPOT, Book.NORMAL, params)
    oldest_ms = 0 if params.get("orderId") else context.now_ms() - _CLIENT_ID_LOOKUP_MS
    if order is None or order.created_ms < oldest_ms:
        return []
    return [spot_order(context, account, order)]


def unfilled(context: Context, account: Account, params: Params) -> Any:
    orders = _page_of_orders(context, account, params, is_open=True)
    return [spot_unfilled(context, account, order) for order in orders]


def history(context: Context, account: Account, params: Params) -> Any:
    orders = _page_of_orders(context, account, params, is_open=False)
    return [spot_order(context, account, order) for order in orders]


def _page_of_orders(context: Context, account: Account, params: Params, is_open: bool) -> list[SimOrder]:
    order_id = integer(params, "orderId")
    orders = [
        order
        for order in context.orders_of(account, SPOT, Book.NORMAL, params)
        if order.is_open is is_open and order_id in (None, order.order_id)
    ]
    return page(orders, params, lambda o: o.order_id, lambda o: o.created_ms, _WINDOW_DAYS)


def fills(context: Context, account: Account, params: Params) -> Any:
    market, order_id = context.optional_market(SPOT, params), integer(params, "orderId")
    rows = [
        fill
        for fill in account.fills
        if ":" not in fill.symbol
        and (market is None or fill.symbol == market.symbol)
        and order_id in (None, fill.order_id)
    ]
    found = page(rows, params, lambda fill: fill.trade_id, lambda fill: fill.at_ms, _WINDOW_DAYS)
    return [spot_fill(context, account, fill) for fill in found]


ROUTES: Routes = {
    ("POST", "/api/v2/spot/trade/place-order"): Route(place),
    ("POST", "/api/v2/spot/trade/cancel-order"): Route(cancel),
    ("POST", "/api/v2/spot/trade/batch-cancel-order"): Route(cancel_batch),
    ("POST", "/api/v2/spot/trade/cancel-symbol-order"): Route(cancel_symbol),
    ("GET", "/api/v2/spot/trade/orderInfo"): Route(order_info),
    ("GET", "/api/v2/spot/trade/unfilled-orders"): Route(unfilled),
    ("GET", "/api/v2/spot/trade/history-orders"): Route(history),
    ("GET", "/api/v2/spot/trade/fills"): Route(fills),
}
