"""Bitget's paging of history: newest first, a window of time, `idLessThan` (strictly), `limit` up to 100."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from fillbook.venues.sim.wire.bitget.errors import BitgetError
from fillbook.venues.sim.wire.bitget.words import Params, integer

DAY_MS = 86_400_000
MAX_LIMIT = 100

R = TypeVar("R")


def page(
    rows: Sequence[R],
    params: Params,
    id_of: Callable[[R], int],
    time_of: Callable[[R], int],
    longest_days: int,
    default_limit: int = MAX_LIMIT,
    largest_limit: int = MAX_LIMIT,
) -> list[R]:
    """One page. Raises when the window is wider than the venue answers in one request."""
    start, end = integer(params, "startTime"), integer(params, "endTime")
    if start is not None and end is not None:
        if start > end:
            raise BitgetError("40707", "Start time is greater than end time")
        if end - start > longest_days * DAY_MS:
            raise BitgetError(
                "00001", f"startTime and endTime interval cannot be greater than {longest_days} days"
            )
    below = integer(params, "idLessThan")
    limit = min(integer(params, "limit") or default_limit, largest_limit)
    found = [
        row
        for row in rows
        if (start is None or time_of(row) >= start)
        and (end is None or time_of(row) <= end)
        and (below is None or id_of(row) < below)
    ]
    found.sort(key=id_of, reverse=True)
    return found[:limit]
