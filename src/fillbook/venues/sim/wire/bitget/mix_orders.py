"""Bitget futures orders: placing, cancelling, modifying, looking up, history and own fills.

In hedge mode `side` names the position (buy: long) and `tradeSide` says whether it is opened or closed.
"""

from typing import Any

from fillbook.accounts.core import PositionMode, PositionSide
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import NewOrder, Refused, SimFill, SimOrder
from fillbook.venues.sim.wire.bitget.context import PRODUCT_TYPE, Context, Route, Routes, translated
from fillbook.venues.sim.wire.bitget.errors import (
    NO_SUCH_DETAIL,
    POSITION_TYPE,
    UNKNOWN_ORDER,
    BitgetError,
    missing,
    wrong,
)
from fillbook.venues.sim.wire.bitget.paging import page
from fillbook.venues.sim.wire.bitget.rows import acknowledged, mix_fill, mix_order
from fillbook.venues.sim.wire.bitget.spot_orders import cancel_each, cancelled
from fillbook.venues.sim.wire.bitget.words import (
    Params,
    amount,
    client_id,
    integer,
    is_limit,
    objects,
    required,
    required_amount,
    side,
    time_in_force,
)

FUTURES = MarketType.FUTURES
WINDOW_DAYS = 90
_FILL_HISTORY_DAYS = 7


def check_product(params: Params) -> None:
    """Every futures page names its product; only the USDT-margined one has accounts here."""
    if required(params, "productType").upper() != PRODUCT_TYPE:
        raise wrong("productType")


def side_and_leg(account: Account, params: Params) -> tuple[Side, PositionSide]:
    """What an order trades, and which leg, from `side` and `tradeSide`."""
    named = side(params)
    if account.position_mode is PositionMode.ONE_WAY:
        return named, PositionSide.NET
    trade_side = (params.get("tradeSide") or "").lower()
    if trade_side not in ("open", "close"):
        raise BitgetError(*POSITION_TYPE)
    leg = PositionSide.LONG if named is Side.BUY else PositionSide.SHORT
    return (named if trade_side == "open" else named.opposite), leg


def reduces(account: Account, params: Params) -> bool:
    """`reduceOnly` counts in one-way mode only."""
    return account.position_mode is PositionMode.ONE_WAY and params.get("reduceOnly", "").upper() == "YES"


