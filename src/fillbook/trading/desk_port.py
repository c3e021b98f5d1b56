"""What a person asks of trading through the HTTP interface: place, cancel, close.

Each returns when the act is written down, not when the venue has answered. Another person's object raises
`NotFound`; what the plan refuses raises `OrderDenied`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from fillbook.accounts.core import PositionSide
from fillbook.identity.core import Principal
from fillbook.kernel.errors import FillbookError
from fillbook.market.core import Side
from fillbook.orders.core.order import Order, OrderType, TimeInForce


class OrderDenied(FillbookError):
    """We refuse before anything is sent; `denial_code` is the plan's own, as in `below_min_notional`."""

    code = "order_denied"
    status = 422

    def __init__(self, denial_code: str, reason: str) -> None:
        super().__init__(reason)
        self.denial_code = denial_code


@dataclass(frozen=True, slots=True)
class ManualOrder:
    """An exact order on one account. Quantity in base units; `symbol` in any spelling."""

    account_id: int
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    reduce_only: bool = False
    time_in_force: TimeInForce | None = None
    position_side: PositionSide = PositionSide.NET


class TradingDesk(Protocol):
    async def place_manual_order(self, principal: Principal, order: ManualOrder) -> Order:
        """Plan and write down an order; it is sent at once. Raises `OrderDenied`."""

    async def cancel_order(self, principal: Principal, order_id: int) -> int:
        """Enter the cancel queue; the number of the queue's row. An order that has ended raises `Conflict`."""

    async def amend_order(
        self, principal: Principal, order_id: int, price: Decimal | None, quantity: Decimal | None
    ) -> None:
        """Write down a change of a resting order; the venue is asked at once. Raises `OrderDenied`."""

    async def cancel_all(
        self, principal: Principal, account_id: int, symbol: str | None, side: Side | None
    ) -> int:
        """Queue a cancel of every live order of an account, in every book, ours and others'; how many."""

    async def close_position(self, principal: Principal, position_id: int) -> Order:
        """Close a strategy position (or an account's own) at the market. Raises `OrderDenied`."""
