"""The core's own words: orders, fills, events and refusals.

Orders are mutable because a matching engine is a state machine; whoever keeps one across a call copies what
it needs. Quantities are base units, times milliseconds of the injected clock.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from fillbook.accounts.core import PositionSide
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import ZERO
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, TimeInForce


class Refusal(StrEnum):
    """Why the exchange did nothing. Each wire spells these in its own codes."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_ORDER = "unknown_order"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    PRICE_RANGE = "price_range"
    PRICE_TICK = "price_tick"
    QUANTITY_ZERO = "quantity_zero"
    QUANTITY_RANGE = "quantity_range"
    QUANTITY_LOT = "quantity_lot"
    MIN_NOTIONAL = "min_notional"
    WOULD_TAKE = "would_take"
    WOULD_TRIGGER = "would_trigger"
    FOK_UNFILLABLE = "fok_unfillable"
    REDUCE_ONLY = "reduce_only"
    REDUCE_ONLY_IN_HEDGE_MODE = "reduce_only_in_hedge_mode"
    POSITION_SIDE = "position_side"
    LEVERAGE_RANGE = "leverage_range"
    LEVERAGE_NEEDS_MARGIN = "leverage_needs_margin"
    MODE_UNCHANGED = "mode_unchanged"
    MARGIN_MODE_UNCHANGED = "margin_mode_unchanged"
    HAS_POSITIONS = "has_positions"
    HAS_ORDERS = "has_orders"
    NOTHING_TO_AMEND = "nothing_to_amend"
    AMEND_BELOW_FILLED = "amend_below_filled"


class Refused(FillbookError):
    """The exchange refuses and nothing has changed."""

    code: ClassVar[str] = "sim_refused"

    def __init__(self, reason: Refusal, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason = reason


class TriggerPrice(StrEnum):
    LAST = "last"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What an account asks for. `quote_quantity` is a spot market order by cost, then `quantity` is zero."""

    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    client_order_id: str | None = None
    quote_quantity: Decimal | None = None
    reduce_only: bool = False
    close_position: bool = False
    position_side: PositionSide = PositionSide.NET
    book: Book = Book.NORMAL
    trigger_on: TriggerPrice = TriggerPrice.LAST


@dataclass(slots=True)
class SimOrder:
    """An order at the exchange. `locked` is what it still reserves, in quote or base (spot) or margin; `cancel_id`
    the client's own id of the cancel, where a venue has one."""

    order_id: int
    account: str
    client_order_id: str
    symbol: str
    market_type: MarketType
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce
    quote_quantity: Decimal | None
    reduce_only: bool
    close_position: bool
    position_side: PositionSide
    book: Book
    trigger_on: TriggerPrice
    created_ms: int
    updated_ms: int
    status: OrderStatus = OrderStatus.NEW
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    locked: Decimal = ZERO
    is_working: bool = True
    working_ms: int = 0
    triggered_ms: int = 0
    child_id: int | None = None
    parent_id: int | None = None
    end_reason: str = ""
    cancel_id: str = ""
    fills: list["SimFill"] = field(default_factory=list)
    hidden_until_ms: int = 0

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        return self.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class SimFill:
    """One side of one trade. `trade_id` counts per symbol; a self-trade has two fills with one id."""

    account: str
    trade_id: int
    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    kind: FillKind
    realized_pnl: Decimal
    at_ms: int


class Execution(StrEnum):
    """What has just happened to an order."""

    NEW = "new"
    TRADE = "trade"
    CANCELED = "canceled"
    EXPIRED = "expired"
    AMENDED = "amended"
    TRIGGERED = "triggered"
    FINISHED = "finished"
    REJECTED = "rejected"


class WalletCause(StrEnum):
    ORDER = "order"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    FUNDING = "funding"
    MARGIN_MODE = "margin_mode"


@dataclass(frozen=True, slots=True)
class OrderEvent:
    order: SimOrder
    execution: Execution
    at_ms: int
    fill: SimFill | None = None


@dataclass(frozen=True, slots=True)
class WalletEvent:
    """Balances (and positions, as (symbol, leg)) of one account that have just changed."""

    account: str
    market_type: MarketType
    assets: tuple[str, ...]
    cause: WalletCause
    at_ms: int
    positions: tuple[tuple[str, PositionSide], ...] = ()
    amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class LeverageEvent:
    account: str
    symbol: str
    leverage: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """A public trade."""

    symbol: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class PriceEvent:
    symbol: str
    at_ms: int


Event = OrderEvent | WalletEvent | LeverageEvent | TradeEvent | PriceEvent


class LedgerKind(StrEnum):
    FUNDING = "funding"
    REALIZED_PNL = "realized_pnl"
    COMMISSION = "commission"
    TRANSFER = "transfer"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    INSURANCE = "insurance"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An amount that came to (or left) a wallet."""

    entry_id: int
    kind: LedgerKind
    market_type: MarketType
    asset: str
    amount: Decimal
    at_ms: int
    symbol: str = ""
    trade_id: int | None = None


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """Funding that was settled for a symbol: longs paid `rate` x `mark` x quantity."""

    symbol: str
    rate: Decimal
    mark: Decimal
    at_ms: int
