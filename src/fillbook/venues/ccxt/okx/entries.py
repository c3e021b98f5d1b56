"""Amounts that came to the wallet or left it without a fill: funding, transfers, interest, clawbacks.

Bills are read by type, so that those of trades, which fills already tell, need no reading. Deposits arrive in OKX's
funding account, which nothing trades from: to this wallet they are transfers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import LedgerEntryKind, LedgerEntryReport
from fillbook.kernel.clock import from_ms
from fillbook.venues.ccxt.okx import endpoints as at
from fillbook.venues.ccxt.okx.link import FAILURES, OkxLink
from fillbook.venues.ccxt.values import UNREADABLE, amount, floor_ms, moment

_FUNDING = "8"
_KINDS = {
    "1": LedgerEntryKind.TRANSFER,
    _FUNDING: LedgerEntryKind.FUNDING,
    "7": LedgerEntryKind.ADJUSTMENT,
    "10": LedgerEntryKind.ADJUSTMENT,
}
"""Transfers, funding, interest, clawbacks."""
RECENT_BILLS = timedelta(days=6)


async def read_entries(link: OkxLink, since: datetime) -> Sequence[LedgerEntryReport]:
    """All entries since a time, oldest first. Raises `ReadFailed`."""
    is_recent = link.site.clock.now() - since < RECENT_BILLS
    entries: dict[str, LedgerEntryReport] = {}
    for word, kind in _KINDS.items():
        params = {"type": word, "begin": str(floor_ms(since) - 1)}
        for row in await link.pages(at.BILLS if is_recent else at.OLD_BILLS, params, "billId"):
            try:
                entry = await _entry(link, row, kind)
            except UNREADABLE as error:
                raise FAILURES.unreadable(error, "bills") from None
            if entry.at >= from_ms(floor_ms(since)):
                entries[entry.venue_id] = entry
    return sorted(entries.values(), key=lambda entry: (entry.at, entry.venue_id))


async def _entry(link: OkxLink, row: Mapping[str, Any], kind: LedgerEntryKind) -> LedgerEntryReport:
    instrument = await link.instrument_of(row) if row.get("instId") else None
    return LedgerEntryReport(
        kind=kind,
        asset=row["ccy"],
        amount=_changed(row),
        venue_id=f"bill:{row['billId']}",
        at=moment(row["ts"]),
        symbol=None if instrument is None else instrument.symbol,
    )


def _changed(row: Mapping[str, Any]) -> Decimal:
    """What it changed. Funding of an isolated position changes the position's margin, not the balance: its
    profit-and-loss says how much [?]."""
    changed = amount(row["balChg"])
    return amount(row.get("pnl")) if row["type"] == _FUNDING and not changed else changed
