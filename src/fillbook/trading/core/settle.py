"""What a fact makes of an order. Pure: an order and a report in, the order as it then stands out.

The status follows booked fills and the venue's own record. An order is not over while the venue reports more
filled than we have fills for: it stays live, and the gap is fetched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from fillbook.kernel.money import ZERO, exact, share, to_text
from fillbook.ledger.core.fill import Fill
from fillbook.orders.core.amend import Amend
from fillbook.orders.core.lookup_policy import BEYOND_WINDOW, VANISHED, LookUps, Probe, Verdict, decide
from fillbook.orders.core.order import Book, Order, OrderStatus, OrderType
from fillbook.orders.core.outcomes import Rejected, Unknown
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.transitions import missing_quantity, next_status
from fillbook.risk.core import RESERVED, Denied

REQUEST_WINDOW = timedelta(seconds=20)
AMEND_LOOK_UP_EVERY = timedelta(seconds=5)
NEVER_PLACED = "never_placed"
_FAILED_LOOK_UP_RANK = 5
"""A look-up that could not be made is made again after the longest pause: the venue is in trouble."""


@exact
def with_fills(order: Order, fills: Sequence[Fill], superseded: Sequence[Fill] = ()) -> Order:
    """The order with more of its fills booked (oldest first), and without those that count no more.

    Both at once: an inferred fill and the real one that supersedes it never count together.
    """
    exchange_order_id, book = order.exchange_order_id, order.book
    if fills:
        exchange_order_id, book = _name_at_venue(order, fills[0].exchange_order_id, Book.NORMAL)
    return _followed(
        replace(
            order,
            filled_quantity=order.filled_quantity
            + sum((fill.quantity for fill in fills), ZERO)
            - sum((fill.quantity for fill in superseded), ZERO),
            cost=order.cost
            + sum((fill.cost for fill in fills), ZERO)
            - sum((fill.cost for fill in superseded), ZERO),
            exchange_order_id=exchange_order_id,
            book=book,
            exchange_at=order.exchange_at or next((f.exchange_at for f in fills), None),
            follow_up=order.follow_up or order.calls_for_follow_up,
        ),
        None,
        was_known=_is_known(order),
    )


def with_report(order: Order, report: OrderReport, at: datetime) -> Order:
    """The order after the venue's report; it proves that the order exists."""
    was_known = _is_known(order)
    was_given_up = order.error_code in (NEVER_PLACED, VANISHED)
    exchange_order_id, book = _name_at_venue(
        order, report.exchange_order_id, report.book, report.triggered_order_id
    )
    known = replace(
        order,
        exchange_order_id=exchange_order_id,
        book=book,
        exchange_at=order.exchange_at or report.exchange_at,
        acknowledged_at=order.acknowledged_at or at,
        unknown_since=None,
        next_lookup_at=None,
        watch_until=None,
        error_code=None if was_given_up else order.error_code,
        error_message=None if was_given_up else order.error_message,
    )
    return _followed(_amended(known, report, at), report, was_known=was_known)


def _name_at_venue(
    order: Order, seen_id: str, seen_book: Book, triggered_id: str | None = None
) -> tuple[str, Book]:
    """The venue's id of an order and the book that knows it: of a conditional order that has triggered, the
    order that came of it, for that is the one that rests, fills and can be cancelled."""
    if triggered_id is not None:
        return triggered_id, Book.NORMAL
    if order.exchange_order_id is not None:
        return order.exchange_order_id, order.book
    return seen_id, seen_book


@exact
def _amended(order: Order, report: OrderReport, at: datetime) -> Order:
    """The order on the terms that the venue shows: a change of ours took effect, or a person changed it there.

    A change that is not to be seen is given up when its request can no longer take effect.
    """
    if order.order_type is not OrderType.LIMIT or report.price is None or report.quantity <= 0:
        return order
    if (report.price, report.quantity) != (order.price, order.quantity) and order.price:
        order = replace(
            order,
            sizing=_rescaled(order, report.price * report.quantity, order.price * order.quantity),
            price=report.price,
            quantity=report.quantity,
        )
    if order.amend is None:
        return order
    is_done = (order.amend.price, order.amend.quantity) == (order.price, order.quantity)
    if is_done or not order.status.is_live or at > order.amend.asked_at + REQUEST_WINDOW + BEYOND_WINDOW:
        return replace(order, amend=None, next_lookup_at=None)
    return replace(order, next_lookup_at=at + AMEND_LOOK_UP_EVERY)


def _rescaled(order: Order, now_worth: Decimal, was_worth: Decimal) -> tuple[Mapping[str, str], ...]:
    return tuple(
        {**step, "value": to_text(share(Decimal(step["value"]), now_worth, was_worth))}
        if step["label"] == RESERVED
        else step
        for step in order.sizing
    )


def with_amend(order: Order, amend: Amend) -> Order:
    """A resting order with a change that is written down; its record is looked at until it shows."""
    return replace(order, amend=amend, next_lookup_at=amend.asked_at + AMEND_LOOK_UP_EVERY)


def with_amend_outcome(order: Order, outcome: Rejected | Unknown | Denied, at: datetime) -> Order:
    """The order after an answer that does not show it changed. Only a refusal ends the wish."""
    if order.amend is None:
        return order
    match outcome:
        case Unknown():
            return replace(order, next_lookup_at=at)
        case Rejected(code, message):
            refusal, why = code, message
        case Denied(code, reason):
            refusal, why = code, reason
    return replace(
        order, amend=None, next_lookup_at=None, error_code=f"amend_refused:{refusal}"[:50], error_message=why
    )


