"""The webhook, and what can be read of signals and webhook logs."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from fillbook.accounts.core import Environment
from fillbook.http.csv import page_or_csv
from fillbook.http.fields import RowId, plain_json
from fillbook.http.paging import Page, paged
from fillbook.http.principal import Reader
from fillbook.http.provided import provided
from fillbook.orders.schemas import order_log_fields
from fillbook.signals.core.alert import SignalType, legs_to_json
from fillbook.signals.core.reading import MAX_BODY_BYTES
from fillbook.signals.core.request import RawAlert
from fillbook.signals.explaining import explain
from fillbook.signals.reading import list_signals, list_webhook_logs, signal_story
from fillbook.signals.schemas import (
    ALERT_EXAMPLES,
    AlertAnswer,
    ExplanationOut,
    ReachedAccountOut,
    RefusalOut,
    SignalDetail,
    SignalOut,
    WebhookLogOut,
)
from fillbook.signals.service import Accepted, Intake, WaitedFor
from fillbook.storage.listing import PageRequest
from fillbook.storage.unit import Database

# What is read and thrown away, so that a sender of too much gets an answer and not a broken connection.
DRAINED_BYTES = 16 * 1024 * 1024

# Read leniently: an alert is not refused for its query.
_YES = ("1", "true", "yes")

_LEG_FIELDS = (
    *("id", "leg", "status", "total_accounts", "successful_accounts", "failed_accounts", "unknown"),
    "execution_results",
)

webhook_router = APIRouter(tags=["alerts"])
router = APIRouter(tags=["alerts"])

IntakeService = Annotated[Intake, Depends(provided(Intake))]
Rows = Annotated[Database, Depends(provided(Database))]

_ALERT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}, "examples": ALERT_EXAMPLES},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}


Wait = Annotated[str | None, Query(description="`1` waits for the outcome, at most 10 s.")]


@webhook_router.post("/webhook/", include_in_schema=False)
@webhook_router.post("/webhook", response_model=AlertAnswer, openapi_extra=_ALERT_BODY)
async def receive_alert(request: Request, intake: IntakeService, wait: Wait = None) -> Response:
    """Take an alert; the webhook key is in `token`, or in the header `X-Webhook-Key`."""
    return await _take(request, intake, request.headers.get("x-webhook-key"), wait)


@webhook_router.post("/webhook/explain", openapi_extra=_ALERT_BODY)
async def explain_alert(
    request: Request, principal: Reader, rows: Rows, intake: IntakeService, strategy_id: RowId | None = None
) -> ExplanationOut:
    """What a text would do for a strategy of yours, without doing it."""
    body, _ = await _read(request)
    async with rows.read() as unit:
        found = await explain(intake, unit, principal.scope, body, strategy_id)
    refusal = found.refusal
    return ExplanationOut(
        status="refused" if found.verdict is None else found.verdict.value,
        refusal=refusal and RefusalOut(code=refusal.code, detail=refusal.detail, loc=list(refusal.loc)),
        strategy_id=found.strategy_id,
        symbol=found.symbol,
        signal_type=found.alert.signal_type if found.alert else None,
        legs=legs_to_json(found.alert.legs) if found.alert else [],
        accounts=[ReachedAccountOut.model_validate(account) for account in found.reached],
    )


@webhook_router.post("/webhook/{key}", response_model=AlertAnswer, openapi_extra=_ALERT_BODY)
async def receive_alert_at_key(
    key: str, request: Request, intake: IntakeService, wait: Wait = None
) -> Response:
    """Take an alert; the webhook key is in the address."""
    return await _take(request, intake, key, wait)


async def _take(request: Request, intake: Intake, key: str | None, wait: str | None) -> Response:
    body, length = await _read(request)
    address = request.client.host if request.client else "unknown"
    accepted = await intake.accept(RawAlert(body, length, address, key or None))
    outcome = await intake.wait_for_outcome(accepted) if wait in _YES else None
    return Response(_answer(accepted, outcome), media_type="application/json")


def _answer(accepted: Accepted, outcome: WaitedFor | None) -> bytes:
    document = accepted.as_json()
    if outcome is not None:
        logs = [order_log_fields(log) for log in outcome.logs]
        document["order_logs"] = [{name: log[name] for name in _LEG_FIELDS} for log in logs]
        if outcome.timed_out:
            document["timeout"] = True
    return orjson.dumps(plain_json(document))


async def _read(request: Request) -> tuple[bytes, int]:
    """The body up to its limit, and how long it was."""
    kept = bytearray()
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if len(kept) <= MAX_BODY_BYTES:
            kept += chunk[: MAX_BODY_BYTES + 1 - len(kept)]
        if length > DRAINED_BYTES:
            break
    return bytes(kept), length


@router.get("/signals")
async def get_signals(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                strategy_id=RowId,
                symbol=str,
                status=Literal["accepted", "duplicate", "stale", "planned", "done"],
                signal_type=SignalType,
                duplicate_of=RowId,
                environment=Environment,
            )
        ),
    ],
) -> Page[SignalOut]:
    """What came in, newest first, repeats and stale ones included."""
    return await page_or_csv(
        request, rows, SignalOut, page, lambda unit, asked: list_signals(unit, principal.scope, asked)
    )


@router.get("/signals/{signal_id}")
async def get_signal(principal: Reader, rows: Rows, signal_id: RowId) -> SignalDetail:
    """One signal: the masked message, what was understood, its repeats, and what it caused per account."""
    async with rows.read() as unit:
        story = await signal_story(unit, principal.scope, signal_id)
    return SignalDetail.model_validate(
        {
            **story.signal,
            "body": story.body,
            "repeats": story.repeats,
            "deliveries": story.deliveries,
            "order_logs": [order_log_fields(log) for log in story.order_logs],
        }
    )


@router.get("/webhook-logs")
async def get_webhook_logs(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                strategy_id=RowId,
                status=Literal["received", "accepted", "duplicate", "stale", "rejected", "unauthorised"],
                error_code=str,
            )
        ),
    ],
) -> Page[WebhookLogOut]:
    """Every message that came with one of your keys, as it was answered."""
    return await page_or_csv(
        request,
        rows,
        WebhookLogOut,
        page,
        lambda unit, asked: list_webhook_logs(unit, principal.scope, asked),
    )
