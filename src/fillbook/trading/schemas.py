"""Reconciliation as clients see it, and the answers to acts."""

from pydantic import BaseModel, Field

from fillbook.accounts.core import Environment
from fillbook.http.fields import Amount, Asked, Document, Moment, Schema
from fillbook.market.core import Side


class ReconcileRunOut(Schema):
    """`unread` names what could not be read, and why: nothing is concluded about it. `finished_at` is null while a
    run is wanted or under way."""

    id: int
    account_id: int
    environment: Environment
    cause: str
    depth: str | None
    started_at: Moment
    finished_at: Moment | None
    unread: Document
    findings: int
    repaired: int


class ReconcileFindingOut(Schema):
    id: int
    run_id: int
    account_id: int
    environment: Environment
    finding_case: str
    subject: str
    symbol: str | None
    before: Document
    after: Document
    is_repaired: bool
    repair: str | None
    repaired_at: Moment | None
    cause: str | None
    order_id: int | None
    created_at: Moment


class AmendAsked(Asked):
    """A change of a resting limit order; what is left out stays as it is."""

    price: Amount | None = Field(None, gt=0, examples=["66900"])
    quantity: Amount | None = Field(None, gt=0)


class CancelAllAsked(Asked):
    """Which live orders of the account to cancel: of one symbol, of one side, or all."""

    symbol: str | None = Field(None, min_length=1, max_length=50, examples=["BTC/USDT:USDT"])
    side: Side | None = None


class CancelsEntered(BaseModel):
    """How many orders the cancel queue works on now; their ends show in the orders."""

    orders: int


class CancelEntered(BaseModel):
    """The cancel queue has it; the order's end shows in the order."""

    order_id: int
    cancel_queue_id: int
