"""An order and the life it may lead.

`STATUS_TRANSITIONS` (in `transitions.py`) is the whole state machine. Fills are booked in any
status; the status follows the facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fillbook.accounts.core import Environment, PositionSide
from fillbook.kernel.money import ONE, ZERO, exact
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.amend import Amend


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    STOP_LIMIT = "STOP_LIMIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    @property
    def has_price(self) -> bool:
        return self in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)

    @property
    def has_stop_price(self) -> bool:
        return self not in (OrderType.MARKET, OrderType.LIMIT)


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PO"


class Book(StrEnum):
    """Where the venue keeps an order: conditional orders have a book of their own on most."""

    NORMAL = "normal"
    CONDITIONAL = "conditional"


class OrderStatus(StrEnum):
    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_live(self) -> bool:
        return self in LIVE_STATUSES


LIVE_STATUSES = frozenset(
    {OrderStatus.PENDING_NEW, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_CANCEL}
)


class Owner(StrEnum):
    OURS = "ours"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What is asked of a venue. Quantity in base units; everything already on tick and lot."""

    client_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.NET

    @property
    def trigger_rises(self) -> bool:
        """Whether a stop or take-profit waits for the price to rise to its trigger."""
        assert self.order_type.has_stop_price, "only a conditional order has a trigger"
        is_stop = self.order_type in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
        return is_stop is (self.side is Side.BUY)


@dataclass(frozen=True, slots=True)
class OrderRef:
    """How to name an order to its venue: by the venue's id where it is known, else by ours."""

    symbol: str
    client_order_id: str
    exchange_order_id: str | None
    book: Book


@dataclass(frozen=True, slots=True)
class Order:
    """A row of `orders`: what was wanted, and what became of it.

    `reserved` is the capital (quote) that the part still open holds; `lookups` counts clean look-ups that did
    not find it.
    """

    id: int
    user_id: int
    account_id: int
    strategy_account_id: int | None
    signal_id: int | None
    leg: str
    attempt: int
    client_order_id: str
    exchange_order_id: str | None
    book: Book
    symbol: str
    market_type: MarketType
    side: Side
    position_side: PositionSide
    order_type: OrderType
    time_in_force: TimeInForce | None
    reduce_only: bool
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    status: OrderStatus
    owner: Owner
    created_at: datetime
    filled_quantity: Decimal = ZERO
    cost: Decimal = ZERO
    unknown_since: datetime | None = None
    cancel_wanted: bool = False
    environment: Environment = Environment.PAPER
    currency: str = ""
    strategy_id: int | None = None
    bot_instance_id: int | None = None
    leverage: Decimal = ONE
    reserved: Decimal = ZERO
    exit_reason: ExitReason = ExitReason.MANUAL
    trade_source: TradeSource = TradeSource.MANUAL
    epoch: int | None = None
    lookups: int = 0
    next_lookup_at: datetime | None = None
    watch_until: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    settled_at: datetime | None = None
    exchange_at: datetime | None = None
    sizing: tuple[Mapping[str, str], ...] = ()
    parent_order_id: int | None = None
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    close_on_late_fill: bool = False
    late_fill_from: Decimal | None = None
    follow_up: bool = False
    amend: Amend | None = None

    @property
    def is_derivative(self) -> bool:
        return self.market_type is MarketType.FUTURES

    @property
    def calls_for_follow_up(self) -> bool:
        """Whether what it fills calls for orders of its own: see `core.follow_ups`."""
        return (
            self.close_on_late_fill or self.stop_loss_price is not None or self.take_profit_price is not None
        )

    @property
    @exact
    def remaining(self) -> Decimal:
        """Base units that may still fill; never below zero, even after an overfill."""
        return max(self.quantity - self.filled_quantity, ZERO)
