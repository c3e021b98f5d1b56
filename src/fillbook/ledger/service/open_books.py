"""What planning reads of the ledger."""

from collections.abc import Iterable
from decimal import Decimal

from fillbook.ledger.core.books import BookRow
from fillbook.ledger.store import books
from fillbook.storage.scope import Scope
from fillbook.storage.unit import Unit


async def books_of(unit: Unit, account_ids: Iterable[int]) -> list[BookRow]:
    """Every book of these accounts that is open, the accounts' own included."""
    return await books.open_books(unit, account_ids)


async def mark(unit: Unit, marks: Iterable[tuple[BookRow, Decimal]]) -> None:
    """Value open books at the prices given; quote per base unit."""
    await books.mark_books(unit, marks)


async def book_of(unit: Unit, scope: Scope, position_id: int) -> BookRow | None:
    """One owner's book, if it is the scope's own."""
    return await books.owned_book(unit, scope, position_id)
