"""What every Bitget endpoint works with: the exchange, its clock, the caller, and the symbols' wire names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fillbook.kernel.money import to_text
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import Refused, SimOrder
from fillbook.venues.sim.wire.bitget.errors import UNKNOWN_SYMBOL, BitgetError, from_refusal, missing
from fillbook.venues.sim.wire.bitget.words import Params, integer, required

PRODUCT_TYPE = "USDT-FUTURES"


class Context:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._by_wire_id: dict[tuple[MarketType, str], Market] = {}
        self.wire_ids: dict[str, str] = {}
        for market in exchange.markets.values():
            name = market.listing.instrument.base + market.listing.instrument.quote
            self._by_wire_id[(market.listing.market_type, name)] = market
            self.wire_ids[market.symbol] = name

    def now_ms(self) -> int:
        return self.exchange.now_ms()

    def markets(self, market_type: MarketType) -> Sequence[Market]:
        return [m for m in self.exchange.markets.values() if m.listing.market_type is market_type]

    def market(self, market_type: MarketType, name: str) -> Market:
        market = self._by_wire_id.get((market_type, name.upper()))
        if market is None:
            raise BitgetError(*UNKNOWN_SYMBOL)
        return market

    def market_of(self, market_type: MarketType, params: Params) -> Market:
        return self.market(market_type, required(params, "symbol"))

    def optional_market(self, market_type: MarketType, params: Params) -> Market | None:
        return self.market(market_type, params["symbol"]) if params.get("symbol") else None

    def is_visible(self, order: SimOrder) -> bool:
        """Whether look-ups admit to knowing an order (a fault may hide it for a while)."""
        return order.hidden_until_ms <= self.exchange.now_ms()

    def orders_of(
        self, account: Account, market_type: MarketType, book: Book, params: Params
    ) -> list[SimOrder]:
        """Visible orders of one book, of the named symbol or of all."""
        market = self.optional_market(market_type, params)
        return [
            order
            for order in account.orders.values()
            if order.market_type is market_type
            and order.book is book
            and (market is None or order.symbol == market.symbol)
            and self.is_visible(order)
        ]

    def named(self, account: Account, market_type: MarketType, book: Book, params: Params) -> SimOrder | None:
        """The order that `orderId` (first) or `clientOid` names, the latest of its name; hidden ones too."""
        order_id, client_oid = integer(params, "orderId"), params.get("clientOid")
        if order_id is None and not client_oid:
            raise missing("orderId")
        if order_id is not None:
            order = account.orders.get(order_id)
            is_there = order is not None and order.market_type is market_type and order.book is book
            return order if is_there else None
        names = ((market.symbol, book, client_oid) for market in self.markets(market_type))
        found = [account.by_client_id[name] for name in names if name in account.by_client_id]
        return max(found, key=lambda order: order.order_id, default=None)

    def shown(self, account: Account, market_type: MarketType, book: Book, params: Params) -> SimOrder | None:
        """As `named`, for look-ups."""
        order = self.named(account, market_type, book, params)
        return order if order is not None and self.is_visible(order) else None


def translated(refused: Refused, market: Market) -> BitgetError:
    least = to_text(market.listing.instrument.min_notional)
    return from_refusal(refused.reason, market.listing.market_type, least)


Endpoint = Callable[[Context, Account, Params], Any]
"""An endpoint gets the caller's account (a public one gets an anonymous account) and answers the `data` of the
envelope."""


@dataclass(frozen=True, slots=True)
class Route:
    endpoint: Endpoint
    is_public: bool = False


Routes = dict[tuple[str, str], Route]
