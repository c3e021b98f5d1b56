"""Rows of books: `positions` for an account's own, `strategy_positions` for every other owner's."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from fillbook.accounts.core import Environment, PositionSide
from fillbook.kernel.money import ONE, ZERO
from fillbook.ledger.core.allocation import whole_fill
from fillbook.ledger.core.books import ACCOUNT, BookKey, BookRow, Owner
from fillbook.ledger.core.fill import CanonicalKey
from fillbook.ledger.core.position import FillPart, key_of, unrealized_pnl
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.ledger.core.snapshot import book_from_json, book_to_json
from fillbook.ledger.store.facts import to_fill
from fillbook.ledger.tables import fill_allocations, fills, positions, strategy_positions
from fillbook.storage.keyed import KeyedSelect
from fillbook.storage.scope import Scope, owned
from fillbook.storage.unit import Unit

_ACCOUNTS_AT_ONCE: Final = 400
_LOCKED: Final = tuple(
    KeyedSelect(
        sa.select(table).order_by(table.c.id).with_for_update(of=table), table.c.account_id, table.c.symbol
    )
    for table in (positions, strategy_positions)
)
_OPEN: Final = tuple(
    sa.select(table).where(
        table.c.account_id.in_(sa.bindparam("accounts", expanding=True)), table.c.is_open.is_(True)
    )
    for table in (positions, strategy_positions)
)


async def load_books(unit: Unit, where: Iterable[tuple[int, str]]) -> dict[BookKey, BookRow]:
    """Every book of these (account, symbol), the account's own included; locked until the unit ends."""
    pairs = list(where)
    found: dict[BookKey, BookRow] = {}
    for select in _LOCKED:
        for row in await select.rows(unit, pairs):
            book_row = to_book_row(row)
            found[book_row.key] = book_row
    return found


def to_book_row(row: sa.Row[Any]) -> BookRow:
    columns = row._mapping
    owner = ACCOUNT
    if "owner_key" in columns:
        owner = Owner(row.owner_key, row.strategy_account_id, row.strategy_id, row.bot_instance_id)
    return BookRow(
        key=BookKey(row.account_id, row.symbol, PositionSide(row.position_side), owner.key),
        owner=owner,
        user_id=row.user_id,
        environment=Environment(row.environment),
        currency=row.currency,
        book=book_from_json(row.trip_state["book"]),
        flat=book_from_json(row.trip_state["flat"]),
        leverage=row.leverage or ONE,
        id=row.id,
        last_price=row.current_price,
    )


async def insert_books(unit: Unit, rows: Sequence[BookRow]) -> None:
    """Write books that are new, and give their objects the numbers of their rows."""
    for is_account in (True, False):
        mine = [row for row in rows if (row.owner == ACCOUNT) == is_account]
        table = positions if is_account else strategy_positions
        numbers = await unit.insert_numbered(table, [_identity(row) | _state(row) for row in mine])
        for row, number in zip(mine, numbers, strict=True):
            row.id = number


async def update_books(unit: Unit, rows: Sequence[BookRow]) -> None:
    for is_account in (True, False):
        mine = [row for row in rows if (row.owner == ACCOUNT) == is_account]
        table = positions if is_account else strategy_positions
        await unit.update_many(table, [{"row_id": row.id, **_state(row)} for row in mine])


def _identity(row: BookRow) -> dict[str, Any]:
    identity: dict[str, Any] = {
        "account_id": row.key.account_id,
        "symbol": row.key.symbol,
        "position_side": row.key.position_side,
        "user_id": row.user_id,
        "environment": row.environment,
        "currency": row.currency,
    }
    if row.owner != ACCOUNT:
        identity |= {
            "owner_key": row.owner.key,
            "strategy_account_id": row.owner.strategy_account_id,
            "strategy_id": row.owner.strategy_id,
            "bot_instance_id": row.owner.bot_instance_id,
        }
    return identity


