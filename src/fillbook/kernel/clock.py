"""Time is injected. `now` is aware UTC for records; `elapsed_s` counts on through sleep and suspend.

Deadlines that guard an act on an exchange (`send_by`, a lease) are compared on `elapsed_s`, because a wall
clock may jump and a plain monotonic clock stands still while the machine sleeps.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware, UTC."""

    def elapsed_s(self) -> float:
        """Seconds since some fixed past, never running backwards, counting sleep."""

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        clock_id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return time.clock_gettime(clock_id)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as the venues count."""
    return round(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
