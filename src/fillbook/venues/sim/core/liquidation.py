"""Liquidation: a position whose margin no longer covers its maintenance is closed at the mark price.

The account's open orders in that symbol go first. What a wallet then lacks, the insurance fund covers.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderType, TimeInForce
from fillbook.venues.sim.core.accounts import Account, Position
from fillbook.venues.sim.core.margin import is_liquidated, margin_state, open_positions
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder, SimOrder

if TYPE_CHECKING:
    from fillbook.venues.sim.core.exchange import Exchange

_CLIENT_ID_PREFIXES = {
    FillKind.LIQUIDATION: "autoclose-",
    FillKind.ADL: "adl_autoclose_",
    FillKind.SETTLEMENT: "settlement_autoclose-",
}


class Liquidation:
    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange

    def check(self, market: Market) -> None:
        """Liquidate whom a symbol's new mark price has ruined: every cross position of the asset when the
        cross margin is gone, an isolated one by itself."""
        asset = market.listing.instrument.settle
        for key in sorted(market.holders):
            account = self._exchange.accounts[key]
            state = margin_state(account, self._exchange.markets, asset)
            for position, held_market in list(open_positions(account, self._exchange.markets, asset)):
                is_own = held_market is market or not account.is_isolated(position.symbol)
                if is_own and is_liquidated(account, position, held_market, state):
                    self._liquidate(account, position, held_market)

    def _liquidate(self, account: Account, position: Position, market: Market) -> None:
        self._exchange.cancel_all(account, market.symbol, Book.NORMAL)
        self.close(account, position, market, abs(position.quantity), FillKind.LIQUIDATION)
        asset = market.listing.instrument.settle
        self._exchange.settlement.cover_deficit(account, asset, self._exchange.now_ms())

    def close(
        self, account: Account, position: Position, market: Market, quantity: Decimal, kind: FillKind
    ) -> SimOrder:
        """Reduce a position at the mark price by an order of the exchange's own."""
        order = self._exchange.register_own(
            account,
            market,
            NewOrder(
                symbol=market.symbol,
                side=Side.SELL if position.quantity > 0 else Side.BUY,
                order_type=OrderType.LIMIT,
                quantity=quantity,
                price=market.mark,
                time_in_force=TimeInForce.IOC,
                client_order_id=f"{_CLIENT_ID_PREFIXES[kind]}{self._exchange.next_order_id()}",
                position_side=position.side,
            ),
        )
        self._exchange.matching.close_with_house(account, order, market, kind)
        return order
