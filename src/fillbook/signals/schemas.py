"""Signals and webhook logs as clients see them, and the answer to an alert."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from fillbook.accounts.core import Environment
from fillbook.http.fields import Amount, Document, Moment, Schema
from fillbook.orders.schemas import OrderLogOut
from fillbook.signals.core.alert import SignalType


class LegOutcome(BaseModel):
    """One leg of an alert over all accounts, in the form of the order log."""

    id: int
    leg: str
    status: Literal["PROCESSING", "COMPLETED", "PARTIAL_FAILURE", "FAILED"]
    total_accounts: int
    successful_accounts: int
    failed_accounts: int
    unknown: int
    execution_results: Document


class AlertAnswer(BaseModel):
    """The alert is written down. `order_logs` and `timeout` are there when `?wait=1` asked for them."""

    signal_id: int = Field(examples=[4711])
    status: Literal["accepted", "duplicate", "stale"]
    duplicate_of: int | None
    order_logs: list[LegOutcome] | None = None
    timeout: bool | None = None


class SignalOut(Schema):
    id: int
    strategy_id: int | None
    bot_instance_id: int | None
    webhook_log_id: int | None
    exchange_at: Moment | None
    at: Moment
    symbol: str
    side: str | None
    signal_type: SignalType
    engine: str | None
    reason: str | None
    timeframe: str | None
    price: Amount | None
    indicators: Document
    confidence: Amount | None
    meta: Document
    legs: Document
    duplicate_of: int | None
    status: Literal["accepted", "duplicate", "stale", "planned", "done"]
    settings_version: int | None
    restored: bool
    created_at: Moment


class DeliveryOut(Schema):
    """What became of a signal on one account. `denial_code` and `denial_reason` say why nothing did."""

    account_id: int
    account_name: str | None
    environment: Environment
    state: Literal["new", "claimed", "planned", "denied", "done"]
    denial_code: str | None
    denial_reason: str | None


class SignalDetail(SignalOut):
    """A signal with the message that brought it (masked), its repeats, and account by account what it caused."""

    body: str | None
    repeats: list[SignalOut]
    deliveries: list[DeliveryOut]
    order_logs: list[OrderLogOut]


class WebhookLogOut(Schema):
    id: int
    strategy_id: int | None
    webhook_key: str
    request_data: str
    request_length: int | None
    response_data: str | None
    status: Literal["received", "accepted", "duplicate", "stale", "rejected", "unauthorised"]
    status_code: int | None
    error_code: str | None
    error_message: str | None
    ip_address: str | None
    created_at: Moment


class RefusalOut(BaseModel):
    """Why the alert would be refused; `loc` is the path to the field at fault."""

    code: str
    detail: str
    loc: list[str | int]


class ReachedAccountOut(Schema):
    """An account of yours that the alert would go to; `obstacle` is what already stands against it."""

    account_id: int
    account_name: str
    environment: Environment
    obstacle: str | None


class ExplanationOut(BaseModel):
    """What a text would do. Nothing was done."""

    status: Literal["accepted", "duplicate", "stale", "refused"]
    refusal: RefusalOut | None
    strategy_id: int | None
    symbol: str | None
    signal_type: SignalType | None
    legs: Document
    accounts: list[ReachedAccountOut]


ALERT_EXAMPLES: dict[str, Any] = {
    "market": {
        "summary": "Buy at the market with 10 % of the capital",
        "value": {
            "group_name": "trend",
            "token": "<webhook key>",
            "symbol": "BTC/USDT",
            "order_type": "MARKET",
            "side": "buy",
            "qty_per": 10,
            "timenow": "{{timenow}}",
        },
    },
    "close": {
        "summary": "Close the whole position, whichever way it points",
        "value": {
            "group_name": "trend",
            "token": "<webhook key>",
            "symbol": "BTCUSDT.P",
            "order_type": "MARKET",
            "qty_per": -100,
        },
    },
    "batch": {
        "summary": "Cancel what waits, then place two orders",
        "value": {
            "group_name": "trend",
            "token": "<webhook key>",
            "symbol": "BTC/USDT",
            "orders": [
                {"order_type": "CANCEL_ALL_ORDER"},
                {"order_type": "LIMIT", "side": "buy", "price": "66000.5", "qty_per": 5},
                {"order_type": "STOP_MARKET", "side": "sell", "stop_price": "64000", "qty_per": -100},
            ],
        },
    },
}
