from datetime import timedelta
from decimal import Decimal

import pytest

from fillbook.accounts.core import Environment, LedgerEntryKind, MarginMode, PositionMode
from fillbook.kernel.clock import to_ms
from fillbook.market.core import MarketType
from fillbook.market.errors import CredentialsRefused, ReadFailed, SettingRefused
from fillbook.venues.ccxt.bybit.entries import read_entries
from fillbook.venues.ccxt.bybit.wallet import Wallet
from fillbook.venues.ccxt.library import errors
from support.bybit import failed

PERP = "BTC/USDT:USDT"


def position(number, leverage="10", **changes):
    row = {"symbol": "BTCUSDT", "positionIdx": number, "leverage": leverage, "side": "", "size": "0"}
    return row | {"avgPrice": "0", "updatedTime": "1700000000000"} | changes


@pytest.fixture
def wallet(link):
    subject = Wallet(link)
    subject._environment = Environment.LIVE
    link.answers["account/info"] = {"marginMode": "REGULAR_MARGIN"}
    link.answers["position/list"] = {"list": [position(0)]}
    return subject


async def test_modes_are_of_the_symbol_its_legs_and_the_account(wallet, link):
    modes = await wallet.symbol_modes(PERP)
    assert (modes.leverage, modes.margin_mode, modes.position_mode) == (
        10,
        MarginMode.CROSS,
        PositionMode.ONE_WAY,
    )
    link.answers["position/list"] = {"list": [position(1), position(2)]}
    link.answers["account/info"] = {"marginMode": "ISOLATED_MARGIN"}
    modes = await wallet.symbol_modes(PERP)
    assert (modes.margin_mode, modes.position_mode) == (MarginMode.ISOLATED, PositionMode.HEDGE)
    link.answers["position/list"] = {"list": [position(1, "10"), position(2, "20")]}
    assert (await wallet.symbol_modes(PERP)).leverage is None


async def test_a_setting_that_is_so_already_is_read_back_and_one_that_is_not_taken_is_an_error(wallet, link):
    link.answers["position/set-leverage"] = failed("110043", errors.BadRequest)
    await wallet.set_leverage(PERP, Decimal(10))
    with pytest.raises(SettingRefused, match="shows 10"):
        await wallet.set_leverage(PERP, Decimal(20))
    link.answers["position/switch-mode"] = failed("110025", errors.NoChange)
    await wallet.set_position_mode(PositionMode.ONE_WAY)
    with pytest.raises(SettingRefused, match="shows one_way"):
        await wallet.set_position_mode(PositionMode.HEDGE)
    with pytest.raises(SettingRefused, match="shows cross"):
        await wallet.set_margin_mode(PERP, MarginMode.ISOLATED)


async def test_a_refused_setting_has_the_venues_reason_and_a_refused_key_says_so(wallet, link):
    link.answers["position/switch-mode"] = failed("110024")
    with pytest.raises(SettingRefused, match="110024"):
        await wallet.set_position_mode(PositionMode.HEDGE)
    link.answers["position/switch-mode"] = failed("10003", errors.AuthenticationError)
    with pytest.raises(CredentialsRefused):
        await wallet.set_position_mode(PositionMode.HEDGE)


async def test_a_banned_address_is_no_refused_key(wallet, link):
    link.answers["account/wallet-balance"] = failed("10009", errors.AuthenticationError)
    with pytest.raises(ReadFailed) as refused:
        await wallet.balances(MarketType.SPOT)
    assert not isinstance(refused.value, CredentialsRefused)


async def test_a_symbol_without_any_leg_is_no_answer(wallet, link):
    link.answers["position/list"] = {"list": []}
    with pytest.raises(ReadFailed):
        await wallet.position_mode()


PERMISSIONS = {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}


@pytest.mark.parametrize(
    ("changes", "granted", "can"),
    [
        ({}, {}, (True, True, False, False)),
        ({"readOnly": 1}, {}, (False, False, False, False)),
        ({}, {"Spot": []}, (False, True, False, False)),
        ({}, {"ContractTrade": []}, (True, False, False, False)),
        ({"ips": ["1.2.3.4"]}, {"Wallet": ["Withdraw"]}, (True, True, True, True)),
    ],
)
async def test_what_a_key_may_do(wallet, link, changes, granted, can):
    answer = {"readOnly": 0, "ips": ["*"], "permissions": PERMISSIONS | granted} | changes
    link.answers["user/query-api"] = answer
    found = await wallet.key_permissions()
    told = (found.can_trade_spot, found.can_trade_futures, found.can_withdraw, found.ip_restricted)
    assert told == can
    assert found.can_read


@pytest.mark.parametrize(
    "answer", [{}, {"permissions": None}, {"readOnly": "x", "ips": [], "permissions": {}}]
)
async def test_permissions_that_cannot_be_read_are_no_permissions(wallet, link, answer):
    link.answers["user/query-api"] = answer
    with pytest.raises(ReadFailed):
        await wallet.key_permissions()


def entry(number, kind, change, at_ms, **more):
    row = {"id": str(number), "type": kind, "change": change, "currency": "USDT", "category": ""}
    return row | {"symbol": "", "transactionTime": str(at_ms)} | more


async def test_funding_transfers_and_gifts_are_entries_by_what_the_balance_changed_by(link, clock):
    now_ms = to_ms(clock.now())
    rows = [
        entry(1, "SETTLEMENT", "-0.5", now_ms - 3, symbol="BTCUSDT", category="linear", funding="-0.5"),
        entry(2, "TRANSFER_IN", "100", now_ms - 2),
        entry(3, "TRANSFER_OUT", "-40", now_ms - 1),
        entry(4, "BONUS", "5", now_ms),
        entry(5, "TRADE", "-1", now_ms),
    ]
    link.answers["account/transaction-log"] = lambda params: {
        "list": [row for row in rows if row["type"] == params["type"]]
    }
    found = await read_entries(link, clock.now() - timedelta(days=1))
    assert [(each.kind, each.amount, each.symbol) for each in found] == [
        (LedgerEntryKind.FUNDING, Decimal("-0.5"), PERP),
        (LedgerEntryKind.TRANSFER, 100, None),
        (LedgerEntryKind.TRANSFER, -40, None),
        (LedgerEntryKind.ADJUSTMENT, 5, None),
    ]


async def test_the_log_is_read_in_weeks_and_page_by_page(link, clock):
    now_ms = to_ms(clock.now())
    row = entry(1, "SETTLEMENT", "1", now_ms, symbol="BTCUSDT", category="linear")

    def answer(params):
        assert params["endTime"] - params["startTime"] < 7 * 86_400_000
        if params["type"] != "SETTLEMENT" or params["endTime"] < now_ms:
            return {"list": []}
        cursor = int(params.get("cursor") or 0)
        return {"list": [row | {"id": str(cursor)}], "nextPageCursor": str(cursor + 1) if cursor < 2 else ""}

    link.answers["account/transaction-log"] = answer
    found = await read_entries(link, clock.now() - timedelta(days=20))
    assert [each.venue_id for each in found] == ["0", "1", "2"]


async def test_a_row_that_cannot_be_read_fails_the_whole_reading(link, clock):
    link.answers["account/transaction-log"] = {"list": [{"id": "1"}]}
    with pytest.raises(ReadFailed, match="transaction log"):
        await read_entries(link, clock.now())
