"""Amounts that came or went without a fill: funding, transfers, deposits, withdrawals.

Bills are read by kind, so that those of trades (which fills already tell) need no reading. The demo venue has
no pages of the spot wallet: nothing is deposited there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Environment, LedgerEntryKind, LedgerEntryReport
from fillbook.kernel.money import exact
from fillbook.market.core import MarketType
from fillbook.venues.ccxt.bitget import endpoints as at
from fillbook.venues.ccxt.bitget.link import FUTURES_PAGE, BitgetLink
from fillbook.venues.ccxt.bitget.pages import read_all
from fillbook.venues.ccxt.bitget.words import Raw, asset
from fillbook.venues.ccxt.values import UNREADABLE, amount, moment
from fillbook.venues.ccxt.windows import windows_since

_WINDOW = timedelta(days=90)
_FUTURES_KINDS = {
    "contract_settle_fee": LedgerEntryKind.FUNDING,
    "trans_from_exchange": LedgerEntryKind.TRANSFER,
    "trans_to_exchange": LedgerEntryKind.TRANSFER,
    "risk_captital_user_transfer": LedgerEntryKind.ADJUSTMENT,
}
_SPOT_KINDS = {
    "deposit": LedgerEntryKind.DEPOSIT,
    "withdraw": LedgerEntryKind.WITHDRAWAL,
    "transfer": LedgerEntryKind.TRANSFER,
}


async def read_entries(
    link: BitgetLink, environment: Environment, since: datetime
) -> Sequence[LedgerEntryReport]:
    """All entries of the account's market types since a time, oldest first. Raises `ReadFailed`."""
    entries: dict[str, LedgerEntryReport] = {}
    for start_ms, end_ms in windows_since(since, link.site.clock.now(), _WINDOW):
        window = {"startTime": str(start_ms), "endTime": str(end_ms)}
        if MarketType.FUTURES in link.market_types:
            for word, kind in _FUTURES_KINDS.items():
                params = {**FUTURES_PAGE, **window, "businessType": word}
                for row in await read_all(link, at.MIX_BILLS, params, "billId"):
                    entry = await _futures_entry(link, row, kind)
                    entries[entry.venue_id] = entry
        if MarketType.SPOT in link.market_types and environment is not Environment.DEMO:
            for word, kind in _SPOT_KINDS.items():
                for row in await read_all(link, at.SPOT_BILLS, {**window, "groupType": word}, "billId"):
                    entry = _spot_entry(link, row, kind)
                    entries[entry.venue_id] = entry
    return sorted(entries.values(), key=lambda entry: (entry.at, entry.venue_id))


async def _futures_entry(link: BitgetLink, row: Raw, kind: LedgerEntryKind) -> LedgerEntryReport:
    try:
        venue_symbol = row.get("symbol")
        return LedgerEntryReport(
            kind=kind,
            asset=asset(row["coin"]),
            amount=amount(row["amount"]),
            venue_id=f"futures:{row['billId']}",
            at=moment(row["cTime"]),
            symbol=await link.symbol(venue_symbol, MarketType.FUTURES) if venue_symbol else None,
        )
    except UNREADABLE as error:
        raise link.failures.unreadable(error, "bills") from None


def _spot_entry(link: BitgetLink, row: Raw, kind: LedgerEntryKind) -> LedgerEntryReport:
    try:
        return LedgerEntryReport(
            kind=kind,
            asset=asset(row["coin"].upper()),
            amount=_signed(row, kind),
            venue_id=f"spot:{row['billId']}",
            at=moment(row["cTime"]),
        )
    except UNREADABLE as error:
        raise link.failures.unreadable(error, "bills") from None


@exact
def _signed(row: Any, kind: LedgerEntryKind) -> Decimal:
    """Bitget signs transfers; whether it signs withdrawals its pages do not say: their kind does."""
    size, fee = amount(row["size"]), abs(amount(row.get("fees")))
    if kind is LedgerEntryKind.WITHDRAWAL:
        return -(abs(size) + fee)
    return abs(size) if kind is LedgerEntryKind.DEPOSIT else size
