"""Parameters in, numbers and words out, as Bitget writes them. Every number in an answer is text."""

import re
from decimal import Decimal
from typing import Any

import orjson

from fillbook.accounts.core import PositionMode, PositionSide
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce
from fillbook.venues.sim.core.vocabulary import SimFill, SimOrder
from fillbook.venues.sim.wire.bitget.errors import BitgetError, missing, wrong

Params = dict[str, str]

_AMOUNT = re.compile(r"^[0-9]{1,20}(\.[0-9]{1,20})?$", re.ASCII)
_INTEGER = re.compile(r"^[0-9]{1,19}$", re.ASCII)
# Bitget's pages disagree (32, 50 or 64 characters); the narrowest is enforced.
_CLIENT_ID = re.compile(r"^[0-9A-Za-z_:#\-+\s]{1,32}$", re.ASCII)

_FORCES = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "post_only": TimeInForce.POST_ONLY,
}
_FORCE_WORDS = {in_force: word for word, in_force in _FORCES.items()}
_STATUS_WORDS = {
    OrderStatus.NEW: "live",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled",
}
_FORCED_PREFIXES = {FillKind.LIQUIDATION: "burst", FillKind.ADL: "dte_sys_adl"}
POSITION_MODES = {"one_way_mode": PositionMode.ONE_WAY, "hedge_mode": PositionMode.HEDGE}


def required(params: Params, name: str) -> str:
    value = params.get(name)
    if not value:
        raise missing(name)
    return value


def amount(params: Params, name: str) -> Decimal | None:
    value = params.get(name)
    if not value:
        return None
    if not _AMOUNT.match(value):
        raise wrong(name)
    return Decimal(value)


def required_amount(params: Params, name: str) -> Decimal:
    value = amount(params, name)
    if value is None:
        raise missing(name)
    return value


def integer(params: Params, name: str) -> int | None:
    value = params.get(name)
    if not value:
        return None
    if not _INTEGER.match(value):
        raise wrong(name)
    return int(value)


def objects(params: Params, name: str) -> list[Any]:
    """A list in the JSON body."""
    try:
        rows = orjson.loads(params.get(name) or "[]")
    except orjson.JSONDecodeError as error:
        raise wrong(name) from error
    if not isinstance(rows, list):
        raise wrong(name)
    return rows


def client_id(params: Params) -> str | None:
    value = params.get("clientOid")
    if not value:
        return None
    if not _CLIENT_ID.match(value):
        raise BitgetError(
            "40305", "clientOid length cannot greater than 64, and cannot be Martian characters"
        )
    return value


def side(params: Params) -> Side:
    word = required(params, "side").lower()
    if word not in ("buy", "sell"):
        raise wrong("side")
    return Side(word)


def is_limit(params: Params) -> bool:
    word = required(params, "orderType").lower()
    if word not in ("limit", "market"):
        raise wrong("orderType")
    return word == "limit"


def time_in_force(params: Params) -> TimeInForce:
    word = (params.get("force") or "gtc").lower()
    if word not in _FORCES:
        raise wrong("force")
    return _FORCES[word]


def force_word(order: SimOrder) -> str:
    return _FORCE_WORDS[order.time_in_force]


def type_word(order: SimOrder) -> str:
    return "limit" if order.order_type.has_price else "market"


def status_word(order: SimOrder, cancelled: str) -> str:
    """Spot writes `cancelled`, futures `canceled`; both mean whatever ended without filling up."""
    return _STATUS_WORDS.get(order.status, cancelled)


def is_stop_at(trigger: Decimal, price: Decimal, order_side: Side) -> bool:
    """Whether a plan order waits for the price to go against its side: nobody says, the trigger price shows."""
    return (trigger >= price) is (order_side is Side.BUY)


def conditional_type(is_stop: bool, has_price: bool) -> OrderType:
    if is_stop:
        return OrderType.STOP_LIMIT if has_price else OrderType.STOP_MARKET
    return OrderType.TAKE_PROFIT_LIMIT if has_price else OrderType.TAKE_PROFIT_MARKET


def leg_word(leg: PositionSide) -> str:
    return leg.value


def mode_word(leg: PositionSide) -> str:
    return "one_way_mode" if leg is PositionSide.NET else "hedge_mode"


def closes(order_side: Side, leg: PositionSide) -> bool:
    """In hedge mode: whether an order of this side closes its leg."""
    return leg is not PositionSide.NET and (order_side is Side.SELL) is (leg is PositionSide.LONG)


def position_side_word(order_side: Side, leg: PositionSide) -> str:
    """The side as REST writes it: in hedge mode the position's, whether it is opened or closed."""
    if leg is PositionSide.NET:
        return order_side.value
    return "buy" if leg is PositionSide.LONG else "sell"


def trade_side_word(order_side: Side, leg: PositionSide, kind: FillKind = FillKind.TRADE) -> str:
    """`tradeSide`: what an order or fill does to the position, and who wanted it."""
    forced = _FORCED_PREFIXES.get(kind)
    if leg is PositionSide.NET:
        if kind is FillKind.ADL:
            return f"{forced}_{order_side.value}_in_single_side_mode"
        return f"{forced}_{order_side.value}_single" if forced else f"{order_side.value}_single"
    if forced:
        return f"{forced}_close_{leg.value}"
    return "close" if closes(order_side, leg) else "open"


def forced_kind(order: SimOrder) -> FillKind:
    """What an order of the exchange's own stands for."""
    return order.fills[0].kind if order.fills else FillKind.TRADE


def scope_word(fill: SimFill) -> str:
    return "maker" if fill.liquidity is Liquidity.MAKER else "taker"
