"""A cancel that is wanted, until the venue's own record ends it.

Written before the venue is asked. Only a refusal by the venue while the order is proven live counts as a
retry: 2, 4, 8, 16, 32 seconds apart. The words and the methods are those of the published data model.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_RETRIES = 5
ALREADY_ENDED = "Order already {status}"


class CancelStatus(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"

    @property
    def has_ended(self) -> bool:
        return self in (CancelStatus.SUCCESS, CancelStatus.FAILED)


@dataclass(slots=True)
class CancelQueue:
    """One item of the queue. Mutable on purpose: it is worked off in place."""

    order_id: int
    strategy_id: int | None = None
    account_id: int | None = None
    requested_at: datetime | None = None
    retry_count: int = 0
    max_retries: int = MAX_RETRIES
    next_retry_at: datetime | None = None
    status: CancelStatus = CancelStatus.PENDING
    error_message: str | None = None
    id: int | None = None

    def can_retry(self) -> bool:
        return self.retry_count < self.max_retries and not self.status.has_ended

    def increment_retry(self, now: datetime | None = None) -> None:
        """Count a refusal and wait 2^n seconds, n being the new count; the item is PENDING again.

        Waits from `now`; without it from when the item was last due, so that no clock is read here.
        """
        self.retry_count += 1
        start = now or self.next_retry_at or self.requested_at
        self.next_retry_at = start + timedelta(seconds=2**self.retry_count) if start else None
        self.status = CancelStatus.PENDING

    def mark_success(self) -> None:
        self.status = CancelStatus.SUCCESS
        self.error_message = None

    def mark_failed(self, error_message: str) -> None:
        """The cancel came to nothing: the order had already ended, or the retries are exhausted."""
        self.status = CancelStatus.FAILED
        self.error_message = error_message


def already_ended(order_status: str) -> str:
    """The source document's text for a cancel that came too late, e.g. `Order already filled`."""
    return ALREADY_ENDED.format(status=order_status.lower())
