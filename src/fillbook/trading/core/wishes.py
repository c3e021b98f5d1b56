"""What is asked of an account, what is known of it, and what comes of both: the words of the planner.

Only `plan` makes an `OrderIntent`, and only an intent becomes an order row.
"""

from dataclasses import dataclass
from decimal import Decimal

from fillbook.accounts.core import Account, PositionSide
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import Instrument, Price, Side
from fillbook.orders.core.order import OrderType, TimeInForce
from fillbook.risk.core import Capital, SizingStep


@dataclass(frozen=True, slots=True)
class OrderWish:
    """What is asked for: by percent of capital (`qty_per`), or by an exact quantity (a manual order).

    `follows`: an order of ours calls for it (its protection, the close of what filled too late), so that it only
    ever reduces what its owner holds.
    """

    order_type: OrderType
    side: Side | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    qty_per: Decimal | None = None
    quantity: Decimal | None = None
    reduce_only: bool = False
    time_in_force: TimeInForce | None = None
    position_side: PositionSide = PositionSide.NET
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    follows: bool = False
    exit_reason: ExitReason | None = None

    @property
    def is_close(self) -> bool:
        return self.qty_per is not None and self.qty_per < 0

    @property
    def reduces(self) -> bool:
        return self.is_close or self.reduce_only or self.follows


@dataclass(frozen=True, slots=True)
class LinkTerms:
    """The terms of a strategy on an account. A manual order has none."""

    strategy_account_id: int
    leverage: Decimal
    max_symbols: int
    max_qty_per: Decimal
    max_positions: int
    is_active: bool
    strategy_is_active: bool


@dataclass(frozen=True, slots=True)
class LiveOrder:
    """What an order that is not over may still do.

    `is_imminent`: it is about to execute, or nobody can say that it is not (a market order, one without an
    answer), or it must not be left behind (a spot sell holds its coins, one that is not reduce-only could open
    the other way). A reduce-only stop or limit order that waits is not: a close must pass beside it.
    """

    symbol: str
    side: Side
    position_side: PositionSide
    remaining: Decimal
    reduces: bool
    is_imminent: bool = True


@dataclass(frozen=True, slots=True)
class Holding:
    """An open book of this owner: signed base units."""

    symbol: str
    position_side: PositionSide
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class PlanContext:
    account: Account
    symbol: str
    link: LinkTerms | None
    capital: Capital | None
    instrument: Instrument | None
    price: Price | None
    holdings: tuple[Holding, ...] = ()
    live_orders: tuple[LiveOrder, ...] = ()
    net_positions: tuple[Holding, ...] = ()
    net_live_orders: tuple[LiveOrder, ...] = ()
    conflicting_leverage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order that may be written down and sent."""

    symbol: str
    side: Side
    position_side: PositionSide
    order_type: OrderType
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce | None
    reduce_only: bool
    leverage: Decimal
    reserved: Decimal
    currency: str
    sizing: tuple[SizingStep, ...]
    exit_reason: ExitReason
    trade_source: TradeSource
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
