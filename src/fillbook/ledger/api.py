"""Fills, positions and round trips; every number opens the fills behind it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request

from fillbook.accounts.core import Environment
from fillbook.http.csv import page_or_csv
from fillbook.http.fields import RowId
from fillbook.http.paging import Page, page_of, paged
from fillbook.http.principal import Reader
from fillbook.http.provided import provided
from fillbook.ledger.core.fill import FillKind
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.ledger.reading import (
    fills_of_position,
    fills_of_trade,
    list_account_positions,
    list_fills,
    list_positions,
    list_trades,
    one_position,
    one_trade,
)
from fillbook.ledger.schemas import AccountPositionOut, AllocatedFillOut, FillOut, PositionOut, TradeOut
from fillbook.market.core import Side
from fillbook.storage.listing import PageRequest
from fillbook.storage.unit import Database

router = APIRouter(tags=["ledger"])

Rows = Annotated[Database, Depends(provided(Database))]
OnlyPaged = Annotated[PageRequest, Depends(paged())]


@router.get("/fills")
async def get_fills(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                account_id=RowId,
                environment=Environment,
                symbol=str,
                side=Side,
                order_id=RowId,
                kind=FillKind,
            )
        ),
    ],
) -> Page[FillOut]:
    """Executions, newest first by the venue's time."""
    return await page_or_csv(
        request, rows, FillOut, page, lambda unit, asked: list_fills(unit, principal.scope, asked)
    )


@router.get("/positions")
async def get_positions(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                account_id=RowId,
                environment=Environment,
                strategy_id=RowId,
                strategy_account_id=RowId,
                bot_instance_id=RowId,
                symbol=str,
                direction=Literal["LONG", "SHORT"],
                is_open=bool,
            )
        ),
    ],
) -> Page[PositionOut]:
    """Positions by owner (strategy, bot, hand)."""
    return await page_or_csv(
        request, rows, PositionOut, page, lambda unit, asked: list_positions(unit, principal.scope, asked)
    )


@router.get("/account-positions")
async def get_account_positions(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                account_id=RowId,
                environment=Environment,
                symbol=str,
                is_open=bool,
                reconcile_status=Literal["ok", "mismatch", "repairing"],
            )
        ),
    ],
) -> Page[AccountPositionOut]:
    """Positions of whole accounts, as their venues state them."""
    return await page_or_csv(
        request,
        rows,
        AccountPositionOut,
        page,
        lambda unit, asked: list_account_positions(unit, principal.scope, asked),
    )


@router.get("/positions/{position_id}")
async def get_position(principal: Reader, rows: Rows, position_id: RowId) -> PositionOut:
    async with rows.read() as unit:
        return PositionOut.model_validate(await one_position(unit, principal.scope, position_id))


@router.get("/positions/{position_id}/fills")
async def get_fills_of_position(
    principal: Reader, rows: Rows, position_id: RowId, page: OnlyPaged
) -> Page[AllocatedFillOut]:
    """The fills behind a position, with the part of each that belongs to it."""
    async with rows.read() as unit:
        return page_of(AllocatedFillOut, await fills_of_position(unit, principal.scope, position_id, page))


@router.get("/trades")
async def get_trades(
    request: Request,
    principal: Reader,
    rows: Rows,
    page: Annotated[
        PageRequest,
        Depends(
            paged(
                account_id=RowId,
                environment=Environment,
                strategy_id=RowId,
                strategy_account_id=RowId,
                bot_instance_id=RowId,
                symbol=str,
                side=Side,
                exit_reason=ExitReason,
                trade_source=TradeSource,
            )
        ),
    ],
) -> Page[TradeOut]:
    """Round trips, newest first; one without `closed_at` is still open."""
    return await page_or_csv(
        request, rows, TradeOut, page, lambda unit, asked: list_trades(unit, principal.scope, asked)
    )


@router.get("/trades/{trade_id}")
async def get_trade(principal: Reader, rows: Rows, trade_id: RowId) -> TradeOut:
    async with rows.read() as unit:
        return TradeOut.model_validate(await one_trade(unit, principal.scope, trade_id))


@router.get("/trades/{trade_id}/fills")
async def get_fills_of_trade(
    principal: Reader, rows: Rows, trade_id: RowId, page: OnlyPaged
) -> Page[AllocatedFillOut]:
    """The fills behind a round trip, with the part of each that belongs to it."""
    async with rows.read() as unit:
        return page_of(AllocatedFillOut, await fills_of_trade(unit, principal.scope, trade_id, page))
