"""Balances, positions, modes, permissions and money moved, as Bitget tells them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fillbook.accounts.core import Environment, LedgerEntryKind, MarginMode, PositionMode
from fillbook.kernel.clock import to_ms
from fillbook.market.core import MarketType
from fillbook.market.errors import CredentialsRefused, ReadFailed, SettingRefused
from fillbook.venues.ccxt.library import errors
from support.bitget import DAY_MS, failed, paged, position_told

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
ACCOUNT_ROW = {
    "marginMode": "crossed", "posMode": "one_way_mode", "crossedMarginLeverage": 10,
    "isolatedLongLever": 20, "isolatedShortLever": 20,
}  # fmt: skip


@pytest.fixture
def account(link):
    """The futures account of a symbol, which settings change."""
    row = dict(ACCOUNT_ROW)
    link.answers["mix/account/account"] = row
    return row


async def test_modes_are_read_and_spot_has_none(venue, account):
    modes = await venue.symbol_modes(PERP)
    assert (modes.leverage, modes.margin_mode) == (10, MarginMode.CROSS)
    assert modes.position_mode is PositionMode.ONE_WAY
    account |= {"marginMode": "isolated", "posMode": "hedge_mode", "isolatedShortLever": 5}
    modes = await venue.symbol_modes(PERP)
    assert (modes.leverage, modes.margin_mode) == (None, MarginMode.ISOLATED)
    assert (await venue.symbol_modes(SPOT)).position_mode is None


async def test_a_setting_that_was_not_taken_is_an_error_whatever_the_answer_was(venue, link, account):
    for path in ("set-leverage", "set-margin-mode", "set-position-mode"):
        link.answers[f"mix/account/{path}"] = {}
    await venue.set_leverage(PERP, Decimal(10))
    with pytest.raises(SettingRefused):
        await venue.set_leverage(PERP, Decimal(11))
    with pytest.raises(SettingRefused):
        await venue.set_margin_mode(PERP, MarginMode.ISOLATED)
    with pytest.raises(SettingRefused):
        await venue.set_position_mode(PositionMode.HEDGE)


@pytest.mark.parametrize("code", ["40814", "45054"])
async def test_a_setting_that_is_so_already_is_done(venue, link, account, code):
    link.answers["mix/account/set-margin-mode"] = failed(code)
    await venue.set_margin_mode(PERP, MarginMode.CROSS)


async def test_a_refused_setting_is_an_error(venue, link, account):
    link.answers["mix/account/set-leverage"] = failed("40797")
    with pytest.raises(SettingRefused):
        await venue.set_leverage(PERP, Decimal(500))


@pytest.mark.parametrize(
    ("mode", "margin", "legs"),
    [
        ("one_way_mode", "isolated", [None]),
        ("hedge_mode", "crossed", [None]),
        ("hedge_mode", "isolated", ["long", "short"]),
    ],
)
async def test_only_isolated_legs_have_a_leverage_of_their_own(venue, link, account, mode, margin, legs):
    account |= {"posMode": mode, "marginMode": margin, "crossedMarginLeverage": 20}
    await venue.set_leverage(PERP, Decimal(20))
    assert [sent.get("holdSide") for sent in link.asked_for("mix/account/set-leverage")] == legs


async def test_the_margin_mode_that_was_set_is_the_one_that_orders_name(venue, link, account):
    link.answers["mix/account/set-margin-mode"] = lambda params: account.update(marginMode="isolated")
    await venue.set_margin_mode(PERP, MarginMode.ISOLATED)
    assert link.margin_modes[PERP] is MarginMode.ISOLATED


@pytest.mark.parametrize("row", [{}, {"marginMode": "crossed"}, ACCOUNT_ROW | {"posMode": "dual"}, None])
async def test_a_mode_that_is_not_stated_is_never_guessed(venue, link, row):
    link.answers["mix/account/account"] = row
    with pytest.raises(ReadFailed):
        await venue.position_mode()


async def test_positions_are_the_open_ones(venue, link):
    rows = [position_told(symbol="BTCUSDT"), position_told(symbol="ETHUSDT", total="0")]
    link.answers["mix/position/all-position"] = rows
    (position,) = await venue.positions()
    assert (position.symbol, position.quantity) == (PERP, 2)


@pytest.mark.parametrize("rows", [[{"coin": "BTC"}], "text", [7]])
async def test_balances_that_cannot_be_read_are_a_failed_read(venue, link, rows):
    link.answers["spot/account/assets"] = link.answers["mix/account/accounts"] = rows
    for market_type in MarketType:
        with pytest.raises(ReadFailed):
            await venue.balances(market_type)


@pytest.mark.parametrize(
    ("rights", "spot", "futures", "withdraw"),
    [
        (["stor", "coor"], False, False, False),
        (["stow"], True, False, False),
        (["coow"], False, True, False),
        (["trade", "wwow"], True, True, True),
    ],
)
async def test_what_a_key_may_do(venue, link, rights, spot, futures, withdraw):
    venue._environment = Environment.LIVE
    link.answers["spot/account/info"] = {"authorities": rights, "ips": "1.2.3.4"}
    can = await venue.key_permissions()
    assert (can.can_trade_spot, can.can_trade_futures, can.can_withdraw) == (spot, futures, withdraw)
    assert can.ip_restricted is True


async def test_a_demo_key_may_do_what_it_is_seen_to_do(venue, link):
    venue._environment = Environment.DEMO
    link.answers["spot/account/assets"] = failed("40014", errors.PermissionDenied)
    can = await venue.key_permissions()
    assert (can.can_trade_spot, can.can_trade_futures, can.can_withdraw) == (False, True, None)
    link.answers["mix/account/accounts"] = failed("40014", errors.PermissionDenied)
    with pytest.raises(CredentialsRefused):
        await venue.key_permissions()


def bill(number, at_ms, **changes):
    row = {"billId": str(number), "coin": "USDT", "cTime": str(at_ms)}
    return row | changes


@pytest.fixture
def bills(link, clock):
    """Bills by kind, under Bitget's rules."""
    held = {}

    def answer(params):
        rows = held.get(params.get("businessType") or params.get("groupType"), [])
        found = paged(rows, "billId", params, 90)
        if isinstance(found, Exception) or "groupType" in params:
            return found
        return {"bills": found}

    link.answers["mix/account/bill"] = link.answers["spot/account/bills"] = answer
    return held


