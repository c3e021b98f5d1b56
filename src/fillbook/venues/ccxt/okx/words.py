"""OKX's words for states, order types, legs and what forced a fill, and ours."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce
from fillbook.venues.ccxt.values import positive

INSTRUMENT_TYPES = {MarketType.SPOT: "SPOT", MarketType.FUTURES: "SWAP"}
MARKET_TYPES = {name: market_type for market_type, name in INSTRUMENT_TYPES.items()}

STATUSES = {
    "live": OrderStatus.NEW,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "mmp_canceled": OrderStatus.CANCELED,
    "order_failed": OrderStatus.REJECTED,
}
# A triggered order lives on in the one that it placed: only that one's state says what became of it.
ALGO_STATUSES = {
    "live": OrderStatus.NEW,
    "pause": OrderStatus.NEW,
    "effective": OrderStatus.NEW,
    "partially_effective": OrderStatus.NEW,
    "order_placed": OrderStatus.NEW,
    "filled": OrderStatus.NEW,
    "canceled": OrderStatus.CANCELED,
    "order_failed": OrderStatus.REJECTED,
    "partially_failed": OrderStatus.REJECTED,
}
# Ends that somebody asked for; any other cancellation came of the order's own terms or of the venue.
_ASKED_FOR = frozenset({"", "0", "1", "20"})

ORDER_TYPES: dict[str, tuple[OrderType, TimeInForce | None]] = {
    "market": (OrderType.MARKET, None),
    "optimal_limit_ioc": (OrderType.MARKET, None),
    "limit": (OrderType.LIMIT, TimeInForce.GTC),
    "post_only": (OrderType.LIMIT, TimeInForce.POST_ONLY),
    "mmp_and_post_only": (OrderType.LIMIT, TimeInForce.POST_ONLY),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "fok": (OrderType.LIMIT, TimeInForce.FOK),
}
VENUE_ORDER_TYPES = {
    TimeInForce.GTC: "limit",
    TimeInForce.POST_ONLY: "post_only",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
}
LEGS = {"net": PositionSide.NET, "long": PositionSide.LONG, "short": PositionSide.SHORT, "": PositionSide.NET}
MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}

_CATEGORIES = {
    "full_liquidation": FillKind.LIQUIDATION,
    "partial_liquidation": FillKind.LIQUIDATION,
    "adl": FillKind.ADL,
    "delivery": FillKind.SETTLEMENT,
}
# Of fills: the kinds of bill that a forced fill is.
_FORCED = {
    **dict.fromkeys(map(str, range(100, 110)), FillKind.LIQUIDATION),
    **dict.fromkeys(("125", "126", "127", "128"), FillKind.ADL),
    **dict.fromkeys(("112", "113"), FillKind.SETTLEMENT),
}


def status_of(row: Mapping[str, Any], quantity: Decimal, filled: Decimal) -> OrderStatus:
    """Our status; a word yet unknown follows its quantities."""
    known = STATUSES.get(row["state"])
    if known is None:
        if quantity and filled >= quantity:
            return OrderStatus.FILLED
        return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW
    if known is OrderStatus.CANCELED and (row.get("cancelSource") or "") not in _ASKED_FOR:
        return OrderStatus.EXPIRED
    return known


def order_type_of(row: Mapping[str, Any]) -> tuple[OrderType, TimeInForce | None]:
    """Type and time in force; what a trigger placed is by its price, whatever it is called."""
    known = ORDER_TYPES.get(row["ordType"])
    if known is not None:
        return known
    if positive(row.get("px")) is None:
        return OrderType.MARKET, None
    return OrderType.LIMIT, TimeInForce.GTC


def algo_type_of(row: Mapping[str, Any]) -> OrderType:
    """A stop, unless it takes a profit by name. A plain trigger does not say which; a stop promises least."""
    prefix = algo_prefix(row)
    has_price = positive(row.get(_name(prefix, "OrdPx"))) is not None
    if prefix == "tp":
        return OrderType.TAKE_PROFIT_LIMIT if has_price else OrderType.TAKE_PROFIT_MARKET
    return OrderType.STOP_LIMIT if has_price else OrderType.STOP_MARKET


def algo_prefix(row: Mapping[str, Any]) -> str:
    """How the fields of its trigger begin: `sl` or `tp`, or with nothing. Of two sides the stop counts."""
    return next((prefix for prefix in ("sl", "tp") if positive(row.get(f"{prefix}TriggerPx"))), "")


def algo_price(row: Mapping[str, Any], what: str) -> Decimal | None:
    """Its `TriggerPx` or `OrdPx`; a market order's price of -1 is none."""
    return positive(row.get(_name(algo_prefix(row), what)))


def _name(prefix: str, what: str) -> str:
    return f"{prefix}{what}" if prefix else what[0].lower() + what[1:]


def client_id_of(row: Mapping[str, Any]) -> str | None:
    """The owner's name for an order. What a trigger placed has the trigger's; OKX's own names are none."""
    name = row.get("algoClOrdId") or row.get("clOrdId") or ""
    return name if name and "_" not in name else None


def leg_of(word: str | None) -> PositionSide:
    return LEGS[word or ""]


def side_of(word: str) -> Side:
    return Side(word)


def flag(value: Any) -> bool:
    """A truth value, which OKX writes as a word."""
    return str(value).lower() == "true"


def kind_of_order(row: Mapping[str, Any]) -> FillKind:
    return _CATEGORIES.get(row.get("category") or "", FillKind.TRADE)


def kind_of_fill(row: Mapping[str, Any]) -> FillKind:
    return _FORCED.get(row.get("subType") or "", FillKind.TRADE)
