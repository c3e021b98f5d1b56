"""Bitget's conditional orders of both markets: plan orders, with ids of their own.

A plan order names no direction: it waits for its trigger price from where the price stands. What a trigger
makes is another order, told by `plan-sub-order` only.
"""

from typing import Any

from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder, Refused, TriggerPrice
from fillbook.venues.sim.wire.bitget.context import Context, Route, Routes, translated
from fillbook.venues.sim.wire.bitget.errors import NO_SUCH_PLAN, BitgetError, missing, wrong
from fillbook.venues.sim.wire.bitget.mix_orders import (
    check_product,
    entrusted,
    page_of_orders,
    reduces,
    side_and_leg,
)
from fillbook.venues.sim.wire.bitget.paging import page
from fillbook.venues.sim.wire.bitget.rows import acknowledged, mix_plan, spot_plan, sub_orders
from fillbook.venues.sim.wire.bitget.spot_orders import cancel_each
from fillbook.venues.sim.wire.bitget.words import (
    Params,
    amount,
    client_id,
    conditional_type,
    integer,
    is_limit,
    is_stop_at,
    objects,
    required,
    required_amount,
    side,
)

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
_SPOT_WINDOW_DAYS = 90
_PLAN_TYPES = ("normal_plan", "track_plan", "profit_loss")


def _trigger_on(params: Params) -> TriggerPrice:
    word = required(params, "triggerType")
    if word not in ("fill_price", "mark_price"):
        raise wrong("triggerType")
    return TriggerPrice.MARK if word == "mark_price" else TriggerPrice.LAST


def _placed(context: Context, account: Account, market: Market, new: NewOrder) -> Any:
    try:
        return acknowledged(context.exchange.place(account, new))
    except Refused as refused:
        raise translated(refused, market) from refused


def place_spot(context: Context, account: Account, params: Params) -> Any:
    market = context.market_of(SPOT, params)
    order_side, has_price = side(params), is_limit(params)
    size, trigger = required_amount(params, "size"), required_amount(params, "triggerPrice")
    plan_type = params.get("planType") or "amount"
    if plan_type not in ("amount", "total"):
        raise wrong("planType")
    by_cost = plan_type == "total"
    if not by_cost and order_side is Side.BUY and not has_price:
        # What the venue makes of a market buy by base quantity is not known: nobody shall rely on it.
        raise wrong("planType")
    trigger_on = _trigger_on(params)
    is_stop = is_stop_at(trigger, market.price_for(trigger_on), order_side)
    new = NewOrder(
        symbol=market.symbol,
        side=order_side,
        order_type=conditional_type(is_stop, has_price),
        quantity=ZERO if by_cost else size,
        quote_quantity=size if by_cost else None,
        price=required_amount(params, "executePrice") if has_price else None,
        stop_price=trigger,
        client_order_id=client_id(params),
        book=Book.CONDITIONAL,
        trigger_on=trigger_on,
    )
    return _placed(context, account, market, new)


def place_mix(context: Context, account: Account, params: Params) -> Any:
    check_product(params)
    if required(params, "planType") != "normal_plan":
        raise wrong("planType")
    required(params, "marginCoin")
    required(params, "marginMode")
    market = context.market_of(FUTURES, params)
    order_side, leg = side_and_leg(account, params)
    has_price, trigger, trigger_on = (
        is_limit(params),
        required_amount(params, "triggerPrice"),
        _trigger_on(params),
    )
    price = amount(params, "price") or amount(params, "executePrice")
    if has_price and price is None:
        raise missing("price")
    is_stop = is_stop_at(trigger, market.price_for(trigger_on), order_side)
    new = NewOrder(
        symbol=market.symbol,
        side=order_side,
        order_type=conditional_type(is_stop, has_price),
        quantity=required_amount(params, "size"),
        price=price if has_price else None,
        stop_price=trigger,
        client_order_id=client_id(params),
        reduce_only=reduces(account, params),
        position_side=leg,
        book=Book.CONDITIONAL,
        trigger_on=trigger_on,
    )
    return _placed(context, account, market, new)


def place_tpsl(context: Context, account: Account, params: Params) -> Any:
    """A stop loss or take profit of a part of a position (`loss_plan`, `profit_plan`), always reducing."""
    plan_type = required(params, "planType")
    if plan_type not in ("loss_plan", "profit_plan"):
        raise BitgetError("40017", "Parameter verification failed planType: not simulated")
    hold_side = required(params, "holdSide").lower()
    is_long = hold_side in ("long", "buy")
    execute_price = amount(params, "executePrice")
    is_hedged = hold_side in ("long", "short")
    side_word = "buy" if is_long else "sell"
    # In one-way mode an order's side is its own, in hedge mode the position's.
    own_side = side_word if is_hedged else ("sell" if is_long else "buy")
    return place_mix(
        context,
        account,
        params
        | {
            "planType": "normal_plan",
            "marginMode": "crossed",
            "side": own_side,
            "tradeSide": "close",
            "reduceOnly": "YES",
            "orderType": "limit" if execute_price else "market",
        },
    )


