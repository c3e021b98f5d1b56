"""What books say of an account beside its venue: quantities with their dust, and whether they agree."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from fillbook.kernel.money import ZERO
from fillbook.ledger.core.books import EXTERNAL
from fillbook.ledger.core.fill import FillSource
from fillbook.ledger.tables import fill_keys, fills, positions, strategy_positions
from fillbook.storage.unit import Unit

_account, _owner = positions.c, strategy_positions.c
_HELD: Final = sa.select(
    _account.symbol,
    _account.position_side,
    _account.quantity,
    _account.dust_quantity,
    _account.cost,
    _account.dust_cost,
    _account.reconcile_status,
    _account.last_fill_at,
    _account.last_fill_id,
).where(
    _account.account_id == sa.bindparam("account"),
    sa.or_(_account.is_open.is_(True), _account.dust_quantity != ZERO, _account.reconcile_status != "ok"),
)
_OWNED: Final = sa.select(_owner.symbol, _owner.quantity, _owner.dust_quantity).where(
    _owner.account_id == sa.bindparam("account"),
    _owner.owner_key != EXTERNAL.key,
    sa.or_(_owner.is_open.is_(True), _owner.dust_quantity != ZERO),
)


_KEY: Final = (fill_keys.c.symbol, fill_keys.c.exchange_order_id, fill_keys.c.venue_fill_id)
_BOOKED: Final = sa.select(*_KEY).where(
    fill_keys.c.account_id == sa.bindparam("account"),
    sa.tuple_(*_KEY).in_(sa.bindparam("keys", expanding=True)),
)
_KEYS_AT_ONCE: Final = 400


async def booked_keys(
    unit: Unit, account_id: int, keys: Sequence[tuple[str, str, str]]
) -> set[tuple[str, str, str]]:
    """Those of these keys, each of symbol, order and fill, that an account's fills bear."""
    found: set[tuple[str, str, str]] = set()
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        chunk = keys[start : start + _KEYS_AT_ONCE]
        rows = await unit.all(_BOOKED, {"account": account_id, "keys": chunk})
        found |= {(row.symbol, row.exchange_order_id, row.venue_fill_id) for row in rows}
    return found


async def held(unit: Unit, account_id: int) -> Iterable[Any]:
    return await unit.all(_HELD, {"account": account_id})


async def held_by_owners(unit: Unit, account_id: int) -> Iterable[Any]:
    """The books of strategies, bots and persons, without what is external."""
    return await unit.all(_OWNED, {"account": account_id})


async def inferred_fills(
    unit: Unit, account_id: int, symbols: Sequence[str], order_prefix: str
) -> Iterable[Any]:
    """The inferred fills of these symbols that count, of orders whose venue ids begin so."""
    fill = fills.c
    return await unit.all(
        sa.select(fills).where(
            fill.account_id == account_id,
            fill.symbol.in_(symbols),
            fill.source == FillSource.INFERRED,
            fill.superseded_by_id.is_(None),
            fill.exchange_order_id.startswith(order_prefix),
        )
    )


async def real_fills_since(unit: Unit, inferred: Any) -> Iterable[Any]:
    """The real fills of an inferred one's position and side that were booked after it, and count."""
    fill = fills.c
    return await unit.all(
        sa.select(fills)
        .where(
            fill.account_id == inferred.account_id,
            fill.symbol == inferred.symbol,
            fill.position_side == inferred.position_side,
            fill.side == inferred.side,
            fill.source != FillSource.INFERRED,
            fill.superseded_by_id.is_(None),
            fill.created_at > inferred.created_at,
        )
        .order_by(fill.id)
    )


async def set_reconcile_status(
    unit: Unit, account_id: int, symbol: str, position_side: str, status: str
) -> None:
    await unit.execute(
        sa.update(positions)
        .where(_account.account_id == account_id, _account.symbol == symbol)
        .where(_account.position_side == position_side)
        .values(reconcile_status=status)
    )
