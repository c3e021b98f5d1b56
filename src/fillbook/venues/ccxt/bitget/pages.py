"""Bitget's history, read whole: newest first, and older ones below an id.

A page that is not full is the last, which is the proof that nothing is missing. Going on by id, never by time:
several rows share a millisecond.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.bitget.link import BitgetLink
from fillbook.venues.ccxt.bitget.words import Raw
from fillbook.venues.ccxt.calls import Endpoint
from fillbook.venues.ccxt.values import UNREADABLE
from fillbook.venues.ccxt.windows import MOST_REQUESTS

PAGE = 100
_LISTS = ("entrustedList", "orderList", "fillList", "bills")


def rows_of(body: Any) -> list[Raw]:
    """The rows in an answer: a list, or under one of Bitget's names; null is an empty list."""
    if isinstance(body, list):
        return body
    found = next(body[name] for name in _LISTS if name in body)
    return found or []


async def read_all(
    link: BitgetLink,
    endpoint: Endpoint,
    params: Mapping[str, Any],
    id_name: str,
    is_enough: Callable[[list[Raw]], bool] = lambda rows: False,
) -> list[Raw]:
    """Every row that the parameters ask for, or those up to the page that is enough. Raises `ReadFailed`.

    The last id is asked for again, because a self-trade has two fills of one id and a page may end between them:
    what comes twice has the same key.
    """
    rows: list[Raw] = []
    below: dict[str, str] = {}
    for _ in range(MOST_REQUESTS):
        body = await link.page(endpoint, {**params, "limit": str(PAGE), **below})
        try:
            page = rows_of(body)
            oldest = min((int(row[id_name]) for row in page), default=0)
        except (*UNREADABLE, StopIteration) as error:
            raise link.failures.unreadable(error, endpoint.path) from None
        rows += page
        if len(page) < PAGE or is_enough(page):
            return rows
        next_below = {"idLessThan": str(oldest + 1)}
        if next_below == below:
            raise ReadFailed(f"{link.failures.title} shows one page of {endpoint.path} again and again.")
        below = next_below
    raise ReadFailed("There are too many rows to read at once: ask for a later time.")
