"""Amounts that came or went without a fill: funding, transfers, deposits, withdrawals.

Futures income is read by type, so that the commission and profit rows of busy accounts (which fills already
tell) need no reading. The demo venue has no wallet pages: nothing is deposited there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Environment, LedgerEntryKind, LedgerEntryReport
from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import exact
from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.link import UNREADABLE, Link, unreadable
from fillbook.venues.ccxt.binance.reports import moment
from fillbook.venues.ccxt.binance.words import amount

PAGE = 1000
_MOST_PAGES = 50
_INCOME_KINDS = {
    "FUNDING_FEE": LedgerEntryKind.FUNDING,
    "TRANSFER": LedgerEntryKind.TRANSFER,
    "INSURANCE_CLEAR": LedgerEntryKind.ADJUSTMENT,
}
_INCOME_WINDOW = timedelta(days=7)
_TRANSFER_SIGNS = {"MAIN_UMFUTURE": -1, "UMFUTURE_MAIN": 1}
_DEPOSITED, _WITHDRAWN = "1", "6"


async def read_entries(link: Link, environment: Environment, since: datetime) -> Sequence[LedgerEntryReport]:
    """All entries of the account's market types since a time, oldest first. Raises `ReadFailed`."""
    entries: dict[tuple[str, str], LedgerEntryReport] = {}
    if MarketType.FUTURES in link.market_types:
        for entry in await _income(link, since):
            entries[(entry.venue_id, entry.asset)] = entry
    if MarketType.SPOT in link.market_types and environment is not Environment.DEMO:
        for entry in await _spot_entries(link, since):
            entries[(entry.venue_id, entry.asset)] = entry
    return sorted(entries.values(), key=lambda entry: (entry.at, entry.venue_id))


async def _income(link: Link, since: datetime) -> list[LedgerEntryReport]:
    entries = []
    for word, kind in _INCOME_KINDS.items():
        start = since
        while True:
            end = start + _INCOME_WINDOW
            for row in await _income_rows(link, word, start, end):
                entries.append(await _income_entry(link, row, kind))
            if end > link.site.clock.now():
                break
            start = end
    return entries


async def _income_rows(link: Link, word: str, start: datetime, end: datetime) -> list[Mapping[str, Any]]:
    """Every row of one window, by the venue's page numbers: rows may share a millisecond."""
    rows: list[Mapping[str, Any]] = []
    for page in range(1, _MOST_PAGES + 1):
        params = {
            "incomeType": word,
            "startTime": int(start.timestamp() * 1000),
            "endTime": int(end.timestamp() * 1000),
            "limit": PAGE,
            "page": page,
        }
        found = await link.read(at.FUTURES_INCOME, params)
        rows.extend(found)
        if len(found) < PAGE:
            return rows
    raise ReadFailed("There is too much income to read at once: ask for a later time.")


async def _income_entry(link: Link, row: Mapping[str, Any], kind: LedgerEntryKind) -> LedgerEntryReport:
    try:
        venue_symbol = row.get("symbol")
        return LedgerEntryReport(
            kind=kind,
            asset=row["asset"],
            amount=amount(row["income"]),
            venue_id=f"{row['incomeType']}:{row['tranId']}",
            at=moment(row["time"]),
            symbol=await link.symbol(venue_symbol, MarketType.FUTURES) if venue_symbol else None,
        )
    except UNREADABLE as error:
        raise unreadable(error, "income") from None


async def _spot_entries(link: Link, since: datetime) -> list[LedgerEntryReport]:
    start = {"startTime": int(since.timestamp() * 1000), "limit": PAGE}
    deposits = await link.read(at.DEPOSITS, {**start, "status": _DEPOSITED})
    withdrawals = await link.read(at.WITHDRAWALS, {**start, "status": _WITHDRAWN})
    entries = []
    try:
        entries += [
            LedgerEntryReport(
                LedgerEntryKind.DEPOSIT,
                row["coin"],
                amount(row["amount"]),
                f"deposit:{row['id']}",
                moment(row["insertTime"]),
            )
            for row in deposits
        ]
        entries += [
            LedgerEntryReport(
                LedgerEntryKind.WITHDRAWAL,
                row["coin"],
                _withdrawn(row),
                f"withdrawal:{row['id']}",
                datetime.fromisoformat(f"{row['applyTime']}+00:00"),
            )
            for row in withdrawals
        ]
        for word, sign in _TRANSFER_SIGNS.items():
            answer = await link.read(
                at.TRANSFERS, {"type": word, "startTime": start["startTime"], "size": 100}
            )
            entries += [
                LedgerEntryReport(
                    LedgerEntryKind.TRANSFER,
                    row["asset"],
                    amount(row["amount"]).copy_sign(Decimal(sign)),
                    f"transfer:{row['tranId']}",
                    from_ms(int(row["timestamp"])),
                )
                for row in answer.get("rows", ())
            ]
    except UNREADABLE as error:
        raise unreadable(error, "deposits and withdrawals") from None
    return entries


@exact
def _withdrawn(row: Mapping[str, Any]) -> Decimal:
    """What left the account: the amount that arrives and the fee."""
    return -(amount(row["amount"]) + amount(row.get("transactionFee")))
