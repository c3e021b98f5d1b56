"""Addresses that present keys nobody has: enough memory to not let them fill the log or hold the writer's lock."""

from collections import deque
from typing import ClassVar

from fillbook.kernel.clock import Clock

WINDOW_S = 60.0
ADDRESSES_LIMIT = 10_000


class Strangers:
    """Counts of the last minute per address; the address that was silent longest is forgotten first."""

    LOGGED_A_MINUTE: ClassVar[int] = 10

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, deque[float]] = {}

    def note(self, address: str) -> None:
        times = self._seen.pop(address, deque(maxlen=self.LOGGED_A_MINUTE))
        times.append(self._clock.elapsed_s())
        self._seen[address] = times
        if len(self._seen) > ADDRESSES_LIMIT:
            del self._seen[next(iter(self._seen))]

    def are_many(self, address: str) -> bool:
        """Whether as many have come from the address within a minute as are logged."""
        times = self._seen.get(address)
        return (
            times is not None
            and len(times) == self.LOGGED_A_MINUTE
            and self._clock.elapsed_s() - times[0] < WINDOW_S
        )
