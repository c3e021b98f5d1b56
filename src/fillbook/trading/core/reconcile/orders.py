"""Orders: each one that either side knows, by the truth table; then what its resolution asks for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from fillbook.kernel.money import ZERO, divide, exact, to_text
from fillbook.ledger.core.fill import FillKind, FillReport
from fillbook.orders.core.client_ids import parse_client_order_id
from fillbook.orders.core.lookup_policy import has_vanished
from fillbook.orders.core.order import Book, Order
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.trading.core.reconcile.cases import Case, Finding, RepairKind
from fillbook.trading.core.reconcile.repairs import (
    EndVanished,
    InferFill,
    LookUpOrder,
    QueueCancel,
    ReadHistory,
    Repair,
    TakeRecord,
)
from fillbook.trading.core.reconcile.snapshots import LocalSnapshot, Unread, VenueSnapshot
from fillbook.trading.core.reconcile.truth_table import (
    Here,
    Resolution,
    Row,
    There,
    compare_filled,
    resolve,
    stands_here,
    stands_there,
)

INFER_AFTER = timedelta(seconds=60)
"""How long a venue may take to show the fills of an order that it says has filled."""


@dataclass(slots=True)
class Step:
    """What one part of the comparison came to. `lacking` are symbols with orders whose fills are not all booked."""

    findings: list[Finding] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    lacking: set[str] = field(default_factory=set)

    def add(self, finding: Finding | None, *repairs: Repair) -> None:
        if finding is not None:
            self.findings.append(finding)
        self.repairs += repairs


def plan_orders(local: LocalSnapshot, venue: VenueSnapshot) -> Step:
    """Compare every order that either side knows."""
    step = Step()
    names = _Names(local.orders)
    reported: set[int] = set()
    for report in _newest_reports(venue):
        order = names.find(report)
        if order is not None:
            reported.add(order.id)
        _plan_reported(step, local, venue, order, report)
    for order in local.orders:
        if order.id not in reported:
            _plan_unreported(step, local, venue, order)
    return step


class _Names:
    """Orders of the books by the ids under which a report may name them."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._by_client = {(order.symbol, order.client_order_id): order for order in orders}
        self._by_venue = {
            (order.symbol, order.exchange_order_id): order for order in orders if order.exchange_order_id
        }

    def find(self, report: OrderReport) -> Order | None:
        by_client = self._by_client.get((report.symbol, report.client_order_id or ""))
        if by_client is not None:
            return by_client
        numbers = (report.triggered_order_id, report.exchange_order_id)
        found = (self._by_venue.get((report.symbol, number)) for number in numbers if number)
        return next((order for order in found if order is not None), None)


def _newest_reports(venue: VenueSnapshot) -> Iterator[OrderReport]:
    """One report an order. A record that was asked for by itself is younger than the list of open orders."""
    newest: dict[tuple[str, Book, str], OrderReport] = {}
    for part in venue.open_orders.values():
        if not isinstance(part, Unread):
            newest |= {_venue_id(report): report for report in part}
    newest |= {_venue_id(report): report for report in venue.records}
    yield from newest.values()


def _venue_id(report: OrderReport) -> tuple[str, Book, str]:
    return (report.symbol, report.book, report.exchange_order_id)


def is_ours(client_order_id: str | None, installations: Iterable[str]) -> bool:
    """Whether an id was drawn here: by this installation, or one whose books these are."""
    named = parse_client_order_id(client_order_id)
    return named is not None and named.installation in installations


