"""Leverage, margin mode and position mode of an account, and the leg that an order may name."""

from decimal import Decimal

from fillbook.accounts.core import MarginMode, PositionMode, PositionSide
from fillbook.kernel.money import ZERO, divide, exact
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.margin import margin_state
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import NewOrder, Refusal, Refused


def check_leg(account: Account, market: Market, new: NewOrder) -> None:
    """Raises `Refused` when the leg does not fit the account's position mode, or a reducing order would not
    reduce anything. Conditional orders are checked again when they trigger."""
    if market.listing.market_type is MarketType.SPOT:
        return
    is_hedged = account.position_mode is PositionMode.HEDGE
    if is_hedged is (new.position_side is PositionSide.NET):
        raise Refused(Refusal.POSITION_SIDE)
    if is_hedged and new.reduce_only:
        raise Refused(Refusal.REDUCE_ONLY_IN_HEDGE_MODE)
    if new.book is Book.CONDITIONAL:
        return
    held = account.position(new.symbol, new.position_side).quantity
    if new.reduce_only and held * new.side.sign >= 0:
        raise Refused(Refusal.REDUCE_ONLY)
    closes_leg = is_hedged and is_closing(new.position_side, new.side)
    if closes_leg and new.order_type is OrderType.MARKET and new.quantity > abs(held):
        raise Refused(Refusal.REDUCE_ONLY)


def is_closing(leg: PositionSide, side: Side) -> bool:
    """Whether an order of this side closes its leg (hedge mode)."""
    return leg is (PositionSide.LONG if side is Side.SELL else PositionSide.SHORT)


@exact
def set_leverage(account: Account, market: Market, leverage: Decimal, markets: dict[str, Market]) -> None:
    """Change a symbol's leverage and what its open orders reserve."""
    if not 1 <= leverage <= market.listing.max_leverage or leverage % 1:
        raise Refused(Refusal.LEVERAGE_RANGE)
    asset = market.listing.instrument.settle
    before = account.leverage(market.symbol)
    account.leverages[market.symbol] = leverage
    for order in account.orders_of(market.symbol, Book.NORMAL):
        rescaled = divide(order.locked * before, leverage)
        account.reserved[asset] = account.reserved.get(asset, ZERO) + rescaled - order.locked
        order.locked = rescaled
    state = margin_state(account, markets, asset)
    if leverage < before and state.position_margin + state.order_margin > state.margin_balance:
        account.leverages[market.symbol] = before
        for order in account.orders_of(market.symbol, Book.NORMAL):
            restored = divide(order.locked * leverage, before)
            account.reserved[asset] += restored - order.locked
            order.locked = restored
        raise Refused(Refusal.LEVERAGE_NEEDS_MARGIN)


def set_margin_mode(account: Account, market: Market, mode: MarginMode) -> None:
    if account.margin_mode(market.symbol) is mode:
        raise Refused(Refusal.MARGIN_MODE_UNCHANGED)
    if any(order.symbol == market.symbol for order in account.open_orders.values()):
        raise Refused(Refusal.HAS_ORDERS)
    if any(held.quantity for held in account.positions.values() if held.symbol == market.symbol):
        raise Refused(Refusal.HAS_POSITIONS)
    account.margin_modes[market.symbol] = mode


def set_position_mode(account: Account, mode: PositionMode) -> None:
    if account.position_mode is mode:
        raise Refused(Refusal.MODE_UNCHANGED)
    if any(order.market_type is MarketType.FUTURES for order in account.open_orders.values()):
        raise Refused(Refusal.HAS_ORDERS)
    if any(held.quantity for held in account.positions.values()):
        raise Refused(Refusal.HAS_POSITIONS)
    account.position_mode = mode
