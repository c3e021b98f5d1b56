"""What every Bybit endpoint works with: the exchange, its clock, the caller, the symbols' wire names, and pages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import SimOrder
from fillbook.venues.sim.wire.bybit.errors import INVALID_SYMBOL, BybitError, illegal
from fillbook.venues.sim.wire.bybit.text import CATEGORIES, Params, integer, required, wire_id

WEEK_MS = 7 * 86_400_000

T = TypeVar("T")


class Context:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._by_wire_id: dict[tuple[MarketType, str], Market] = {}
        self.wire_ids: dict[str, str] = {}
        for market in exchange.markets.values():
            name = wire_id(market.listing.instrument)
            self._by_wire_id[(market.listing.market_type, name)] = market
            self.wire_ids[market.symbol] = name

    def now_ms(self) -> int:
        return self.exchange.now_ms()

    def markets(self, market_type: MarketType) -> Sequence[Market]:
        return [m for m in self.exchange.markets.values() if m.listing.market_type is market_type]

    def category(self, params: Params) -> MarketType:
        name = required(params, "category")
        if name not in CATEGORIES:
            raise illegal("category")
        return CATEGORIES[name]

    def market(self, market_type: MarketType, name: str) -> Market:
        market = self._by_wire_id.get((market_type, name))
        if market is None:
            raise BybitError(*INVALID_SYMBOL)
        return market

    def market_of(self, params: Params) -> Market:
        return self.market(self.category(params), required(params, "symbol"))

    def markets_of(self, params: Params) -> list[Market]:
        """The market that is named, else all of the category (of the settlement coin that is named)."""
        market_type = self.category(params)
        if params.get("symbol"):
            return [self.market(market_type, params["symbol"])]
        coin = params.get("settleCoin")
        if market_type is MarketType.FUTURES and not coin and not params.get("baseCoin"):
            raise BybitError(10001, "params error: symbol, settleCoin or baseCoin is required")
        return [m for m in self.markets(market_type) if coin in (None, "", m.listing.instrument.settle)]

    def is_visible(self, order: SimOrder) -> bool:
        """Whether look-ups admit to knowing an order (a fault may hide it for a while)."""
        return order.hidden_until_ms <= self.exchange.now_ms()


def window_of(params: Params, now_ms: int) -> tuple[int, int]:
    """The window asked for: at most seven days, the latest seven when none is named."""
    start, end = integer(params, "startTime"), integer(params, "endTime")
    if start is None and end is None:
        return now_ms - WEEK_MS, now_ms
    if start is None:
        assert end is not None
        start = end - WEEK_MS
    if end is None:
        end = start + WEEK_MS
    if end < start:
        raise BybitError(10001, "The end time should be later than the start time.")
    if end - start > WEEK_MS:
        raise BybitError(10001, "The time range between startTime and endTime cannot exceed 7 days.")
    return start, end


def page_of(
    rows: Iterable[T], key: Callable[[T], tuple[int, int]], params: Params, default: int, largest: int
) -> tuple[list[T], str]:
    """The newest rows first, and the cursor of the next page (empty: there is none).

    A cursor names the last row that was told, so that what happens meanwhile shifts nothing.
    """
    limit = min(integer(params, "limit") or default, largest)
    ordered = sorted(rows, key=key, reverse=True)
    cursor = params.get("cursor")
    if cursor:
        at_ms, _, number = cursor.partition(":")
        if not (at_ms.isdecimal() and number.isdecimal()):
            raise illegal("cursor")
        last = (int(at_ms), int(number))
        ordered = [row for row in ordered if key(row) < last]
    page = ordered[:limit]
    if len(ordered) <= limit:
        return page, ""
    at, number_told = key(page[-1])
    return page, f"{at}%3A{number_told}"


Endpoint = Callable[[Context, Account, Params], Any]
"""An endpoint gets the caller's account (a public one gets an anonymous account) and answers the `result`."""


@dataclass(frozen=True, slots=True)
class Route:
    endpoint: Endpoint
    is_signed: bool = True


Routes = dict[tuple[str, str], Route]
