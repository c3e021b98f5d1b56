"""Booking what comes and goes without a fill, so that a deposit is never taken for profit."""

from collections.abc import Sequence

from fillbook.accounts.core import Account, LedgerEntryReport
from fillbook.ledger.store import entries
from fillbook.storage.unit import Unit


async def book_entries(unit: Unit, account: Account, reports: Sequence[LedgerEntryReport]) -> None:
    """Book entries once, however often they are read."""
    await entries.insert_entries(unit, account, reports)
