"""What an order's two sides make of each other: one literal table, read from the top, the first row that fits.

`docs/concepts/reconciliation.md` shows it row by row. The columns: how the order stands in our books, how the
venue shows it, whether the venue has filled more than is booked, what follows, and as which case it is told.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fillbook.orders.core.lookup_policy import VANISHED
from fillbook.orders.core.order import Order, OrderStatus
from fillbook.orders.core.reports import OrderReport
from fillbook.trading.core.reconcile.cases import Case


class Here(StrEnum):
    """How an order stands in our books."""

    LOST = "absent, an id of ours"
    FOREIGN = "absent, another id"
    PENDING = "PENDING_NEW"
    LIVE = "NEW, PARTIALLY_FILLED"
    CANCELLING = "live, cancel wanted"
    FILLED = "FILLED"
    ENDED = "CANCELED, EXPIRED, REJECTED"
    GIVEN_UP = "never placed, vanished"


class There(StrEnum):
    """How the venue shows it. NOT_SHOWN: its book was read and does not have it; NOT_FOUND: no book has it."""

    LIVE = "live"
    FILLED = "filled"
    ENDED = "ended"
    NOT_SHOWN = "not in its book"
    NOT_FOUND = "not found"
    UNREAD = "not read"


class Filled(StrEnum):
    """The venue's filled quantity beside what is booked."""

    MORE = "more"
    SAME = "same"
    LESS = "less"


class Resolution(StrEnum):
    KEEP = "keep"
    WAIT = "wait"
    ADOPT = "adopt"
    FOLLOW = "follow"
    FETCH_FILLS = "fetch its fills"
    LOOK_UP = "look it up"
    LEAVE = "leave to the look-ups"
    CONFIRM = "confirm, then end"
    CANCEL_AGAIN = "queue the cancel again"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class Row:
    """Empty sets fit everything."""

    here: frozenset[Here]
    there: frozenset[There]
    filled: frozenset[Filled]
    resolution: Resolution
    case: Case | None
    reason: str

    def fits(self, here: Here, there: There, filled: Filled) -> bool:
        return (
            (not self.here or here in self.here)
            and (not self.there or there in self.there)
            and (not self.filled or filled in self.filled)
        )


_SHOWN = (There.LIVE, There.FILLED, There.ENDED)
_OVER = (There.FILLED, There.ENDED)
_MISSING = (There.NOT_SHOWN, There.NOT_FOUND)
_OPEN = (Here.LIVE, Here.CANCELLING)


def _row(
    here: tuple[Here, ...],
    there: tuple[There, ...],
    filled: tuple[Filled, ...],
    resolution: Resolution,
    case: Case | None,
    reason: str,
) -> Row:
    return Row(frozenset(here), frozenset(there), frozenset(filled), resolution, case, reason)


