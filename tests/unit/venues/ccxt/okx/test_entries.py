"""Bills as ledger entries: by type, page by page, what came above zero and what went below."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fillbook.accounts.core import LedgerEntryKind
from fillbook.kernel.clock import to_ms
from fillbook.venues.ccxt.okx.entries import read_entries


def bill(number, kind, change, at_ms, **changes):
    row = {
        "billId": str(number), "type": kind, "ccy": "USDT", "balChg": change, "pnl": "0", "ts": str(at_ms),
        "instId": "", "instType": "",
    }  # fmt: skip
    return row | changes


SINCE = datetime(2026, 1, 1, 11, tzinfo=UTC)


async def test_funding_names_its_symbol_and_transfers_none(link):
    at = to_ms(SINCE + timedelta(minutes=1))
    swap = {"instId": "BTC-USDT-SWAP", "instType": "SWAP"}
    link.script = [
        [bill(1, "1", "100", at)],
        [bill(2, "8", "-6", at + 1, **swap)],
        [],
        [bill(3, "10", "-1", at + 2)],
    ]
    found = await read_entries(link, SINCE)
    assert [(one.kind, one.amount, one.symbol) for one in found] == [
        (LedgerEntryKind.TRANSFER, 100, None),
        (LedgerEntryKind.FUNDING, -6, "BTC/USDT:USDT"),
        (LedgerEntryKind.ADJUSTMENT, -1, None),
    ]
    assert len({one.venue_id for one in found}) == 3
    assert {path for path, _ in link.asked} == {"account/bills"}


async def test_funding_of_an_isolated_position_is_told_by_its_profit_and_loss(link):
    row = bill(2, "8", "0", to_ms(SINCE), pnl="-6", instId="BTC-USDT-SWAP", instType="SWAP")
    link.script = [[], [row], [], []]
    assert (await read_entries(link, SINCE))[0].amount == Decimal(-6)


async def test_pages_go_on_until_one_is_not_full(link, monkeypatch):
    monkeypatch.setattr("fillbook.venues.ccxt.okx.link.PAGE", 2)
    at = to_ms(SINCE)
    link.script = [[bill(4, "1", "1", at), bill(3, "1", "1", at)], [bill(2, "1", "1", at)], [], [], []]
    assert len(await read_entries(link, SINCE)) == 3
    assert [params.get("after") for _, params in link.asked] == [None, "3", None, None, None]


async def test_what_is_older_than_a_week_is_read_from_the_archive(link):
    link.script = [[], [], [], []]
    await read_entries(link, SINCE - timedelta(days=30))
    assert {path for path, _ in link.asked} == {"account/bills-archive"}


async def test_funding_of_a_contract_that_we_do_not_trade_has_no_symbol(link):
    row = bill(2, "8", "-0.001", to_ms(SINCE), ccy="BTC", instId="BTC-USD-SWAP", instType="SWAP")
    link.script = [[], [row], [], []]
    (entry,) = await read_entries(link, SINCE)
    assert (entry.asset, entry.symbol) == ("BTC", None)
