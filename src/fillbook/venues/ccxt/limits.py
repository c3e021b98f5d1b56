"""The request weight of one pool of a venue, counted by spans of the clock (a minute on Binance).

A pool belongs to an egress address or to an account, as the venue counts.

Acts (orders, cancels) go first and hardly wait: a budget that is spent for longer than a moment refuses them at
once, so that nothing is sent later than it was decided. Reads share at most 40 % of the weight and wait for the
next span; the last quarter of it is for urgent ones (look-ups of unknown orders, what an order waits for),
which also stand in no queue behind routine. A 418 or 429 pauses everything until the venue's Retry-After has
passed.

New WebSocket connections are paced too: venues count them per address.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from fillbook.kernel.clock import Clock

READ_PERCENT = 40
ROUTINE_PERCENT = 30
ACT_PERCENT = 95
LONGEST_WAIT_S = 130
ACT_PATIENCE_S = 1.1
"""Less than the 2 s by which an order is sent ahead of the end of a lease."""
_TOO_MANY = frozenset({418, 429})
_MARGIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Pool:
    """What a venue grants: `limit` weight in each `span_s`, and the header that states what is used, if any.

    An answer of a `pausing` status stops everything for its Retry-After, or for `pause_s`.
    """

    name: str
    limit: int
    used_header: str = ""
    span_s: float = 60.0
    pausing: frozenset[int] = _TOO_MANY
    pause_s: float = 60.0


class BudgetSpent(Exception):
    """The venue's request weight is used up, or it has told us to pause, for `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the request weight is used up for {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


class RequestBudget:
    """What is left of one pool."""

    def __init__(self, clock: Clock, pool: Pool) -> None:
        if pool.limit <= 0:
            raise ValueError(f"a request budget must be above zero, not {pool.limit}")
        self.limit = pool.limit
        self.used = 0
        self.used_by_reads = 0
        self._clock = clock
        self._pool = pool
        self._used_header = pool.used_header.lower()
        self._span = -1
        self._paused_until = float("-inf")
        self._routine = asyncio.Lock()

    def take_for_act(self, weight: int) -> None:
        """Take weight for an act now, or raise `BudgetSpent`."""
        self._turn()
        paused_s = self._paused_until - self._clock.elapsed_s()
        if paused_s > 0:
            raise BudgetSpent(paused_s)
        if self.used + weight > self.limit * ACT_PERCENT // 100:
            raise BudgetSpent(self._until_next_span_s())
        self.used += weight

    async def take_for_read(self, weight: int, is_urgent: bool = False) -> None:
        """Wait for weight for a read, routine in order of arrival; raises `BudgetSpent` rather than wait long."""
        if is_urgent:
            await self._wait_for(weight, READ_PERCENT)
            return
        async with self._routine:
            await self._wait_for(weight, ROUTINE_PERCENT)

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer: the weight that the venue has counted, and its wish that we pause."""
        self._turn()
        retry_after = None
        for name, value in headers.items():
            lowered = name.lower()
            if lowered == self._used_header and value.isdecimal():
                self.used = max(self.used, int(value))
            elif lowered == "retry-after" and value.isdecimal():
                retry_after = int(value)
        if status in self._pool.pausing:
            pause_s = self._pool.pause_s if retry_after is None else retry_after
            self.pause(pause_s)

    def pause(self, seconds: float) -> None:
        """Send nothing for a while: the venue has said that it was too much."""
        self._paused_until = max(self._paused_until, self._clock.elapsed_s() + seconds)

    async def _wait_for(self, weight: int, percent: int) -> None:
        waited_s = 0.0
        while True:
            wait_s = self._read_must_wait_s(weight, percent)
            if wait_s <= 0:
                break
            if waited_s + wait_s > LONGEST_WAIT_S:
                raise BudgetSpent(wait_s)
            await self._clock.sleep(wait_s)
            waited_s += wait_s
        self.used += weight
        self.used_by_reads += weight

    def _read_must_wait_s(self, weight: int, percent: int) -> float:
        """Seconds until it is worth trying again; a read heavier than its share is served alone in a span."""
        self._turn()
        paused_s = self._paused_until - self._clock.elapsed_s()
        if paused_s > 0:
            return paused_s
        fits_reads = self.used_by_reads + weight <= max(self.limit * percent // 100, weight)
        fits_all = self.used + weight <= max(self.limit * ACT_PERCENT // 100, weight)
        return 0 if fits_reads and fits_all else self._until_next_span_s()

    def _turn(self) -> None:
        span = int(self._clock.now().timestamp() // self._pool.span_s)
        if span != self._span:
            self._span = span
            self.used = 0
            self.used_by_reads = 0

    def _until_next_span_s(self) -> float:
        return self._pool.span_s + _MARGIN_S - self._clock.now().timestamp() % self._pool.span_s


class ConnectionPace:
    """At most so many new connections in any span of time, from one address; the rest wait their turn."""

    def __init__(self, clock: Clock, most: int, span_s: float) -> None:
        self._clock = clock
        self._span_s = span_s
        self._recent: deque[float] = deque(maxlen=most)
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Until one more connection may be opened."""
        async with self._turn:
            if len(self._recent) == self._recent.maxlen:
                wait_s = self._recent[0] + self._span_s - self._clock.elapsed_s()
                if wait_s > 0:
                    await self._clock.sleep(wait_s)
            self._recent.append(self._clock.elapsed_s())
