"""Which symbols exist, in memory: the intake asks for each alert and must not wait for a venue.

Read from the `instruments` table, again when it is a minute old, or when a symbol is missed that may be new.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from fillbook.kernel.clock import Clock
from fillbook.market.core import MarketType, VenueName
from fillbook.market.symbols import SymbolOfOtherMarket as NamesOtherMarket
from fillbook.market.symbols import UnknownSymbol as Unreadable
from fillbook.market.symbols import unify_symbol
from fillbook.market.tables import instruments
from fillbook.signals.core.errors import SymbolOfOtherMarket, UnknownSymbol
from fillbook.storage.unit import Unit

FRESH_S = 60.0
FRESH_AFTER_MISS_S = 3.0

_LISTED = sa.select(instruments.c.venue, instruments.c.market_type, instruments.c.symbol).where(
    instruments.c.valid_to.is_(None)
)
_Market = tuple[VenueName, MarketType]


class SymbolCatalogue:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._symbols: dict[_Market, set[str]] = {}
        self._read_at_s: float | None = None

    async def unify(self, unit: Unit, text: str, market_type: MarketType, venues: Iterable[VenueName]) -> str:
        """The unified id of a symbol that at least one of the venues lists.

        A venue of which nothing is known yet might list it, so then it passes: the planner asks again per
        account. Raises `UnknownSymbol` or `SymbolOfOtherMarket`.
        """
        markets = [(venue, market_type) for venue in set(venues)]
        await self._refresh(unit, FRESH_S)
        symbol = self._unified(text, market_type, markets)
        if not self._may_exist(symbol, markets) and await self._refresh(unit, FRESH_AFTER_MISS_S):
            symbol = self._unified(text, market_type, markets)
        if not self._may_exist(symbol, markets):
            names = ", ".join(sorted(venue for venue, _ in markets)) or "any exchange"
            raise UnknownSymbol(
                f"{symbol} ({market_type}) is not listed at {names}: check the spelling, and whether the strategy's"
                " market type is right.",
                ("symbol",),
            )
        return symbol

    def _unified(self, text: str, market_type: MarketType, markets: list[_Market]) -> str:
        known = set().union(*(self._symbols.get(market, set()) for market in markets))
        try:
            return unify_symbol(text, market_type, known)
        except NamesOtherMarket as error:
            raise SymbolOfOtherMarket(error.detail, ("symbol",)) from None
        except Unreadable as error:
            raise UnknownSymbol(error.detail, ("symbol",)) from None

    def _may_exist(self, symbol: str, markets: list[_Market]) -> bool:
        listings = [self._symbols.get(market) for market in markets]
        return not listings or any(listed is None or symbol in listed for listed in listings)

    async def _refresh(self, unit: Unit, fresh_s: float) -> bool:
        """Read the table when it is older than that; True when it was read."""
        if self._read_at_s is not None and self._clock.elapsed_s() - self._read_at_s < fresh_s:
            return False
        symbols: dict[_Market, set[str]] = {}
        for row in await unit.all(_LISTED):
            market = (VenueName(row.venue), MarketType(row.market_type))
            symbols.setdefault(market, set()).add(row.symbol)
        self._symbols, self._read_at_s = symbols, self._clock.elapsed_s()
        return True