def _plan_reported(
    step: Step, local: LocalSnapshot, venue: VenueSnapshot, order: Order | None, report: OrderReport
) -> None:
    if order is None:
        here = Here.LOST if is_ours(report.client_order_id, local.installations) else Here.FOREIGN
    else:
        here = stands_here(order)
    booked = ZERO if order is None else order.filled_quantity
    row = resolve(here, stands_there(report), compare_filled(booked, report.filled_quantity))
    finding = _finding(row, local, venue, order, report)
    if row.resolution is Resolution.FETCH_FILLS:
        step.lacking.add(report.symbol)
    match row.resolution:
        case Resolution.ADOPT | Resolution.FOLLOW:
            step.add(finding, TakeRecord(report))
        case Resolution.FETCH_FILLS if order is not None and order.id in venue.unexplained:
            _explain(step, venue, order, report)
        case Resolution.FETCH_FILLS:
            step.add(finding, TakeRecord(report))
        case Resolution.CANCEL_AGAIN if order is not None and order.id not in local.queued_cancels:
            step.add(finding, QueueCancel(order))
        case Resolution.TELL if order is not None and all(report is not one for one in venue.records):
            # The list is older than what is known here: the order's own record decides.
            step.add(None, LookUpOrder(order))
        case Resolution.TELL:
            step.add(finding)
        case _:
            pass
    if order is None:
        return
    if order.close_on_late_fill and report.filled_quantity > booked:
        step.add(_late_fill(order, report))
    if order.filled_quantity > order.quantity:
        step.add(_overfilled(order))


def _plan_unreported(step: Step, local: LocalSnapshot, venue: VenueSnapshot, order: Order) -> None:
    there = _absence(venue, order)
    if there is None:
        return
    row = resolve(stands_here(order), there)
    match row.resolution:
        case Resolution.LOOK_UP:
            step.add(None, LookUpOrder(order))
        case Resolution.CONFIRM:
            _confirm(step, local, venue, order, row)
        case _:
            pass


def _absence(venue: VenueSnapshot, order: Order) -> There | None:
    """In what way the venue does not show an order; None: nobody asked."""
    if order.id in venue.unread_orders:
        return There.UNREAD
    if order.id in venue.not_found:
        return There.NOT_FOUND
    book = venue.open_orders.get((order.market_type, order.book))
    if book is None:
        return None
    return There.UNREAD if isinstance(book, Unread) else There.NOT_SHOWN


def _confirm(step: Step, local: LocalSnapshot, venue: VenueSnapshot, order: Order, row: Row) -> None:
    """An order that no book has: ended once that is certain; until then it is told, and counts as live."""
    misses = local.misses.get(order.id)
    kept = TRAITS[local.exchange].unfilled_kept.get(order.market_type)
    is_gone = misses is not None and has_vanished(
        misses.count, misses.since, last_known_at(order), kept, venue.at
    )
    are_fills_read = order.symbol in venue.fills_read
    subject, before = f"order {order.id}", {"status": order.status.value}
    if is_gone and are_fills_read:
        finding = Finding(
            Case.ORDER_VANISHED,
            subject,
            "No book of the venue has it any more, nor a fill of it: it ended unfilled so long ago that the "
            "venue has forgotten it.",
            before,
            {"status": "EXPIRED"},
            RepairKind.END_VANISHED,
            order.symbol,
            order.id,
        )
        step.add(finding, EndVanished(order))
        return
    finding = Finding(
        row.case or Case.ORDER_NOT_FOUND, subject, row.reason, before, {}, None, order.symbol, order.id
    )
    step.add(finding)


def last_known_at(order: Order) -> datetime:
    """When an order was last known to be live at the venue, by what the books keep."""
    return max(
        moment
        for moment in (order.exchange_at, order.acknowledged_at, order.created_at)
        if moment is not None
    )


def _finding(
    row: Row, local: LocalSnapshot, venue: VenueSnapshot, order: Order | None, report: OrderReport
) -> Finding | None:
    """What is told of a difference; nothing of one that the stream is just bringing."""
    if row.case is None or report.exchange_at >= local.settled_by(venue.at):
        return None
    name = report.exchange_order_id if order is None else str(order.id)
    after = {"status": report.status.value, "filled": to_text(report.filled_quantity)}
    if row.case is Case.CANCEL_UNFINISHED:
        after = {"cancel": "queued again"}
    return Finding(
        row.case,
        f"order {name}" if order is not None else f"venue order {name}",
        row.reason,
        {} if order is None else {"status": order.status.value, "filled": to_text(order.filled_quantity)},
        after,
        _repair_kind(row),
        report.symbol,
        None if order is None else order.id,
    )


