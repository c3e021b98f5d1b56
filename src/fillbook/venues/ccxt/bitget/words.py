"""Bitget's words for statuses, order types, sides and times in force, and ours.

In hedge mode `side` names the position and `tradeSide` what is done to it, except on the `fill` stream, where
the side is the trade's.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fillbook.accounts.core import MarginMode, PositionMode, PositionSide
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce

Raw = Mapping[str, Any]

# ccxt's unified spelling where it differs from Bitget's own.
_ASSET_NAMES = {
    "APX": "AstroPepeX",
    "DEGEN": "DegenReborn",
    "EVA": "Evadore",
    "JADE": "Jade Protocol",
    "OMNI": "omni",
    "TONCOIN": "TON",
}
_STATUSES = {
    "init": OrderStatus.NEW,
    "new": OrderStatus.NEW,
    "live": OrderStatus.NEW,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "partial_fill": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "full_fill": OrderStatus.FILLED,
    "cancelled": OrderStatus.CANCELED,
    "canceled": OrderStatus.CANCELED,
    "cancel": OrderStatus.CANCELED,
}
# A plan order lives on in what its trigger makes, until that has ended.
_PLAN_STATUSES = {
    "live": OrderStatus.NEW,
    "not_trigger": OrderStatus.NEW,
    "executing": OrderStatus.NEW,
    "executed": OrderStatus.NEW,
    "triggered": OrderStatus.NEW,
    "cancelled": OrderStatus.CANCELED,
    "canceled": OrderStatus.CANCELED,
    "fail_trigger": OrderStatus.REJECTED,
    "fail_execute": OrderStatus.REJECTED,
}
TRIGGERED_WORDS = frozenset({"executed", "triggered"})
_FORCES = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "post_only": TimeInForce.POST_ONLY,
}
FORCE_WORDS = {in_force: word for word, in_force in _FORCES.items()}
MARGIN_MODES = {"crossed": MarginMode.CROSS, "cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
MARGIN_WORDS = {MarginMode.CROSS: "crossed", MarginMode.ISOLATED: "isolated"}
POSITION_MODES = {"one_way_mode": PositionMode.ONE_WAY, "hedge_mode": PositionMode.HEDGE}
MODE_WORDS = {mode: word for word, mode in POSITION_MODES.items()}
INST_TYPES = {MarketType.SPOT: "SPOT", MarketType.FUTURES: "USDT-FUTURES"}
_FORCED_TRADE_SIDES = (
    ("burst_", FillKind.LIQUIDATION),
    ("reduce_", FillKind.LIQUIDATION),
    ("offset_", FillKind.LIQUIDATION),
    ("dte_sys_adl_", FillKind.ADL),
    ("delivery_", FillKind.SETTLEMENT),
)


class Trade(NamedTuple):
    """What an order or fill trades, on which leg, and who wanted it."""

    side: Side
    position_side: PositionSide
    kind: FillKind


def asset(name: str) -> str:
    return _ASSET_NAMES.get(name, name)


def status_of(word: str, in_force: TimeInForce | None) -> OrderStatus:
    """An order that may not rest and was cancelled ended by itself. Raises `KeyError` for an unknown word."""
    status = _STATUSES[word]
    if status is OrderStatus.CANCELED and in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return OrderStatus.EXPIRED
    return status


def plan_status_of(word: str) -> OrderStatus:
    return _PLAN_STATUSES[word]


def order_type_of(word: str) -> OrderType:
    return OrderType.LIMIT if word.lower() == "limit" else OrderType.MARKET


def plan_type_of(word: str) -> OrderType:
    """Bitget tells stops from take-profits by neither name nor direction: a plan order reads as a stop."""
    return OrderType.STOP_LIMIT if word.lower() == "limit" else OrderType.STOP_MARKET


def time_in_force_of(word: str | None, order_type: OrderType) -> TimeInForce | None:
    return _FORCES.get((word or "").lower()) if order_type.has_price else None


def order_trade(row: Raw) -> Trade:
    """Of an order, or of a fill by REST: in hedge mode the side is the position's."""
    side, leg, trade_side, kind = _read(row)
    if leg is PositionSide.NET:
        return Trade(side, leg, kind)
    opens = trade_side == "open"
    return Trade(_side_of(leg, opens), leg, kind)


def fill_trade(row: Raw) -> Trade:
    """Of a row of the `fill` stream: the side is the trade's in every mode."""
    side, leg, trade_side, kind = _read(row)
    if leg is PositionSide.NET or "long" in trade_side or "short" in trade_side:
        return Trade(side, leg, kind)
    is_long = (side is Side.BUY) is (trade_side == "open")
    return Trade(side, PositionSide.LONG if is_long else PositionSide.SHORT, kind)


def _read(row: Raw) -> tuple[Side, PositionSide, str, FillKind]:
    side, trade_side = Side(row["side"].lower()), (row.get("tradeSide") or "").lower()
    kind = next((kind for start, kind in _FORCED_TRADE_SIDES if trade_side.startswith(start)), FillKind.TRADE)
    if row.get("posMode", "one_way_mode") != "hedge_mode":
        return side, PositionSide.NET, trade_side, kind
    named = row.get("posSide") or next((leg for leg in ("long", "short") if leg in trade_side), None)
    if named is None:
        named = "long" if side is Side.BUY else "short"
    return side, PositionSide(named), trade_side, kind


def _side_of(leg: PositionSide, opens: bool) -> Side:
    return Side.BUY if (leg is PositionSide.LONG) is opens else Side.SELL


def position_word(side: Side, leg: PositionSide) -> str:
    """The side to send: in hedge mode the position's."""
    if leg is PositionSide.NET:
        return side.value
    return "buy" if leg is PositionSide.LONG else "sell"


def trade_word(side: Side, leg: PositionSide) -> str:
    """`tradeSide` of an order in hedge mode."""
    return "open" if (side is Side.BUY) is (leg is PositionSide.LONG) else "close"


def liquidity_of(word: str) -> Liquidity:
    """`taker` and `maker` by REST, `T` and `M` on the stream; the venue's pages spell the latter `marker` too."""
    return Liquidity.TAKER if word.lower().startswith("t") else Liquidity.MAKER
