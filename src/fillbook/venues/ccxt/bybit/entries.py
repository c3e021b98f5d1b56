"""Amounts that came or went without a fill, from the unified account's transaction log: funding, transfers, gifts.

Read by type, so that the trades of busy accounts (which fills already tell) need no reading. A deposit arrives as a
transfer into the account.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fillbook.accounts.core import LedgerEntryKind, LedgerEntryReport
from fillbook.market.core import MarketType
from fillbook.venues.ccxt.bybit import endpoints as at
from fillbook.venues.ccxt.bybit.link import FAILURES, BybitLink
from fillbook.venues.ccxt.bybit.lookups import WINDOW
from fillbook.venues.ccxt.bybit.words import MARKET_TYPES
from fillbook.venues.ccxt.values import UNREADABLE, amount, moment
from fillbook.venues.ccxt.windows import windows_since

PAGE = 50
_KINDS = {
    "SETTLEMENT": LedgerEntryKind.FUNDING,
    "TRANSFER_IN": LedgerEntryKind.TRANSFER,
    "TRANSFER_OUT": LedgerEntryKind.TRANSFER,
    "INTEREST": LedgerEntryKind.ADJUSTMENT,
    "BONUS": LedgerEntryKind.ADJUSTMENT,
    "BONUS_RECOLLECT": LedgerEntryKind.ADJUSTMENT,
    "FEE_REFUND": LedgerEntryKind.ADJUSTMENT,
    "AIRDROP": LedgerEntryKind.ADJUSTMENT,
}


async def read_entries(link: BybitLink, since: datetime) -> Sequence[LedgerEntryReport]:
    """All entries since a time, oldest first. Raises `ReadFailed`."""
    entries: dict[str, LedgerEntryReport] = {}
    for start_ms, end_ms in windows_since(since, link.site.clock.now(), WINDOW):
        window = {"accountType": "UNIFIED", "startTime": start_ms, "endTime": end_ms, "limit": PAGE}
        for word, kind in _KINDS.items():
            for row in await link.pages(at.TRANSACTIONS, window | {"type": word}):
                entry = await _entry(link, row, kind)
                entries[entry.venue_id] = entry
    return sorted(entries.values(), key=lambda entry: (entry.at, entry.venue_id))


async def _entry(link: BybitLink, row: Mapping[str, Any], kind: LedgerEntryKind) -> LedgerEntryReport:
    """`change` is what the balance became more by, whatever its parts are called."""
    try:
        symbol = None
        if row.get("symbol"):
            market_type = MARKET_TYPES.get(row.get("category") or "linear", MarketType.FUTURES)
            symbol = await link.symbol(row["symbol"], market_type)
        return LedgerEntryReport(
            kind=kind,
            asset=row["currency"],
            amount=amount(row["change"]),
            venue_id=str(row["id"]),
            at=moment(row["transactionTime"]),
            symbol=symbol,
        )
    except UNREADABLE as error:
        raise FAILURES.unreadable(error, "the transaction log") from None
