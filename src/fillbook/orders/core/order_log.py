"""One leg of a signal over all accounts of a strategy: who succeeded, who failed, who is not known yet.

The statistics and their words are those of the published data model; `FAILED` (every account failed) and
`unknown_accounts` are added to it. A log stays PROCESSING while any account's fate is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fillbook.kernel.money import ZERO


class OrderLogStatus(StrEnum):
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    PARTIAL_FAILURE = "PARTIAL_FAILURE"
    FAILED = "FAILED"


@dataclass(slots=True)
class StrategyOrderLog:
    """Mutable on purpose: it accumulates. `execution_results` is keyed `account_{id}`."""

    strategy_id: int | None = None
    symbol: str = ""
    side: str = ""
    order_type: str = ""
    quantity: Decimal = ZERO
    total_accounts: int = 0
    webhook_log_id: int | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    execution_results: dict[str, Any] = field(default_factory=dict)
    successful_accounts: int = 0
    failed_accounts: int = 0
    unknown_accounts: int = 0
    status: OrderLogStatus = OrderLogStatus.PROCESSING
    id: int | None = None
    signal_id: int | None = None
    leg: str = ""
    created_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def is_processing(self) -> bool:
        return self.status is OrderLogStatus.PROCESSING

    @property
    def is_completed(self) -> bool:
        """Ended, whichever way."""
        return not self.is_processing

    @property
    def is_all_success(self) -> bool:
        return self.status is OrderLogStatus.COMPLETED or 0 < self.total_accounts == self.successful_accounts

    @property
    def is_partial_failure(self) -> bool:
        counted = self.successful_accounts + self.failed_accounts
        return self.status is OrderLogStatus.PARTIAL_FAILURE or (
            0 < self.failed_accounts < self.total_accounts == counted
        )

    @property
    def is_all_failed(self) -> bool:
        return self.status is OrderLogStatus.FAILED or 0 < self.total_accounts == self.failed_accounts

    @property
    def success_rate(self) -> float:
        """Successful accounts of all, 0.0 to 1.0."""
        return self.successful_accounts / self.total_accounts if self.total_accounts else 0.0

    def update_statistics(self, execution_results: Mapping[str, Any], at: datetime | None = None) -> None:
        """Count the results and derive the status; `at` becomes `completed_at` when that ends the log.

        A result counts as unknown while it says `unknown: True` or has no `success` of True or False; an
        account that has not answered yet is given as such a result.
        """
        self.execution_results = dict(execution_results)
        fates = [_fate(result) for result in execution_results.values()]
        self.successful_accounts = fates.count(True)
        self.failed_accounts = fates.count(False)
        self.unknown_accounts = fates.count(None)
        self.total_accounts = max(self.total_accounts, len(fates))
        self.status = self._derived_status()
        self.completed_at = (self.completed_at or at) if self.is_completed else None

    def _derived_status(self) -> OrderLogStatus:
        if self.unknown_accounts or not self.execution_results:
            return OrderLogStatus.PROCESSING
        if not self.failed_accounts:
            return OrderLogStatus.COMPLETED
        return OrderLogStatus.PARTIAL_FAILURE if self.successful_accounts else OrderLogStatus.FAILED

    def get_failed_accounts(self) -> list[dict[str, Any]]:
        """The failed results, each with its `account_key`."""
        return self._with_fate(False)

    def get_successful_accounts(self) -> list[dict[str, Any]]:
        """The successful results, each with its `account_key`."""
        return self._with_fate(True)

    def get_unknown_accounts(self) -> list[dict[str, Any]]:
        """The results whose fate is not known yet, each with its `account_key`."""
        return self._with_fate(None)

    def _with_fate(self, fate: bool | None) -> list[dict[str, Any]]:
        return [
            {"account_key": key, **result}
            for key, result in self.execution_results.items()
            if _fate(result) is fate
        ]


def _fate(result: Mapping[str, Any]) -> bool | None:
    success = result.get("success")
    return success if isinstance(success, bool) and not result.get("unknown") else None
