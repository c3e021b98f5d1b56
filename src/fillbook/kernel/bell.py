"""A bell that wakes one waiting loop. A ring is a hint that is kept until it is heard; time-outs are the truth."""

import asyncio


class Bell:
    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """True when the bell was rung since the last wait, False when the time was up first."""
        if not self._rung.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._rung.wait()
            except TimeoutError:
                return False
        self._rung.clear()
        return True
