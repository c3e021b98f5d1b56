"""What reconciliation may do about a difference. Each is done through the same doors as everything else: facts are
booked, look-ups ask, cancels are queued. None sends an order."""

from dataclasses import dataclass
from datetime import datetime

from fillbook.ledger.core.fill import FillReport
from fillbook.orders.core.order import Order
from fillbook.orders.core.reports import OrderReport
from fillbook.trading.core.reconcile.snapshots import Leg, Link, Residual


@dataclass(frozen=True, slots=True)
class TakeRecord:
    """Book the venue's record of an order: adopt it, move it on, and fetch the fills that it lacks."""

    report: OrderReport


@dataclass(frozen=True, slots=True)
class LookUpOrder:
    """Ask for an order's own record, in every book."""

    order: Order


@dataclass(frozen=True, slots=True)
class ReadFills:
    """Read a symbol's fills on from its cursor; where it has none, follow it from now on."""

    symbol: str


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Read a symbol's orders and fills again, as far back as it takes or the venue keeps them."""

    symbol: str


@dataclass(frozen=True, slots=True)
class BookFills:
    """Book fills that the books lack, oldest first."""

    fills: tuple[FillReport, ...]


@dataclass(frozen=True, slots=True)
class InferFill:
    """Book a fill that no record of the venue shows; `record` is the order that it belongs to."""

    fill: FillReport
    record: OrderReport | None = None


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Take an inferred fill back: what it stood for is booked by now. The real fills are booked anew after it, for they
    were divided among the owners while it still stood."""

    residual: Residual


@dataclass(frozen=True, slots=True)
class EndVanished:
    """End an order that the venue has long forgotten."""

    order: Order


@dataclass(frozen=True, slots=True)
class QueueCancel:
    """Queue a wanted cancel again."""

    order: Order


@dataclass(frozen=True, slots=True)
class Relabel:
    """Give an order of ours back to its strategy, and to a signal: the one that asked for it, or a restored one."""

    order: Order
    link: Link


@dataclass(frozen=True, slots=True)
class MarkPosition:
    """Say of a position whether it agrees with the venue: `ok`, `mismatch` or `repairing`."""

    leg: Leg
    status: str


@dataclass(frozen=True, slots=True)
class RestartCursor:
    """Follow a symbol from a later moment, before which the venue tells nothing any more."""

    symbol: str
    complete_since: datetime


Repair = (
    TakeRecord
    | LookUpOrder
    | ReadFills
    | ReadHistory
    | BookFills
    | InferFill
    | TakeBack
    | EndVanished
    | QueueCancel
    | Relabel
    | MarkPosition
    | RestartCursor
)
