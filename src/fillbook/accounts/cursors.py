"""How far the venue's history of each symbol has been read.

A cursor moves with the facts that it stands for, in their transaction, and never backwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fillbook.accounts import store
from fillbook.accounts.core import Account, SyncCursor
from fillbook.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class CursorMove:
    """The fills of a symbol are booked without a gap up to `last_sync_at`, and up to this id."""

    account: Account
    symbol: str
    last_trade_id: str | None
    last_sync_at: datetime
    kind: str = "fills"


async def begin(unit: Unit, starts: Iterable[tuple[Account, str]], at: datetime | None = None) -> None:
    """From now on (or from `at`) the fills of these symbols are followed; a symbol that is followed already stays
    as it is."""
    await store.begin_cursors(unit, starts, at or unit.now)


async def restart(
    unit: Unit,
    account: Account,
    symbol: str,
    complete_since: datetime,
    *,
    read_on_from: datetime | None = None,
) -> None:
    """The fills of a symbol are complete from this moment on, whatever its cursor said; they are read on from
    there, or from `read_on_from`."""
    cursor = SyncCursor(symbol, "fills", read_on_from or complete_since, None, complete_since)
    await store.save_cursors(unit, account, [cursor])


async def advance(unit: Unit, moves: Iterable[CursorMove]) -> None:
    """Move cursors on; of several moves of one symbol the furthest counts. The first move of a symbol also
    says from when on it is complete."""
    furthest: dict[tuple[int, str, str], CursorMove] = {}
    for move in moves:
        key = (move.account.id, move.symbol, move.kind)
        if key not in furthest or furthest[key].last_sync_at <= move.last_sync_at:
            furthest[key] = move
    if not furthest:
        return
    known = {
        (account_id, cursor.symbol, cursor.kind): cursor
        for account_id in sorted({key[0] for key in furthest})
        for cursor in await store.list_cursors(unit, account_id)
    }
    for key, move in furthest.items():
        before = known.get(key)
        if before is not None and before.last_sync_at > move.last_sync_at:
            continue
        since = before.complete_since if before is not None else move.last_sync_at
        trade_id = move.last_trade_id or (before.last_trade_id if before is not None else None)
        cursor = SyncCursor(move.symbol, move.kind, move.last_sync_at, trade_id, since)
        await store.save_cursors(unit, move.account, [cursor])


async def state(unit: Unit, account: Account, cursor: SyncCursor) -> None:
    """Say up to where a symbol was read, and from when on it is complete, whatever was known before."""
    await store.save_cursors(unit, account, [cursor])


async def of_account(unit: Unit, account_id: int, kind: str = "fills") -> list[SyncCursor]:
    return [cursor for cursor in await store.list_cursors(unit, account_id) if cursor.kind == kind]