def _repair_kind(row: Row) -> RepairKind | None:
    match row.resolution:
        case Resolution.ADOPT | Resolution.FOLLOW:
            return RepairKind.TAKE_RECORD
        case Resolution.FETCH_FILLS:
            return RepairKind.READ_FILLS
        case Resolution.CANCEL_AGAIN:
            return RepairKind.QUEUE_CANCEL
        case _:
            return None


def _late_fill(order: Order, report: OrderReport) -> Finding:
    return Finding(
        Case.LATE_FILL,
        f"order {order.id}",
        "It filled after its position was closed. What it filled is booked, and an order of ours closes it.",
        {"filled": to_text(order.filled_quantity)},
        {"filled": to_text(report.filled_quantity)},
        RepairKind.TAKE_RECORD,
        order.symbol,
        order.id,
    )


def _overfilled(order: Order) -> Finding:
    return Finding(
        Case.OVERFILLED,
        f"order {order.id}",
        "The venue filled more than was ordered. The fills are facts and are booked.",
        {"quantity": to_text(order.quantity), "filled": to_text(order.filled_quantity)},
        symbol=order.symbol,
        order_id=order.id,
    )


def _explain(step: Step, venue: VenueSnapshot, order: Order, report: OrderReport) -> None:
    """The venue says that more has filled than the order's own fills show: they may be elsewhere in its history."""
    if venue.at - report.exchange_at < INFER_AFTER or order.symbol in venue.unread_fills:
        return
    if order.symbol not in venue.exhausted:
        step.add(None, ReadHistory(order.symbol))
        return
    fill, words = inferred_fill_of(order, report)
    subject = f"order {order.id}"
    before = {"filled": to_text(order.filled_quantity)}
    after = {"filled": to_text(report.filled_quantity)}
    step.add(
        Finding(
            Case.FILLED_DIFFERS,
            subject,
            "The venue says that more has filled than all its records of fills show. " + words,
            before,
            after if fill else {},
            RepairKind.INFER_FILL if fill else None,
            order.symbol,
            order.id,
        )
    )
    if fill is not None:
        step.add(None, InferFill(fill))


@exact
def inferred_fill_of(order: Order, report: OrderReport) -> tuple[FillReport | None, str]:
    """A fill for what an order's record says beyond its fills, and in words where its price is from."""
    missing = report.filled_quantity - order.filled_quantity
    assert missing > 0, "only what the venue filled beyond the books is inferred"
    price, words = _price_of_gap(order, report, missing)
    if price is None:
        return None, "No record says at what price, so nothing is booked."
    fill = FillReport(
        symbol=order.symbol,
        exchange_order_id=report.triggered_order_id or report.exchange_order_id,
        client_order_id=order.client_order_id,
        venue_fill_id="",
        side=order.side,
        position_side=order.position_side,
        price=price,
        quantity=missing,
        fee=ZERO,
        fee_asset=None,
        liquidity=None,
        kind=FillKind.TRADE,
        exchange_at=report.exchange_at,
        cumulative_quantity=report.filled_quantity,
    )
    return fill, words


@exact
def _price_of_gap(order: Order, report: OrderReport, missing: Decimal) -> tuple[Decimal | None, str]:
    if report.cost is not None and report.cost > order.cost:
        return (
            divide(report.cost - order.cost, missing),
            "Inferred at the price that makes its record's cost whole, until the real fills come.",
        )
    if report.price is not None:
        return report.price, "Inferred at the order's limit price, until the real fills come."
    return None, ""
