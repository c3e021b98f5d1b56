"""Rows of `orders` and of the ids under which their venues know them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from fillbook.accounts.core import Environment, PositionSide
from fillbook.kernel.money import ONE, divide
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.amend import amend_from_json, amend_to_json
from fillbook.orders.core.order import (
    LIVE_STATUSES,
    Book,
    Order,
    OrderStatus,
    OrderType,
    Owner,
    TimeInForce,
)
from fillbook.orders.tables import order_venue_ids, orders
from fillbook.storage.keyed import KeyedSelect
from fillbook.storage.scope import Scope, owned
from fillbook.storage.unit import Unit

_AT_ONCE: Final = 400
_LIVE: Final = tuple(sorted(LIVE_STATUSES))

# Built once: a statement that is built anew must be keyed anew before SQLAlchemy finds it compiled.
_BY_IDS: Final = sa.select(orders).where(orders.c.id.in_(sa.bindparam("ids", expanding=True)))
_LOCKED: Final = _BY_IDS.order_by(orders.c.id).with_for_update()
_BY_CLIENT_IDS: Final = KeyedSelect(
    sa.select(orders).order_by(orders.c.id).with_for_update(), orders.c.account_id, orders.c.client_order_id
)
_BY_VENUE_IDS: Final = KeyedSelect(
    sa.select(
        orders,
        order_venue_ids.c.book.label("known_book"),
        order_venue_ids.c.venue_id.label("known_id"),
    )
    .join_from(order_venue_ids, orders, orders.c.id == order_venue_ids.c.order_id)
    .order_by(orders.c.id)
    .with_for_update(of=orders),
    order_venue_ids.c.account_id,
    order_venue_ids.c.symbol,
    order_venue_ids.c.book,
    order_venue_ids.c.venue_id,
)
_LIVE_OF: Final = (
    sa.select(orders)
    .where(
        orders.c.account_id.in_(sa.bindparam("accounts", expanding=True)),
        orders.c.status.in_(_LIVE),
    )
    .order_by(orders.c.id)
)

VenueId = tuple[int, str, Book, str]
ClientId = tuple[int, str]


def to_order(row: Any) -> Order:
    return Order(
        id=row.id,
        user_id=row.user_id,
        account_id=row.account_id,
        strategy_account_id=row.strategy_account_id,
        signal_id=row.signal_id,
        leg=row.leg,
        attempt=row.attempt,
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id,
        book=Book(row.book),
        symbol=row.symbol,
        market_type=MarketType(row.market_type),
        side=Side(row.side),
        position_side=PositionSide(row.position_side),
        order_type=OrderType(row.order_type),
        time_in_force=None if row.time_in_force is None else TimeInForce(row.time_in_force),
        reduce_only=row.reduce_only,
        quantity=row.quantity,
        price=row.price,
        stop_price=row.stop_price,
        status=OrderStatus(row.status),
        owner=Owner(row.owner),
        created_at=row.created_at,
        filled_quantity=row.filled_quantity,
        cost=row.cost,
        unknown_since=row.unknown_since,
        cancel_wanted=row.cancel_wanted,
        environment=Environment(row.environment),
        currency=row.currency,
        strategy_id=row.strategy_id,
        bot_instance_id=row.bot_instance_id,
        leverage=row.leverage or ONE,
        reserved=row.reserved,
        exit_reason=ExitReason(row.exit_reason or ExitReason.MANUAL),
        trade_source=TradeSource(row.trade_source or TradeSource.MANUAL),
        epoch=row.epoch,
        lookups=row.lookups,
        next_lookup_at=row.next_lookup_at,
        watch_until=row.watch_until,
        error_code=row.error_code,
        error_message=row.error_message,
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
        settled_at=row.settled_at,
        exchange_at=row.exchange_at,
        sizing=tuple(row.sizing or ()),
        parent_order_id=row.parent_order_id,
        stop_loss_price=row.stop_loss_price,
        take_profit_price=row.take_profit_price,
        close_on_late_fill=row.close_on_late_fill,
        late_fill_from=row.late_fill_from,
        follow_up=bool(row.follow_up),
        amend=amend_from_json(row.amend),
    )


def written_order(row: Mapping[str, Any], number: int, created_at: datetime) -> Order:
    """An order whose row was just inserted under this number, without reading it back."""
    return to_order(_Written({**_DEFAULTS, **row, "id": number, "created_at": created_at}))


class _Written(dict[str, Any]):
    """A row that was just written, read like one that was fetched."""

    __getattr__ = dict.__getitem__


_DEFAULTS: Final[dict[str, Any]] = {
    column.name: column.default.arg if isinstance(column.default, sa.ColumnDefault) else None
    for column in orders.c
}
"""What the database gives a new order, for reading it back without asking."""


async def insert_orders(unit: Unit, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Write new orders; their numbers, in the order of the rows."""
    return await unit.insert_numbered(orders, rows)


