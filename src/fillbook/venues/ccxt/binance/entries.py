"""Amounts that came or went without a fill: funding, transfers, deposits, withdrawals.

Futures income is read by type, so that the commission and profit rows of busy accounts (which fills already
tell) need no reading. The demo venue has no wallet pages: nothing is deposited there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Environment, LedgerEntryKind, LedgerEntryReport
from fillbook.kernel.money import exact
from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.link import FAILURES
from fillbook.venues.ccxt.link import Link
from fillbook.venues.ccxt.values import UNREADABLE, amount, floor_ms, moment

PAGE = 1000
_MOST_PAGES = 50
_INCOME_KINDS = {
    "FUNDING_FEE": LedgerEntryKind.FUNDING,
    "TRANSFER": LedgerEntryKind.TRANSFER,
    "INSURANCE_CLEAR": LedgerEntryKind.ADJUSTMENT,
}
_INCOME_WINDOW = timedelta(days=7)
_TRANSFER_PAGE = 100
_TRANSFER_SIGNS = {"MAIN_UMFUTURE": Decimal(-1), "UMFUTURE_MAIN": Decimal(1)}
_DEPOSITED, _WITHDRAWN = "1", "6"


async def read_entries(link: Link, environment: Environment, since: datetime) -> Sequence[LedgerEntryReport]:
    """All entries of the account's market types since a time, oldest first. Raises `ReadFailed`."""
    entries: dict[tuple[str, str], LedgerEntryReport] = {}
    if MarketType.FUTURES in link.market_types:
        for entry in await _income(link, since):
            entries[(entry.venue_id, entry.asset)] = entry
    if MarketType.SPOT in link.market_types and environment is not Environment.DEMO:
        found = await _spot_entries(link, since)
        if environment is Environment.LIVE:
            found += await _spot_transfers(link, since)
        for entry in found:
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
            "startTime": floor_ms(start),
            "endTime": floor_ms(end),
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
        raise FAILURES.unreadable(error, "income") from None


async def _spot_entries(link: Link, since: datetime) -> list[LedgerEntryReport]:
    start = {"startTime": floor_ms(since), "limit": PAGE}
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
    except UNREADABLE as error:
        raise FAILURES.unreadable(error, "deposits and withdrawals") from None
    return entries


async def _spot_transfers(link: Link, since: datetime) -> list[LedgerEntryReport]:
    """What went to the futures wallet and came from it."""
    entries = []
    for word, sign in _TRANSFER_SIGNS.items():
        for page in range(1, _MOST_PAGES + 1):
            params = {"type": word, "startTime": floor_ms(since), "size": _TRANSFER_PAGE, "current": page}
            answer = await link.read(at.TRANSFERS, params)
            try:
                rows = answer.get("rows") or ()
                entries += [
                    LedgerEntryReport(
                        LedgerEntryKind.TRANSFER,
                        row["asset"],
                        amount(row["amount"]).copy_sign(sign),
                        f"transfer:{row['tranId']}",
                        moment(row["timestamp"]),
                    )
                    for row in rows
                ]
            except UNREADABLE as error:
                raise FAILURES.unreadable(error, "transfers") from None
            if len(rows) < _TRANSFER_PAGE:
                break
        else:
            raise ReadFailed("There are too many transfers to read at once: ask for a later time.")
    return entries


@exact
def _withdrawn(row: Mapping[str, Any]) -> Decimal:
    """What left the account: the amount that arrives and the fee."""
    return -(amount(row["amount"]) + amount(row.get("transactionFee")))
