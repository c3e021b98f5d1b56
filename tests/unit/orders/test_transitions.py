import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.money import ZERO
from fillbook.orders.core.order import LIVE_STATUSES, OrderStatus
from fillbook.orders.core.transitions import (
    STATUS_TRANSITIONS,
    missing_quantity,
    next_status,
    status_after_failed_cancel,
)

S = OrderStatus
TEN = Decimal(10)
ENDED = (S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED)

REPORTED = (
    None,
    S.PENDING_NEW,
    S.NEW,
    S.PARTIALLY_FILLED,
    S.FILLED,
    S.PENDING_CANCEL,
    S.CANCELED,
    S.REJECTED,
    S.EXPIRED,
)
SHORT = {
    "PN": S.PENDING_NEW,
    "NEW": S.NEW,
    "PF": S.PARTIALLY_FILLED,
    "FI": S.FILLED,
    "PC": S.PENDING_CANCEL,
    "CA": S.CANCELED,
    "RE": S.REJECTED,
    "EX": S.EXPIRED,
}
# What a report makes of a status while no fill is booked; the columns are those of REPORTED. A reported FILLED
# without its fills leaves the order live, so that they are fetched.
TRUTH_TABLE = """
PN | PN  PN  NEW PF  PF  PC  CA  RE  EX
NEW| NEW NEW NEW PF  PF  PC  CA  RE  EX
PF | PF  PF  PF  PF  PF  PC  CA  RE  EX
PC | PC  PC  PC  PC  PC  PC  CA  RE  EX
FI | FI  FI  FI  FI  FI  FI  FI  FI  FI
CA | CA  CA  CA  CA  CA  CA  CA  CA  CA
RE | RE  RE  RE  RE  RE  RE  RE  RE  RE
EX | EX  EX  EX  EX  EX  EX  EX  EX  EX
"""
# The same for a rejection that was our own conclusion: whatever the venue shows is adopted.
NEVER_PLACED = "RE  RE  NEW PF  PF  PC  CA  RE  EX"


def _rows() -> list[tuple[OrderStatus, OrderStatus | None, OrderStatus, bool]]:
    rows = []
    for line in TRUTH_TABLE.strip().splitlines():
        current, _, results = line.partition("|")
        rows += [
            (SHORT[current.strip()], reported, SHORT[result], True)
            for reported, result in zip(REPORTED, results.split(), strict=True)
        ]
    rows += [
        (S.REJECTED, reported, SHORT[result], False)
        for reported, result in zip(REPORTED, NEVER_PLACED.split(), strict=True)
    ]
    return rows


@pytest.mark.parametrize(("current", "reported", "expected", "known"), _rows())
def test_a_report_without_fills_follows_the_truth_table(
    current: OrderStatus, reported: OrderStatus | None, expected: OrderStatus, known: bool
) -> None:
    assert next_status(current, reported, ZERO, TEN, known_at_venue=known) is expected


@pytest.mark.parametrize("current", list(S))
def test_the_whole_quantity_filled_is_filled_from_anywhere(current: OrderStatus) -> None:
    for filled in (TEN, TEN + 1):
        assert next_status(current, None, filled, TEN) is S.FILLED
        assert next_status(current, S.CANCELED, filled, TEN) is S.FILLED


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (S.PENDING_NEW, S.PARTIALLY_FILLED),
        (S.NEW, S.PARTIALLY_FILLED),
        (S.PARTIALLY_FILLED, S.PARTIALLY_FILLED),
        (S.PENDING_CANCEL, S.PENDING_CANCEL),
        (S.CANCELED, S.CANCELED),
        (S.EXPIRED, S.EXPIRED),
        (S.REJECTED, S.REJECTED),
    ],
)
def test_a_part_filled_leaves_ended_orders_ended(current: OrderStatus, expected: OrderStatus) -> None:
    assert next_status(current, None, Decimal(4), TEN) is expected


def test_a_late_new_after_a_fill_changes_nothing() -> None:
    assert next_status(S.PARTIALLY_FILLED, S.NEW, Decimal(4), TEN) is S.PARTIALLY_FILLED
    assert next_status(S.NEW, S.NEW, Decimal(4), TEN) is S.PARTIALLY_FILLED


