"""What reconciliation reads of the ledger, and the mark that it leaves there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.fill import Fill, FillReport
from fillbook.ledger.store import held as store
from fillbook.ledger.store.facts import to_fill
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


async def inferred_fills(
    unit: Unit, account_id: int, symbols: Sequence[str], order_prefix: str
) -> list[tuple[FillReport, tuple[FillReport, ...]]]:
    """The inferred fills of these symbols that count, of orders whose venue ids begin so, each with the real ones of
    its position and side that were booked after it; all as they were reported."""
    found = []
    for row in await store.inferred_fills(unit, account_id, symbols, order_prefix):
        since = await store.real_fills_since(unit, row)
        found.append((_reported(to_fill(row)), tuple(_reported(to_fill(one)) for one in since)))
    return found


def _reported(fill: Fill) -> FillReport:
    return FillReport(
        symbol=fill.symbol,
        exchange_order_id=fill.exchange_order_id,
        client_order_id=None,
        venue_fill_id=fill.venue_fill_id,
        side=fill.side,
        position_side=fill.position_side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        liquidity=fill.liquidity,
        kind=fill.kind,
        exchange_at=fill.exchange_at,
    )
