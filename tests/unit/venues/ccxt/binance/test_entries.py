from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from fillbook.accounts.core import Environment, LedgerEntryKind
from fillbook.kernel.clock import to_ms
from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance import entries
from fillbook.venues.ccxt.binance.entries import read_entries

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AN_HOUR_AGO = NOW - timedelta(hours=1)


class Venue:
    """A link with scripted pages, and the parameters that each was asked with."""

    def __init__(self, pages, market_types=(MarketType.SPOT, MarketType.FUTURES)):
        self.site = SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW))
        self.market_types = market_types
        self.pages = pages
        self.asked = []

    async def symbol(self, venue_id, market_type):
        return f"{venue_id.removesuffix('USDT')}/USDT:USDT"

    async def read(self, endpoint, params):
        self.asked.append((endpoint, params))
        answer = self.pages.get(endpoint.path, [])
        return answer(params) if callable(answer) else answer


def funding(number, at_ms, amount="-0.05"):
    return {
        "symbol": "BTCUSDT", "incomeType": "FUNDING_FEE", "income": amount, "asset": "USDT", "time": at_ms,
        "tranId": number,
    }  # fmt: skip


def income_of(rows):
    def answer(params):
        found = [
            row
            for row in rows
            if row["incomeType"] == params["incomeType"]
            and params["startTime"] <= row["time"] <= params["endTime"]
        ]
        start = (params["page"] - 1) * params["limit"]
        return found[start : start + params["limit"]]

    return answer


async def test_deposits_come_withdrawals_go_with_their_fee():
    venue = Venue(
        {
            "capital/deposit/hisrec": [{"id": "d", "coin": "USDT", "amount": "10.5", "insertTime": to_ms(NOW)}],
            "capital/withdraw/history": [
                {
                    "id": "w", "coin": "BTC", "amount": "0.5", "transactionFee": "0.0004",
                    "applyTime": "2026-02-28 23:30:00",
                }
            ],
        },
        (MarketType.SPOT,),
    )  # fmt: skip
    withdrawal, deposit = await read_entries(venue, Environment.PAPER, AN_HOUR_AGO)
    assert (deposit.kind, deposit.asset, deposit.amount) == (LedgerEntryKind.DEPOSIT, "USDT", Decimal("10.5"))
    assert (withdrawal.kind, withdrawal.amount) == (LedgerEntryKind.WITHDRAWAL, Decimal("-0.5004"))
    assert withdrawal.at == NOW - timedelta(minutes=30)


async def test_transfers_between_the_wallets_are_signed_as_spot_sees_them():
    def rows(params):
        sign = {"MAIN_UMFUTURE": 1, "UMFUTURE_MAIN": 2}[params["type"]]
        return {"rows": [{"asset": "USDT", "amount": str(sign), "tranId": sign, "timestamp": to_ms(NOW)}]}

    venue = Venue({"asset/transfer": rows}, (MarketType.SPOT,))
    found = await read_entries(venue, Environment.LIVE, AN_HOUR_AGO)
    assert [entry.amount for entry in found] == [-1, 2]


async def test_funding_of_many_windows_and_of_one_millisecond_is_all_read(monkeypatch):
    monkeypatch.setattr(entries, "PAGE", 3)
    since = NOW - timedelta(days=30)
    together = [funding(number, to_ms(since) + 5) for number in range(8)]
    spread = [funding(100 + day, to_ms(since) + day * 86_400_000) for day in range(30)]
    venue = Venue({"income": income_of(together + spread)}, (MarketType.FUTURES,))
    found = await read_entries(venue, Environment.LIVE, since)
    assert len(found) == 38
    assert {entry.kind for entry in found} == {LedgerEntryKind.FUNDING}
    assert [entry.at for entry in found] == sorted(entry.at for entry in found)
    assert {(entry.symbol, entry.amount) for entry in found} == {("BTC/USDT:USDT", Decimal("-0.05"))}


async def test_a_demo_account_is_not_asked_for_wallet_pages_that_do_not_exist():
    venue = Venue({"income": []})
    assert await read_entries(venue, Environment.DEMO, AN_HOUR_AGO) == []
    assert {endpoint for endpoint, _ in venue.asked} == {at.FUTURES_INCOME}


async def test_a_row_that_cannot_be_read_fails_the_whole_reading():
    venue = Venue(
        {"income": income_of([funding(1, to_ms(NOW), amount="not a number")])}, (MarketType.FUTURES,)
    )
    with pytest.raises(ReadFailed):
        await read_entries(venue, Environment.LIVE, AN_HOUR_AGO)
