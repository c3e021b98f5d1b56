"""Words as OKX writes them: instruments, order types, states, sides; and its parameters read."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import PositionSide
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import Instrument, MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce
from fillbook.venues.sim.core.vocabulary import SimOrder
from fillbook.venues.sim.wire.okx.errors import empty, wrong
from fillbook.venues.sim.wire.requests import word

Params = Mapping[str, Any]

_AMOUNT = re.compile(r"^([0-9]{1,20})(\.[0-9]{1,20})?$", re.ASCII)
_CLIENT_ID = re.compile(r"^[0-9A-Za-z]{1,32}$", re.ASCII)

MARKET_TYPES = {"SPOT": MarketType.SPOT, "SWAP": MarketType.FUTURES}
INSTRUMENT_TYPES = {market_type: name for name, market_type in MARKET_TYPES.items()}
# Products that exist at the venue and have nothing in them here.
_EMPTY_TYPES = frozenset({"MARGIN", "FUTURES", "OPTION"})
ORDER_TYPES: dict[str, tuple[OrderType, TimeInForce]] = {
    "market": (OrderType.MARKET, TimeInForce.GTC),
    "limit": (OrderType.LIMIT, TimeInForce.GTC),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "fok": (OrderType.LIMIT, TimeInForce.FOK),
    "post_only": (OrderType.LIMIT, TimeInForce.POST_ONLY),
    "optimal_limit_ioc": (OrderType.MARKET, TimeInForce.IOC),
}
POSITION_SIDES = {"net": PositionSide.NET, "long": PositionSide.LONG, "short": PositionSide.SHORT}
LEGS = {leg: name for name, leg in POSITION_SIDES.items()}
STATES = {
    OrderStatus.NEW: "live",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "canceled",
    OrderStatus.REJECTED: "canceled",
}
# Why the venue says that an order was canceled.
_CANCEL_SOURCES = {
    "canceled": ("1", "Order canceled by user"),
    "fok": ("13", "Order canceled: FOK order was canceled due to incompletely filled"),
    "no_liquidity": ("14", "Order canceled: IOC order was partially canceled due to incompletely filled"),
    "would_take": ("31", "The post-only order will take liquidity in taker orders"),
    "reduce_only": (
        "17",
        "Order canceled: Close order was canceled, due to the position was already closed at market price",
    ),
}
CATEGORIES = {
    FillKind.TRADE: "normal",
    FillKind.LIQUIDATION: "full_liquidation",
    FillKind.ADL: "adl",
}


def instrument_id(instrument: Instrument) -> str:
    pair = f"{instrument.base}-{instrument.quote}"
    return pair if instrument.market_type is MarketType.SPOT else f"{pair}-SWAP"


def order_type_name(order: SimOrder) -> str:
    if order.price is None:
        return "market"
    in_force = order.time_in_force
    for name, (order_type, known) in ORDER_TYPES.items():
        if order_type is OrderType.LIMIT and known is in_force:
            return name
    raise AssertionError(f"{in_force} has no name at OKX")


def cancel_source(order: SimOrder) -> tuple[str, str]:
    """Code and reason of an order that ended without being filled; empty for others."""
    if STATES[order.status] != "canceled":
        return "", ""
    return _CANCEL_SOURCES.get(order.end_reason, ("0", "Order canceled by system"))


def category(order: SimOrder) -> str:
    """What made the order: its owner, a liquidation, or auto-deleveraging."""
    return CATEGORIES[order.fills[0].kind] if order.fills else "normal"


def side_of(params: Params) -> Side:
    text = required(params, "side")
    if text not in ("buy", "sell"):
        raise wrong("side")
    return Side(text)


def market_type_of(params: Params) -> MarketType | None:
    """Of `instType`, which must be there; None: nothing of that type exists here."""
    name = required(params, "instType")
    if name in _EMPTY_TYPES:
        return None
    if name not in MARKET_TYPES:
        raise wrong("instType")
    return MARKET_TYPES[name]


def unused(names: str, value: str = "") -> dict[str, str]:
    """Fields of a row that say nothing here, by name."""
    return dict.fromkeys(names.split(), value)


def optional(params: Params, name: str) -> str | None:
    value = params.get(name)
    return None if value in (None, "") else word(value)


def required(params: Params, name: str) -> str:
    text = optional(params, name)
    if text is None:
        raise empty(name)
    return text


def amount(params: Params, name: str) -> Decimal | None:
    text = optional(params, name)
    if text is None:
        return None
    if not _AMOUNT.match(text):
        raise wrong(name)
    return Decimal(text)


def required_amount(params: Params, name: str) -> Decimal:
    value = amount(params, name)
    if value is None:
        raise empty(name)
    return value


def integer(params: Params, name: str) -> int | None:
    text = optional(params, name)
    if text is None:
        return None
    if not text.isdecimal():
        raise wrong(name)
    return int(text)


def flag(params: Params, name: str) -> bool:
    return (optional(params, name) or "false").lower() == "true"


def client_id(params: Params, name: str) -> str | None:
    text = optional(params, name)
    if text is not None and not _CLIENT_ID.match(text):
        raise wrong(name)
    return text
