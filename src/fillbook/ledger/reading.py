"""Questions about fills, positions and round trips, each within the owner scope."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import Scope
from fillbook.ledger.tables import fill_allocations, fills, positions, strategy_positions, trades
from fillbook.storage.listing import PageRequest, RowPage, list_page
from fillbook.storage.scope import owned
from fillbook.storage.unit import Unit


async def list_fills(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    """Every fill. One that counts no more bears the id of what superseded it (`superseded_by_id`)."""
    return await list_page(unit, owned(sa.select(fills), fills, scope), fills, page, by_time="exchange_at")


async def list_positions(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    """The books of every owner: strategies' links, bots, hands."""
    return await list_page(
        unit, owned(sa.select(strategy_positions), strategy_positions, scope), strategy_positions, page
    )


async def list_account_positions(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    """The accounts' own positions, as the venue would state them."""
    return await list_page(unit, owned(sa.select(positions), positions, scope), positions, page)


async def one_position(unit: Unit, scope: Scope, position_id: int) -> Mapping[str, Any]:
    return await _one(unit, scope, strategy_positions, position_id, "position")


async def list_trades(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    return await list_page(unit, owned(sa.select(trades), trades, scope), trades, page)


async def one_trade(unit: Unit, scope: Scope, trade_id: int) -> Mapping[str, Any]:
    return await _one(unit, scope, trades, trade_id, "trade")


async def fills_of_position(unit: Unit, scope: Scope, position_id: int, page: PageRequest) -> RowPage:
    """The fills behind a position's numbers, each with the part that belongs to it."""
    await one_position(unit, scope, position_id)
    return await _allocated(unit, scope, fill_allocations.c.strategy_position_id == position_id, page)


async def fills_of_trade(unit: Unit, scope: Scope, trade_id: int, page: PageRequest) -> RowPage:
    """The fills behind a round trip's numbers, each with the part that belongs to it."""
    await one_trade(unit, scope, trade_id)
    return await _allocated(unit, scope, fill_allocations.c.trade_id == trade_id, page)


async def _one(unit: Unit, scope: Scope, table: sa.Table, number: int, name: str) -> Mapping[str, Any]:
    row = await unit.one_or_none(owned(sa.select(table).where(table.c.id == number), table, scope))
    if row is None:
        raise NotFound(f"There is no such {name}.")
    return dict(row._mapping)


async def _allocated(unit: Unit, scope: Scope, belongs: sa.ColumnElement[bool], page: PageRequest) -> RowPage:
    statement = (
        sa.select(
            fills,
            fill_allocations.c.quantity.label("allocated_quantity"),
            fill_allocations.c.cost.label("allocated_cost"),
            fill_allocations.c.fee_quote.label("allocated_fee_quote"),
            fill_allocations.c.realized_pnl,
        )
        .join(
            fills,
            sa.and_(
                fills.c.id == fill_allocations.c.fill_id,
                # The month's partition is found by this, not by the id.
                fills.c.exchange_at == fill_allocations.c.exchange_at,
            ),
        )
        .where(belongs)
    )
    return await list_page(unit, owned(statement, fills, scope), fills, page, by_time="exchange_at")
