"""Rows of fills and of their keys. Written once, never changed."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import Environment, PositionSide
from fillbook.ledger.core.fees import FeeInQuote
from fillbook.ledger.core.fill import Fill, FillKind, Liquidity
from fillbook.ledger.tables import fill_keys, fills
from fillbook.market.core import MarketType, Side
from fillbook.storage.unit import Unit

FillKey = tuple[int, str, str, str]
_KEY_COLUMNS = (
    fill_keys.c.account_id,
    fill_keys.c.symbol,
    fill_keys.c.exchange_order_id,
    fill_keys.c.venue_fill_id,
)
_KNOWN_KEYS = sa.select(*_KEY_COLUMNS).where(
    sa.tuple_(*_KEY_COLUMNS).in_(sa.bindparam("keys", expanding=True))
)
_KEYS_AT_ONCE = 400


async def known_fill_keys(unit: Unit, keys: Iterable[FillKey]) -> set[FillKey]:
    """Those of the keys whose fills are booked."""
    every = list(keys)
    known: set[FillKey] = set()
    for start in range(0, len(every), _KEYS_AT_ONCE):
        chunk = every[start : start + _KEYS_AT_ONCE]
        known |= {tuple(row) for row in await unit.all(_KNOWN_KEYS, {"keys": chunk})}
    return known


async def insert_fills(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    """Write new fills and their keys. A key that exists raises an integrity error: nothing is booked twice."""
    await unit.insert_many(
        fill_keys,
        [
            {
                "account_id": row["account_id"],
                "symbol": row["symbol"],
                "exchange_order_id": row["exchange_order_id"],
                "venue_fill_id": row["venue_fill_id"],
                "fill_id": row["id"],
            }
            for row in rows
        ],
    )
    await unit.insert_many(fills, rows)


def fill_row(
    fill: Fill, fee: FeeInQuote, user_id: int, environment: Environment, currency: str, **origin: Any
) -> dict[str, Any]:
    """The row of a fill; `origin` brings source, venue_realized_pnl and raw."""
    return {
        "id": fill.id,
        "account_id": fill.account_id,
        "user_id": user_id,
        "environment": environment,
        "symbol": fill.symbol,
        "exchange_order_id": fill.exchange_order_id,
        "venue_fill_id": fill.venue_fill_id,
        "order_id": fill.order_id,
        "side": fill.side,
        "position_side": fill.position_side,
        "price": fill.price,
        "quantity": fill.quantity,
        "cost": fill.cost,
        "currency": currency,
        "fee": fill.fee,
        "fee_asset": fill.fee_asset,
        "fee_quote": fill.fee_quote,
        "fee_rate": fee.fee_rate,
        "fee_rate_source": fee.source,
        "market_type": fill.market_type,
        "liquidity": fill.liquidity,
        "kind": fill.kind,
        "exchange_at": fill.exchange_at,
        **origin,
    }


def to_fill(row: Any) -> Fill:
    return Fill(
        id=row.id,
        account_id=row.account_id,
        symbol=row.symbol,
        exchange_order_id=row.exchange_order_id,
        venue_fill_id=row.venue_fill_id,
        side=Side(row.side),
        position_side=PositionSide(row.position_side),
        price=row.price,
        quantity=row.quantity,
        cost=row.cost,
        market_type=MarketType(row.market_type),
        exchange_at=row.exchange_at,
        fee=row.fee,
        fee_asset=row.fee_asset,
        fee_quote=row.fee_quote,
        liquidity=None if row.liquidity is None else Liquidity(row.liquidity),
        kind=FillKind(row.kind),
        order_id=row.order_id,
    )