def cancel_spot(context: Context, account: Account, params: Params) -> Any:
    order = context.named(account, SPOT, Book.CONDITIONAL, params)
    if order is None or not order.is_open:
        raise BitgetError(*NO_SUCH_PLAN)
    context.exchange.cancel(account, order)
    return {"result": "success"}


def cancel_spot_all(context: Context, account: Account, params: Params) -> Any:
    """Of the named symbols, else all."""
    names = objects(params, "symbolList")
    wanted = {context.market(SPOT, str(name)).symbol for name in names}
    rows = [
        {"orderId": order.order_id}
        for order in context.orders_of(account, SPOT, Book.CONDITIONAL, {})
        if order.is_open and (not wanted or order.symbol in wanted)
    ]
    return cancel_each(context, account, rows, SPOT, Book.CONDITIONAL)


def cancel_mix(context: Context, account: Account, params: Params) -> Any:
    """An order that is unknown or has ended is listed as a failure, and nothing is raised."""
    check_product(params)
    rows = objects(params, "orderIdList")
    if not rows:
        rows = [
            {"orderId": order.order_id}
            for order in context.orders_of(account, FUTURES, Book.CONDITIONAL, params)
            if order.is_open
        ]
    else:
        context.market_of(FUTURES, params)
    return cancel_each(context, account, rows, FUTURES, Book.CONDITIONAL)


def _spot_page(context: Context, account: Account, params: Params, is_open: bool, default_limit: int) -> Any:
    orders = [
        order
        for order in context.orders_of(account, SPOT, Book.CONDITIONAL, params)
        if order.is_open is is_open
    ]
    limit = min(integer(params, "limit") or default_limit, 100)
    wider = params | {"limit": str(limit)}
    found = page(orders, wider, lambda o: o.order_id, lambda o: o.created_ms, _SPOT_WINDOW_DAYS)
    below = {"idLessThan": str(found[-1].order_id)} if found else {}
    more = found and page(
        orders, wider | below, lambda o: o.order_id, lambda o: o.created_ms, _SPOT_WINDOW_DAYS
    )
    return {
        "nextFlag": bool(more),
        "idLessThan": below.get("idLessThan"),
        "orderList": [spot_plan(context, order) for order in found],
    }


def spot_current(context: Context, account: Account, params: Params) -> Any:
    return _spot_page(context, account, params, is_open=True, default_limit=20)


def spot_history(context: Context, account: Account, params: Params) -> Any:
    return _spot_page(context, account, params, is_open=False, default_limit=100)


def _check_plan_type(params: Params) -> bool:
    """Whether the named kind of plan has orders here: trailing ones have none."""
    plan_type = required(params, "planType")
    if plan_type not in _PLAN_TYPES:
        raise wrong("planType")
    return plan_type == "normal_plan"


def mix_pending(context: Context, account: Account, params: Params) -> Any:
    orders = page_of_orders(context, account, params, Book.CONDITIONAL, is_open=True)
    shown = orders if _check_plan_type(params) else []
    return entrusted([mix_plan(context, account, order, is_history=False) for order in shown])


def mix_history(context: Context, account: Account, params: Params) -> Any:
    orders = page_of_orders(context, account, params, Book.CONDITIONAL, is_open=False)
    shown = orders if _check_plan_type(params) else []
    return entrusted([mix_plan(context, account, order, is_history=True) for order in shown])


def _sub_order(market_type: MarketType) -> Any:
    def answer(context: Context, account: Account, params: Params) -> Any:
        named = {"orderId": required(params, "planOrderId")}
        plan = context.shown(account, market_type, Book.CONDITIONAL, named)
        return [] if plan is None else sub_orders(context, plan)

    return answer


ROUTES: Routes = {
    ("POST", "/api/v2/spot/trade/place-plan-order"): Route(place_spot),
    ("POST", "/api/v2/spot/trade/cancel-plan-order"): Route(cancel_spot),
    ("POST", "/api/v2/spot/trade/batch-cancel-plan-order"): Route(cancel_spot_all),
    ("GET", "/api/v2/spot/trade/current-plan-order"): Route(spot_current),
    ("GET", "/api/v2/spot/trade/history-plan-order"): Route(spot_history),
    ("GET", "/api/v2/spot/trade/plan-sub-order"): Route(_sub_order(SPOT)),
    ("POST", "/api/v2/mix/order/place-plan-order"): Route(place_mix),
    ("POST", "/api/v2/mix/order/place-tpsl-order"): Route(place_tpsl),
    ("POST", "/api/v2/mix/order/cancel-plan-order"): Route(cancel_mix),
    ("GET", "/api/v2/mix/order/orders-plan-pending"): Route(mix_pending),
    ("GET", "/api/v2/mix/order/orders-plan-history"): Route(mix_history),
    ("GET", "/api/v2/mix/order/plan-sub-order"): Route(_sub_order(FUTURES)),
}
