"""Rows of fills and of their keys. A fill is written once; only that another supersedes it is added later, and
its key then names the record in force."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import Environment, PositionSide
from fillbook.kernel.money import to_text
from fillbook.ledger.core.fees import FeeInQuote
from fillbook.ledger.core.fill import Fill, FillKey, FillKind, FillSource, Liquidity, OrderKey
from fillbook.ledger.core.fill_ids import INFERRED_SIGN
from fillbook.ledger.core.revision import Inferred, Superseded
from fillbook.ledger.tables import fill_keys, fills
from fillbook.market.core import MarketType, Side
from fillbook.storage.keyed import KeyedSelect
from fillbook.storage.unit import Unit

_KEY_COLUMNS = (
    fill_keys.c.account_id,
    fill_keys.c.symbol,
    fill_keys.c.exchange_order_id,
    fill_keys.c.venue_fill_id,
)
_ORDER_COLUMNS = _KEY_COLUMNS[:3]
_KEYS = sa.select(*_KEY_COLUMNS, fill_keys.c.fill_id)
_OF_ORDERS = KeyedSelect(_KEYS, *_ORDER_COLUMNS)
_OF_ORDERS_AMONG = KeyedSelect(
    _KEYS.where(
        sa.or_(
            fill_keys.c.venue_fill_id.in_(sa.bindparam("ids", expanding=True)),
            fill_keys.c.venue_fill_id.startswith(INFERRED_SIGN),
        )
    ),
    *_ORDER_COLUMNS,
)
_BY_IDS = sa.select(fills).where(fills.c.id.in_(sa.bindparam("ids", expanding=True)))
_KEYS_AT_ONCE = 400
_FEW_IDS = 100
_UPTO = "inferred_up_to"


async def booked_of(unit: Unit, keys: Collection[FillKey]) -> dict[FillKey, int]:
    """What is booked of the orders to which these keys belong, each with the id of the record in force: at
    least the keys themselves and every inferred fill."""
    orders = {key[:3] for key in keys}
    ids = sorted({key[3] for key in keys})
    # Few fills of an order that has thousands must not read them all; many are read faster by order.
    if len(ids) <= _FEW_IDS:
        rows = await _OF_ORDERS_AMONG.rows(unit, orders, ids=ids)
    else:
        rows = await _OF_ORDERS.rows(unit, orders)
    return {tuple(row)[:4]: row.fill_id for row in rows}


async def fills_in_force(unit: Unit, ids: Iterable[int]) -> list[tuple[Fill, bool]]:
    """Fills by their ids, each with whether it counts: one that the venue took back does not."""
    return [(to_fill(row), row.superseded_by_id is None) for row in await _rows_by_id(unit, ids)]


async def inferred_by_id(unit: Unit, ids: Iterable[int]) -> list[Inferred]:
    """Those of these inferred fills that count."""
    rows = await _rows_by_id(unit, ids)
    return [Inferred(to_fill(row), Decimal(row.raw[_UPTO])) for row in rows if row.superseded_by_id is None]


async def real_fills_of(unit: Unit, orders: Iterable[OrderKey]) -> list[Fill]:
    """The fills of these orders that count and that a venue has reported."""
    ids = [row.fill_id for row in await _OF_ORDERS.rows(unit, set(orders))]
    rows = await _rows_by_id(unit, ids)
    return [
        to_fill(row) for row in rows if row.superseded_by_id is None and row.source != FillSource.INFERRED
    ]


async def _rows_by_id(unit: Unit, ids: Iterable[int]) -> list[sa.Row[Any]]:
    every = list(ids)
    rows: list[sa.Row[Any]] = []
    for start in range(0, len(every), _KEYS_AT_ONCE):
        rows += await unit.all(_BY_IDS, {"ids": every[start : start + _KEYS_AT_ONCE]})
    return rows


async def supersede(unit: Unit, superseded: Iterable[Superseded]) -> None:
    """Mark fills that count no more."""
    for one in superseded:
        await unit.execute(
            sa.update(fills)
            # The moment names the partition.
            .where(fills.c.id == one.fill.id, fills.c.exchange_at == one.fill.exchange_at)
            .values(superseded_by_id=one.by_id)
        )


async def insert_amending_fills(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    """Write fills that take over the keys of those that they correct; a key that is new is made."""
    await unit.upsert(
        fill_keys, [_key_row(row) for row in rows], keys=[column.name for column in _KEY_COLUMNS]
    )
    await unit.insert_many(fills, rows)


async def insert_fills(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    """Write new fills and their keys. A key that exists raises an integrity error: nothing is booked twice."""
    await unit.insert_many(fill_keys, [_key_row(row) for row in rows])
    await unit.insert_many(fills, rows)


def _key_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "account_id": row["account_id"],
        "symbol": row["symbol"],
        "exchange_order_id": row["exchange_order_id"],
        "venue_fill_id": row["venue_fill_id"],
        "fill_id": row["id"],
    }


def inferred_raw(upto: Decimal) -> dict[str, Any]:
    """What an inferred fill keeps in place of a venue's message."""
    return {_UPTO: to_text(upto)}


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
