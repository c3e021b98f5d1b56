"""Linear futures margin: what positions and orders tie up, what is free, when a position is liquidated.

Cross positions of one settlement asset share its wallet; an isolated position has only the margin that was
put beside it. All amounts are in the settlement asset.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fillbook.kernel.money import ZERO, divide
from fillbook.venues.sim.core.accounts import Account, Position
from fillbook.venues.sim.core.market import Market


def initial_margin(account: Account, position: Position, market: Market) -> Decimal:
    return divide(abs(position.quantity) * market.mark, account.leverage(position.symbol))


def maintenance_margin(position: Position, market: Market) -> Decimal:
    return abs(position.quantity) * market.mark * market.listing.maintenance_rate


def open_positions(
    account: Account, markets: Mapping[str, Market], asset: str
) -> Iterator[tuple[Position, Market]]:
    for position in account.positions.values():
        if position.quantity:
            market = markets[position.symbol]
            if market.listing.instrument.settle == asset:
                yield position, market


@dataclass(frozen=True, slots=True)
class MarginState:
    """The futures wallet of one asset, as margined now. `available` is what a new order may use."""

    wallet: Decimal
    cross_wallet: Decimal
    unrealized: Decimal
    cross_unrealized: Decimal
    position_margin: Decimal
    order_margin: Decimal
    maintenance: Decimal
    cross_maintenance: Decimal
    available: Decimal

    @property
    def margin_balance(self) -> Decimal:
        return self.wallet + self.unrealized


def margin_state(account: Account, markets: Mapping[str, Market], asset: str) -> MarginState:
    wallet = account.wallet.get(asset, ZERO)
    reserved = account.reserved.get(asset, ZERO)
    cross_wallet, unrealized, cross_unrealized = wallet, ZERO, ZERO
    position_margin, cross_margin, maintenance, cross_maintenance = ZERO, ZERO, ZERO, ZERO
    for position, market in open_positions(account, markets, asset):
        profit = position.unrealized(market.mark)
        margin = initial_margin(account, position, market)
        needed = maintenance_margin(position, market)
        unrealized += profit
        position_margin += margin
        maintenance += needed
        if account.is_isolated(position.symbol):
            cross_wallet -= position.isolated_wallet
        else:
            cross_unrealized += profit
            cross_margin += margin
            cross_maintenance += needed
    in_spot_orders = account.purse(asset).locked if account.is_unified else ZERO
    available = max(cross_wallet + cross_unrealized - cross_margin - reserved - in_spot_orders, ZERO)
    return MarginState(
        wallet,
        cross_wallet,
        unrealized,
        cross_unrealized,
        position_margin,
        reserved,
        maintenance,
        cross_maintenance,
        available,
    )


def liquidation_price(account: Account, position: Position, market: Market, state: MarginState) -> Decimal:
    """The mark price at which the margin no longer covers the maintenance; zero when there is none.

    From margin + quantity x P - cost = |quantity| x P x maintenance rate.
    """
    if not position.quantity:
        return ZERO
    if account.is_isolated(position.symbol):
        margin = position.isolated_wallet
    else:
        margin = (
            state.cross_wallet
            + state.cross_unrealized
            - position.unrealized(market.mark)
            - (state.cross_maintenance - maintenance_margin(position, market))
        )
    slope = position.quantity - abs(position.quantity) * market.listing.maintenance_rate
    return max(divide(position.cost - margin, slope), ZERO)


def is_liquidated(account: Account, position: Position, market: Market, state: MarginState) -> bool:
    if account.is_isolated(position.symbol):
        margin = position.isolated_wallet + position.unrealized(market.mark)
        return margin <= maintenance_margin(position, market)
    return state.cross_wallet + state.cross_unrealized <= state.cross_maintenance


def increasing_quantity(account: Account, symbol: str, signed: Decimal, position: Position) -> Decimal:
    """How much of an order would open rather than close, base units, above zero."""
    if position.quantity * signed >= 0:
        return abs(signed)
    return max(abs(signed) - abs(position.quantity), ZERO)
