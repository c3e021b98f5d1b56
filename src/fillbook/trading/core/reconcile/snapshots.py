"""The two sides that are compared: what the books hold, and what was read of the venue.

A part of the venue that could not be read is `Unread`, one that was not asked for is absent. Neither ever means
"nothing there".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from fillbook.accounts.core import BalanceReport, PositionReport, PositionSide, SyncCursor
from fillbook.kernel.money import ZERO
from fillbook.ledger.core.fill import FillReport
from fillbook.market.core import MarketType, VenueName
from fillbook.orders.core.order import Book, Order
from fillbook.orders.core.reports import OrderReport

SETTLE = timedelta(seconds=10)
"""How long a live stream may take to bring something."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of the venue that was asked for and could not be read."""

    reason: str


class Leg(NamedTuple):
    """Where a position is held: NET in one-way mode, LONG or SHORT in hedge mode."""

    symbol: str
    side: PositionSide

    def __str__(self) -> str:
        return self.symbol if self.side is PositionSide.NET else f"{self.symbol} {self.side}"


class FillId(NamedTuple):
    """A fill's key within its account."""

    symbol: str
    exchange_order_id: str
    venue_fill_id: str

    @classmethod
    def of(cls, fill: FillReport) -> "FillId":
        return cls(fill.symbol, fill.exchange_order_id, fill.venue_fill_id)


@dataclass(frozen=True, slots=True)
class LocalPosition:
    """An account's fold in one place. `quantity` is signed and holds the dust; `cost` is that of the quantity;
    `status` is what the last comparison left: `ok`, `mismatch` or `repairing`."""

    quantity: Decimal
    cost: Decimal = ZERO
    status: str = "ok"
    last_fill_at: datetime | None = None
    last_fill_id: str = ""


@dataclass(frozen=True, slots=True)
class Misses:
    """Clean look-ups of a live order that did not find it: how many in a row, and since when."""

    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A strategy's link to the account, by the code that its client order ids carry."""

    code: str
    strategy_id: int
    strategy_account_id: int


@dataclass(frozen=True, slots=True)
class Residual:
    """An inferred fill that stands for what a position held beyond all records, and the real fills of its side that
    were booked after it."""

    fill: FillReport
    since: tuple[FillReport, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalSnapshot:
    """What the books hold of one account.

    `orders` are the live ones and every other that a report of the venue speaks of. `holdings` are spot base
    units of all owners but `external`, by asset. `suspected` are positions that differed at the look before, as
    (here, there). `is_catching_up`: the stream was down before, so that nothing here is merely on its way.
    """

    exchange: VenueName
    installations: frozenset[str]
    at: datetime
    orders: tuple[Order, ...] = ()
    queued_cancels: frozenset[int] = frozenset()
    positions: Mapping[Leg, LocalPosition] = field(default_factory=dict)
    holdings: Mapping[str, Decimal] = field(default_factory=dict)
    lots: Mapping[str, Decimal] = field(default_factory=dict)
    cursors: Mapping[str, SyncCursor] = field(default_factory=dict)
    fill_ids: frozenset[FillId] = frozenset()
    misses: Mapping[int, Misses] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    newest_order_at: datetime | None = None
    suspected: Mapping[Leg, tuple[Decimal, Decimal]] = field(default_factory=dict)
    differing_since: Mapping[Leg, datetime] = field(default_factory=dict)
    residuals: Mapping[Leg, tuple[Residual, ...]] = field(default_factory=dict)
    catching_up_since: datetime | None = None

    def settled_by(self, venue_at: datetime) -> datetime:
        """What happened before this moment would be here if the stream had brought it; what is younger is taken in
        and not told."""
        return self.catching_up_since or venue_at - SETTLE


@dataclass(frozen=True, slots=True)
class VenueSnapshot:
    """What was read of the venue; `at` is its own time.

    `open_orders` are whole books. `records` are orders that were read one by one or in a list of the past;
    `not_found` names orders of ours that no book has. `fills_read` are symbols whose fills were read on to the
    end, `exhausted` those read as far back as the venue keeps them, `unexplained` orders whose own fills were read and
    do not add up to what their record says. `positions_at` is when the positions were asked for.
    """

    at: datetime
    open_orders: Mapping[tuple[MarketType, Book], tuple[OrderReport, ...] | Unread] = field(
        default_factory=dict
    )
    records: tuple[OrderReport, ...] = ()
    not_found: frozenset[int] = frozenset()
    unread_orders: Mapping[int, Unread] = field(default_factory=dict)
    fills: tuple[FillReport, ...] = ()
    fills_read: frozenset[str] = frozenset()
    unread_fills: Mapping[str, Unread] = field(default_factory=dict)
    exhausted: frozenset[str] = frozenset()
    unexplained: frozenset[int] = frozenset()
    positions: tuple[PositionReport, ...] | Unread | None = None
    positions_at: datetime | None = None
    balances: Mapping[MarketType, tuple[BalanceReport, ...] | Unread] = field(default_factory=dict)
    marks: Mapping[str, Decimal] = field(default_factory=dict)

    def unread(self) -> list[str]:
        """What could not be read, and why, for a person."""
        said = [
            f"open {market_type} orders, {book}: {part.reason}"
            for (market_type, book), part in self.open_orders.items()
            if isinstance(part, Unread)
        ]
        said += [f"order {number}: {part.reason}" for number, part in self.unread_orders.items()]
        said += [f"fills of {symbol}: {part.reason}" for symbol, part in self.unread_fills.items()]
        if isinstance(self.positions, Unread):
            said.append(f"positions: {self.positions.reason}")
        said += [
            f"{market_type} balances: {part.reason}"
            for market_type, part in self.balances.items()
            if isinstance(part, Unread)
        ]
        return said
