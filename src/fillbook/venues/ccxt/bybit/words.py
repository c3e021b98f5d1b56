"""Bybit's words for statuses, order types, legs and executions, and ours."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode, PositionSide
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce
from fillbook.venues.ccxt.values import positive

CATEGORIES = {MarketType.SPOT: "spot", MarketType.FUTURES: "linear"}
MARKET_TYPES = {name: market_type for market_type, name in CATEGORIES.items()}

STATUSES = {
    "Created": OrderStatus.NEW,
    "New": OrderStatus.NEW,
    "Active": OrderStatus.NEW,
    "Untriggered": OrderStatus.NEW,
    "Triggered": OrderStatus.NEW,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    "PendingCancel": OrderStatus.PENDING_CANCEL,
    "Cancelled": OrderStatus.CANCELED,
    "PartiallyFilledCanceled": OrderStatus.CANCELED,
    "Deactivated": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
}
# What the matching engine ends by an order's own terms, without anybody's wish.
_EXPIRY_REASONS = frozenset(
    {
        "EC_NoEnoughQtyToFill",
        "EC_NoImmediateQtyToFill",
        "EC_PostOnlyWillTakeLiquidity",
        "EC_CancelForNoFullFill",
        "EC_BySelfMatch",
        "EC_ReachMaxTradeNum",
    }
)

TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.POST_ONLY,
    "RPI": TimeInForce.POST_ONLY,
}
VENUE_TIMES_IN_FORCE = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "PostOnly",
}

LEGS = {0: PositionSide.NET, 1: PositionSide.LONG, 2: PositionSide.SHORT}
LEG_NUMBERS = {leg: number for number, leg in LEGS.items()}

MARGIN_MODES = {
    "REGULAR_MARGIN": MarginMode.CROSS,
    "PORTFOLIO_MARGIN": MarginMode.CROSS,
    "ISOLATED_MARGIN": MarginMode.ISOLATED,
}
MARGIN_WORDS = {MarginMode.CROSS: "REGULAR_MARGIN", MarginMode.ISOLATED: "ISOLATED_MARGIN"}

_FUNDING = "Funding"
_FORCED = {
    "BustTrade": FillKind.LIQUIDATION,
    "AdlTrade": FillKind.ADL,
    "Delivery": FillKind.SETTLEMENT,
    "Settle": FillKind.SETTLEMENT,
}


def status_of(row: Mapping[str, Any], quantity: Decimal, filled: Decimal) -> OrderStatus:
    """Our status; a word yet unknown follows its quantities."""
    known = STATUSES.get(row["orderStatus"])
    if known is None:
        if quantity and filled >= quantity:
            return OrderStatus.FILLED
        return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW
    if known is OrderStatus.CANCELED and row.get("rejectReason") in _EXPIRY_REASONS:
        return OrderStatus.EXPIRED
    # An order may fill in part and then be rejected: what has fills was placed.
    return OrderStatus.CANCELED if known is OrderStatus.REJECTED and filled else known


def order_type_of(row: Mapping[str, Any], side: Side) -> OrderType:
    """A trigger makes it a stop or a take-profit: by the side, and by whether it waits for the price to rise.

    An unknown word reads as LIMIT, which promises least: it rests until it ends.
    """
    is_market = row["orderType"] == "Market"
    trigger = positive(row.get("triggerPrice"))
    if trigger is None or not row.get("stopOrderType"):
        return OrderType.MARKET if is_market else OrderType.LIMIT
    direction = int(row.get("triggerDirection") or 0)
    before = positive(row.get("lastPriceOnCreated"))
    # Spot names no direction: the price when it was placed tells.
    rises = direction == 1 if direction else (trigger > before if before else side is Side.BUY)
    if rises is (side is Side.BUY):
        return OrderType.STOP_MARKET if is_market else OrderType.STOP_LIMIT
    return OrderType.TAKE_PROFIT_MARKET if is_market else OrderType.TAKE_PROFIT_LIMIT


def side_of(word: str) -> Side:
    return Side(word.lower())


def leg_of(number: Any) -> PositionSide:
    return LEGS[int(number or 0)]


def is_funding(row: Mapping[str, Any]) -> bool:
    """Whether an execution is a funding payment, which the ledger reads elsewhere."""
    return row.get("execType") == _FUNDING


def fill_kind_of(word: str | None) -> FillKind:
    """What made an execution. Block trades, moved positions and words yet unknown moved a position too."""
    return _FORCED.get(word or "", FillKind.TRADE)
