"""What a venue says, in our words. A report is venue truth; nothing here is a wish.

Every report carries the venue's own message as `raw`, and times by the venue's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fillbook.accounts.core import BalanceReport, PositionReport, PositionSide
from fillbook.ledger.core.fill import FillKind, FillReport
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce


@dataclass(frozen=True, slots=True)
class OrderReport:
    """One order as the venue records it. `exchange_order_id` is the matching engine's id in the normal book,
    the conditional order's own id in the conditional book; `triggered_order_id` links the two once known.
    `fills_kind` is what its fills are, where the order tells and they do not: the venue's own forced orders."""

    symbol: str
    exchange_order_id: str
    client_order_id: str | None
    book: Book
    side: Side
    order_type: OrderType
    status: OrderStatus
    quantity: Decimal
    filled_quantity: Decimal
    cost: Decimal | None
    price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce | None
    reduce_only: bool
    position_side: PositionSide
    exchange_at: datetime
    triggered_order_id: str | None = None
    fills_kind: FillKind = FillKind.TRADE
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FillsPage:
    """Fills in the venue's order. `complete` is False when the venue has more behind `next_from_id`."""

    fills: tuple[FillReport, ...]
    complete: bool
    next_from_id: str | None = None
    next_since: datetime | None = None


class StreamState(StrEnum):
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class StreamChange:
    """The private stream came up or went down. Each `CONNECTED` calls for a backfill.

    `feed` names which, where an account has several (one for each market).
    """

    state: StreamState
    reason: str = ""
    feed: str = field(default="", compare=False)


__all__ = ["FillReport", "FillsPage", "OrderReport", "StreamChange", "StreamEvent", "StreamState"]

StreamEvent = StreamChange | OrderReport | FillReport | BalanceReport | PositionReport
