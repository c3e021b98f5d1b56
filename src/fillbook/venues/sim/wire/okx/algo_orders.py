"""OKX's conditional orders: `/api/v5/trade/order-algo`. Their id is `algoId`, their owner's `algoClOrdId`.

`conditional` stops a loss or takes a profit and is refused when it would do so at once; `trigger` waits for its
price from whichever side the market stands on. Both place an order of their own when they are triggered.
"""

from collections.abc import Callable
from typing import Any

from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder, Refusal, Refused, SimOrder, TriggerPrice
from fillbook.venues.sim.wire.okx.context import Context, Route, Routes, base_units
from fillbook.venues.sim.wire.okx.errors import (
    CANCEL_TRIGGERED,
    CANCEL_UNKNOWN,
    UNKNOWN_ORDER,
    OkxError,
    RowRefused,
    empty,
    wrong,
)
from fillbook.venues.sim.wire.okx.orders import RowsFailed, each_of, leg_of, one_of, settle_margin_mode
from fillbook.venues.sim.wire.okx.paging import page
from fillbook.venues.sim.wire.okx.rows import algo_row
from fillbook.venues.sim.wire.okx.text import (
    Params,
    amount,
    client_id,
    market_type_of,
    optional,
    required,
    required_amount,
    side_of,
)

_TYPES = ("trigger", "conditional")
_STATES = {
    "effective": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "order_failed": OrderStatus.REJECTED,
}
_KEPT_MS = 90 * 86_400_000
# A trigger that is on the wrong side already, by which price it is and the order's side.
_WOULD_TRIGGER = {
    ("tp", Side.BUY): ("51277", "TP trigger price can not be higher than the last price"),
    ("sl", Side.BUY): ("51278", "SL trigger price can not be lower than the last price"),
    ("tp", Side.SELL): ("51279", "TP trigger price can not be lower than the last price"),
    ("sl", Side.SELL): ("51280", "SL trigger price can not be higher than the last price"),
}


def _place(context: Context, account: Account, params: Params) -> dict[str, Any]:
    kind = required(params, "ordType")
    if kind not in _TYPES:
        raise wrong("ordType")
    market = context.market_of(params)
    side = side_of(params)
    prefix = _prefix(kind, params)
    trigger = required_amount(params, f"{prefix}TriggerPx" if prefix else "triggerPx")
    order_type, price = _order_type(market, side, prefix, trigger, params)
    settle_margin_mode(context, account, market, params)
    new = NewOrder(
        symbol=market.symbol,
        side=side,
        order_type=order_type,
        quantity=base_units(market, required_amount(params, "sz")),
        price=price,
        stop_price=trigger,
        client_order_id=client_id(params, "algoClOrdId"),
        book=Book.CONDITIONAL,
        trigger_on=_trigger_on(params, prefix),
        **leg_of(account, market, params),
    )
    order = _accepted(context, account, new, kind, prefix)
    return {
        "algoId": str(order.order_id),
        "algoClOrdId": new.client_order_id or "",
        "clOrdId": client_id(params, "clOrdId") or "",
        "tag": "",
    }


def _prefix(kind: str, params: Params) -> str:
    """How the trigger's fields begin: `sl` or `tp`; empty for a plain trigger."""
    if kind == "trigger":
        return ""
    stops, takes = optional(params, "slTriggerPx"), optional(params, "tpTriggerPx")
    if stops is not None and takes is not None:
        raise wrong("ordType")
    if stops is None and takes is None:
        raise empty("slTriggerPx")
    return "sl" if stops is not None else "tp"


def _order_type(
    market: Market, side: Side, prefix: str, trigger: Any, params: Params
) -> tuple[OrderType, Any]:
    """The core's order type and price; -1 is a market order."""
    name = "orderPx" if not prefix else f"{prefix}OrdPx"
    is_market = required(params, name) == "-1"
    price = None if is_market else amount(params, name)
    if prefix:
        is_stop = prefix == "sl"
    else:
        rises = trigger > market.price_for(_trigger_on(params, prefix))
        is_stop = rises is (side is Side.BUY)
    if is_stop:
        return (OrderType.STOP_MARKET if is_market else OrderType.STOP_LIMIT), price
    return (OrderType.TAKE_PROFIT_MARKET if is_market else OrderType.TAKE_PROFIT_LIMIT), price


