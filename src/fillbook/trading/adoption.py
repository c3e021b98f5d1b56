"""Takes in orders that venues show and the books do not have: many at once, in the caller's unit of work.

Whose they are is decided by `core.adoption` from their client ids. Nothing that a venue shows is ever ignored.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fillbook.accounts.core import Account
from fillbook.kernel.money import ZERO
from fillbook.ledger.service.open_books import books_of
from fillbook.orders.core.order import Order, Owner
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.store import rows
from fillbook.storage.unit import Unit
from fillbook.strategies.terms import links_of_codes
from fillbook.trading.core.adoption import Adoption, adopted_row, adoption_of, named_by_us


@dataclass(frozen=True, slots=True)
class UnknownOrder:
    """A report of an order that no row stands for. `is_name_taken`: another order has its client id."""

    account_id: int
    report: OrderReport
    is_name_taken: bool = False


async def adopt(
    unit: Unit,
    accounts: Mapping[int, Account],
    installations: Collection[str],
    unknown: Sequence[UnknownOrder],
) -> list[Order]:
    """Write a row for each of these orders (different ones), without their fills; in their order."""
    if not unknown:
        return []
    named = [named_by_us(one.report.client_order_id, installations) for one in unknown]
    codes = {(one.account_id, name.code) for one, name in zip(unknown, named, strict=True) if name}
    links = await links_of_codes(unit, codes)
    adoptions = [
        adoption_of(one.account_id, one.report.client_order_id, installations, links) for one in unknown
    ]
    held = await _held_by_links(unit, unknown, adoptions)
    written = [
        adopted_row(
            accounts[one.account_id],
            one.report,
            adoption,
            unit.now,
            held=_held(held, one, adoption),
            is_name_taken=one.is_name_taken,
        )
        for one, adoption in zip(unknown, adoptions, strict=True)
    ]
    numbers = await rows.insert_orders(unit, written)
    return [rows.written_order(row, number, unit.now) for row, number in zip(written, numbers, strict=True)]


_Held = dict[tuple[int, str, str, int | None], Decimal]


async def _held_by_links(unit: Unit, unknown: Sequence[UnknownOrder], adoptions: Sequence[Adoption]) -> _Held:
    """What links hold, for orders that may still be waiting to open or to close something."""
    waiting = {
        one.account_id
        for one, adoption in zip(unknown, adoptions, strict=True)
        if adoption.owner is Owner.OURS and one.report.status.is_live
    }
    if not waiting:
        return {}
    return {
        (
            row.key.account_id,
            row.key.symbol,
            row.key.position_side,
            row.owner.strategy_account_id,
        ): row.book.quantity
        for row in await books_of(unit, sorted(waiting))
        if row.owner.strategy_account_id is not None
    }


def _held(held: _Held, one: UnknownOrder, adoption: Adoption) -> Decimal:
    link = adoption.link.strategy_account_id if adoption.link else None
    return held.get((one.account_id, one.report.symbol, one.report.position_side, link), ZERO)
