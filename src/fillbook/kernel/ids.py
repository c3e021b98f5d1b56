"""Row ids for partitioned tables, whose keys no database can number for us.

53 bits, so that they survive JSON: milliseconds since 2024 (41 bits) and a counter (12 bits) that starts
anywhere, so that ids grow with time and two processes hardly ever meet (the primary key decides if they do).
"""

import random
from datetime import UTC, datetime

from fillbook.kernel.clock import Clock, to_ms

_EPOCH_MS = to_ms(datetime(2024, 1, 1, tzinfo=UTC))
_COUNTER_BITS = 12


class RowIds:
    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._last = 0

    def next(self) -> int:
        """A new id, above every id that this object has given out."""
        fresh = ((to_ms(self._clock.now()) - _EPOCH_MS) << _COUNTER_BITS) | self._rng.getrandbits(
            _COUNTER_BITS
        )
        self._last = fresh if fresh > self._last else self._last + 1
        return self._last
