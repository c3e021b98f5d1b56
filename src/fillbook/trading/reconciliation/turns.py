"""Whose turn it is to be looked at. Looks share the request weight of one (venue, egress address), so they take
turns there: few at a time, and always the account next that was looked at longest ago.

Whole looks are heavy: they have a lane of their own, in which so many may begin in so many seconds.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from fillbook.accounts.core import Account, Environment
from fillbook.kernel.clock import Clock
from fillbook.market.core import VenueName

AT_ONCE: Final = 4
WHOLE_BURST: Final = 5
WHOLE_SPAN_S: Final = 100.0

Line = tuple[VenueName, Environment, str | None]


@dataclass(slots=True)
class _Lane:
    places: int
    waiting: list[tuple[float, int, "asyncio.Future[None]"]] = field(default_factory=list)


class Turns:
    """The lanes of all lines in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[tuple[Line, bool], _Lane] = {}
        self._whole_begun_s: dict[Line, deque[float]] = {}
        self._order = count()

    @asynccontextmanager
    async def taken(self, account: Account, last_looked_s: float, *, is_whole: bool) -> AsyncIterator[None]:
        """A place in the account's line, while the look lasts; who was looked at longest ago comes first."""
        line = (account.exchange, account.environment, account.egress)
        lane = self._lanes.setdefault((line, is_whole), _Lane(1 if is_whole else AT_ONCE))
        await self._enter(lane, last_looked_s)
        try:
            if is_whole:
                await self._keep_pace(line)
            yield
        finally:
            self._leave(lane)

    async def _enter(self, lane: _Lane, last_looked_s: float) -> None:
        if lane.places:
            lane.places -= 1
            return
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(lane.waiting, (last_looked_s, next(self._order), called))
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self._leave(lane)
            called.cancel()
            raise

    def _leave(self, lane: _Lane) -> None:
        """Hand the place to whoever waits longest, or keep it free."""
        while lane.waiting:
            called = heapq.heappop(lane.waiting)[2]
            if not called.done():
                called.set_result(None)
                return
        lane.places += 1

    async def _keep_pace(self, line: Line) -> None:
        begun_s = self._whole_begun_s.setdefault(line, deque(maxlen=WHOLE_BURST))
        if len(begun_s) == WHOLE_BURST:
            await self._clock.sleep(max(begun_s[0] + WHOLE_SPAN_S - self._clock.elapsed_s(), 0.0))
        begun_s.append(self._clock.elapsed_s())
