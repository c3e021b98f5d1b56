"""What every Binance endpoint works with: the exchange, its clock, the caller, and the symbols' wire names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import Refused, SimOrder
from fillbook.venues.sim.wire.binance.errors import INVALID_SYMBOL, BinanceError, from_refusal
from fillbook.venues.sim.wire.binance.text import Params, required, wire_id


class Security(Enum):
    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


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

    def market(self, market_type: MarketType, name: str) -> Market:
        market = self._by_wire_id.get((market_type, name))
        if market is None or not market.is_listed:
            raise BinanceError(*INVALID_SYMBOL)
        return market

    def market_of(self, market_type: MarketType, params: Params) -> Market:
        return self.market(market_type, required(params, "symbol"))

    def optional_market(self, market_type: MarketType, params: Params) -> Market | None:
        return self.market(market_type, params["symbol"]) if params.get("symbol") else None

    def is_visible(self, order: SimOrder) -> bool:
        """Whether look-ups admit to knowing an order (a fault may hide it for a while)."""
        return order.hidden_until_ms <= self.exchange.now_ms()


def translated(refused: Refused, market: Market, **words: str) -> BinanceError:
    least = str(market.listing.instrument.min_notional)
    return from_refusal(refused.reason, market.listing.market_type, least=least, **words)


Endpoint = Callable[[Context, Account, Params], Any]
"""An endpoint gets the caller's account (a public one gets an anonymous account) and answers JSON values."""


@dataclass(frozen=True, slots=True)
class Route:
    """`weight_of_all` is the request weight when no symbol is named, where that differs."""

    endpoint: Endpoint
    security: Security = Security.SIGNED
    weight: int = 1
    weight_of_all: int | None = None

    def weight_for(self, params: Params) -> int:
        if self.weight_of_all is None or params.get("symbol") or params.get("symbols"):
            return self.weight
        return self.weight_of_all


Routes = dict[tuple[str, str], Route]
