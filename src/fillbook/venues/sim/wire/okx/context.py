"""What every OKX endpoint works with: the exchange, its instruments by id, and contracts for base units.

Leverage belongs to an instrument and a margin mode there, and the margin mode to an order; the core has one of
each for a symbol, so the leverage of the mode that is not in use is kept here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode
from fillbook.kernel.money import divide
from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import DEFAULT_LEVERAGE, Account
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import SimOrder
from fillbook.venues.sim.wire.okx.errors import UNKNOWN_INSTRUMENT, RowRefused
from fillbook.venues.sim.wire.okx.text import Params, instrument_id, required

UNFILLED_KEPT_MS = 2 * 3_600_000


class Context:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.ids = {
            market.symbol: instrument_id(market.listing.instrument) for market in exchange.markets.values()
        }
        self._by_id = {self.ids[market.symbol]: market for market in exchange.markets.values()}
        self._other_leverages: dict[tuple[str, str, MarginMode], Decimal] = {}
        self.algo_types: dict[int, str] = {}
        """How a conditional order was called when it was placed, by its id."""
        self.first_bill_id = exchange.now_ms() * 1000

    def now_ms(self) -> int:
        return self.exchange.now_ms()

    def markets(self, market_type: MarketType | None) -> Sequence[Market]:
        return [m for m in self.exchange.markets.values() if m.listing.market_type is market_type]

    def market(self, name: str) -> Market:
        market = self._by_id.get(name)
        if market is None:
            raise RowRefused(*UNKNOWN_INSTRUMENT)
        return market

    def market_of(self, params: Params) -> Market:
        return self.market(required(params, "instId"))

    def market_of_symbol(self, symbol: str) -> Market:
        return self.exchange.markets[symbol]

    def is_visible(self, order: SimOrder) -> bool:
        """Whether look-ups admit to knowing an order: a fault may hide it, and one that ended without a fill is
        forgotten after two hours."""
        if order.hidden_until_ms > self.now_ms():
            return False
        return order.is_open or bool(order.filled) or order.updated_ms + UNFILLED_KEPT_MS > self.now_ms()

    def leverage(self, account: Account, market: Market, mode: MarginMode) -> Decimal:
        if mode is account.margin_mode(market.symbol):
            return account.leverage(market.symbol)
        return self._other_leverages.get((account.key, market.symbol, mode), DEFAULT_LEVERAGE)

    def keep_leverage(self, account: Account, market: Market, mode: MarginMode, leverage: Decimal) -> None:
        """For the margin mode that is not in use."""
        self._other_leverages[(account.key, market.symbol, mode)] = leverage

    def switch_margin_mode(self, account: Account, market: Market, mode: MarginMode) -> None:
        """Let the symbol's next order have another margin mode, with the leverage of that mode."""
        now_other = account.margin_mode(market.symbol)
        wanted = self.leverage(account, market, mode)
        self.keep_leverage(account, market, now_other, account.leverage(market.symbol))
        account.margin_modes[market.symbol] = mode
        account.leverages[market.symbol] = wanted


def contracts(market: Market, base: Decimal) -> Decimal:
    """Base units as the wire counts them: contracts on swaps."""
    return divide(base, market.listing.instrument.contract_size)


def base_units(market: Market, wire_size: Decimal) -> Decimal:
    return wire_size * market.listing.instrument.contract_size


Endpoint = Callable[[Context, Account, Any], list[Any]]
"""Gets the caller's account and the parameters (of a query, or a JSON body as it is); answers the rows of `data`."""


@dataclass(frozen=True, slots=True)
class Route:
    endpoint: Endpoint
    is_public: bool = False
    trades: bool = False
    """Whether the key needs the right to trade."""


Routes = dict[tuple[str, str], Route]
