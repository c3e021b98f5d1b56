"""Rows of orders whose fills may call for orders of their own, and of the orders that they have called for."""

from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa

from fillbook.orders.core.order import Order
from fillbook.orders.store.rows import to_order
from fillbook.orders.tables import orders
from fillbook.storage.unit import Unit


async def waiting(unit: Unit, account_ids: Iterable[int]) -> list[Order]:
    """Every entry of these accounts that may call for something, oldest first."""
    rows = await unit.all(sa.select(orders).where(orders.c.follow_up.is_(True)).order_by(orders.c.id))
    owned = set(account_ids)
    return [to_order(row) for row in rows if row.account_id in owned]


async def waiting_of(unit: Unit, account_id: int, symbol: str, link: int | None) -> list[Order]:
    """One owner's entries on one symbol that may call for something, locked until the unit ends."""
    rows = await unit.all(
        sa.select(orders)
        .where(
            orders.c.follow_up.is_(True),
            orders.c.account_id == account_id,
            orders.c.symbol == symbol,
            orders.c.strategy_account_id.is_(None) if link is None else orders.c.strategy_account_id == link,
        )
        .order_by(orders.c.id)
        .with_for_update()
    )
    return [to_order(row) for row in rows]


async def children_of(unit: Unit, order_ids: Sequence[int]) -> list[Order]:
    rows = await unit.all(
        sa.select(orders).where(orders.c.parent_order_id.in_(order_ids)).order_by(orders.c.id)
    )
    return [to_order(row) for row in rows]


async def finish(unit: Unit, order_ids: Collection[int]) -> None:
    """These entries call for nothing more, until another fill of theirs is booked."""
    if order_ids:
        await unit.execute(sa.update(orders).where(orders.c.id.in_(order_ids)).values(follow_up=None))
