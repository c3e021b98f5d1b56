"""What reconciliation reads of the ledger, and the mark that it leaves there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.fill import FillReport
from fillbook.ledger.store import held as store
from fillbook.market.core import MarketType, market_type_of
from fillbook.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Held:
    """An account's own book. `quantity` is signed and holds the dust; `cost` is that of all of it."""

    symbol: str
    position_side: PositionSide
    quantity: Decimal
    cost: Decimal
    status: str
    last_fill_at: datetime | None
    last_fill_id: str


@exact
def _to_held(one: Any) -> Held:
    return Held(
        one.symbol,
        PositionSide(one.position_side),
        one.quantity + one.dust_quantity,
        one.cost + one.dust_cost,
        one.reconcile_status,
        one.last_fill_at,
        one.last_fill_id or "",
    )


async def held_futures(unit: Unit, account_id: int) -> list[Held]:
    """Futures books of an account that hold something, or do not agree with the venue."""
    rows = await store.held(unit, account_id)
    return [_to_held(row) for row in rows if market_type_of(row.symbol) is MarketType.FUTURES]


async def spot_holdings(unit: Unit, account_id: int) -> dict[str, Decimal]:
    """Base units that positions on spot hold, by asset."""
    held: dict[str, Decimal] = {}
    for row in await store.held_by_owners(unit, account_id):
        if market_type_of(row.symbol) is MarketType.SPOT:
            asset = row.symbol.partition("/")[0]
            held[asset] = _added(held.get(asset, ZERO), row.quantity, row.dust_quantity)
    return held


@exact
def _added(*amounts: Decimal) -> Decimal:
    return sum(amounts, ZERO)


async def set_status(
    unit: Unit, account_id: int, symbol: str, position_side: PositionSide, status: str
) -> None:
    """Say whether a position agrees with the venue."""
    await store.set_reconcile_status(unit, account_id, symbol, position_side, status)


async def booked_keys(
    unit: Unit, account_id: int, reports: Sequence[FillReport]
) -> set[tuple[str, str, str]]:
    """The keys (symbol, order, fill) of those of these fills that are booked."""
    keys = [(one.symbol, one.exchange_order_id, one.venue_fill_id) for one in reports]
    return await store.booked_keys(unit, account_id, keys)
