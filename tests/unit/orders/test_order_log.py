"""The examples of the published data model, run as they stand, and what was added to them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fillbook.orders.core.order_log import OrderLogStatus, StrategyOrderLog

AT = datetime(2026, 1, 5, tzinfo=UTC)
RESULTS: dict[str, Any] = {
    "account_1": {"success": True, "order_id": 123},
    "account_2": {"success": True, "order_id": 124},
    "account_3": {"success": False, "error": "Insufficient balance"},
}
GOOD = {"success": True, "order_id": 1}
BAD = {"success": False, "error": "no"}


def test_the_success_rate_is_successes_of_all() -> None:
    log = StrategyOrderLog(total_accounts=10, successful_accounts=8, failed_accounts=2)

    assert log.success_rate == 0.8
    assert log.is_partial_failure
    assert not log.is_all_success
    assert not log.is_all_failed


def test_a_new_log_is_processing_with_nothing_counted() -> None:
    log = StrategyOrderLog(
        strategy_id=1,
        symbol="BTC/USDT",
        side="buy",
        order_type="MARKET",
        quantity=Decimal(1),
        execution_results={},
        total_accounts=3,
    )

    assert log.status == "PROCESSING"
    assert log.is_processing
    assert not log.is_completed
    assert (log.successful_accounts, log.failed_accounts, log.success_rate) == (0, 0, 0.0)


@pytest.mark.parametrize("total", [3, 10])
def test_statistics_are_counted_from_the_results(total: int) -> None:
    log = StrategyOrderLog(total_accounts=total)

    log.update_statistics(RESULTS, AT)

    assert (log.successful_accounts, log.failed_accounts) == (2, 1)
    assert log.status == "PARTIAL_FAILURE"
    assert log.is_partial_failure
    assert log.is_completed
    assert log.completed_at == AT
    assert log.execution_results == RESULTS


def test_accounts_are_listed_with_their_key() -> None:
    log = StrategyOrderLog(total_accounts=3)
    log.update_statistics(RESULTS)

    assert log.get_failed_accounts() == [
        {"account_key": "account_3", "success": False, "error": "Insufficient balance"}
    ]
    assert log.get_successful_accounts() == [
        {"account_key": "account_1", "success": True, "order_id": 123},
        {"account_key": "account_2", "success": True, "order_id": 124},
    ]


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ({"account_1": GOOD, "account_2": GOOD}, OrderLogStatus.COMPLETED),
        ({"account_1": GOOD, "account_2": BAD}, OrderLogStatus.PARTIAL_FAILURE),
        ({"account_1": BAD, "account_2": BAD}, OrderLogStatus.FAILED),
        ({}, OrderLogStatus.PROCESSING),
    ],
)
def test_the_status_follows_the_results(results: dict[str, Any], status: OrderLogStatus) -> None:
    log = StrategyOrderLog(total_accounts=2)

    log.update_statistics(results)

    assert log.status is status
    assert log.is_completed is (status is not OrderLogStatus.PROCESSING)
    assert log.is_all_success is (status is OrderLogStatus.COMPLETED)
    assert log.is_partial_failure is (status is OrderLogStatus.PARTIAL_FAILURE)
    assert log.is_all_failed is (status is OrderLogStatus.FAILED)


@pytest.mark.parametrize("fate", [{"success": False, "unknown": True}, {"success": None}, {}])
def test_an_unknown_fate_keeps_the_log_processing_until_it_is_known(fate: dict[str, Any]) -> None:
    log = StrategyOrderLog(total_accounts=2)

    log.update_statistics({"account_1": BAD, "account_2": fate}, AT)

    assert log.is_processing
    assert log.completed_at is None
    assert (log.unknown_accounts, log.failed_accounts) == (1, 1)
    assert log.get_unknown_accounts() == [{"account_key": "account_2", **fate}]
    assert [account["account_key"] for account in log.get_failed_accounts()] == ["account_1"]

    log.update_statistics({"account_1": BAD, "account_2": GOOD}, AT)
    assert log.status is OrderLogStatus.PARTIAL_FAILURE
    assert log.unknown_accounts == 0


def test_a_log_ends_once() -> None:
    log = StrategyOrderLog(total_accounts=1)
    log.update_statistics({"account_1": GOOD}, AT)
    log.update_statistics({"account_1": GOOD}, AT.replace(hour=5))

    assert log.completed_at == AT


def test_a_log_without_accounts_has_no_success() -> None:
    log = StrategyOrderLog()

    assert log.success_rate == 0.0
    assert not log.is_all_success
    assert not log.is_all_failed