def _state(row: BookRow) -> dict[str, Any]:
    book = row.book
    key: CanonicalKey | None = book.last_key
    last_fill_id = None if key is None else (str(key[2]) if key[1] == 0 else key[3])
    state: dict[str, Any] = {
        "quantity": book.quantity,
        "cost": book.cost,
        "capital_used": ZERO if row.owner == ACCOUNT else book.capital_used,
        "realized_pnl": book.realized_pnl,
        "fees": book.fees,
        "dust_quantity": book.dust_quantity,
        "dust_cost": book.dust_cost,
        "last_fill_at": None if key is None else key[0],
        "last_fill_id": last_fill_id,
        "last_order_id_text": None if key is None else key[4],
        "trip_state": {"book": book_to_json(book), "flat": book_to_json(row.flat)},
        "is_open": not book.is_flat,
        "opened_at": book.trip.opened_at if book.trip else None,
        "closed_at": key[0] if book.is_flat and key is not None else None,
        "leverage": None if row.owner == ACCOUNT else row.leverage,
        "current_price": row.last_price,
        "unrealized_pnl": ZERO if row.last_price is None else unrealized_pnl(book, row.last_price),
    }
    direction = book.direction
    if row.owner == ACCOUNT:
        state |= {"side": None if direction is None else direction.value, "avg_entry": book.average_price}
        del state["leverage"]
    else:
        state |= {
            "direction": None if direction is None else direction.value.upper(),
            "entry_price": book.average_price,
        }
    return state


async def parts_after(unit: Unit, row: BookRow, after: CanonicalKey | None) -> tuple[FillPart, ...]:
    """What a book has folded since a point, in canonical order; everything when `after` is None."""
    select = _account_parts(row) if row.owner == ACCOUNT else _owner_parts(row)
    if after is not None:
        select = select.where(fills.c.exchange_at >= after[0])
    parts: dict[int, FillPart] = {}
    for found in await unit.all(select):
        fill = to_fill(found)
        if after is not None and key_of(fill) <= after:
            continue
        if row.owner == ACCOUNT:
            parts[fill.id] = whole_fill(fill, ONE, ExitReason.MANUAL, TradeSource.MANUAL)
            continue
        known = parts.get(fill.id)
        parts[fill.id] = FillPart(
            fill=fill,
            quantity=found.part_quantity + (known.quantity if known else ZERO),
            cost=found.part_cost + (known.cost if known else ZERO),
            fee=found.part_fee + (known.fee if known else ZERO),
            fee_quote=found.part_fee_quote + (known.fee_quote if known else ZERO),
            leverage=found.part_leverage,
            exit_reason=ExitReason(found.part_exit_reason),
            trade_source=TradeSource(found.part_trade_source),
        )
    return tuple(sorted(parts.values(), key=lambda part: key_of(part.fill)))


def _account_parts(row: BookRow) -> sa.Select[Any]:
    return sa.select(fills).where(
        fills.c.account_id == row.key.account_id,
        fills.c.symbol == row.key.symbol,
        fills.c.position_side == row.key.position_side,
        fills.c.superseded_by_id.is_(None),
    )


def _owner_parts(row: BookRow) -> sa.Select[Any]:
    part = fill_allocations.c
    return (
        sa.select(
            fills,
            part.quantity.label("part_quantity"),
            part.cost.label("part_cost"),
            part.fee.label("part_fee"),
            part.fee_quote.label("part_fee_quote"),
            part.leverage.label("part_leverage"),
            part.exit_reason.label("part_exit_reason"),
            part.trade_source.label("part_trade_source"),
        )
        .join_from(
            fill_allocations,
            fills,
            sa.and_(part.fill_id == fills.c.id, part.exchange_at == fills.c.exchange_at),
        )
        .where(
            part.account_id == row.key.account_id,
            part.symbol == row.key.symbol,
            part.owner_key == row.key.owner_key,
            part.position_side == row.key.position_side,
            fills.c.superseded_by_id.is_(None),
        )
    )


async def open_books(unit: Unit, account_ids: Iterable[int]) -> list[BookRow]:
    """Every open book of these accounts."""
    ids = sorted(set(account_ids))
    found: list[BookRow] = []
    for select in _OPEN:
        for start in range(0, len(ids), _ACCOUNTS_AT_ONCE):
            rows = await unit.all(select, {"accounts": ids[start : start + _ACCOUNTS_AT_ONCE]})
            found += [to_book_row(row) for row in rows]
    return found


async def owned_book(unit: Unit, scope: Scope, position_id: int) -> BookRow | None:
    select = sa.select(strategy_positions).where(strategy_positions.c.id == position_id)
    row = await unit.one_or_none(owned(select, strategy_positions, scope))
    return None if row is None else to_book_row(row)


async def mark_books(unit: Unit, rows: Iterable[tuple[BookRow, Decimal]]) -> None:
    """Value open books at a price. Nothing else of them changes, so a fill booked meanwhile loses nothing."""
    marked = list(rows)
    for table, is_account in ((positions, True), (strategy_positions, False)):
        await unit.update_many(
            table,
            [
                {"row_id": row.id, "current_price": price, "unrealized_pnl": unrealized_pnl(row.book, price)}
                for row, price in marked
                if (row.owner == ACCOUNT) == is_account
            ],
        )