def has_gap(order: Order, report: OrderReport) -> bool:
    """Whether the venue has filled more than is booked."""
    return missing_quantity(order.filled_quantity, report.filled_quantity) > 0


def with_rejection(order: Order, code: str, message: str, at: datetime) -> Order:
    """The order after a proof that it was not placed."""
    if order.status is not OrderStatus.PENDING_NEW:
        # The venue has shown the order since: what it shows is stronger than an answer that came late.
        return order
    return replace(
        order,
        status=OrderStatus.REJECTED,
        reserved=ZERO,
        error_code=code[:50],
        error_message=message,
        settled_at=at,
        unknown_since=None,
        next_lookup_at=None,
    )


def with_unknown_fate(order: Order, code: str, message: str, at: datetime) -> Order:
    """The order after an answer that proves nothing. It counts as in flight, and is looked up."""
    if order.status is not OrderStatus.PENDING_NEW:
        return order
    return replace(
        order,
        unknown_since=order.unknown_since or at,
        next_lookup_at=at,
        error_code=code[:50],
        error_message=message,
    )


def with_look_up(order: Order, clean: bool, at: datetime) -> Order:
    """The order after a look-up that did not find it (`clean`), or could not be made."""
    if order.unknown_since is None and order.watch_until is None:
        # A change of it is under way, and nobody can say: the order itself is known to exist.
        return replace(order, next_lookup_at=at + AMEND_LOOK_UP_EVERY if order.amend else None)
    if order.status is not OrderStatus.PENDING_NEW and order.watch_until is None:
        return replace(order, unknown_since=None, next_lookup_at=None)
    state = LookUps(
        unknown_since=order.unknown_since or at,
        request_window=REQUEST_WINDOW,
        next_at=order.next_lookup_at or at,
        attempts=order.lookups if clean else _FAILED_LOOK_UP_RANK,
        clean_misses=order.lookups,
        never_placed_at=None if order.watch_until is None else order.settled_at,
    )
    looked_up = decide(state, Probe.NOT_FOUND if clean else Probe.FAILED, at)
    after = replace(
        order,
        lookups=looked_up.state.clean_misses if clean else order.lookups,
        next_lookup_at=looked_up.state.next_at,
    )
    match looked_up.verdict:
        case Verdict.NEVER_PLACED:
            return replace(
                after,
                status=OrderStatus.REJECTED,
                reserved=ZERO,
                error_code=NEVER_PLACED,
                error_message="The venue has no such order: the request never took effect.",
                settled_at=at,
                watch_until=at + timedelta(hours=1),
            )
        case Verdict.STOP_WATCHING:
            return replace(after, next_lookup_at=None, watch_until=None, unknown_since=None)
        case _:
            return after


def with_vanished(order: Order, at: datetime) -> Order:
    """A live order that its venue has forgotten, ended. What it filled is booked; it cannot have filled more."""
    assert order.status.is_live and order.acknowledged_at is not None, "only what was shown can vanish"
    return replace(
        order,
        status=OrderStatus.EXPIRED,
        reserved=ZERO,
        error_code=VANISHED,
        error_message="The venue has forgotten this order: it ended there, without a fill that is not booked.",
        settled_at=at,
        unknown_since=None,
        next_lookup_at=None,
    )


def with_requested_cancel(order: Order, because: str | None = None) -> Order:
    """A live order whose cancel is written down; `because` is kept as its code."""
    assert order.status.is_live, "only a live order can be cancelled"
    is_acknowledged = order.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
    return replace(
        order,
        cancel_wanted=True,
        status=OrderStatus.PENDING_CANCEL if is_acknowledged else order.status,
        error_code=because or order.error_code,
    )


def with_late_close(order: Order) -> Order:
    """An order of unknown fate that a close has met: what it fills from now on is to be closed."""
    return replace(
        order,
        close_on_late_fill=True,
        late_fill_from=order.late_fill_from if order.close_on_late_fill else order.filled_quantity,
    )


@exact
def _followed(order: Order, report: OrderReport | None, *, was_known: bool) -> Order:
    reported_filled = None if report is None else report.filled_quantity
    reported = None if report is None else report.status
    if report is not None and has_gap(order, report) and not report.status.is_live:
        # Over at the venue, but not all of it is in the books: it stays live until the gap is fetched.
        reported = OrderStatus.PARTIALLY_FILLED
    status = next_status(
        order.status,
        reported,
        order.filled_quantity,
        order.quantity,
        reported_filled=reported_filled,
        known_at_venue=was_known,
    )
    if order.cancel_wanted and not was_known and status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED):
        status = OrderStatus.PENDING_CANCEL  # its cancel was queued before anybody knew that it arrived
    reserved = _still_reserved(order, status)
    if status is order.status and reserved == order.reserved:
        return order
    return replace(order, status=status, reserved=reserved)


def _still_reserved(order: Order, status: OrderStatus) -> Decimal:
    """The reservation that the open part of an order holds: its first reservation in proportion."""
    if not status.is_live or not order.remaining:
        return ZERO
    first = next(
        (Decimal(step["value"]) for step in order.sizing if step["label"] == RESERVED), order.reserved
    )
    return share(first, order.remaining, order.quantity)


def _is_known(order: Order) -> bool:
    """Whether the venue had shown the order before. A refusal does not count: it may have been misread; nor does
    an end without a record of the venue's."""
    return order.acknowledged_at is not None and order.error_code != VANISHED
