"""Accounts, their keys and what is kept of their venues, on each database."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from fillbook.accounts import balances, cursors, service, symbols
from fillbook.accounts.core import (
    Account,
    BalanceReport,
    Credentials,
    Environment,
    KeyPermissions,
    MarginMode,
    PositionMode,
    SymbolModes,
    TradingState,
)
from fillbook.accounts.errors import (
    CiphertextMoved,
    InvalidAccount,
    KeyAlreadyUsed,
    KeyCannotTrade,
    KeyMayWithdraw,
    KeysRequired,
    PaperTakesNoKeys,
    PassphraseRequired,
)
from fillbook.accounts.tables import accounts
from fillbook.accounts.vault import Vault
from fillbook.identity.core import User
from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import EVERYONE, Scope
from fillbook.market.core import MarketType, VenueName
from fillbook.storage.unit import Database
from fillbook.storage.versions import ChangedMeanwhile

Person = Callable[..., Awaitable[User]]
ALL = KeyPermissions(True, True, True, False, None)
AT = datetime(2026, 5, 6, 7, 8, 9, 10, tzinfo=UTC)


@dataclass
class Probe:
    permissions_of_key: KeyPermissions

    async def permissions(
        self, exchange: VenueName, environment: Environment, credentials: Credentials, egress: str | None
    ) -> KeyPermissions:
        return self.permissions_of_key


async def tested(name: str = "key", permissions: KeyPermissions = ALL) -> service.TestedKey:
    credentials = Credentials(name, f"{name}-secret", f"{name}-passphrase")
    return await service.check_key(Probe(permissions), VenueName.OKX, Environment.DEMO, credentials)


@pytest.fixture
def open_account(database: Database, vault: Vault, rng: random.Random) -> Callable[..., Awaitable[Account]]:
    async def make(user: User, key: str | None = None) -> Account:
        async with database.unit() as unit:
            return await service.create_account(
                unit,
                user.id,
                name="Main",
                exchange=VenueName.OKX,
                environment=Environment.DEMO if key else Environment.PAPER,
                key=await tested(key) if key else None,
                vault=vault,
                rng=rng,
            )

    return make


OpenAccount = Callable[..., Awaitable[Account]]


async def test_a_key_is_stored_sealed_and_opens_again(
    database: Database, person: Person, open_account: OpenAccount, vault: Vault
) -> None:
    account = await open_account(await person("ann"), "key")
    async with database.read() as unit:
        row = (await unit.all(sa.select(accounts)))[0]
        opened = await service.credentials_of(unit, account.id, vault)
    assert opened == Credentials("key", "key-secret", "key-passphrase")
    assert "key-secret" not in str(row)
    assert "key-passphrase" not in str(row)
    assert account.key_fingerprint == service.fingerprint("key")
    assert account.permissions == ALL
    assert account.market_types == (MarketType.SPOT, MarketType.FUTURES)


async def test_a_ciphertext_moved_to_another_account_is_refused(
    database: Database, person: Person, open_account: OpenAccount, vault: Vault
) -> None:
    ann = await person("ann")
    first, second = await open_account(ann, "one"), await open_account(ann, "two")
    async with database.unit() as unit:
        stolen = await unit.scalar(sa.select(accounts.c.encrypted_api_key).where(accounts.c.id == first.id))
        moving = sa.update(accounts).where(accounts.c.id == second.id)
        await unit.execute(moving.values(encrypted_api_key=stolen))
    async with database.read() as unit:
        with pytest.raises(CiphertextMoved):
            await service.credentials_of(unit, second.id, vault)


async def test_a_paper_account_gets_random_keys_of_its_own(
    database: Database, person: Person, open_account: OpenAccount, vault: Vault
) -> None:
    ann = await person("ann")
    one, other = await open_account(ann), await open_account(ann)
    async with database.read() as unit:
        keys = [await service.credentials_of(unit, account.id, vault) for account in (one, other)]
    assert keys[0].api_key != keys[1].api_key
    assert one.environment is Environment.PAPER


async def test_a_key_that_may_withdraw_is_refused() -> None:
    with pytest.raises(KeyMayWithdraw) as raised:
        await tested(permissions=replace(ALL, can_withdraw=True))
    assert raised.value.code == "key_may_withdraw"


async def test_what_no_account_can_use_is_refused() -> None:
    probe, nothing = Probe(ALL), Credentials("", "")
    with pytest.raises(KeyCannotTrade):
        await tested(permissions=KeyPermissions(True, False, False, False, None))
    with pytest.raises(KeysRequired):
        await service.check_key(probe, VenueName.BINANCE, Environment.LIVE, nothing)
    with pytest.raises(PassphraseRequired):
        await service.check_key(probe, VenueName.BITGET, Environment.LIVE, Credentials("a", "b"))
    with pytest.raises(PaperTakesNoKeys):
        await service.check_key(probe, VenueName.BINANCE, Environment.PAPER, Credentials("a", "b"))


async def test_one_key_is_no_two_accounts(person: Person, open_account: OpenAccount) -> None:
    await open_account(await person("ann"), "key")
    with pytest.raises(KeyAlreadyUsed):
        await open_account(await person("bea"), "key")


async def test_a_stranger_sees_and_changes_nothing(
    database: Database, person: Person, open_account: OpenAccount, vault: Vault
) -> None:
    account = await open_account(await person("ann"), "key")
    stranger = Scope.of((await person("eve")).id)
    async with database.unit() as unit:
        await balances.save(
            unit, account, [BalanceReport(MarketType.SPOT, "USDT", Decimal(1), Decimal(0), AT)]
        )
        assert await service.list_accounts(unit, stranger) == []
        attempts = (
            lambda: service.get_account(unit, stranger, account.id),
            lambda: balances.of_account(unit, stranger, account.id),
            lambda: service.update_account(unit, stranger, account.id, expected_version=1, name="Mine"),
            lambda: service.delete_account(unit, stranger, account.id, expected_version=1),
            lambda: service.set_trading_state(unit, stranger, account.id, TradingState.HALTED, "why"),
        )
        for attempt in attempts:
            with pytest.raises(NotFound):
                await attempt()
        assert await service.get_account(unit, EVERYONE, account.id) == account


async def test_a_change_names_the_version_that_it_was_made_from(
    database: Database, person: Person, open_account: OpenAccount
) -> None:
    account = await open_account(await person("ann"))
    mine = Scope.of(account.user_id)
    async with database.unit() as unit:
        changed = await service.update_account(
            unit, mine, account.id, expected_version=account.version, name="Renamed", is_active=False
        )
        with pytest.raises(ChangedMeanwhile):
            await service.update_account(
                unit, mine, account.id, expected_version=account.version, name="Late"
            )
    assert (changed.name, changed.is_active, changed.version) == ("Renamed", False, account.version + 1)


async def test_a_deleted_account_loses_its_key_and_is_seen_no_more(
    database: Database, person: Person, open_account: OpenAccount, vault: Vault
) -> None:
    account = await open_account(await person("ann"), "key")
    async with database.unit() as unit:
        await service.delete_account(unit, Scope.of(account.user_id), account.id, expected_version=None)
        with pytest.raises(NotFound):
            await service.credentials_of(unit, account.id, vault)
        row = (await unit.all(sa.select(accounts)))[0]
        assert await service.list_accounts(unit, EVERYONE) == []
    assert row.encrypted_api_key is row.encrypted_secret_key is row.encrypted_passphrase is None
    assert row.trading_state == TradingState.HALTED


async def test_an_account_that_may_not_trade_freely_says_why(
    database: Database, person: Person, open_account: OpenAccount
) -> None:
    account = await open_account(await person("ann"))
    async with database.unit() as unit:
        halted = await service.set_trading_state(
            unit, EVERYONE, account.id, TradingState.HALTED, "kill_switch"
        )
        with pytest.raises(InvalidAccount):
            await service.set_trading_state(unit, EVERYONE, account.id, TradingState.REDUCE_ONLY, None)
        open_again = await service.set_trading_state(unit, EVERYONE, account.id, TradingState.ACTIVE, "x")
    assert (halted.trading_state, halted.trading_state_reason) == (TradingState.HALTED, "kill_switch")
    assert open_again.trading_state_reason is None


async def test_a_key_that_learned_to_withdraw_halts_its_account(
    database: Database, person: Person, open_account: OpenAccount
) -> None:
    account = await open_account(await person("ann"), "key")
    async with database.unit() as unit:
        found = await service.set_permissions(unit, account.id, replace(ALL, can_withdraw=True))
    assert (found.trading_state, found.trading_state_reason) == (TradingState.HALTED, "key_may_withdraw")


async def test_rotation_moves_every_key_to_the_first_master_key(
    database: Database, person: Person, open_account: OpenAccount, master_key: str
) -> None:
    account = await open_account(await person("ann"), "key")
    fresh = Fernet.generate_key().decode()
    async with database.unit() as unit:
        assert await service.rotate_keys(unit, Vault([fresh, master_key])) == 1
        opened = await service.credentials_of(unit, account.id, Vault([fresh]))
    assert opened.api_key == "key"


async def test_balances_are_replaced_and_a_whole_wallet_drops_what_left_it(
    database: Database, person: Person, open_account: OpenAccount
) -> None:
    account = await open_account(await person("ann"))

    def report(kind: MarketType, asset: str, free: str) -> BalanceReport:
        return BalanceReport(kind, asset, Decimal(free), Decimal("0.5"), AT)

    spot = [report(MarketType.SPOT, "USDT", "10"), report(MarketType.SPOT, "BTC", "1")]
    futures = [report(MarketType.FUTURES, "USDT", "7")]
    async with database.unit() as unit:
        await balances.save(unit, account, [*spot, *futures])
        left = [report(MarketType.SPOT, "USDT", "9.1")]
        await balances.save(unit, account, left, whole_wallet=MarketType.SPOT)
        found = await balances.of_account(unit, EVERYONE, account.id)
    assert found == [*futures, *left]


async def test_verified_modes_are_remembered_with_the_accounts_position_mode(
    database: Database, person: Person, open_account: OpenAccount
) -> None:
    account = await open_account(await person("ann"))
    modes = SymbolModes("BTC/USDT:USDT", Decimal(5), MarginMode.CROSS, PositionMode.HEDGE)
    async with database.unit() as unit:
        await symbols.save_verified(unit, account, replace(modes, leverage=Decimal(3)))
        await symbols.save_verified(unit, account, modes)
        found = await symbols.of_accounts(unit, [account.id])
        again = await service.get_account(unit, EVERYONE, account.id)
    assert [one.modes for one in found] == [modes]
    assert again.position_mode is PositionMode.HEDGE


async def test_a_cursor_moves_forwards_only_and_keeps_its_beginning(
    database: Database, person: Person, open_account: OpenAccount
) -> None:
    account = await open_account(await person("ann"))

    def move(seconds: int, trade_id: str | None) -> cursors.CursorMove:
        return cursors.CursorMove(account, "BTC/USDT", trade_id, AT + timedelta(seconds=seconds))

    async with database.unit() as unit:
        await cursors.advance(unit, [move(0, "5")])
        await cursors.advance(unit, [move(20, "9"), move(10, "7")])
        await cursors.advance(unit, [move(15, "8")])
        await cursors.advance(unit, [move(30, None)])
        found = await cursors.of_account(unit, account.id)
    assert [(one.last_trade_id, one.last_sync_at, one.complete_since) for one in found] == [
        ("9", AT + timedelta(seconds=30), AT)
    ]