TRUTH_TABLE: tuple[Row, ...] = (
    _row((), (There.UNREAD,), (), Resolution.WAIT, None, "What could not be read proves nothing."),
    _row(
        (Here.LOST,),
        _SHOWN,
        (),
        Resolution.ADOPT,
        Case.ORDER_MISSING,
        "Its id says whose order it is: its row was lost.",
    ),
    _row(
        (Here.FOREIGN,),
        (There.LIVE,),
        (),
        Resolution.ADOPT,
        Case.EXTERNAL_ORDER,
        "Every live order at the venue is known here; this one is a person's or another program's.",
    ),
    _row(
        (Here.FOREIGN,),
        _OVER,
        (Filled.MORE,),
        Resolution.ADOPT,
        Case.EXTERNAL_ORDER,
        "Its fills moved the account, so they are booked.",
    ),
    _row(
        (Here.FOREIGN,),
        _OVER,
        (),
        Resolution.KEEP,
        None,
        "It came and went without a fill: nothing depends on it.",
    ),
    _row(
        (Here.PENDING,),
        _SHOWN,
        (),
        Resolution.FOLLOW,
        Case.STATUS_BEHIND,
        "The venue shows it: it did arrive.",
    ),
    _row(
        (Here.PENDING,),
        _MISSING,
        (),
        Resolution.LEAVE,
        None,
        "Not found once proves nothing: the look-ups decide whether it was never placed.",
    ),
    _row(
        _OPEN,
        (There.NOT_SHOWN,),
        (),
        Resolution.LOOK_UP,
        None,
        "It may have ended: only its own record says so.",
    ),
    _row(
        _OPEN,
        (There.NOT_FOUND,),
        (),
        Resolution.CONFIRM,
        Case.ORDER_NOT_FOUND,
        "Venues lose sight of orders for a while, and forget ended ones for good: time tells which.",
    ),
    _row(
        _OPEN,
        _SHOWN,
        (Filled.MORE,),
        Resolution.FETCH_FILLS,
        Case.FILLS_MISSING,
        "The venue filled more than is booked; the order stays live until its fills are.",
    ),
    _row(
        _OPEN,
        _OVER,
        (Filled.LESS,),
        Resolution.FOLLOW,
        Case.FILLED_DIFFERS,
        "The books hold fills that its last record does not count: fills are facts, and it is flagged.",
    ),
    _row(
        _OPEN,
        _OVER,
        (),
        Resolution.FOLLOW,
        Case.STATUS_BEHIND,
        "It ended, and nobody told us.",
    ),
    _row(
        (Here.CANCELLING,),
        (There.LIVE,),
        (),
        Resolution.CANCEL_AGAIN,
        Case.CANCEL_UNFINISHED,
        "A wanted cancel is never given up while the order lives.",
    ),
    _row(
        (Here.LIVE,),
        (There.LIVE,),
        (),
        Resolution.KEEP,
        None,
        "Both sides agree, or the record is older than the fills.",
    ),
    _row(
        (Here.FILLED, Here.ENDED),
        _SHOWN,
        (Filled.MORE,),
        Resolution.FETCH_FILLS,
        Case.FILLS_MISSING,
        "A fill is booked whatever the order's status.",
    ),
    _row(
        (Here.ENDED,),
        (There.LIVE,),
        (),
        Resolution.TELL,
        Case.ENDED_BUT_LIVES,
        "The venue said that it was over, and shows it open: a person decides.",
    ),
    _row(
        (Here.GIVEN_UP,),
        _SHOWN,
        (),
        Resolution.FOLLOW,
        Case.STATUS_BEHIND,
        "It exists after all, and comes back to life.",
    ),
    _row(
        (Here.FILLED, Here.ENDED, Here.GIVEN_UP),
        (),
        (),
        Resolution.KEEP,
        None,
        "It is over: nothing can be truer, and venues forget what has ended.",
    ),
)


def resolve(here: Here, there: There, filled: Filled = Filled.SAME) -> Row:
    """The first row that fits. An order that is absent on both sides is none."""
    for row in TRUTH_TABLE:
        if row.fits(here, there, filled):
            return row
    raise AssertionError(f"the truth table has no row for {here}, {there}, {filled}")


def stands_here(order: Order) -> Here:
    """How an order of the books stands."""
    match order.status:
        case OrderStatus.PENDING_NEW:
            return Here.PENDING
        case OrderStatus.FILLED:
            return Here.FILLED
        case OrderStatus.NEW | OrderStatus.PARTIALLY_FILLED | OrderStatus.PENDING_CANCEL:
            return Here.CANCELLING if order.cancel_wanted else Here.LIVE
        case _:
            was_shown = order.acknowledged_at is not None and order.error_code != VANISHED
            return Here.ENDED if was_shown else Here.GIVEN_UP


def stands_there(report: OrderReport) -> There:
    """How the venue shows an order."""
    if report.status is OrderStatus.FILLED:
        return There.FILLED
    return There.LIVE if report.status.is_live else There.ENDED


def compare_filled(booked: Decimal, reported: Decimal) -> Filled:
    if reported == booked:
        return Filled.SAME
    return Filled.MORE if reported > booked else Filled.LESS