async def test_money_moved_is_signed_as_it_came_or_went(venue, bills, clock):
    now_ms = to_ms(clock.now()) - 1000
    bills |= {
        "contract_settle_fee": [
            bill(1, now_ms, amount="-0.05", symbol="BTCUSDT"),
            bill(2, now_ms, amount="0.07", symbol="BTCUSDT"),
        ],
        "trans_from_exchange": [bill(3, now_ms, amount="100", symbol="")],
        "trans_to_exchange": [bill(4, now_ms, amount="-30")],
        "transfer": [bill(5, now_ms, size="-100", fees="0")],
        "deposit": [bill(6, now_ms, size="500", fees="0", coin="usdt")],
        "withdraw": [bill(7, now_ms, size="20", fees="-1"), bill(8, now_ms, size="-20", fees="1")],
    }
    entries = await venue.ledger_entries_since(clock.now() - timedelta(days=1))
    found = {entry.venue_id: (entry.kind, entry.amount, entry.symbol) for entry in entries}
    assert found == {
        "futures:1": (LedgerEntryKind.FUNDING, Decimal("-0.05"), PERP),
        "futures:2": (LedgerEntryKind.FUNDING, Decimal("0.07"), PERP),
        "futures:3": (LedgerEntryKind.TRANSFER, 100, None),
        "futures:4": (LedgerEntryKind.TRANSFER, -30, None),
        "spot:5": (LedgerEntryKind.TRANSFER, -100, None),
        "spot:6": (LedgerEntryKind.DEPOSIT, 500, None),
        "spot:7": (LedgerEntryKind.WITHDRAWAL, -21, None),
        "spot:8": (LedgerEntryKind.WITHDRAWAL, -21, None),
    }
    assert {entry.asset for entry in entries} == {"USDT"}


async def test_entries_of_more_than_a_window_and_a_page_are_all_read(venue, bills, clock):
    now_ms = to_ms(clock.now())
    times = [now_ms - age * DAY_MS // 2 for age in range(450, 0, -1)]
    bills["contract_settle_fee"] = [bill(n, at, amount="1") for n, at in enumerate(times, 1)]
    entries = await venue.ledger_entries_since(clock.now() - timedelta(days=226))
    assert len(entries) == 450
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)


async def test_demo_has_no_spot_wallet_to_ask_for(venue, bills, link, clock):
    venue._environment = Environment.DEMO
    await venue.ledger_entries_since(clock.now() - timedelta(days=1))
    assert link.asked_for("spot/account/bills") == []


async def test_bills_that_cannot_be_read_are_a_failed_read(venue, bills, clock):
    bills["transfer"] = [bill(1, to_ms(clock.now()) - 1, size="much")]
    with pytest.raises(ReadFailed):
        await venue.ledger_entries_since(clock.now() - timedelta(days=1))
