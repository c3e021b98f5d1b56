"""OKX orders: `/api/v5/trade/order` and its batches, cancels, amendments, look-ups, open and past orders.

A request of one order and a batch of one answer alike: a row for each, and a top code that says whether all (0),
some (2) or none (1) were carried out.
"""

from collections.abc import Callable
from typing import Any

from fillbook.accounts.core import MarginMode, PositionMode, PositionSide
from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder, Refused, SimOrder
from fillbook.venues.sim.wire.okx.context import Context, Route, Routes, base_units
from fillbook.venues.sim.wire.okx.errors import (
    AMEND_CANCELED,
    AMEND_FILLED,
    AMEND_UNKNOWN,
    CANCEL_CANCELED,
    CANCEL_FILLED,
    CANCEL_UNKNOWN,
    UNKNOWN_ORDER,
    OkxError,
    RowRefused,
    empty,
    from_refusal,
    wrong,
)
from fillbook.venues.sim.wire.okx.paging import page
from fillbook.venues.sim.wire.okx.rows import client_id_of, order_row
from fillbook.venues.sim.wire.okx.text import (
    ORDER_TYPES,
    POSITION_SIDES,
    STATES,
    Params,
    amount,
    client_id,
    flag,
    market_type_of,
    optional,
    order_type_name,
    required,
    required_amount,
    side_of,
)

MAX_BATCH = 20
_MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
_DAY_MS = 86_400_000
Act = Callable[[Context, Account, Params], dict[str, Any]]


class RowsFailed(OkxError):
    """Some or all rows of a request were refused; `rows` answers each."""

    def __init__(self, code: str, message: str, rows: list[dict[str, Any]]) -> None:
        super().__init__(code, message)
        self.rows = rows


# Placing


def new_order_of(context: Context, account: Account, params: Params) -> tuple[Market, NewOrder]:
    market = context.market_of(params)
    side, type_name = side_of(params), required(params, "ordType")
    if type_name not in ORDER_TYPES:
        raise wrong("ordType")
    order_type, in_force = ORDER_TYPES[type_name]
    size = required_amount(params, "sz")
    is_spot = market.listing.market_type is MarketType.SPOT
    by_cost = is_spot and order_type is OrderType.MARKET and _is_cost(params, side)
    settle_margin_mode(context, account, market, params)
    return market, NewOrder(
        symbol=market.symbol,
        side=side,
        order_type=order_type,
        quantity=ZERO if by_cost else base_units(market, size),
        price=required_amount(params, "px") if order_type.has_price else None,
        time_in_force=in_force,
        client_order_id=client_id(params, "clOrdId"),
        quote_quantity=size if by_cost else None,
        **leg_of(account, market, params),
    )


def _is_cost(params: Params, side: Side) -> bool:
    """Whether the size of a spot market order is quote: for a buy it is unless the order says otherwise."""
    default = "quote_ccy" if side is Side.BUY else "base_ccy"
    return (optional(params, "tgtCcy") or default) == "quote_ccy"


def leg_of(account: Account, market: Market, params: Params) -> dict[str, Any]:
    """Position side and reduce-only. In long-short mode the leg alone decides and `reduceOnly` is not read."""
    if market.listing.market_type is MarketType.SPOT:
        return {"reduce_only": False, "position_side": PositionSide.NET}
    name = optional(params, "posSide") or "net"
    if name not in POSITION_SIDES:
        raise wrong("posSide")
    is_hedged = account.position_mode is PositionMode.HEDGE
    return {
        "reduce_only": flag(params, "reduceOnly") and not is_hedged,
        "position_side": POSITION_SIDES[name],
    }


def settle_margin_mode(context: Context, account: Account, market: Market, params: Params) -> None:
    """Take the order's own margin mode. A symbol cannot have positions in both here."""
    name = required(params, "tdMode")
    if market.listing.market_type is MarketType.SPOT:
        if name != "cash":
            raise wrong("tdMode")
        return
    if name not in _MARGIN_MODES:
        raise wrong("tdMode")
    mode = _MARGIN_MODES[name]
    if account.margin_mode(market.symbol) is mode:
        return
    is_held = any(held.quantity for held in account.positions.values() if held.symbol == market.symbol)
    if is_held or any(order.symbol == market.symbol for order in account.open_orders.values()):
        raise wrong("tdMode")
    context.switch_margin_mode(account, market, mode)


