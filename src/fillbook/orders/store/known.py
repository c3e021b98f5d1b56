"""Orders as reconciliation asks for them: by the ids of reports, and those whose ids say more than their rows.

Nothing is locked: what is concluded from these rows is written through the one door of booking, which reads again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from fillbook.orders.core.client_ids import PREFIX
from fillbook.orders.core.order import LIVE_STATUSES, Book, Order
from fillbook.orders.store.rows import to_order
from fillbook.orders.tables import order_venue_ids, orders, strategy_order_results
from fillbook.storage.unit import Unit

AT_ONCE: Final = 500
_UNLABELLED: Final = (
    sa.select(orders)
    .where(
        orders.c.account_id == sa.bindparam("account"),
        orders.c.client_order_id.startswith(PREFIX),
        sa.or_(orders.c.strategy_account_id.is_(None), orders.c.signal_id.is_(None)),
    )
    .order_by(orders.c.id.desc())
    .limit(AT_ONCE)
)
_BY_CLIENT_IDS: Final = sa.select(orders).where(
    orders.c.account_id == sa.bindparam("account"),
    orders.c.client_order_id.in_(sa.bindparam("ids", expanding=True)),
)
_LIVE_OF: Final = (
    sa.select(orders)
    .where(
        orders.c.account_id == sa.bindparam("account"),
        # Spelled out: a list would be expanded anew at every look.
        sa.or_(*(orders.c.status == status for status in sorted(LIVE_STATUSES))),
    )
    .order_by(orders.c.id)
)
_id = order_venue_ids.c
_BY_VENUE_IDS: Final = (
    sa.select(orders)
    .join_from(order_venue_ids, orders, orders.c.id == _id.order_id)
    .where(
        _id.account_id == sa.bindparam("account"),
        sa.tuple_(_id.symbol, _id.book, _id.venue_id).in_(sa.bindparam("ids", expanding=True)),
    )
)
_IDS_AT_ONCE: Final = 400
_NEWEST: Final = sa.select(sa.func.max(orders.c.created_at, type_=orders.c.created_at.type))


async def live_of(unit: Unit, account_id: int) -> list[Order]:
    """Every order of one account that is not over, oldest first."""
    return [to_order(row) for row in await unit.all(_LIVE_OF, {"account": account_id})]


async def orders_without_label(unit: Unit, account_id: int) -> list[Order]:
    """Orders of ours that lack their strategy or their signal, newest first; some never had any."""
    return [to_order(row) for row in await unit.all(_UNLABELLED, {"account": account_id})]


async def orders_named(
    unit: Unit, account_id: int, client_ids: Iterable[str], venue_ids: Iterable[tuple[str, Book, str]]
) -> list[Order]:
    """An account's orders that bear any of these ids; venue ids as (symbol, book, id)."""
    found: dict[int, Order] = {}
    for select, ids in ((_BY_CLIENT_IDS, list(client_ids)), (_BY_VENUE_IDS, list(venue_ids))):
        for start in range(0, len(ids), _IDS_AT_ONCE):
            chunk = ids[start : start + _IDS_AT_ONCE]
            for row in await unit.all(select, {"account": account_id, "ids": chunk}):
                found[row.id] = to_order(row)
    return list(found.values())


async def newest_order_at(unit: Unit, account_id: int) -> datetime | None:
    """When the youngest order of an account was written down."""
    moment: datetime | None = await unit.scalar(_NEWEST.where(orders.c.account_id == account_id))
    return moment


async def relabel(unit: Unit, order_id: int, values: Mapping[str, Any]) -> None:
    """Set what an order's row had lost of its origin: strategy, link, signal, leg."""
    await unit.execute(sa.update(orders).where(orders.c.id == order_id).values(**values))


async def name_result(unit: Unit, log_id: int, account_id: int, order_id: int) -> None:
    """Let the result of a leg on an account name its order again."""
    result = strategy_order_results.c
    await unit.execute(
        sa.update(strategy_order_results)
        .where(result.log_id == log_id, result.account_id == account_id, result.order_id.is_(None))
        .values(order_id=order_id)
    )
