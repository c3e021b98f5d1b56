"""How venues differ in what trading must know of them: one literal table, read by everybody.

What differs only on the wire (names, codes, signatures) stays in the venue's adapter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from fillbook.market.core import MarketType, VenueName
from fillbook.orders.core.order import Book, OrderType

_SPOT, _FUTURES = MarketType.SPOT, MarketType.FUTURES
_BOTH = frozenset(MarketType)


@dataclass(frozen=True, slots=True)
class VenueTraits:
    """`conditional_books`: markets whose stops and take-profits live in a book of their own, with ids of their
    own. `amends`: markets where price and quantity of a resting limit order change in place, under the same ids.
    `fills_kept`: how far back a market's fills can be read; without an entry, without limit. `unfilled_kept`: how
    long an order that ended without a fill is still found; without an entry, without limit. `orders_kept`: the same
    for an order that filled; without an entry, as long as its fills. `fills_by_number`: markets whose fills can be
    read from the first on by their numbers, however long ago that was."""

    conditional_books: frozenset[MarketType]
    amends: frozenset[MarketType]
    fills_kept: Mapping[MarketType, timedelta]
    unfilled_kept: Mapping[MarketType, timedelta]
    orders_kept: Mapping[MarketType, timedelta] = field(default_factory=dict)
    fills_by_number: frozenset[MarketType] = frozenset()

    def book_of(self, market_type: MarketType, order_type: OrderType) -> Book:
        """Where the venue keeps a new order of this type."""
        if order_type.has_stop_price and market_type in self.conditional_books:
            return Book.CONDITIONAL
        return Book.NORMAL

    def books(self, market_type: MarketType) -> tuple[Book, ...]:
        """Every book of a market in which an order may be found."""
        return tuple(Book) if market_type in self.conditional_books else (Book.NORMAL,)


TRAITS: Mapping[VenueName, VenueTraits] = MappingProxyType(
    {
        VenueName.BINANCE: VenueTraits(
            conditional_books=frozenset({_FUTURES}),
            amends=frozenset({_FUTURES}),
            fills_kept={_FUTURES: timedelta(days=180)},
            unfilled_kept={_FUTURES: timedelta(days=3)},
            orders_kept={_FUTURES: timedelta(days=90)},
            fills_by_number=frozenset({_SPOT}),
        ),
        VenueName.BYBIT: VenueTraits(
            # A stop keeps its id when it triggers, on spot too; the adapter asks for each kind of order.
            conditional_books=frozenset(),
            amends=_BOTH,
            fills_kept={_SPOT: timedelta(days=730), _FUTURES: timedelta(days=730)},
            unfilled_kept={_SPOT: timedelta(days=1), _FUTURES: timedelta(days=1)},
        ),
        VenueName.OKX: VenueTraits(
            conditional_books=_BOTH,
            amends=_BOTH,
            fills_kept={_SPOT: timedelta(days=90), _FUTURES: timedelta(days=90)},
            unfilled_kept={_SPOT: timedelta(hours=2), _FUTURES: timedelta(hours=2)},
        ),
        VenueName.BITGET: VenueTraits(
            conditional_books=_BOTH,
            amends=frozenset(),
            fills_kept={_SPOT: timedelta(days=90), _FUTURES: timedelta(days=90)},
            unfilled_kept={_SPOT: timedelta(days=90), _FUTURES: timedelta(days=90)},
        ),
    }
)
