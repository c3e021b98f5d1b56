"""Liquidation: a position whose margin no longer covers its maintenance is closed at the mark price.

The account's open orders in that symbol go first. What a wallet then lacks, the insurance fund covers.
"""

from typing import TYPE_CHECKING

from fillbook.market.core import Side
from fillbook.orders.core.order import Book, OrderType, TimeInForce
from fillbook.venues.sim.core.accounts import Account, Position
from fillbook.venues.sim.core.margin import is_liquidated, margin_state, open_positions
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder

if TYPE_CHECKING:
    from fillbook.venues.sim.core.exchange import Exchange

CLIENT_ID_PREFIX = "autoclose-"


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
        exchange = self._exchange
        at_ms = exchange.now_ms()
        exchange.cancel_all(account, market.symbol, Book.NORMAL)
        order = exchange.register_liquidation(
            account,
            market,
            NewOrder(
                symbol=market.symbol,
                side=Side.SELL if position.quantity > 0 else Side.BUY,
                order_type=OrderType.LIMIT,
                quantity=abs(position.quantity),
                price=market.mark,
                time_in_force=TimeInForce.IOC,
                client_order_id=f"{CLIENT_ID_PREFIX}{at_ms}{market.last_trade_id}",
                position_side=position.side,
            ),
        )
        exchange.matching.liquidate(account, market, position.side, order)
        exchange.settlement.cover_deficit(account, market.listing.instrument.settle, at_ms)