def place(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    required(params, "marginCoin")
    required(params, "marginMode")
    market = context.market_of(FUTURES, params)
    order_side, leg = side_and_leg(account, params)
    has_price = is_limit(params)
    new = NewOrder(
        symbol=market.symbol,
        side=order_side,
        order_type=OrderType.LIMIT if has_price else OrderType.MARKET,
        quantity=required_amount(params, "size"),
        price=required_amount(params, "price") if has_price else None,
        time_in_force=time_in_force(params),
        client_order_id=client_id(params),
        reduce_only=reduces(account, params),
        position_side=leg,
    )
    try:
        return acknowledged(context.exchange.place(account, new))
    except Refused as refused:
        raise translated(refused, market) from refused


def cancel(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    context.market_of(FUTURES, params)
    order = context.named(account, FUTURES, Book.NORMAL, params)
    return acknowledged(cancelled(context, account, order, FUTURES))


def cancel_batch(context: Context, account: Account, params: Params) -> Any:
    """Of the listed orders, else of a symbol, else all."""
    check_product(params)
    rows = objects(params, "orderIdList")
    if not rows:
        rows = [
            {"orderId": order.order_id}
            for order in context.orders_of(account, FUTURES, Book.NORMAL, params)
            if order.is_open
        ]
        if not rows:
            raise BitgetError("22001", "No order to cancel")
    return cancel_each(context, account, rows, FUTURES, Book.NORMAL)


def modify(context: Context, account: Account, params: Params) -> Any:
    """The old order is cancelled and a new one with another id placed, under `newClientOid`."""
    check_product(params)
    market = context.market_of(FUTURES, params)
    old = context.named(account, FUTURES, Book.NORMAL, params)
    if old is None or not old.is_open or old.order_type is not OrderType.LIMIT:
        raise BitgetError(*UNKNOWN_ORDER[FUTURES])
    size, price, new_client_id = (
        amount(params, "newSize"),
        amount(params, "newPrice"),
        params.get("newClientOid"),
    )
    if not new_client_id:
        raise missing("newClientOid")
    if size is None or price is None:
        raise BitgetError("40925", "Price or size should be provided together")
    context.exchange.cancel(account, old)
    new = NewOrder(
        symbol=old.symbol,
        side=old.side,
        order_type=OrderType.LIMIT,
        quantity=size,
        price=price,
        time_in_force=old.time_in_force,
        client_order_id=new_client_id,
        reduce_only=old.reduce_only,
        position_side=old.position_side,
    )
    try:
        return acknowledged(context.exchange.place(account, new))
    except Refused as refused:
        raise translated(refused, market) from refused


def detail(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    market = context.market_of(FUTURES, params)
    order = context.shown(account, FUTURES, Book.NORMAL, params)
    if order is None or order.symbol != market.symbol:
        raise BitgetError(*NO_SUCH_DETAIL)
    return mix_order(context, account, order, "state")


def entrusted(rows: list[Any]) -> dict[str, Any]:
    """A list of orders and the id to go on below."""
    return {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None}


def page_of_orders(
    context: Context, account: Account, params: Params, book: Book, is_open: bool
) -> list[SimOrder]:
    check_product(params)
    order_id, client_oid = integer(params, "orderId"), params.get("clientOid")
    orders = [
        order
        for order in context.orders_of(account, FUTURES, book, params)
        if order.is_open is is_open
        and order_id in (None, order.order_id)
        and (order_id is not None or client_oid in (None, "", order.client_order_id))
    ]
    return page(orders, params, lambda o: o.order_id, lambda o: o.created_ms, WINDOW_DAYS)


def pending(context: Context, account: Account, params: Params) -> Any:
    orders = page_of_orders(context, account, params, Book.NORMAL, is_open=True)
    return entrusted([mix_order(context, account, order) for order in orders])


def history(context: Context, account: Account, params: Params) -> Any:
    orders = page_of_orders(context, account, params, Book.NORMAL, is_open=False)
    return entrusted([mix_order(context, account, order) for order in orders])


def fills(context: Context, account: Account, params: Params) -> Any:
    return _fills(context, account, params, WINDOW_DAYS)


def fill_history(context: Context, account: Account, params: Params) -> Any:
    return _fills(context, account, params, _FILL_HISTORY_DAYS)


def _fills(context: Context, account: Account, params: Params, longest_days: int) -> dict[str, Any]:
    check_product(params)
    market, order_id = context.optional_market(FUTURES, params), integer(params, "orderId")
    rows: list[SimFill] = [
        fill
        for fill in account.fills
        if ":" in fill.symbol
        and (market is None or fill.symbol == market.symbol)
        and order_id in (None, fill.order_id)
    ]
    found = page(rows, params, lambda fill: fill.trade_id, lambda fill: fill.at_ms, longest_days)
    return {
        "fillList": [mix_fill(context, fill) for fill in found] or None,
        "endId": str(found[-1].trade_id) if found else None,
    }


ROUTES: Routes = {
    ("POST", "/api/v2/mix/order/place-order"): Route(place),
    ("POST", "/api/v2/mix/order/cancel-order"): Route(cancel),
    ("POST", "/api/v2/mix/order/batch-cancel-orders"): Route(cancel_batch),
    ("POST", "/api/v2/mix/order/modify-order"): Route(modify),
    ("GET", "/api/v2/mix/order/detail"): Route(detail),
    ("GET", "/api/v2/mix/order/orders-pending"): Route(pending),
    ("GET", "/api/v2/mix/order/orders-history"): Route(history),
    ("GET", "/api/v2/mix/order/fills"): Route(fills),
    ("GET", "/api/v2/mix/order/fill-history"): Route(fill_history),
}
