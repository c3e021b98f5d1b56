"""Instruments: what can be traded, and by which rules."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends

from fillbook.http.paging import Page, page_of, paged
from fillbook.http.principal import Reader
from fillbook.http.provided import provided
from fillbook.market.core import MarketType, VenueName
from fillbook.market.schemas import InstrumentOut
from fillbook.market.tables import instruments
from fillbook.storage.listing import PageRequest, list_page
from fillbook.storage.unit import Database

router = APIRouter(tags=["market"])


@router.get("/instruments")
async def get_instruments(
    principal: Reader,
    rows: Annotated[Database, Depends(provided(Database))],
    page: Annotated[
        PageRequest,
        Depends(
            paged(venue=VenueName, symbol=str, market_type=MarketType, base=str, quote=str, is_active=bool)
        ),
    ],
) -> Page[InstrumentOut]:
    """The rules in force: tick, lot, minimum notional, contract size."""
    async with rows.read() as unit:
        statement = sa.select(instruments).where(instruments.c.valid_to.is_(None))
        return page_of(InstrumentOut, await list_page(unit, statement, instruments, page))
