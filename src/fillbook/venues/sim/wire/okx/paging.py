"""OKX's lists: newest first, a hundred at most, older than `after` or newer than `before`, within begin and end."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from fillbook.venues.sim.wire.okx.text import Params, integer

T = TypeVar("T")
MAX_LIMIT = 100


def page(
    rows: Sequence[T],
    params: Params,
    *,
    id_of: Callable[[T], int],
    at_ms: Callable[[T], int],
    kept_since_ms: int = 0,
    limit: int = MAX_LIMIT,
) -> list[T]:
    """`after` and `before` are ids and excluded, `begin` and `end` times and included. With `before` alone the
    page is the newest one all the same, so that nobody can page forward with it."""
    after, before = integer(params, "after"), integer(params, "before")
    begin, end = integer(params, "begin"), integer(params, "end")
    found = [
        row
        for row in rows
        if at_ms(row) >= kept_since_ms
        and (after is None or id_of(row) < after)
        and (before is None or id_of(row) > before)
        and (begin is None or at_ms(row) >= begin)
        and (end is None or at_ms(row) <= end)
    ]
    found.sort(key=id_of, reverse=True)
    wanted = integer(params, "limit")
    return found[: limit if wanted is None else min(wanted, limit)]
