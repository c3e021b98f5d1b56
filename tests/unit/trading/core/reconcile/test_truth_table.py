"""The table of the page, row by row: it is the table of the code, and the planner does what each row says."""

import random
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from fillbook.market.core import MarketType, VenueName
from fillbook.orders.core.client_ids import Origin, make_client_order_id
from fillbook.orders.core.order import Book, Order, OrderStatus
from fillbook.orders.core.reports import OrderReport
from fillbook.trading.core.reconcile import LocalSnapshot, VenueSnapshot, reconcile
from fillbook.trading.core.reconcile.cases import Case
from fillbook.trading.core.reconcile.repairs import LookUpOrder, QueueCancel, Relabel, TakeRecord
from fillbook.trading.core.reconcile.snapshots import Unread
from fillbook.trading.core.reconcile.truth_table import (
    TRUTH_TABLE,
    Filled,
    Here,
    Resolution,
    Row,
    There,
    resolve,
    stands_here,
)
from support.trading import a_report, after, an_order

PAGE = Path(__file__).resolve().parents[5] / "docs" / "concepts" / "reconciliation.md"
NOW = after(3600)
OURS = str(make_client_order_id("test", Origin.STRATEGY, "abc123", "1", random.Random(3)))
BOOKED, STEP = Decimal("0.4"), Decimal("0.2")
ABSENT = (Here.LOST, Here.FOREIGN)
MISSING = (There.NOT_SHOWN, There.NOT_FOUND)
# An order that neither side has is none, and less than nothing cannot be filled.
MEETINGS = [
    (here, there, filled)
    for here, there, filled in product(Here, There, Filled)
    if here not in ABSENT or (there not in MISSING and filled is not Filled.LESS)
]
REPAIRS = {
    Resolution.ADOPT: TakeRecord,
    Resolution.FOLLOW: TakeRecord,
    Resolution.FETCH_FILLS: TakeRecord,
    Resolution.LOOK_UP: LookUpOrder,
    Resolution.CANCEL_AGAIN: QueueCancel,
}


def documented() -> list[list[str]]:
    text = PAGE.read_text().partition("## An order's two sides")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def in_words(row: Row) -> list[str]:
    return [
        "; ".join(one.value for one in Here if one in row.here),
        "; ".join(one.value for one in There if one in row.there),
        "; ".join(one.value for one in Filled if one in row.filled),
        row.resolution.value,
        f"`{row.case}`" if row.case else "",
        row.reason,
    ]


def test_the_page_shows_the_table_row_by_row() -> None:
    assert documented() == [in_words(row) for row in TRUTH_TABLE]


def test_the_page_tells_of_every_case_and_of_no_other() -> None:
    text = PAGE.read_text().partition("## What is told")[2].partition("\n## ")[0]
    told = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert sorted(told) == sorted(case.value for case in Case)


def test_every_meeting_of_the_two_sides_has_a_row_and_every_row_a_meeting() -> None:
    met = {resolve(*meeting).reason for meeting in MEETINGS}
    assert met == {row.reason for row in TRUTH_TABLE}


def an_order_that_stands(here: Here) -> Order | None:
    shown = an_order(
        client_order_id=OURS,
        exchange_order_id="900",
        acknowledged_at=after(1),
        filled_quantity=BOOKED,
        cost=BOOKED * 100,
    )
    match here:
        case Here.LOST | Here.FOREIGN:
            return None
        case Here.PENDING:
            return replace(shown, filled_quantity=Decimal(0), acknowledged_at=None)
        case Here.LIVE:
            return replace(shown, status=OrderStatus.PARTIALLY_FILLED)
        case Here.CANCELLING:
            return replace(shown, status=OrderStatus.PENDING_CANCEL, cancel_wanted=True)
        case Here.FILLED:
            return replace(shown, status=OrderStatus.FILLED, quantity=BOOKED)
        case Here.ENDED:
            return replace(shown, status=OrderStatus.CANCELED)
        case Here.GIVEN_UP:
            return replace(shown, status=OrderStatus.REJECTED, acknowledged_at=None)


def a_report_that_shows(here: Here, there: There, filled: Filled, booked: Decimal) -> OrderReport | None:
    statuses = {
        There.LIVE: OrderStatus.PARTIALLY_FILLED,
        There.FILLED: OrderStatus.FILLED,
        There.ENDED: OrderStatus.CANCELED,
    }
    if there not in statuses:
        return None
    count = {Filled.MORE: booked + STEP, Filled.SAME: booked, Filled.LESS: booked - STEP}[filled]
    client_id = "another" if here is Here.FOREIGN else OURS
    return a_report(statuses[there], str(max(count, Decimal(0))), client_order_id=client_id)


def snapshots_of(here: Here, there: There, filled: Filled) -> tuple[LocalSnapshot, VenueSnapshot]:
    order = an_order_that_stands(here)
    if order is not None:
        assert stands_here(order) is here
    local = LocalSnapshot(
        VenueName.BINANCE,
        frozenset({"test"}),
        NOW,
        orders=() if order is None else (order,),
        newest_order_at=NOW,
    )
    venue = VenueSnapshot(NOW)
    booked = Decimal(0) if order is None else order.filled_quantity
    report = a_report_that_shows(here, there, filled, booked)
    book = (MarketType.FUTURES, Book.NORMAL)
    if report is not None:
        return local, replace(venue, records=(report,))
    if there is There.NOT_SHOWN:
        return local, replace(venue, open_orders={book: ()})
    if order is None:
        return local, replace(venue, open_orders={book: Unread("no answer")})
    if there is There.NOT_FOUND:
        return local, replace(venue, not_found=frozenset({order.id}))
    return local, replace(venue, unread_orders={order.id: Unread("no answer")})


@pytest.mark.parametrize("number", range(len(documented())), ids=lambda number: f"row {number + 1}")
def test_the_planner_does_what_the_row_of_the_page_says(number: int) -> None:
    _, _, _, resolution, case, reason = documented()[number]
    meetings = [meeting for meeting in MEETINGS if resolve(*meeting).reason == reason]
    assert meetings, "a row that nothing meets says nothing"
    for here, there, filled in meetings:
        plan = reconcile(*snapshots_of(here, there, filled))
        told = [f"`{finding.case}`" for finding in plan.findings if finding.case is not Case.OVERFILLED]
        done = [type(repair) for repair in plan.repairs if not isinstance(repair, Relabel)]
        wanted = REPAIRS.get(Resolution(resolution))
        assert told == ([case] if case else []), (here, there, filled)
        assert done == ([wanted] if wanted else []), (here, there, filled)


def test_more_filled_than_was_ordered_is_told() -> None:
    local, venue = snapshots_of(Here.FILLED, There.FILLED, Filled.SAME)
    (order,) = local.orders
    assert reconcile(local, venue).findings == ()
    too_full = replace(local, orders=(replace(order, quantity=order.filled_quantity - STEP),))
    (finding,) = reconcile(too_full, venue).findings
    assert (finding.case, finding.order_id) == (Case.OVERFILLED, order.id)
