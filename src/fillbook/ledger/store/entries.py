"""Rows of amounts that came or went without a fill: funding, deposits, withdrawals, transfers."""

from collections.abc import Sequence

from fillbook.accounts.core import Account, LedgerEntryReport
from fillbook.ledger.tables import ledger_entries
from fillbook.storage.unit import Unit


async def insert_entries(unit: Unit, account: Account, reports: Sequence[LedgerEntryReport]) -> None:
    """Write entries that are new; their venue's id makes each unique."""
    await unit.insert_if_new(
        ledger_entries,
        [
            {
                "account_id": account.id,
                "user_id": account.user_id,
                "environment": account.environment,
                "kind": report.kind,
                "asset": report.asset,
                "symbol": report.symbol,
                "amount": report.amount,
                "venue_id": report.venue_id,
                "at": report.at,
            }
            for report in reports
        ],
    )
