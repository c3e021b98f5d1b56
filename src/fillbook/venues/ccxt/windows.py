"""Time in pieces that a venue answers at once.

Both ends belong to a window, so that neighbours overlap by one millisecond and nothing falls between them: what
comes twice has the same key.
"""

from datetime import datetime, timedelta

from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.values import floor_ms

MOST_REQUESTS = 200
"""Windows or pages of one reading: a bound, not a goal."""


def windows_since(since: datetime, now: datetime, width: timedelta) -> list[tuple[int, int]]:
    """Windows from `since` to now, in ms, the last one open to what happens meanwhile. Raises `ReadFailed`."""
    width_ms = width // timedelta(milliseconds=1)
    now_ms, start_ms = floor_ms(now), floor_ms(since)
    if (now_ms - start_ms) // width_ms > MOST_REQUESTS:
        raise ReadFailed(f"{since:%Y-%m-%d} is too long ago to read at once: ask for a later time.")
    windows = []
    while True:
        windows.append((start_ms, start_ms + width_ms))
        start_ms += width_ms
        if start_ms > now_ms:
            return windows