def _trigger_on(params: Params, prefix: str) -> TriggerPrice:
    name = "triggerPxType" if not prefix else f"{prefix}TriggerPxType"
    return TriggerPrice.MARK if optional(params, name) == "mark" else TriggerPrice.LAST


def _accepted(context: Context, account: Account, new: NewOrder, kind: str, prefix: str) -> SimOrder:
    """Place it; what it is called must be known before its first message goes out."""
    context.algo_types[context.exchange.last_order_id + 1] = kind
    try:
        return context.exchange.place(account, new)
    except Refused as refused:
        if refused.reason is Refusal.WOULD_TRIGGER and prefix:
            raise RowRefused(*_WOULD_TRIGGER[(prefix, new.side)]) from refused
        raise


def place(context: Context, account: Account, body: Any) -> list[Any]:
    """The top code stays 0 when the order is refused: only its row says so."""
    try:
        return one_of(_place, "algoClOrdId", "clOrdId")(context, account, body)
    except RowsFailed as failed:
        return [{"algoId": "", **row} for row in failed.rows]


# Look-ups and cancels


def _find(context: Context, account: Account, params: Params) -> SimOrder | None:
    algo_id, name = optional(params, "algoId"), optional(params, "algoClOrdId")
    if algo_id is None and name is None:
        raise empty("algoId")
    found = [
        order
        for order in account.orders.values()
        if order.book is Book.CONDITIONAL
        and (str(order.order_id) == algo_id if algo_id is not None else order.client_order_id == name)
    ]
    return found[-1] if found else None


def _cancel(context: Context, account: Account, params: Params) -> dict[str, Any]:
    required(params, "instId")
    order = _find(context, account, params)
    if order is None or not order.is_open:
        raise RowRefused(*(CANCEL_TRIGGERED if order and order.child_id else CANCEL_UNKNOWN))
    context.exchange.cancel(account, order)
    return {"algoId": str(order.order_id), "algoClOrdId": order.client_order_id, "clOrdId": "", "tag": ""}


def fetch(context: Context, account: Account, params: Params) -> list[Any]:
    order = _find(context, account, params)
    if order is None or (not context.is_visible(order) and not order.child_id):
        raise OkxError(*UNKNOWN_ORDER)
    return [algo_row(context, order)]


def _of_type(context: Context, account: Account, params: Params) -> list[SimOrder]:
    """`ordType` must be named, one or several; the two that can be asked for together are those of a take-profit
    or stop-loss."""
    kinds = required(params, "ordType").split(",")
    name = optional(params, "instId")
    symbol = context.market(name).symbol if name else None
    market_type = market_type_of(params) if optional(params, "instType") else None
    return [
        order
        for order in account.orders.values()
        if order.book is Book.CONDITIONAL
        and context.algo_types[order.order_id] in kinds
        and symbol in (None, order.symbol)
        and market_type in (None, order.market_type)
        and order.hidden_until_ms <= context.now_ms()
    ]


def pending(context: Context, account: Account, params: Params) -> list[Any]:
    orders = [order for order in _of_type(context, account, params) if order.is_open]
    return _page(context, orders, params, 0)


def history(context: Context, account: Account, params: Params) -> list[Any]:
    """Wants a state or an id."""
    state, algo_id = optional(params, "state"), optional(params, "algoId")
    if state is None and algo_id is None:
        raise empty("state")
    if state is not None and state not in _STATES:
        raise wrong("state")
    orders = [
        order
        for order in _of_type(context, account, params)
        if not order.is_open
        and (state is None or order.status is _STATES[state])
        and algo_id in (None, str(order.order_id))
    ]
    return _page(context, orders, params, context.now_ms() - _KEPT_MS)


def _page(context: Context, orders: list[SimOrder], params: Params, since_ms: int) -> list[Any]:
    id_of: Callable[[SimOrder], int] = lambda order: order.order_id  # noqa: E731
    found = page(orders, params, id_of=id_of, at_ms=lambda order: order.created_ms, kept_since_ms=since_ms)
    return [algo_row(context, order) for order in found]


ROUTES: Routes = {
    ("POST", "/api/v5/trade/order-algo"): Route(place, trades=True),
    ("POST", "/api/v5/trade/cancel-algos"): Route(each_of(_cancel, "algoId", "algoClOrdId"), trades=True),
    ("GET", "/api/v5/trade/order-algo"): Route(fetch),
    ("GET", "/api/v5/trade/orders-algo-pending"): Route(pending),
    ("GET", "/api/v5/trade/orders-algo-history"): Route(history),
}
