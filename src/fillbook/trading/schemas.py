"""Reconciliation as clients see it, and the answers to acts."""

from pydantic import BaseModel

from fillbook.accounts.core import Environment
from fillbook.http.fields import Document, Moment, Schema


class ReconcileRunOut(Schema):
    """`unread` names what could not be read, and why: nothing is concluded about it."""

    id: int
    account_id: int
    environment: Environment
    cause: str
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
    cause: str | None
    order_id: int | None
    created_at: Moment


class CancelEntered(BaseModel):
    """The cancel queue has it; the order's end shows in the order."""

    order_id: int
    cancel_queue_id: int