async def by_ids(unit: Unit, ids: Iterable[int]) -> list[Order]:
    found: list[Order] = []
    for chunk in _chunks(list(ids)):
        found += [to_order(row) for row in await unit.all(_BY_IDS, {"ids": chunk})]
    return found


async def locked(unit: Unit, ids: Iterable[int]) -> list[Order]:
    """Orders as they stand now, which nobody else changes before the unit ends. Whoever writes an order that it
    has read before reads it again so."""
    found: list[Order] = []
    for chunk in _chunks(sorted(set(ids))):
        found += [to_order(row) for row in await unit.all(_LOCKED, {"ids": chunk})]
    return found


async def owned_order(unit: Unit, scope: Scope, order_id: int) -> Order | None:
    """An order of the scope's own."""
    row = await unit.one_or_none(owned(sa.select(orders).where(orders.c.id == order_id), orders, scope))
    return None if row is None else to_order(row)


async def by_client_ids(unit: Unit, keys: Iterable[ClientId]) -> list[Order]:
    return [to_order(row) for row in await _BY_CLIENT_IDS.rows(unit, set(keys))]


async def by_venue_ids(unit: Unit, keys: Iterable[VenueId]) -> list[tuple[VenueId, Order]]:
    """The orders behind ids of their venues, each with the id that it was found by."""
    return [
        ((row.account_id, row.symbol, Book(row.known_book), row.known_id), to_order(row))
        for row in await _BY_VENUE_IDS.rows(unit, set(keys))
    ]


async def live_of(unit: Unit, account_ids: Iterable[int]) -> list[Order]:
    """Every order of these accounts that is not over, oldest first."""
    found: list[Order] = []
    for chunk in _chunks(sorted(account_ids)):
        rows = await unit.all(_LIVE_OF, {"accounts": chunk})
        found += [to_order(row) for row in rows]
    return found


async def due_lookups(unit: Unit, account_id: int, now: datetime, limit: int) -> list[Order]:
    """Orders of unknown fate, and those still watched, whose next look-up is due."""
    rows = await unit.all(
        sa.select(orders)
        .where(orders.c.account_id == account_id, orders.c.next_lookup_at <= now)
        .order_by(orders.c.next_lookup_at)
        .limit(limit)
    )
    return [to_order(row) for row in rows]


async def next_lookup_at(unit: Unit, account_id: int) -> datetime | None:
    moment: datetime | None = await unit.scalar(
        sa.select(sa.func.min(orders.c.next_lookup_at, type_=orders.c.next_lookup_at.type)).where(
            orders.c.account_id == account_id
        )
    )
    return moment


async def symbols_of_unknown_fate(unit: Unit, account_id: int) -> frozenset[str]:
    rows = await unit.all(
        sa.select(orders.c.symbol)
        .where(
            orders.c.account_id == account_id,
            orders.c.status == OrderStatus.PENDING_NEW,
            orders.c.unknown_since.is_not(None),
        )
        .distinct()
    )
    return frozenset(row.symbol for row in rows)