def _place(context: Context, account: Account, params: Params) -> dict[str, Any]:
    if not _may_trade(context, account, params):
        raise RowRefused("51010", "You can't complete this request under your current account mode.")
    _, new = new_order_of(context, account, params)
    order = context.exchange.place(account, new)
    return {
        "ordId": str(order.order_id),
        "clOrdId": client_id_of(order),
        "tag": "",
        "ts": str(order.created_ms),
    }


def _may_trade(context: Context, account: Account, params: Params) -> bool:
    is_spot = context.market_of(params).listing.market_type is MarketType.SPOT
    allowed = account.permissions
    return allowed.can_trade_spot if is_spot else allowed.can_trade_futures


# Rows


def carry_out(
    act: Act, context: Context, account: Account, rows: list[Params], names: tuple[str, ...]
) -> list[Any]:
    """Each row by itself. Raises `RowsFailed` when one was refused."""
    answered, refused = [], 0
    for row in rows:
        try:
            answered.append({"sCode": "0", "sMsg": "", **act(context, account, row)})
            continue
        except Refused as error:
            failure: OkxError = from_refusal(error.reason)
        except OkxError as error:
            failure = error
        refused += 1
        answered.append(
            {
                **{name: optional(row, name) or "" for name in names},
                "sCode": failure.code,
                "sMsg": failure.message,
                "tag": "",
                "ts": str(context.now_ms()),
            }
        )
    if not refused:
        return answered
    if refused == len(rows):
        raise RowsFailed("1", "All operations failed", answered)
    raise RowsFailed("2", "Bulk operation partially succeeded.", answered)


def one_of(act: Act, *names: str) -> Callable[[Context, Account, Any], list[Any]]:
    """An endpoint whose body is one row."""

    def endpoint(context: Context, account: Account, body: Any) -> list[Any]:
        return carry_out(act, context, account, [as_row(body)], names)

    return endpoint


def each_of(act: Act, *names: str) -> Callable[[Context, Account, Any], list[Any]]:
    """An endpoint whose body is a list of rows."""

    def endpoint(context: Context, account: Account, body: Any) -> list[Any]:
        rows = body if isinstance(body, list) else [body]
        if not rows or len(rows) > MAX_BATCH:
            raise OkxError("50015" if not rows else "51000", "Parameter orders error")
        return carry_out(act, context, account, [as_row(row) for row in rows], names)

    return endpoint


def as_row(body: Any) -> Params:
    if not isinstance(body, dict):
        raise OkxError("50002", "JSON syntax error", 400)
    return body


# One order


def find(context: Context, account: Account, params: Params) -> SimOrder:
    """By `ordId`, else by `clOrdId`. Raises `Refused`."""
    market = context.market_of(params)
    order_id, name = optional(params, "ordId"), optional(params, "clOrdId")
    if order_id is None and name is None:
        raise empty("ordId")
    if order_id is not None and not order_id.isdecimal():
        raise wrong("ordId")
    return context.exchange.find(
        account,
        market.symbol,
        Book.NORMAL,
        order_id=int(order_id) if order_id is not None else None,
        client_order_id=name,
    )


def _find_or(refusal: tuple[str, str], context: Context, account: Account, params: Params) -> SimOrder:
    try:
        return find(context, account, params)
    except Refused as error:
        raise RowRefused(*refusal) from error


def _cancel(context: Context, account: Account, params: Params) -> dict[str, Any]:
    order = _find_or(CANCEL_UNKNOWN, context, account, params)
    if not order.is_open:
        raise RowRefused(*(CANCEL_FILLED if order.status is OrderStatus.FILLED else CANCEL_CANCELED))
    context.exchange.cancel(account, order)
    return {"ordId": str(order.order_id), "clOrdId": client_id_of(order), "ts": str(order.updated_ms)}


