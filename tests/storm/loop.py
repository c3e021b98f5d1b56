"""An event loop in virtual time, in which processes live and die.

It never waits: when nothing is ready, its clock jumps to the next timer. Every callback belongs to the process
in whose context it was scheduled, or to the world outside. Callbacks of a process that was killed never run
again (no `finally` either), those of one that is paused wait until it goes on.
"""

import asyncio
import heapq
import random
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Life:
    """Of a process: what it has done, and whether it still does anything. `on_end` is called before its callback
    number `ends_at_step`: to kill it, or to let it stand still."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_paused = False
        self.steps = 0
        self.ends_at_step = -1
        self.on_end: Callable[[], None] = lambda: None
        # Kept, for what is collected runs its `finally` blocks.
        self.held: list[asyncio.Handle] = []


PROCESS: ContextVar[Life | None] = ContextVar("process", default=None)


class NothingLeft(Exception):
    """No callback is ready and no timer is set: everybody waits for somebody else."""


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """`jitter` is the probability with which callbacks that are ready at once run in another order."""

    def __init__(self, rng: random.Random, jitter: float) -> None:
        super().__init__()
        self._rng = rng
        self._jitter = jitter
        self._now_s = 1000.0
        self.steps = 0
        self.errors: list[str] = []
        self.is_expected: Callable[[BaseException | None], bool] = lambda _: False
        self.set_exception_handler(self._note_error)

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        ready, timers = self._ready, self._scheduled  # type: ignore[attr-defined]
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not ready:
            if not timers:
                raise NothingLeft
            self._now_s = max(self._now_s, timers[0]._when)
        while timers and timers[0]._when <= self._now_s:
            handle = heapq.heappop(timers)
            handle._scheduled = False
            ready.append(handle)
        if len(ready) > 1 and self._rng.random() < self._jitter:
            shuffled = list(ready)
            self._rng.shuffle(shuffled)
            ready.clear()
            ready.extend(shuffled)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                self._step(handle)

    def _step(self, handle: Any) -> None:
        life = handle._context.get(PROCESS)
        if life is not None:
            if life.is_dead or life.is_paused:
                life.held.append(handle)
                return
            life.steps += 1
            if life.steps == life.ends_at_step:
                life.held.append(handle)
                life.on_end()
                return
        self.steps += 1
        handle._run()

    def resume(self, life: Life) -> None:
        life.is_paused = False
        held, life.held = life.held, []
        for handle in held:
            self._ready.append(handle)  # type: ignore[attr-defined]

    def _timer_handle_cancelled(self, handle: Any) -> None:
        """Cancelled timers leave the heap when their time comes."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def _note_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not self.is_expected(error):
            self.errors.append(f"{context.get('message')}: {error!r}")


class VirtualClock:
    """The application's clock: the loop's time. The wall clock may be set; what counts seconds goes on."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self.set_by_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time() + self.set_by_s)

    def elapsed_s(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Outside:
    """The world outside of all processes: what it schedules happens whoever dies."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        assert PROCESS.get() is None
        self._loop = loop
        self._context: Context = copy_context()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self._loop.call_later(seconds, act, context=self._context)

    def when_done(self, task: "asyncio.Task[Any]", tell: Callable[["asyncio.Task[Any]"], None]) -> None:
        task.add_done_callback(tell, context=self._context)
