"""Binance's words for statuses, order types and times in force, and ours."""

from decimal import Decimal

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce

STATUSES = {
    "NEW": OrderStatus.NEW,
    "PENDING_NEW": OrderStatus.NEW,
    "ACCEPTED": OrderStatus.NEW,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "PENDING_CANCEL": OrderStatus.PENDING_CANCEL,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    # Self-trade prevention ended it.
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}

ORDER_TYPES: dict[MarketType, dict[str, OrderType]] = {
    MarketType.SPOT: {
        "MARKET": OrderType.MARKET,
        "LIMIT": OrderType.LIMIT,
        "LIMIT_MAKER": OrderType.LIMIT,
        "STOP_LOSS": OrderType.STOP_MARKET,
        "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
        "TAKE_PROFIT": OrderType.TAKE_PROFIT_MARKET,
        "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
    },
    MarketType.FUTURES: {
        "MARKET": OrderType.MARKET,
        "LIQUIDATION": OrderType.MARKET,
        "LIMIT": OrderType.LIMIT,
        "STOP": OrderType.STOP_LIMIT,
        "STOP_MARKET": OrderType.STOP_MARKET,
        "TRAILING_STOP_MARKET": OrderType.STOP_MARKET,
        "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
        "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT_MARKET,
    },
}

VENUE_ORDER_TYPES: dict[MarketType, dict[OrderType, str]] = {
    MarketType.SPOT: {
        OrderType.MARKET: "MARKET",
        OrderType.LIMIT: "LIMIT",
        OrderType.STOP_MARKET: "STOP_LOSS",
        OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
        OrderType.TAKE_PROFIT_MARKET: "TAKE_PROFIT",
        OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
    },
    MarketType.FUTURES: {
        OrderType.MARKET: "MARKET",
        OrderType.LIMIT: "LIMIT",
        OrderType.STOP_MARKET: "STOP_MARKET",
        OrderType.STOP_LIMIT: "STOP",
        OrderType.TAKE_PROFIT_MARKET: "TAKE_PROFIT_MARKET",
        OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
    },
}

TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "GTD": TimeInForce.GTC,
    "GTE_GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTX": TimeInForce.POST_ONLY,
    "RPI": TimeInForce.POST_ONLY,
}

POSITION_SIDES = {"BOTH": PositionSide.NET, "LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}

MARGIN_MODES = {
    "ISOLATED": MarginMode.ISOLATED,
    "CROSSED": MarginMode.CROSS,
    "CROSS": MarginMode.CROSS,
}

_FORCED_CLIENT_IDS = (
    ("adl_autoclose", FillKind.ADL),
    ("settlement_autoclose", FillKind.SETTLEMENT),
    ("delivery_autoclose", FillKind.SETTLEMENT),
    ("autoclose", FillKind.LIQUIDATION),
)


def status_of(word: str, quantity: Decimal, filled: Decimal) -> OrderStatus:
    """Our status; forced orders (`NEW_ADL`, `NEW_INSURANCE`) and words yet unknown follow their quantities."""
    known = STATUSES.get(word)
    if known is not None:
        return known
    if quantity and filled >= quantity:
        return OrderStatus.FILLED
    return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW


def algo_status_of(word: str, quantity: Decimal, filled: Decimal) -> OrderStatus:
    """A conditional order lives on in the order that it triggered, until FINISHED says that this has ended."""
    match word:
        case "NEW" | "TRIGGERING" | "TRIGGERED":
            return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW
        case "FINISHED":
            return OrderStatus.FILLED if quantity and filled >= quantity else OrderStatus.CANCELED
        case _:
            return status_of(word, quantity, filled)


def order_type_of(word: str, market_type: MarketType) -> OrderType:
    """Our order type. An unknown word reads as LIMIT, which promises least: it rests until it ends."""
    return ORDER_TYPES[market_type].get(word, OrderType.LIMIT)


def time_in_force_of(word: str | None, order_type: str) -> TimeInForce | None:
    return TimeInForce.POST_ONLY if order_type == "LIMIT_MAKER" else TIMES_IN_FORCE.get(word or "")


def position_side_of(word: str | None) -> PositionSide:
    return PositionSide.NET if word is None else POSITION_SIDES[word]


def side_of(word: str) -> Side:
    return Side(word.lower())


def fill_kind_of(client_order_id: str, order_type: str = "") -> FillKind:
    """What made an execution: Binance names its forced orders by their client order ids."""
    for prefix, kind in _FORCED_CLIENT_IDS:
        if client_order_id.startswith(prefix):
            return kind
    return FillKind.LIQUIDATION if order_type == "LIQUIDATION" else FillKind.TRADE
