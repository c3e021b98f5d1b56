"""Rows of round trips and of the allocations that make them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from fillbook.kernel.money import share
from fillbook.ledger.core.books import BookRow
from fillbook.ledger.core.fill import CanonicalKey
from fillbook.ledger.core.position import Allocation, FillPart
from fillbook.ledger.core.round_trip import RoundTrip, TripKey
from fillbook.ledger.tables import fill_allocations, trades
from fillbook.storage.keyed import KeyedSelect
from fillbook.storage.unit import Unit

_KEYS_AT_ONCE: Final = 400
_KEY_COLUMNS: Final = (trades.c.opening_fill_id, trades.c.opening_part, trades.c.owner_key)
_STORED: Final = KeyedSelect(sa.select(trades.c.id, *_KEY_COLUMNS), *_KEY_COLUMNS)
OwnedTrip = tuple[str, TripKey]


async def forget_allocations(unit: Unit, row: BookRow, parts: Iterable[FillPart]) -> None:
    """Delete the allocations of a book that a refold makes anew."""
    ids = [part.fill.id for part in parts]
    for start in range(0, len(ids), _KEYS_AT_ONCE):
        await unit.execute(
            sa.delete(fill_allocations).where(
                fill_allocations.c.fill_id.in_(ids[start : start + _KEYS_AT_ONCE]),
                fill_allocations.c.owner_key == row.key.owner_key,
            )
        )


async def allocated(unit: Unit, fill_ids: Iterable[int]) -> list[tuple[int, str, Decimal]]:
    """Which part of these fills each owner has: (fill, owner, base units)."""
    part = fill_allocations.c
    select = sa.select(part.fill_id, part.owner_key, part.quantity)
    ids = list(fill_ids)
    found: list[tuple[int, str, Decimal]] = []
    for start in range(0, len(ids), _KEYS_AT_ONCE):
        rows = await unit.all(select.where(part.fill_id.in_(ids[start : start + _KEYS_AT_ONCE])))
        found += [(row.fill_id, row.owner_key, row.quantity) for row in rows]
    return found


async def forget_fills(unit: Unit, fill_ids: Iterable[int]) -> None:
    """Delete all allocations of fills that count no more."""
    ids = list(fill_ids)
    for start in range(0, len(ids), _KEYS_AT_ONCE):
        chunk = ids[start : start + _KEYS_AT_ONCE]
        await unit.execute(sa.delete(fill_allocations).where(fill_allocations.c.fill_id.in_(chunk)))


async def trips_after(unit: Unit, row: BookRow, after: CanonicalKey | None) -> dict[TripKey, int]:
    """The stored trips of a book that a refold from a flat point may change, by key."""
    select = sa.select(trades.c.id, trades.c.opening_fill_id, trades.c.opening_part).where(
        trades.c.account_id == row.key.account_id,
        trades.c.symbol == row.key.symbol,
        trades.c.owner_key == row.key.owner_key,
        trades.c.position_side == row.key.position_side,
    )
    if after is not None:
        select = select.where(trades.c.opened_at >= after[0])
    return {TripKey(found.opening_fill_id, found.opening_part): found.id for found in await unit.all(select)}


async def delete_trips(unit: Unit, ids: Iterable[int]) -> None:
    """Delete trips that a late fill has merged into others."""
    gone = list(ids)
    for start in range(0, len(gone), _KEYS_AT_ONCE):
        await unit.execute(sa.delete(trades).where(trades.c.id.in_(gone[start : start + _KEYS_AT_ONCE])))


async def stored_trips(unit: Unit, keys: Iterable[OwnedTrip]) -> dict[OwnedTrip, int]:
    """The numbers of those trips that have rows."""
    wanted = {(key.fill_id, key.part_index, owner_key) for owner_key, key in keys}
    return {
        (row.owner_key, TripKey(row.opening_fill_id, row.opening_part)): row.id
        for row in await _STORED.rows(unit, wanted)
    }


async def insert_trips(unit: Unit, trips: Sequence[tuple[BookRow, RoundTrip]]) -> list[int]:
    return await unit.insert_numbered(trades, [_identity(row, trip) | _state(trip) for row, trip in trips])


async def update_trips(unit: Unit, trips: Sequence[tuple[int, RoundTrip]]) -> None:
    await unit.update_many(trades, [{"row_id": number, **_state(trip)} for number, trip in trips])


async def insert_allocations(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    await unit.insert_many(fill_allocations, rows)


def allocation_rows(
    row: BookRow,
    parts: Iterable[FillPart],
    allocations: Iterable[Allocation],
    trade_ids: dict[OwnedTrip, int],
) -> list[dict[str, Any]]:
    """Rows of a book's allocations. One without a trip is a surplus: it changed no position."""
    by_fill = {part.fill.id: part for part in parts}
    fee_left = {part.fill.id: part.fee for part in by_fill.values()}
    rows = []
    for allocation in allocations:
        part = by_fill[allocation.fill_id]
        is_rest = allocation.part_index == 1 or allocation.quantity == part.quantity
        fee = fee_left[allocation.fill_id] if is_rest else share(part.fee, allocation.quantity, part.quantity)
        fee_left[allocation.fill_id] -= fee
        rows.append(
            {
                "fill_id": allocation.fill_id,
                "part": allocation.part_index,
                "account_id": row.key.account_id,
                "user_id": row.user_id,
                "environment": row.environment,
                "currency": row.currency,
                "symbol": row.key.symbol,
                "position_side": row.key.position_side,
                "owner_key": row.key.owner_key,
                "strategy_account_id": row.owner.strategy_account_id,
                "strategy_position_id": row.id,
                "bot_instance_id": row.owner.bot_instance_id,
                "trade_id": None
                if allocation.trip is None
                else trade_ids[(row.key.owner_key, allocation.trip)],
                "quantity": allocation.quantity,
                "cost": allocation.cost,
                "fee": fee,
                "fee_quote": allocation.fee_quote,
                "realized_pnl": allocation.realized_pnl,
                "leverage": part.leverage,
                "exit_reason": part.exit_reason,
                "trade_source": part.trade_source,
                "exchange_at": part.fill.exchange_at,
            }
        )
    return rows


def _identity(row: BookRow, trip: RoundTrip) -> dict[str, Any]:
    return {
        "user_id": row.user_id,
        "environment": row.environment,
        "account_id": row.key.account_id,
        "strategy_id": row.owner.strategy_id,
        "strategy_account_id": row.owner.strategy_account_id,
        "strategy_position_id": row.id,
        "bot_instance_id": row.owner.bot_instance_id,
        "owner_key": row.key.owner_key,
        "opening_fill_id": trip.key.fill_id,
        "opening_part": trip.key.part_index,
        "symbol": row.key.symbol,
        "position_side": row.key.position_side,
        "currency": row.currency,
    }


def _state(trip: RoundTrip) -> dict[str, Any]:
    return {
        "side": trip.side,
        "quantity": trip.quantity,
        "entry_price": trip.entry_price,
        "exit_price": trip.exit_price,
        "pnl": trip.pnl,
        "realized_pnl": trip.realized_pnl,
        "pnl_percent": trip.pnl_percent,
        "fees": trip.fees,
        "funding": trip.funding,
        "capital": trip.capital,
        "leverage": trip.leverage,
        "exit_reason": trip.exit_reason,
        "trade_source": trip.trade_source,
        "opened_at": trip.opened_at,
        "closed_at": trip.closed_at,
    }