async def lanes_of_unnamed_orders(unit: Unit, account_id: int) -> set[tuple[str, Side]]:
    """Symbols and sides of orders that may fill at the venue under a number that nobody here knows: those that
    were never seen there and may be there all the same, and those whose trigger makes another order."""
    may_be_there = sa.and_(
        orders.c.acknowledged_at.is_(None),
        sa.or_(orders.c.unknown_since.is_not(None), orders.c.watch_until.is_not(None)),
    )
    may_trigger = sa.and_(orders.c.book == Book.CONDITIONAL, orders.c.status.in_(_LIVE))
    found = await unit.all(
        sa.select(orders.c.symbol, orders.c.side)
        .where(orders.c.account_id == account_id, sa.or_(may_be_there, may_trigger))
        .distinct()
    )
    return {(row.symbol, Side(row.side)) for row in found}


async def has_unanswered(unit: Unit, account_id: int, before: datetime) -> bool:
    """Whether an order that had to leave before a moment has no answer and is not looked up either."""
    found = await unit.scalar(
        sa.select(orders.c.id)
        .where(
            orders.c.account_id == account_id,
            orders.c.status == OrderStatus.PENDING_NEW,
            orders.c.unknown_since.is_(None),
            orders.c.send_by < before,
        )
        .limit(1)
    )
    return found is not None


async def mark_unresolved(
    unit: Unit,
    account_id: int,
    now: datetime,
    *,
    order_id: int | None = None,
    send_by_before: datetime | None = None,
) -> int:
    """Orders (the one; those that had to leave before a moment) that were written down but whose answer nobody
    has booked: now of unknown fate."""
    which = [] if order_id is None else [orders.c.id == order_id]
    if send_by_before is not None:
        which.append(orders.c.send_by < send_by_before)
    result = await unit.execute(
        sa.update(orders)
        .where(
            orders.c.account_id == account_id,
            orders.c.status == OrderStatus.PENDING_NEW,
            orders.c.unknown_since.is_(None),
            *which,
        )
        .values(unknown_since=now, next_lookup_at=now)
    )
    return result.rowcount


async def save_orders(unit: Unit, changed: Sequence[Order]) -> None:
    """Write what may change in an order."""
    await unit.update_many(orders, [{"row_id": order.id, **_state(order)} for order in changed])


async def save_sizing(unit: Unit, changed: Sequence[Order]) -> None:
    """Write how orders were sized, where a change of the order changed it."""
    await unit.update_many(orders, [{"row_id": order.id, "sizing": list(order.sizing)} for order in changed])


async def say_error(unit: Unit, ids: Sequence[int], code: str, message: str) -> None:
    """Note on orders what a person must know of them."""
    if ids:
        await unit.execute(
            sa.update(orders).where(orders.c.id.in_(ids)).values(error_code=code, error_message=message)
        )


async def insert_venue_ids(unit: Unit, rows: Iterable[tuple[VenueId, int]]) -> None:
    """Remember under which ids a venue knows our orders."""
    await unit.insert_if_new(
        order_venue_ids,
        [
            {
                "account_id": account_id,
                "symbol": symbol,
                "book": book,
                "venue_id": venue_id,
                "order_id": order_id,
            }
            for (account_id, symbol, book, venue_id), order_id in rows
        ],
    )


def _state(order: Order) -> dict[str, Any]:
    average = divide(order.cost, order.filled_quantity) if order.filled_quantity else None
    return {
        "exchange_order_id": order.exchange_order_id,
        "book": order.book,
        "filled_quantity": order.filled_quantity,
        "cost": order.cost,
        "average_price": average,
        "status": order.status,
        "unknown_since": order.unknown_since,
        "cancel_wanted": order.cancel_wanted,
        "reserved": order.reserved,
        "lookups": order.lookups,
        "next_lookup_at": order.next_lookup_at,
        "watch_until": order.watch_until,
        "error_code": order.error_code,
        "error_message": order.error_message,
        "sent_at": order.sent_at,
        "acknowledged_at": order.acknowledged_at,
        "settled_at": order.settled_at,
        "exchange_at": order.exchange_at,
        "close_on_late_fill": order.close_on_late_fill,
        "late_fill_from": order.late_fill_from,
        "follow_up": order.follow_up or None,
        "price": order.price,
        "quantity": order.quantity,
        "amend": amend_to_json(order.amend),
    }


def _chunks(items: list[Any]) -> Iterable[list[Any]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
