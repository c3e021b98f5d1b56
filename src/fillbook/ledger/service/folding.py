"""Folding parts of fills into a book: onward when they come in order, anew from a flat point when one is late."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.books import ACCOUNT, BookKey, BookRow
from fillbook.ledger.core.fill import CanonicalKey, Fill
from fillbook.ledger.core.position import (
    EMPTY,
    Allocation,
    FillPart,
    FlatRule,
    Folded,
    PositionBook,
    RoundTrip,
    fold,
    key_of,
)
from fillbook.ledger.core.revision import Superseded
from fillbook.ledger.store import books, facts, trips
from fillbook.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class BookChange:
    """A book after folding. `replaces_after` is set when allocations and trips after that point are made anew;
    None means that `allocations` are added to those that exist. `gone` are fills that the book no longer has."""

    row: BookRow
    parts: tuple[FillPart, ...]
    allocations: tuple[Allocation, ...]
    trips: tuple[RoundTrip, ...]
    capital_used_change: Decimal
    is_refold: bool = False
    replaces_after: CanonicalKey | None = None
    gone: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class LeavingPart:
    """What a book had of a fill that counts no more; `quantity` in base units."""

    fill: Fill
    quantity: Decimal


async def take_out(unit: Unit, superseded: Sequence[Superseded]) -> dict[BookKey, list[LeavingPart]]:
    """Mark fills that count no more and forget to whom they were allocated; what each book loses by it."""
    leaving: dict[BookKey, list[LeavingPart]] = defaultdict(list)
    if not superseded:
        return leaving
    await facts.supersede(unit, superseded)
    gone = {one.fill.id: one.fill for one in superseded}
    for fill in gone.values():
        leaving[_book_key(fill, ACCOUNT.key)].append(LeavingPart(fill, fill.quantity))
    for fill_id, owner_key, quantity in await trips.allocated(unit, gone):
        leaving[_book_key(gone[fill_id], owner_key)].append(LeavingPart(gone[fill_id], quantity))
    await trips.forget_fills(unit, gone)
    return leaving


def _book_key(fill: Fill, owner_key: str) -> BookKey:
    return BookKey(fill.account_id, fill.symbol, fill.position_side, owner_key)


async def fold_into(
    unit: Unit, row: BookRow, parts: Sequence[FillPart], rule: FlatRule, leaving: Sequence[LeavingPart] = ()
) -> BookChange:
    """Fold new parts (of fills not yet in the book, in canonical order) into a book, without those that leave."""
    last = row.book.last_key
    begin = min(key_of(fill) for fill in (*(p.fill for p in parts[:1]), *(p.fill for p in leaving)))
    if last is None or begin > last:
        return _changed(row, parts, fold(parts, rule, row.book))
    start = row.flat
    if start.last_key is not None and begin <= start.last_key:
        start = EMPTY
    booked = await books.parts_after(unit, row, start.last_key)
    every = (*booked, *parts)
    change = _changed(row, every, fold(every, rule, start))
    gone = frozenset(part.fill.id for part in leaving)
    return replace(change, is_refold=True, replaces_after=start.last_key, gone=gone)


@exact
def _changed(row: BookRow, parts: Sequence[FillPart], folded: Folded) -> BookChange:
    # None is left where all that the book had of its fills has been taken back.
    last = max(parts, key=lambda part: key_of(part.fill), default=None)
    after = BookRow(
        key=row.key,
        owner=row.owner,
        user_id=row.user_id,
        environment=row.environment,
        currency=row.currency,
        book=folded.book,
        flat=_last_flat(row, folded),
        leverage=row.leverage if last is None else last.leverage,
        id=row.id,
        last_price=row.last_price if last is None else last.fill.price,
    )
    used = ZERO if row.owner == ACCOUNT else folded.book.capital_used - row.book.capital_used
    return BookChange(after, tuple(parts), folded.allocations, folded.trips, used)


def _last_flat(row: BookRow, folded: Folded) -> PositionBook:
    return folded.flat_points[-1].book if folded.flat_points else row.flat


async def save_changes(unit: Unit, changes: Sequence[BookChange]) -> None:
    """Write folded books, and the round trips and allocations that they are made of."""
    await books.update_books(unit, [change.row for change in changes])
    owned = [change for change in changes if change.row.owner != ACCOUNT]
    trade_ids = await _save_trips(unit, owned)
    for change in owned:
        if change.is_refold:
            await trips.forget_allocations(unit, change.row, change.parts)
    rows = [
        row
        for change in owned
        for row in trips.allocation_rows(change.row, change.parts, change.allocations, trade_ids)
    ]
    await trips.insert_allocations(unit, rows)


async def _save_trips(unit: Unit, owned: Sequence[BookChange]) -> dict[trips.OwnedTrip, int]:
    """The numbers of all trips that the allocations name, after writing those that are new or changed."""
    trade_ids: dict[trips.OwnedTrip, int] = {}
    for change in owned:
        if change.is_refold:
            owner_key = change.row.key.owner_key
            folded = {part.fill.id for part in change.parts} | change.gone
            stored = await trips.trips_after(unit, change.row, change.replaces_after)
            before = {key: number for key, number in stored.items() if key.fill_id in folded}
            kept = {trip.key for trip in change.trips}
            await trips.delete_trips(unit, [number for key, number in before.items() if key not in kept])
            trade_ids |= {(owner_key, key): number for key, number in before.items() if key in kept}
    touched = [(change.row, trip) for change in owned for trip in change.trips]
    unsure = [
        (row.key.owner_key, trip.key)
        for row, trip in touched
        if (row.key.owner_key, trip.key) not in trade_ids
    ]
    trade_ids |= await trips.stored_trips(unit, unsure)
    fresh = [(row, trip) for row, trip in touched if (row.key.owner_key, trip.key) not in trade_ids]
    changed = [
        (trade_ids[(row.key.owner_key, trip.key)], trip)
        for row, trip in touched
        if (row.key.owner_key, trip.key) in trade_ids
    ]
    numbers = await trips.insert_trips(unit, fresh)
    await trips.update_trips(unit, changed)
    trade_ids |= {
        (row.key.owner_key, trip.key): number for (row, trip), number in zip(fresh, numbers, strict=True)
    }
    return trade_ids
