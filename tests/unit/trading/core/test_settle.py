"""What facts make of an order: outcomes by status, reports late and out of order, look-ups, reservations."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.ledger.core.fill import Fill
from fillbook.orders.core.order import LIVE_STATUSES, Book, Order, OrderStatus, OrderType
from fillbook.orders.core.transitions import STATUS_TRANSITIONS
from fillbook.trading.core.settle import (
    NEVER_PLACED,
    REQUEST_WINDOW,
    has_gap,
    with_fills,
    with_look_up,
    with_rejection,
    with_report,
    with_requested_cancel,
    with_unknown_fate,
)
from support.trading import SENT, a_fill, a_report, after, an_order

D = Decimal
S = OrderStatus
PROVABLE_S = (REQUEST_WINDOW + timedelta(seconds=60)).total_seconds()


def with_fill(order: Order, fill: Fill) -> Order:
    return with_fills(order, [fill])


def known(status: OrderStatus, filled: str = "0", **changes: Any) -> Order:
    """An order that the venue has shown."""
    quantity = D(filled)
    given = {"acknowledged_at": after(1), "filled_quantity": quantity, "cost": quantity * 100, **changes}
    return an_order(status=status, reserved=100 * (1 - quantity) if status.is_live else D(0), **given)


def unknown(**changes: Any) -> Order:
    return replace(with_unknown_fate(an_order(), "timeout", "no answer", SENT), **changes)


# Outcomes.


def test_a_proven_rejection_ends_the_order_and_frees_its_capital() -> None:
    order = with_rejection(an_order(), "-2019", "Margin is insufficient.", after(1))
    assert (order.status, order.reserved, order.error_code) == (S.REJECTED, 0, "-2019")
    assert (order.settled_at, order.unknown_since, order.next_lookup_at) == (after(1), None, None)


def test_a_rejection_of_an_order_of_unknown_fate_ends_its_look_ups() -> None:
    order = with_rejection(unknown(), "-2019", "no", after(1))
    assert (order.status, order.unknown_since, order.next_lookup_at) == (S.REJECTED, None, None)


@pytest.mark.parametrize("status", [status for status in S if status is not S.PENDING_NEW])
def test_a_rejection_after_the_venue_showed_the_order_changes_nothing(status: OrderStatus) -> None:
    order = known(status, "0.5")
    assert with_rejection(order, "-2019", "no", after(9)) == order


def test_an_answer_that_proves_nothing_keeps_the_order_in_flight_with_all_its_capital() -> None:
    order = with_unknown_fate(an_order(), "timeout", "no answer", after(1))
    assert (order.status, order.reserved, order.unknown_since) == (S.PENDING_NEW, D(100), after(1))
    assert order.next_lookup_at == after(1)


def test_unknown_since_is_the_first_moment_and_not_the_last() -> None:
    order = with_unknown_fate(unknown(), "timeout", "again", after(30))
    assert order.unknown_since == SENT


@pytest.mark.parametrize("status", [status for status in S if status is not S.PENDING_NEW])
def test_an_unknown_answer_after_the_venue_showed_the_order_changes_nothing(status: OrderStatus) -> None:
    order = known(status, "0.5")
    assert with_unknown_fate(order, "timeout", "no answer", after(9)) == order


# Reports.


@pytest.mark.parametrize(
    ("current", "filled", "reported", "reported_filled", "status"),
    [
        (S.PENDING_NEW, "0", S.NEW, "0", S.NEW),
        (S.PENDING_NEW, "0", S.CANCELED, "0", S.CANCELED),
        (S.PENDING_NEW, "0", S.EXPIRED, "0", S.EXPIRED),
        (S.PENDING_NEW, "0", S.REJECTED, "0", S.REJECTED),
        (S.NEW, "0.5", S.PARTIALLY_FILLED, "0.5", S.PARTIALLY_FILLED),
        (S.NEW, "0", S.CANCELED, "0", S.CANCELED),
        (S.PARTIALLY_FILLED, "0.5", S.CANCELED, "0.5", S.CANCELED),
        (S.PENDING_CANCEL, "0", S.CANCELED, "0", S.CANCELED),
        (S.PENDING_CANCEL, "0.5", S.EXPIRED, "0.5", S.EXPIRED),
        # Late reports: a status never goes back.
        (S.PARTIALLY_FILLED, "0.5", S.NEW, "0", S.PARTIALLY_FILLED),
        (S.PENDING_CANCEL, "0", S.NEW, "0", S.PENDING_CANCEL),
        (S.PENDING_CANCEL, "0.5", S.PARTIALLY_FILLED, "0.5", S.PENDING_CANCEL),
        (S.CANCELED, "0", S.NEW, "0", S.CANCELED),
        (S.CANCELED, "0.5", S.PARTIALLY_FILLED, "0.5", S.CANCELED),
        (S.EXPIRED, "0", S.NEW, "0", S.EXPIRED),
        (S.FILLED, "1", S.NEW, "0", S.FILLED),
        (S.FILLED, "1", S.CANCELED, "0", S.FILLED),
        # The venue counts fills that are not booked: the order stays live, however final it looks there.
        (S.PENDING_NEW, "0", S.FILLED, "1", S.PARTIALLY_FILLED),
        (S.NEW, "0.5", S.FILLED, "1", S.PARTIALLY_FILLED),
        (S.NEW, "0", S.CANCELED, "0.5", S.PARTIALLY_FILLED),
        (S.PARTIALLY_FILLED, "0.5", S.EXPIRED, "0.7", S.PARTIALLY_FILLED),
        (S.PENDING_CANCEL, "0", S.CANCELED, "0.5", S.PENDING_CANCEL),
    ],
)
def test_where_a_report_leaves_an_order(
    current: OrderStatus, filled: str, reported: OrderStatus, reported_filled: str, status: OrderStatus
) -> None:
    before = an_order() if current is S.PENDING_NEW else known(current, filled)
    assert with_report(before, a_report(reported, reported_filled), after(2)).status is status


def test_a_gap_holds_back_what_it_still_reserves_until_the_fills_are_there() -> None:
    report = a_report(S.CANCELED, "0.5")
    waiting = with_report(known(S.NEW), report, after(2))
    assert has_gap(waiting, report) and waiting.reserved == D(100)
    filled = with_fill(waiting, a_fill("0.5"))
    assert (filled.status, filled.reserved) == (S.PARTIALLY_FILLED, D(50))
    ended = with_report(filled, report, after(3))
    assert not has_gap(ended, report)
    assert (ended.status, ended.reserved) == (S.CANCELED, 0)


def test_a_report_proves_that_the_order_exists_and_ends_every_look_up() -> None:
    order = with_report(unknown(lookups=2), a_report(S.NEW), after(5))
    assert (order.status, order.exchange_order_id, order.acknowledged_at) == (S.NEW, "900", after(5))
    assert (order.unknown_since, order.next_lookup_at, order.watch_until) == (None, None, None)


def test_a_triggered_order_is_known_by_the_id_of_the_order_that_it_became() -> None:
    waiting = with_report(an_order(), a_report(S.NEW), after(1))
    triggered = with_report(waiting, a_report(S.NEW, triggered_order_id="901"), after(2))
    assert (waiting.exchange_order_id, triggered.exchange_order_id) == ("900", "901")


def test_a_triggered_order_is_named_in_the_book_where_it_now_rests() -> None:
    placed = an_order(book=Book.CONDITIONAL, order_type=OrderType.STOP_LIMIT)
    waiting = with_report(placed, a_report(S.NEW, book=Book.CONDITIONAL), after(1))
    triggered = with_report(
        waiting, a_report(S.NEW, book=Book.CONDITIONAL, triggered_order_id="901"), after(2)
    )
    assert (waiting.exchange_order_id, waiting.book) == ("900", Book.CONDITIONAL)
    assert (triggered.exchange_order_id, triggered.book) == ("901", Book.NORMAL)
    # An older report of the conditional order does not lead back.
    late = with_report(triggered, a_report(S.NEW, book=Book.CONDITIONAL), after(3))
    assert (late.exchange_order_id, late.book) == ("901", Book.NORMAL)


def test_an_order_first_seen_by_what_came_of_its_trigger_is_named_by_that() -> None:
    placed = an_order(book=Book.CONDITIONAL, order_type=OrderType.STOP_LIMIT)
    seen = with_report(placed, a_report(S.NEW, exchange_order_id="901"), after(1))
    filled = with_fill(placed, a_fill("0.1", exchange_order_id="901"))
    for order in (seen, filled):
        assert (order.exchange_order_id, order.book) == ("901", Book.NORMAL)


# Fills.


@pytest.mark.parametrize(
    "status", [S.PENDING_NEW, S.NEW, S.PENDING_CANCEL, S.CANCELED, S.EXPIRED, S.REJECTED]
)
def test_a_fill_counts_in_any_status(status: OrderStatus) -> None:
    order = with_fill(known(status), a_fill("0.25"))
    assert (order.filled_quantity, order.cost) == (D("0.25"), D(25))


@pytest.mark.parametrize(
    "status", [S.PENDING_NEW, S.NEW, S.PENDING_CANCEL, S.CANCELED, S.EXPIRED, S.REJECTED]
)
def test_the_last_fill_makes_any_order_filled(status: OrderStatus) -> None:
    order = with_fill(known(status, "0.75"), a_fill("0.25"))
    assert (order.status, order.reserved, order.remaining) == (S.FILLED, 0, 0)


def test_a_late_fill_of_a_cancelled_order_leaves_it_cancelled_and_reserves_nothing() -> None:
    order = with_fill(known(S.CANCELED), a_fill("0.25"))
    assert (order.status, order.reserved) == (S.CANCELED, 0)


def test_the_reservation_is_in_proportion_to_what_remains() -> None:
    order = known(S.NEW)
    for quantity, reserved in (("0.25", "75"), ("0.5", "25"), ("0.25", "0")):
        order = with_fill(order, a_fill(quantity))
        assert order.reserved == D(reserved)


def test_several_fills_at_once_come_to_the_same_as_one_by_one() -> None:
    several = [a_fill("0.25", 1), a_fill("0.5", 2)]
    one_by_one = with_fill(with_fill(known(S.NEW), several[0]), several[1])
    assert with_fills(known(S.NEW), several) == one_by_one


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.sampled_from(list(S)))
def test_reservation_and_remainder_shrink_together_and_are_never_below_zero(
    parts: list[int], status: OrderStatus
) -> None:
    order = known(status, quantity=D(3)) if status is not S.PENDING_NEW else an_order(quantity=D(3))
    for number, part in enumerate(parts, start=1):
        before = order
        order = with_fill(order, a_fill(str(D(part) / 10), number))
        assert 0 <= order.reserved <= 100
        assert order.reserved == 0 if not order.status.is_live else order.reserved > 0
        if before.status.is_live:
            assert order.reserved <= before.reserved
    assert order.filled_quantity == sum(D(part) / 10 for part in parts)


# Look-ups.


def looked_up(order: Order, *probes: tuple[bool, float]) -> Order:
    for clean, seconds in probes:
        order = with_look_up(order, clean, after(seconds))
    return order


def test_three_clean_misses_with_the_last_beyond_the_window_prove_that_it_was_never_placed() -> None:
    order = looked_up(unknown(), (True, 1), (True, 40), (True, PROVABLE_S))
    assert (order.status, order.error_code, order.reserved) == (S.REJECTED, NEVER_PLACED, 0)
    assert order.settled_at == after(PROVABLE_S)
    assert order.watch_until == after(PROVABLE_S) + timedelta(hours=1)


@pytest.mark.parametrize(
    "probes",
    [
        [(True, PROVABLE_S)],
        [(True, 1), (True, PROVABLE_S)],
        [(True, 1), (True, 2), (True, 3)],
        [(True, float(second)) for second in range(1, int(PROVABLE_S))],
        [(True, 1), (True, 2), (True, PROVABLE_S - 0.001)],
        [(False, 1), (False, 2), (False, PROVABLE_S + 100)],
        [(True, 1), (True, 2), (False, PROVABLE_S + 100)],
        [(False, float(second)) for second in range(1, 500)],
    ],
)
def test_too_few_or_too_early_misses_and_failed_look_ups_prove_nothing(
    probes: list[tuple[bool, float]],
) -> None:
    order = looked_up(unknown(), *probes)
    assert (order.status, order.reserved, order.unknown_since) == (S.PENDING_NEW, D(100), SENT)
    assert order.next_lookup_at is not None and order.next_lookup_at > after(probes[-1][1])


def test_failed_look_ups_between_clean_ones_do_not_count() -> None:
    order = looked_up(unknown(), (True, 1), (False, 2), (False, 3), (True, 4), (False, 90))
    assert (order.lookups, order.status) == (2, S.PENDING_NEW)
    assert looked_up(order, (True, 100)).error_code == NEVER_PLACED


def test_what_was_never_placed_stays_watched_for_an_hour() -> None:
    order = looked_up(unknown(), (True, 1), (True, 40), (True, 90), (True, 1000), (True, 3000))
    assert order.watch_until is not None and order.next_lookup_at is not None
    over = looked_up(order, (True, 90 + 3600))
    assert (over.status, over.watch_until, over.next_lookup_at, over.unknown_since) == (
        S.REJECTED,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("reported", "filled", "status"), [(S.NEW, "0", S.NEW), (S.CANCELED, "0", S.CANCELED)]
)
def test_what_was_never_placed_and_shows_up_all_the_same_is_adopted(
    reported: OrderStatus, filled: str, status: OrderStatus
) -> None:
    never = looked_up(unknown(), (True, 1), (True, 40), (True, 90))
    order = with_report(never, a_report(reported, filled), after(200))
    assert (order.status, order.error_code, order.watch_until) == (status, None, None)
    assert order.reserved == (100 if status.is_live else 0)


def test_a_fill_of_what_was_never_placed_brings_it_back_to_life() -> None:
    never = looked_up(unknown(), (True, 1), (True, 40), (True, 90))
    order = with_fill(never, a_fill("0.4"))
    assert (order.status, order.filled_quantity, order.reserved) == (S.PARTIALLY_FILLED, D("0.4"), D(60))


def test_a_miss_that_comes_after_the_order_was_seen_ends_the_look_ups_and_nothing_else() -> None:
    seen = replace(known(S.NEW), unknown_since=SENT, next_lookup_at=after(2))
    assert looked_up(seen, (True, 90)) == replace(seen, unknown_since=None, next_lookup_at=None)


# Cancels.


@pytest.mark.parametrize(
    ("current", "status"),
    [
        (S.PENDING_NEW, S.PENDING_NEW),
        (S.NEW, S.PENDING_CANCEL),
        (S.PARTIALLY_FILLED, S.PENDING_CANCEL),
        (S.PENDING_CANCEL, S.PENDING_CANCEL),
    ],
)
def test_a_wanted_cancel_is_noted_and_shows_once_the_venue_has_the_order(
    current: OrderStatus, status: OrderStatus
) -> None:
    order = with_requested_cancel(replace(known(S.NEW), status=current))
    assert (order.cancel_wanted, order.status) == (True, status)


@pytest.mark.parametrize("status", sorted(set(S) - LIVE_STATUSES))
def test_an_order_that_is_over_cannot_be_cancelled(status: OrderStatus) -> None:
    with pytest.raises(AssertionError):
        with_requested_cancel(known(status))


# Any order of facts.

facts = st.one_of(
    st.tuples(st.just("fill"), st.sampled_from(["0.1", "0.5", "1"])),
    st.tuples(st.sampled_from(list(S)), st.sampled_from(["0", "0.1", "0.6", "1"])),
    st.tuples(st.just("rejection"), st.just("")),
    st.tuples(st.just("unknown"), st.just("")),
)


@given(st.lists(facts, max_size=12))
def test_facts_in_any_order_lead_only_through_the_table_and_lose_no_fill(told: list[tuple[Any, str]]) -> None:
    order, filled = an_order(), D(0)
    for number, (what, amount) in enumerate(told, start=1):
        before = order
        match what:
            case "fill":
                order = with_fill(order, a_fill(amount, number))
                filled += D(amount)
            case "rejection":
                order = with_rejection(order, "-1", "no", after(number))
            case "unknown":
                order = with_unknown_fate(order, "timeout", "", after(number))
            case _:
                order = with_report(order, a_report(what, amount), after(number))
        assert order.status is before.status or order.status in STATUS_TRANSITIONS[before.status]
        assert order.filled_quantity == filled and order.cost == filled * 100
        assert order.status.is_live or order.reserved == 0
        assert (order.status is S.FILLED) == (filled >= 1) or order.status is S.FILLED