def _amend(context: Context, account: Account, params: Params) -> dict[str, Any]:
    order = _find_or(AMEND_UNKNOWN, context, account, params)
    if not order.is_open:
        raise RowRefused(*(AMEND_FILLED if order.status is OrderStatus.FILLED else AMEND_CANCELED))
    market = context.market_of(params)
    size, price = amount(params, "newSz"), amount(params, "newPx")
    if order.order_type is not OrderType.LIMIT or order.price is None:
        raise RowRefused("51506", "Order modification unavailable for the order type.")
    quantity = order.quantity if size is None else base_units(market, size)
    context.exchange.amend(account, order, quantity, order.price if price is None else price)
    return {
        "ordId": str(order.order_id),
        "clOrdId": client_id_of(order),
        "reqId": optional(params, "reqId") or "",
        "ts": str(order.updated_ms),
    }


def fetch(context: Context, account: Account, params: Params) -> list[Any]:
    order = _find_or(UNKNOWN_ORDER, context, account, params)
    if not context.is_visible(order):
        raise OkxError(*UNKNOWN_ORDER)
    return [order_row(context, order)]


# Lists


def _wanted(
    context: Context, account: Account, params: Params, market_type: MarketType | None
) -> list[SimOrder]:
    name, kind = optional(params, "instId"), optional(params, "ordType")
    state = optional(params, "state")
    symbol = context.market(name).symbol if name else None
    return [
        order
        for order in account.orders.values()
        if order.book is Book.NORMAL
        and market_type in (None, order.market_type)
        and symbol in (None, order.symbol)
        and (kind is None or order_type_name(order) in kind.split(","))
        and (state is None or STATES[order.status] == state)
        and context.is_visible(order)
    ]


def pending(context: Context, account: Account, params: Params) -> list[Any]:
    has_type = optional(params, "instType") is not None
    market_type = market_type_of(params) if has_type else None
    if has_type and market_type is None:
        return []
    orders = [order for order in _wanted(context, account, params, market_type) if order.is_open]
    return _page(context, orders, params, kept_ms=None)


def _history(kept_ms: int) -> Callable[[Context, Account, Any], list[Any]]:
    def endpoint(context: Context, account: Account, params: Any) -> list[Any]:
        market_type = market_type_of(params)
        if market_type is None:
            return []
        orders = [order for order in _wanted(context, account, params, market_type) if not order.is_open]
        return _page(context, orders, params, kept_ms)

    return endpoint


def _page(context: Context, orders: list[SimOrder], params: Params, kept_ms: int | None) -> list[Any]:
    since_ms = 0 if kept_ms is None else context.now_ms() - kept_ms
    found = page(
        orders,
        params,
        id_of=lambda order: order.order_id,
        at_ms=lambda order: order.created_ms,
        kept_since_ms=since_ms,
    )
    return [order_row(context, order) for order in found]


_NAMES = ("ordId", "clOrdId")
ROUTES: Routes = {
    ("POST", "/api/v5/trade/order"): Route(one_of(_place, *_NAMES), trades=True),
    ("POST", "/api/v5/trade/batch-orders"): Route(each_of(_place, *_NAMES), trades=True),
    ("POST", "/api/v5/trade/cancel-order"): Route(one_of(_cancel, *_NAMES), trades=True),
    ("POST", "/api/v5/trade/cancel-batch-orders"): Route(each_of(_cancel, *_NAMES), trades=True),
    ("POST", "/api/v5/trade/amend-order"): Route(one_of(_amend, *_NAMES), trades=True),
    ("POST", "/api/v5/trade/amend-batch-orders"): Route(each_of(_amend, *_NAMES), trades=True),
    ("GET", "/api/v5/trade/order"): Route(fetch),
    ("GET", "/api/v5/trade/orders-pending"): Route(pending),
    ("GET", "/api/v5/trade/orders-history"): Route(_history(7 * _DAY_MS)),
    ("GET", "/api/v5/trade/orders-history-archive"): Route(_history(90 * _DAY_MS)),
}
