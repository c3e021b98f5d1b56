"""Waiting for what becomes of a signal: a bell that the trading side may ring, and polling in case it does not.

The bell is per process; when another process trades the account, polling alone finds the end.
"""

import asyncio
from collections import defaultdict


class OutcomeBell:
    """Rung when the order logs of a signal may have ended."""

    def __init__(self) -> None:
        self._listeners: dict[int, set[asyncio.Event]] = defaultdict(set)

    def ring(self, signal_id: int) -> None:
        for event in self._listeners.get(signal_id, ()):
            event.set()

    async def wait(self, signal_id: int, timeout_s: float) -> None:
        """Return when the bell rings for the signal, at the latest after the timeout."""
        event = asyncio.Event()
        self._listeners[signal_id].add(event)
        try:
            await asyncio.wait_for(event.wait(), timeout_s)
        except TimeoutError:
            return
        finally:
            self._listeners[signal_id].discard(event)
            if not self._listeners[signal_id]:
                del self._listeners[signal_id]