def test_a_fill_of_an_order_thought_never_placed_brings_it_back_to_life() -> None:
    fresh = next_status(S.REJECTED, None, Decimal(4), TEN, known_at_venue=False)

    assert fresh is S.PARTIALLY_FILLED
    assert next_status(S.REJECTED, S.NEW, Decimal(4), TEN, known_at_venue=False) is S.PARTIALLY_FILLED


def test_filled_by_the_venue_counts_once_all_its_fills_are_booked() -> None:
    less = Decimal("9.999")  # the venue rounded the order down

    assert next_status(S.NEW, S.FILLED, Decimal(4), TEN, reported_filled=less) is S.PARTIALLY_FILLED
    assert next_status(S.PARTIALLY_FILLED, S.FILLED, less, TEN, reported_filled=less) is S.FILLED
    assert next_status(S.CANCELED, S.FILLED, less, TEN, reported_filled=less) is S.FILLED
    assert next_status(S.NEW, S.FILLED, ZERO, TEN, reported_filled=ZERO) is not S.FILLED


def test_a_failed_cancel_returns_an_order_to_its_live_status() -> None:
    for filled, status in ((ZERO, S.NEW), (Decimal(1), S.PARTIALLY_FILLED)):
        assert status_after_failed_cancel(filled) is status
        assert status in STATUS_TRANSITIONS[S.PENDING_CANCEL]


def test_missing_quantity_is_what_only_the_venue_counts() -> None:
    assert missing_quantity(Decimal(4), Decimal(6)) == 2
    assert missing_quantity(Decimal(6), Decimal(4)) == 0
    assert missing_quantity(Decimal(6), None) == 0


def test_every_status_has_its_row_and_none_leads_to_itself_or_back_to_pending_new() -> None:
    assert set(STATUS_TRANSITIONS) == set(S)
    for status, following in STATUS_TRANSITIONS.items():
        assert status not in following
        assert S.PENDING_NEW not in following


def test_ended_orders_lead_to_filled_alone_except_our_own_conclusions() -> None:
    assert STATUS_TRANSITIONS[S.CANCELED] == {S.FILLED}
    assert not STATUS_TRANSITIONS[S.FILLED]
    for reported in (S.NEW, S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.CANCELED):
        assert next_status(S.EXPIRED, reported, ZERO, TEN) is S.EXPIRED


def test_an_order_that_had_vanished_comes_back_in_the_state_that_the_venue_shows() -> None:
    for reported in (S.NEW, S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.CANCELED):
        assert next_status(S.EXPIRED, reported, ZERO, TEN, known_at_venue=False) is reported
    assert next_status(S.EXPIRED, None, Decimal(1), TEN, known_at_venue=False) is S.EXPIRED


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[tuple[OrderStatus, Decimal]], OrderStatus]:
    """What a venue says of one order, oldest first, and how it ended: its status and its count of fills."""
    counts = sorted(draw(st.lists(st.integers(1, 9), max_size=4, unique=True)))
    end = draw(st.sampled_from([S.FILLED, S.CANCELED, S.EXPIRED]))
    reports = [(S.NEW, ZERO), *((S.PARTIALLY_FILLED, Decimal(count)) for count in counts)]
    last = TEN if end is S.FILLED else Decimal(counts[-1] if counts else 0)
    return [*reports, (end, last)], end


@given(life=lives(), data=st.data())
def test_reports_and_fills_in_any_order_lead_to_the_venues_truth(
    life: tuple[list[tuple[OrderStatus, Decimal]], OrderStatus], data: st.DataObject
) -> None:
    reports, end = life
    bounds = sorted({count for _, count in reports} | {ZERO})
    fills = [upper - lower for lower, upper in itertools.pairwise(bounds)]
    news: list[tuple[OrderStatus, Decimal] | Decimal] = [*reports, *reports[:2], *fills]

    status, filled = S.PENDING_NEW, ZERO
    for item in data.draw(st.permutations(news)):
        before = status
        if isinstance(item, Decimal):
            filled += item
            status = next_status(status, None, filled, TEN)
        else:
            status = next_status(status, item[0], filled, TEN, reported_filled=item[1])
        if before in ENDED:
            assert status is before or status is S.FILLED

    assert status is end
    assert status not in LIVE_STATUSES
