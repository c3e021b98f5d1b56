"""Orders, order logs and cancels as clients see them: the field names are the columns."""

from typing import Any, Literal

from pydantic import Field

from fillbook.accounts.core import Environment, PositionSide
from fillbook.http.fields import Amount, Asked, Document, Moment, RowId, Schema
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, Owner, TimeInForce
from fillbook.orders.order_logs import OrderLogView


class OrderOut(Schema):
    id: int
    account_id: int
    environment: Environment
    strategy_account_id: int | None
    bot_instance_id: int | None
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
    quantity: Amount
    price: Amount | None
    stop_price: Amount | None
    stop_loss_price: Amount | None
    take_profit_price: Amount | None
    parent_order_id: int | None
    amend: Document
    filled_quantity: Amount
    cost: Amount
    average_price: Amount | None
    currency: str
    status: OrderStatus
    unknown_since: Moment | None
    cancel_wanted: bool
    close_on_late_fill: bool
    owner: Owner
    origin: str | None
    error_code: str | None
    error_message: str | None
    sizing: Document
    settings_version: int | None
    send_by: Moment | None
    sent_at: Moment | None
    settled_at: Moment | None
    exchange_at: Moment | None
    created_at: Moment
    updated_at: Moment


class OrderAsked(Asked):
    """An order by hand: an exact quantity in base units, on one account."""

    account_id: RowId = Field(examples=[1])
    symbol: str = Field(min_length=1, max_length=50, examples=["BTC/USDT:USDT"])
    side: Side
    order_type: OrderType = Field(examples=["LIMIT"])
    quantity: Amount = Field(gt=0, examples=["0.01"])
    price: Amount | None = Field(None, gt=0, examples=["67000"])
    stop_price: Amount | None = Field(None, gt=0)
    stop_loss_price: Amount | None = Field(None, gt=0)
    take_profit_price: Amount | None = Field(None, gt=0)
    reduce_only: bool = False
    time_in_force: TimeInForce | None = None
    position_side: PositionSide = PositionSide.NET


class OrderLogOut(Schema):
    """One leg of a signal over all accounts. `execution_results` is keyed `account_{id}`."""

    id: int
    strategy_id: int
    signal_id: int | None
    webhook_log_id: int | None
    leg: str
    symbol: str
    side: str
    order_type: str
    quantity: Amount
    price: Amount | None
    stop_price: Amount | None
    status: Literal["PROCESSING", "COMPLETED", "PARTIAL_FAILURE", "FAILED"]
    total_accounts: int
    successful_accounts: int
    failed_accounts: int
    unknown: int
    execution_results: Document
    created_at: Moment
    completed_at: Moment | None


class CancelQueueOut(Schema):
    id: int
    order_id: int
    strategy_id: int | None
    account_id: int | None
    environment: Environment
    requested_at: Moment
    retry_count: int
    max_retries: int
    next_retry_at: Moment | None
    status: Literal["PENDING", "PROCESSING", "SUCCESS", "FAILED"]
    error_message: str | None
    created_at: Moment
    updated_at: Moment


def order_log_fields(view: OrderLogView) -> dict[str, Any]:
    """What `OrderLogOut` is made of."""
    return {**view.row, "execution_results": dict(view.execution_results)}
