"""The acts of a person (place, cancel, close), and what reconciliation found."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from fillbook.accounts.core import Environment
from fillbook.http.csv import page_or_csv
from fillbook.http.fields import RowId
from fillbook.http.idempotency import Repeatable, once
from fillbook.http.paging import Page, paged
from fillbook.http.principal import Reader, Trader
from fillbook.http.provided import provided
from fillbook.orders.reading import one_order
from fillbook.orders.schemas import OrderAsked, OrderOut
from fillbook.storage.listing import PageRequest
from fillbook.storage.unit import Database
from fillbook.trading.desk_port import ManualOrder, TradingDesk
from fillbook.trading.reading import list_reconcile_findings, list_reconcile_runs
from fillbook.trading.reconciliation.asking import RunsAsked, ask_for_run
from fillbook.trading.schemas import (
    AmendAsked,
    CancelAllAsked,
    CancelEntered,
    CancelsEntered,
    ReconcileFindingOut,
    ReconcileRunOut,
)

router = APIRouter(tags=["trading"])

Rows = Annotated[Database, Depends(provided(Database))]
Desk = Annotated[TradingDesk, Depends(provided(TradingDesk))]
Asked = Annotated[RunsAsked, Depends(provided(RunsAsked))]


@router.post("/orders", status_code=201, response_model=OrderOut)
async def place_order(
    principal: Trader, rows: Rows, desk: Desk, repeat: Repeatable, asked: OrderAsked
) -> Response:
    """Place an order by hand. With an `Idempotency-Key`, a repeated request gets the first one's answer."""

    async def place() -> OrderOut:
        order = await desk.place_manual_order(principal, ManualOrder(**dict(asked)))
        async with rows.read() as unit:
            return OrderOut.model_validate(await one_order(unit, principal.scope, order.id))

    return await once(repeat, rows, principal, 201, place)


@router.delete("/orders/{order_id}", status_code=202)
async def cancel_order(principal: Trader, desk: Desk, order_id: RowId) -> CancelEntered:
    """Enter an order into the cancel queue. Its end shows in the order itself."""
    return CancelEntered(order_id=order_id, cancel_queue_id=await desk.cancel_order(principal, order_id))


@router.patch("/orders/{order_id}", status_code=202)
async def amend_order(
    principal: Trader, rows: Rows, desk: Desk, order_id: RowId, asked: AmendAsked
) -> OrderOut:
    """Change price or quantity of a resting limit order where the venue can. `amend` is set until it shows."""
    await desk.amend_order(principal, order_id, asked.price, asked.quantity)
    async with rows.read() as unit:
        return OrderOut.model_validate(await one_order(unit, principal.scope, order_id))


@router.post("/accounts/{account_id}/cancel-all", status_code=202)
async def cancel_all(
    principal: Trader, desk: Desk, account_id: RowId, asked: CancelAllAsked
) -> CancelsEntered:
    """Cancel every live order of an account, stops and orders that were not placed here included."""
    return CancelsEntered(orders=await desk.cancel_all(principal, account_id, asked.symbol, asked.side))


@router.post("/positions/{position_id}/close", status_code=202, response_model=OrderOut)
async def close_position(
    principal: Trader, rows: Rows, desk: Desk, repeat: Repeatable, position_id: RowId
) -> Response:
    """Close a position at the market: the order that will do it."""

    async def close() -> OrderOut:
        order = await desk.close_position(principal, position_id)
        async with rows.read() as unit:
            return OrderOut.model_validate(await one_order(unit, principal.scope, order.id))

    return await once(repeat, rows, principal, 202, close)


@router.post("/accounts/{account_id}/reconcile", status_code=202)
async def reconcile_account(
    principal: Trader, rows: Rows, asked: Asked, account_id: RowId
) -> ReconcileRunOut:
    """Compare an account with its exchange now, as deep as it goes. The run ends when `finished_at` is set; one that
    still waits is not asked for twice."""
    run = await rows.run(lambda unit: ask_for_run(unit, principal.scope, account_id))
    asked()
    return ReconcileRunOut.model_validate(run)


@router.get("/reconcile/runs")
async def get_reconcile_runs(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[PageRequest, Depends(paged(account_id=RowId, environment=Environment, cause=str))],
) -> Page[ReconcileRunOut]:
    return await page_or_csv(
        request,
        rows,
        ReconcileRunOut,
        page,
        lambda unit, asked: list_reconcile_runs(unit, principal.scope, asked),
    )


@router.get("/reconcile/findings")
async def get_reconcile_findings(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                run_id=RowId,
                account_id=RowId,
                environment=Environment,
                finding_case=str,
                symbol=str,
                is_repaired=bool,
            )
        ),
    ],
) -> Page[ReconcileFindingOut]:
    return await page_or_csv(
        request,
        rows,
        ReconcileFindingOut,
        page,
        lambda unit, asked: list_reconcile_findings(unit, principal.scope, asked),
    )
