"""The examples of the published data model, run as they stand, and what was added to them."""

from datetime import UTC, datetime, timedelta

import pytest

from fillbook.orders.core.cancel_queue import CancelQueue, CancelStatus, already_ended

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_new_item_is_pending_and_due() -> None:
    item = CancelQueue(order_id=123, strategy_id=7, requested_at=NOW)

    assert (item.status, item.retry_count, item.max_retries) == ("PENDING", 0, 5)
    assert item.next_retry_at is None
    assert item.can_retry()


@pytest.mark.parametrize(("count", "can"), [(0, True), (3, True), (4, True), (5, False), (6, False)])
def test_retries_are_bounded(count: int, can: bool) -> None:
    assert CancelQueue(order_id=123, retry_count=count, max_retries=5).can_retry() is can


def test_retries_are_two_to_the_new_count_seconds_apart() -> None:
    item = CancelQueue(order_id=123)

    waits = []
    while item.can_retry():
        item.increment_retry(NOW)
        assert item.next_retry_at is not None
        waits.append((item.next_retry_at - NOW).total_seconds())

    assert waits == [2, 4, 8, 16, 32]
    assert item.retry_count == 5


def test_without_a_time_a_retry_waits_from_when_the_item_was_due() -> None:
    item = CancelQueue(order_id=123, requested_at=NOW)

    item.increment_retry()
    assert (item.retry_count, item.next_retry_at) == (1, NOW + timedelta(seconds=2))
    item.increment_retry()
    assert (item.retry_count, item.next_retry_at) == (2, NOW + timedelta(seconds=6))


def test_a_retry_makes_the_item_pending_again() -> None:
    item = CancelQueue(order_id=123, status=CancelStatus.PROCESSING)

    item.increment_retry(NOW)

    assert item.status is CancelStatus.PENDING


def test_success_ends_an_item() -> None:
    item = CancelQueue(order_id=123, status=CancelStatus.PROCESSING)

    item.mark_success()

    assert item.status == "SUCCESS"
    assert not item.can_retry()


def test_failure_ends_an_item_and_says_why() -> None:
    item = CancelQueue(order_id=123, status=CancelStatus.PROCESSING)

    item.mark_failed("Order already filled")

    assert item.status == "FAILED"
    assert item.error_message == "Order already filled"
    assert not item.can_retry()


def test_an_order_that_had_ended_is_told_in_the_documents_words() -> None:
    assert already_ended("FILLED") == "Order already filled"
    assert already_ended("CANCELED") == "Order already canceled"
