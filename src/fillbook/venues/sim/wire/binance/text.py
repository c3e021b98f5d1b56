"""Numbers and words as Binance writes them: fixed decimals, its names of order types, statuses and sides."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import orjson

from fillbook.accounts.core import PositionSide
from fillbook.market.core import Instrument, MarketType
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce
from fillbook.venues.sim.core.vocabulary import SimOrder
from fillbook.venues.sim.wire.binance.errors import BinanceError, illegal, missing

Params = dict[str, str]

_AMOUNT = re.compile(r"^([0-9]{1,20})(\.[0-9]{1,20})?$", re.ASCII)
_INTEGER = re.compile(r"^-?[0-9]{1,19}$", re.ASCII)
_CLIENT_ID = re.compile(r"^[.A-Z:/a-z0-9_-]{1,36}$")

SPOT_TYPES = {
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "MARKET": OrderType.MARKET,
    "STOP_LOSS": OrderType.STOP_MARKET,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_MARKET,
    "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
}
FUTURES_TYPES = {
    "LIMIT": OrderType.LIMIT,
    "MARKET": OrderType.MARKET,
    "STOP_MARKET": OrderType.STOP_MARKET,
    "STOP": OrderType.STOP_LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT_MARKET,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
}
_SPOT_NAMES = {kind: name for name, kind in SPOT_TYPES.items() if name != "LIMIT_MAKER"}
_FUTURES_NAMES = {kind: name for name, kind in FUTURES_TYPES.items()}
POSITION_SIDES = {"BOTH": PositionSide.NET, "LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}
_LEGS = {leg: name for name, leg in POSITION_SIDES.items()}
_TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTX": TimeInForce.POST_ONLY,
}


def wire_id(instrument: Instrument) -> str:
    return instrument.base + instrument.quote


def type_name(order: SimOrder) -> str:
    if order.market_type is MarketType.FUTURES:
        return _FUTURES_NAMES[order.order_type]
    if order.order_type is OrderType.LIMIT and order.time_in_force is TimeInForce.POST_ONLY:
        return "LIMIT_MAKER"
    return _SPOT_NAMES[order.order_type]


def side_name(order: SimOrder) -> str:
    return order.side.value.upper()


def leg_name(leg: PositionSide) -> str:
    return _LEGS[leg]


def status_name(status: OrderStatus) -> str:
    return status.value


def time_in_force_name(order: SimOrder) -> str:
    if order.time_in_force is TimeInForce.POST_ONLY:
        return "GTX" if order.market_type is MarketType.FUTURES else "GTC"
    return order.time_in_force.value


def required(params: Params, name: str) -> str:
    value = params.get(name)
    if not value:
        raise missing(name)
    return value


def amount(params: Params, name: str) -> Decimal | None:
    """An optional decimal parameter."""
    text = params.get(name)
    if not text:
        return None
    if not _AMOUNT.match(text):
        raise illegal(name, _AMOUNT.pattern)
    return Decimal(text)


def required_amount(params: Params, name: str) -> Decimal:
    value = amount(params, name)
    if value is None:
        raise missing(name)
    return value


def integer(params: Params, name: str) -> int | None:
    text = params.get(name)
    if not text:
        return None
    if not _INTEGER.match(text):
        raise illegal(name, "^[0-9]{1,20}$")
    return int(text)


def flag(params: Params, name: str) -> bool:
    text = params.get(name, "false").lower()
    if text not in ("true", "false"):
        raise illegal(name, "true|false")
    return text == "true"


def client_id(params: Params, name: str) -> str | None:
    text = params.get(name)
    if not text:
        return None
    if not _CLIENT_ID.match(text):
        raise illegal(name, "^[\\.A-Z\\:/a-z0-9_-]{1,36}$")
    return text


def time_in_force(params: Params) -> TimeInForce:
    name = required(params, "timeInForce")
    if name not in _TIMES_IN_FORCE:
        raise BinanceError(-1115, "Invalid timeInForce.")
    return _TIMES_IN_FORCE[name]


def json_list(text: str, name: str) -> list[Any]:
    """A parameter that is a JSON list, escaped or not."""
    try:
        rows = orjson.loads(text if text.startswith("[") else unquote(text))
    except orjson.JSONDecodeError as error:
        raise BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.") from error
    if not isinstance(rows, list):
        raise BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return rows
