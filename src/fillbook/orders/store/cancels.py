"""Rows of the cancel queue, and of what was truly cancelled."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fillbook.orders.core.cancel_queue import CancelQueue, CancelStatus
from fillbook.orders.core.order import Order
from fillbook.orders.tables import cancel_queue, cancels, orders
from fillbook.storage.unit import Unit

_LIVE = (CancelStatus.PENDING, CancelStatus.PROCESSING)


def to_item(row: Any) -> CancelQueue:
    return CancelQueue(
        id=row.id,
        order_id=row.order_id,
        strategy_id=row.strategy_id,
        account_id=row.account_id,
        requested_at=row.requested_at,
        retry_count=row.retry_count,
        max_retries=row.max_retries,
        next_retry_at=row.next_retry_at,
        status=CancelStatus(row.status),
        error_message=row.error_message,
    )


async def enqueue(unit: Unit, wanted: Sequence[Order], at: datetime) -> None:
    """Put orders in the queue; one that is in it already stays where it is."""
    ids = [order.id for order in wanted]
    queued = {
        row.order_id
        for row in await unit.all(
            sa.select(cancel_queue.c.order_id).where(
                cancel_queue.c.order_id.in_(ids), cancel_queue.c.status.in_(_LIVE)
            )
        )
    }
    await unit.insert_many(
        cancel_queue,
        [
            {
                "order_id": order.id,
                "strategy_id": order.strategy_id,
                "account_id": order.account_id,
                "user_id": order.user_id,
                "environment": order.environment,
                "requested_at": at,
                "status": CancelStatus.PENDING,
            }
            for order in wanted
            if order.id not in queued
        ],
    )


async def live_item_of(unit: Unit, order_id: int) -> int | None:
    """The number of the item that works on an order."""
    number: int | None = await unit.scalar(
        sa.select(cancel_queue.c.id).where(
            cancel_queue.c.order_id == order_id, cancel_queue.c.status.in_(_LIVE)
        )
    )
    return number


async def queued_of(unit: Unit, order_ids: Sequence[int]) -> frozenset[int]:
    """Those of these orders on which an item of the queue works."""
    if not order_ids:
        return frozenset()
    rows = await unit.all(
        sa.select(cancel_queue.c.order_id).where(
            cancel_queue.c.order_id.in_(order_ids), cancel_queue.c.status.in_(_LIVE)
        )
    )
    return frozenset(row.order_id for row in rows)


async def due(unit: Unit, account_id: int, now: datetime, limit: int) -> list[CancelQueue]:
    """Items to work on, oldest first; one that was being worked on when a process died is due again."""
    rows = await unit.all(
        sa.select(cancel_queue)
        .where(
            cancel_queue.c.account_id == account_id,
            cancel_queue.c.status.in_(_LIVE),
            sa.or_(cancel_queue.c.next_retry_at.is_(None), cancel_queue.c.next_retry_at <= now),
        )
        .order_by(cancel_queue.c.id)
        .limit(limit)
    )
    return [to_item(row) for row in rows]


async def next_due_at(unit: Unit, account_id: int) -> datetime | None:
    moment: datetime | None = await unit.scalar(
        sa.select(sa.func.min(cancel_queue.c.next_retry_at, type_=cancel_queue.c.next_retry_at.type)).where(
            cancel_queue.c.account_id == account_id, cancel_queue.c.status.in_(_LIVE)
        )
    )
    return moment


async def save(unit: Unit, items: Iterable[CancelQueue]) -> None:
    await unit.update_many(
        cancel_queue,
        [
            {
                "row_id": item.id,
                "status": item.status,
                "retry_count": item.retry_count,
                "next_retry_at": item.next_retry_at,
                "error_message": item.error_message,
            }
            for item in items
        ],
    )


async def record_cancels(unit: Unit, canceled: Sequence[Order]) -> None:
    """Note which orders the venue has cancelled, and whether we asked for it."""
    await unit.insert_many(
        cancels,
        [
            {
                "account_id": order.account_id,
                "user_id": order.user_id,
                "environment": order.environment,
                "order_id": order.id,
                "symbol": order.symbol,
                "side": order.side,
                "reason": "requested" if order.cancel_wanted else "at the venue",
                "exchange_at": order.exchange_at or unit.now,
            }
            for order in canceled
        ],
    )


async def forget_cancels(unit: Unit, order_ids: Sequence[int]) -> None:
    """Orders that fills proved to have been filled after all were not cancelled."""
    if order_ids:
        await unit.execute(sa.delete(cancels).where(cancels.c.order_id.in_(order_ids)))


async def wanted_but_not_queued(unit: Unit, account_id: int) -> list[int]:
    """Orders whose cancel is wanted, that are still live, and that no item of the queue works on."""
    queued = sa.select(cancel_queue.c.order_id).where(cancel_queue.c.status.in_(_LIVE))
    rows = await unit.all(
        sa.select(orders.c.id).where(
            orders.c.account_id == account_id,
            orders.c.cancel_wanted.is_(True),
            orders.c.status.in_(("PENDING_NEW", "NEW", "PARTIALLY_FILLED", "PENDING_CANCEL")),
            orders.c.id.not_in(queued),
        )
    )
    return [row.id for row in rows]
