"""How the venues differ where a program stands in front of them: paging, client ids, feeds.

What trading itself must know of a venue (books, amends, what is kept how long) is in `orders.core.venue_traits`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from fillbook.market.core import MarketType, VenueName

_SPOT, _FUTURES = MarketType.SPOT, MarketType.FUTURES


@dataclass(frozen=True, slots=True)
class Manner:
    """`reuses_client_ids`: the id of an order that has ended may name a new one. `fills_page`: fills an answer
    has at most. `fills_window`: how much time one answer covers. `feeds`: the private streams of an account;
    without an entry there is one for each market."""

    reuses_client_ids: bool
    fills_page: int
    fills_window: Mapping[MarketType, timedelta]
    feeds: tuple[str, ...] = ()


_WEEK = timedelta(days=7)

MANNERS: Mapping[VenueName, Manner] = MappingProxyType(
    {
        VenueName.BINANCE: Manner(
            reuses_client_ids=True,
            fills_page=1000,
            fills_window={_SPOT: timedelta(hours=24), _FUTURES: _WEEK},
        ),
        VenueName.BYBIT: Manner(
            reuses_client_ids=False,
            fills_page=100,
            fills_window={_SPOT: _WEEK, _FUTURES: _WEEK},
            feeds=("private",),
        ),
        VenueName.OKX: Manner(
            reuses_client_ids=False,
            fills_page=100,
            fills_window={_SPOT: timedelta(days=90), _FUTURES: timedelta(days=90)},
            feeds=("private", "business"),
        ),
        VenueName.BITGET: Manner(
            reuses_client_ids=True,
            fills_page=100,
            fills_window={_SPOT: timedelta(days=90), _FUTURES: timedelta(days=90)},
            feeds=("private",),
        ),
    }
)
