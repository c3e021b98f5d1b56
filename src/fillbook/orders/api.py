"""Orders, order logs and the cancel queue: reading, and the acts of a person."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from fillbook.accounts.core import Environment
from fillbook.http.csv import page_or_csv
from fillbook.http.fields import RowId
from fillbook.http.paging import Page, paged
from fillbook.http.principal import Reader
from fillbook.http.provided import provided
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderStatus, Owner
from fillbook.orders.reading import (
    list_cancel_queue,
    list_order_logs,
    list_orders,
    one_order,
    one_order_log,
)
from fillbook.orders.schemas import CancelQueueOut, OrderLogOut, OrderOut, order_log_fields
from fillbook.storage.listing import PageRequest
from fillbook.storage.unit import Database

router = APIRouter(tags=["orders"])

Rows = Annotated[Database, Depends(provided(Database))]


class OrderLogPage(BaseModel):
    items: list[OrderLogOut]
    next_cursor: str | None


@router.get("/orders")
async def get_orders(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                status=OrderStatus | Literal["live"],
                account_id=RowId,
                environment=Environment,
                symbol=str,
                side=Side,
                owner=Owner,
                signal_id=RowId,
                strategy_account_id=RowId,
                bot_instance_id=RowId,
                client_order_id=str,
                exchange_order_id=str,
            )
        ),
    ],
) -> Page[OrderOut]:
    """Orders, newest first; `?status=live` are those that may still fill or be cancelled."""
    return await page_or_csv(
        request, rows, OrderOut, page, lambda unit, asked: list_orders(unit, principal.scope, asked)
    )


@router.get("/orders/{order_id}")
async def get_order(principal: Reader, rows: Rows, order_id: RowId) -> OrderOut:
    async with rows.read() as unit:
        return OrderOut.model_validate(await one_order(unit, principal.scope, order_id))


@router.get("/strategy-order-logs")
async def get_order_logs(
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                strategy_id=RowId,
                signal_id=RowId,
                symbol=str,
                environment=Environment,
                status=Literal["PROCESSING", "COMPLETED", "PARTIAL_FAILURE", "FAILED"],
            )
        ),
    ],
) -> OrderLogPage:
    """One entry per leg of a signal: who succeeded, who failed and why, who is not known yet."""
    async with rows.read() as unit:
        logs, next_cursor = await list_order_logs(unit, principal.scope, page)
    items = [OrderLogOut.model_validate(order_log_fields(log)) for log in logs]
    return OrderLogPage(items=items, next_cursor=next_cursor)


@router.get("/strategy-order-logs/{log_id}")
async def get_order_log(principal: Reader, rows: Rows, log_id: RowId) -> OrderLogOut:
    async with rows.read() as unit:
        return OrderLogOut.model_validate(
            order_log_fields(await one_order_log(unit, principal.scope, log_id))
        )


@router.get("/cancel-queue")
async def get_cancel_queue(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                status=Literal["PENDING", "PROCESSING", "SUCCESS", "FAILED"],
                account_id=RowId,
                environment=Environment,
                strategy_id=RowId,
                order_id=RowId,
            )
        ),
    ],
) -> Page[CancelQueueOut]:
    return await page_or_csv(
        request,
        rows,
        CancelQueueOut,
        page,
        lambda unit, asked: list_cancel_queue(unit, principal.scope, asked),
    )
