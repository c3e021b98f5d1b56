"""What an alert asks for: one symbol, one to thirty legs, in the order in which they run.

A leg is one order (or one cancel of all orders) on every account of the strategy. `qty_per` is percent of the
strategy's capital on the account; below zero it closes that part of the position, whichever way it points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, assert_never

from fillbook.kernel.money import parse_amount, to_text
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderType

MAX_LEGS = 30
_LEG_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class LegKind(StrEnum):
    """In the order in which the legs of one alert run: what frees or takes at once, then what waits."""

    MARKET = "MARKET"
    CANCEL_ALL_ORDER = "CANCEL_ALL_ORDER"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    STOP_LIMIT = "STOP_LIMIT"

    @property
    def order_type(self) -> OrderType | None:
        """None for a leg that cancels."""
        return None if self is LegKind.CANCEL_ALL_ORDER else OrderType(self.value)

    @property
    def rank(self) -> int:
        match self:
            case LegKind.MARKET | LegKind.CANCEL_ALL_ORDER:
                return 0
            case LegKind.LIMIT:
                return 1
            case LegKind.STOP_MARKET:
                return 2
            case LegKind.STOP_LIMIT:
                return 3
        assert_never(self)


class SignalType(StrEnum):
    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"
    CLOSE = "CLOSE"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of an alert. `position` is its place in the message, `leg` its place in execution. `stop_loss` and
    `take_profit` are prices that protect what it opens."""

    leg: str
    position: int
    kind: LegKind
    side: Side | None
    qty_per: Decimal | None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None

    @property
    def closes(self) -> bool:
        return self.qty_per is not None and self.qty_per < 0

    @property
    def log_side(self) -> str:
        """The order log's side: a cancel without a side is `all`, a close without one `close`."""
        if self.side is not None:
            return self.side.value
        return "close" if self.closes else "all"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it was understood. `symbol` is spelt as the sender spelt it.

    `is_timed`: the body names its own moment, so that an equal body is a repeat however late it comes.
    """

    token: str | None
    group_name: str
    symbol: str
    legs: tuple[Leg, ...]
    sent_at: datetime | None
    is_timed: bool
    fingerprint: str
    reason: str | None = None
    timeframe: str | None = None
    confidence: Decimal | None = None
    indicators: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def main_leg(self) -> Leg:
        """The leg that names the whole alert: the first that opens, else the first that closes."""
        orders = [leg for leg in self.legs if leg.kind is not LegKind.CANCEL_ALL_ORDER]
        opening = [leg for leg in orders if not leg.closes]
        return (opening or orders or list(self.legs))[0]

    @property
    def signal_type(self) -> SignalType:
        main = self.main_leg
        if main.kind is LegKind.CANCEL_ALL_ORDER:
            return SignalType.CANCEL
        if main.closes:
            return SignalType.CLOSE
        return SignalType.BUY if main.side is Side.BUY else SignalType.SELL


def leg_code(position: int) -> str:
    """Four characters of base 36 that sort like the number: `0000` is the first leg."""
    digits = ""
    for _ in range(4):
        position, rest = divmod(position, 36)
        digits = _LEG_DIGITS[rest] + digits
    return digits


def legs_to_json(legs: Sequence[Leg]) -> list[dict[str, Any]]:
    """The legs as the `signals.legs` column keeps them; decimals are text."""
    return [
        {
            "leg": leg.leg,
            "position": leg.position,
            "kind": leg.kind.value,
            "side": leg.side.value if leg.side else None,
            "qty_per": _text(leg.qty_per),
            "price": _text(leg.price),
            "stop_price": _text(leg.stop_price),
            "stop_loss": _text(leg.stop_loss),
            "take_profit": _text(leg.take_profit),
        }
        for leg in legs
    ]


def legs_from_json(rows: Sequence[Mapping[str, Any]]) -> tuple[Leg, ...]:
    """The inverse of `legs_to_json`."""
    return tuple(
        Leg(
            leg=row["leg"],
            position=row["position"],
            kind=LegKind(row["kind"]),
            side=Side(row["side"]) if row["side"] else None,
            qty_per=_amount(row["qty_per"]),
            price=_amount(row["price"]),
            stop_price=_amount(row["stop_price"]),
            stop_loss=_amount(row.get("stop_loss")),
            take_profit=_amount(row.get("take_profit")),
        )
        for row in rows
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else to_text(amount)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else parse_amount(text)
