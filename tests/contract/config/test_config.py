"""Configuration out of one database and into another, on each database."""

import random
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from conftest import ManualClock, open_database
from fillbook.accounts import cursors
from fillbook.accounts.core import Account, Credentials, Environment, KeyPermissions
from fillbook.accounts.errors import MasterKeyLost
from fillbook.accounts.service import TestedKey, create_account, credentials_of, delete_account
from fillbook.accounts.tables import accounts, sync_cursors
from fillbook.accounts.vault import Vault
from fillbook.app.config.document import Document, from_bytes, to_bytes
from fillbook.app.config.errors import ConfigCollides, ConfigDamaged, MasterKeyUnknown
from fillbook.app.config.sections import SECTIONS
from fillbook.app.config.service import export_config, import_config
from fillbook.identity import service as identity
from fillbook.identity.core import Role, TokenScope
from fillbook.identity.tables import users
from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import EVERYONE, Scope
from fillbook.market.core import MarketType, VenueName
from fillbook.storage.unit import Database, Unit
from fillbook.strategies import links, service
from fillbook.strategies.tables import strategies
from support.trading import PERP

PASSWORD = "correct horse battery"


@pytest.fixture
async def source(sqlite_template: Path, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Database]:
    """Another database: with people, accounts, strategies, links and capital."""
    path = tmp_path / "source.db"
    shutil.copy(sqlite_template, path)
    async with open_database(f"sqlite:///{path}", clock) as database:
        yield database


@pytest.fixture
async def document(source: Database, vault: Vault, rng: random.Random) -> Document:
    await source.run(lambda unit: _fill(unit, vault, rng))
    return await export(source, vault)


async def _fill(unit: Unit, vault: Vault, rng: random.Random) -> None:
    await identity.installation_id(unit, rng)
    ann, bob = [
        await identity.create_user(
            unit, email=f"{name}@example.org", username=name, password=PASSWORD, role=role
        )
        for name, role in (("ann", Role.ADMIN), ("bob", Role.USER))
    ]
    await identity.create_token(unit, ann, name="bot", scopes=[TokenScope.READ], rng=rng)
    revoked, _ = await identity.create_token(unit, ann, name="old", scopes=[TokenScope.READ], rng=rng)
    await identity.revoke_token(unit, Scope.of(ann.id), revoked.id)
    mine = [await _account(unit, ann.id, vault, rng, name) for name in ("one", "two")]
    gone = await _account(unit, bob.id, vault, rng, "gone")
    strategy, _ = await service.create_strategy(
        unit,
        ann.id,
        name="Trend",
        group_name="trend",
        market_type=MarketType.FUTURES,
        is_public=True,
        params={"fast": 12, "slow": [26, None, "x"]},
        rng=rng,
    )
    ended, _ = await service.create_strategy(
        unit, bob.id, name="Dip", group_name="dip", market_type=MarketType.SPOT, rng=rng
    )
    scope = Scope.of(ann.id)
    for account in mine:
        await links.link_account(unit, scope, strategy.id, account.id, weight=Decimal("1.5"))
        await links.set_capital(unit, scope, strategy.id, account.id, Decimal("1234.000000000000000001"))
    await links.update_link(unit, scope, strategy.id, mine[0].id, expected_version=None, leverage=Decimal(7))
    await links.link_account(unit, Scope.of(bob.id), ended.id, gone.id)
    await service.delete_strategy(unit, Scope.of(bob.id), ended.id, expected_version=None)
    await delete_account(unit, Scope.of(bob.id), gone.id, expected_version=None)
    await cursors.begin(unit, [(mine[0], PERP)])


async def _account(unit: Unit, user_id: int, vault: Vault, rng: random.Random, name: str) -> Account:
    key = TestedKey(
        Credentials(f"key of {name}", f"secret of {name}", "a passphrase" if name == "two" else None),
        KeyPermissions(True, True, True, False, None),
    )
    return await create_account(
        unit,
        user_id,
        name=name,
        exchange=VenueName.OKX,
        environment=Environment.DEMO,
        key=key,
        vault=vault,
        rng=rng,
    )


async def export(database: Database, vault: Vault | None) -> Document:
    async with database.read() as unit:
        return await export_config(unit, vault)


async def take(database: Database, document: Document, vault: Vault | None) -> dict[str, int]:
    return await database.run(lambda unit: import_config(unit, document, vault))


async def everything(database: Database) -> dict[str, int]:
    async with database.read() as unit:
        tables = {section.table.name: section.table for section in SECTIONS}
        return {name: len(await unit.all(sa.select(table))) for name, table in tables.items()}


async def test_a_configuration_comes_out_as_it_went_in_byte_for_byte(
    database: Database, document: Document, vault: Vault, clock: ManualClock
) -> None:
    clock.advance(86_400)
    counts = await take(database, from_bytes(to_bytes(document)), vault)
    assert to_bytes(await export(database, vault)) == to_bytes(document)
    assert counts == {
        "users": 2,
        "api_tokens": 1,
        "accounts": 2,
        "followed_symbols": 1,
        "strategies": 2,
        "links": 2,
        "capital": 2,
        "strategy_settings": 2,
        "link_settings": 3,
    }


async def test_what_was_imported_is_in_use_at_once(
    database: Database, document: Document, vault: Vault
) -> None:
    await take(database, document, vault)
    async with database.unit() as unit:
        assert (await identity.check_password(unit, "ann", PASSWORD)) is not None
        everybody = await unit.all(sa.select(accounts).order_by(accounts.c.name))
        key = await credentials_of(unit, everybody[1].id, vault)
        assert (key.api_key, key.passphrase) == ("key of two", "a passphrase")
        (strategy,) = await service.list_strategies(unit, EVERYONE)
        link = await links.get_link(unit, EVERYONE, strategy.id, everybody[0].id)
        assert (link.leverage, link.user_id, link.environment) == (7, everybody[0].user_id, "demo")
        capital = await links.get_capital(unit, EVERYONE, strategy.id, everybody[0].id)
        assert (capital.total_capital, capital.used_capital) == (Decimal("1234.000000000000000001"), 0)


def test_no_secret_is_in_it(document: Document, master_key: str) -> None:
    text = to_bytes(document).decode()
    secrets = ["key of", "secret of", "a passphrase", PASSWORD, master_key, "fbk_"]
    assert [secret for secret in secrets if secret in text] == []


def test_a_session_a_revoked_token_and_a_shredded_account_do_not_go(document: Document) -> None:
    assert [row["name"] for row in document.sections["api_tokens"]] == ["bot"]
    assert sorted(row["name"] for row in document.sections["accounts"]) == ["one", "two"]


def test_an_ended_strategy_goes_because_old_orders_bear_its_code(document: Document) -> None:
    assert sorted(row["name"] for row in document.sections["strategies"]) == ["Dip", "Trend"]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_column_goes_is_derived_or_is_left_out_by_name(section: Any) -> None:
    named = [
        *section.columns,
        *section.references,
        *section.copied,
        *section.fixed,
        *section.at_import,
        *section.left_out,
        *([section.present] if section.present else []),
    ]
    assert sorted(named) == sorted(section.table.c.keys())


# What cannot be taken in leaves nothing behind.


@pytest.fixture
async def refused(database: Database, document: Document, vault: Vault) -> AsyncIterator[Callable[..., Any]]:
    before = await everything(database)

    async def attempt(expected: type[Exception], document: Document, vault: Vault | None = vault) -> str:
        with pytest.raises(expected) as caught:
            await take(database, document, vault)
        return str(caught.value)

    yield attempt
    assert await everything(database) == before


def changed(document: Document, section: str, **values: Any) -> Document:
    first, *others = document.sections[section]
    return replace(document, sections={**document.sections, section: [{**first, **values}, *others]})


async def test_a_server_without_the_master_key_says_which_one_is_missing(
    refused: Callable[..., Any], document: Document, vault: Vault
) -> None:
    other = Vault([Fernet.generate_key().decode()])
    message = await refused(MasterKeyUnknown, document, other)
    assert vault.fingerprints[0] in message
    await refused(MasterKeyUnknown, document, None)


async def test_a_damaged_ciphertext_names_its_account(
    refused: Callable[..., Any], document: Document
) -> None:
    text = str(document.sections["accounts"][0]["encrypted_secret_key"])
    damaged = text[:40] + ("A" if text[40] != "A" else "B") + text[41:]
    name = str(document.sections["accounts"][0]["name"])
    message = await refused(ConfigDamaged, changed(document, "accounts", encrypted_secret_key=damaged))
    assert f"account {name}" in message


async def test_a_ciphertext_of_another_account_is_refused(
    refused: Callable[..., Any], document: Document
) -> None:
    other = document.sections["accounts"][1]["encrypted_api_key"]
    await refused(ConfigDamaged, changed(document, "accounts", encrypted_api_key=other))


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("users", {"role": "emperor"}),
        ("users", {"is_active": "yes"}),
        ("users", {"created_at": "2026-01-02"}),
        ("users", {"email": None}),
        ("users", {"surname": "x"}),
        ("links", {"leverage": "0.5"}),
        ("links", {"leverage": 3.5}),
        ("links", {"account": "nobody"}),
        ("strategies", {"user": "nobody"}),
        ("capital", {"total_capital": "ten"}),
    ],
)
async def test_a_value_that_cannot_be_used_is_refused(
    refused: Callable[..., Any], document: Document, section: str, values: dict[str, Any]
) -> None:
    await refused(ConfigDamaged, changed(document, section, **values))


async def test_two_rows_of_one_name_are_refused(refused: Callable[..., Any], document: Document) -> None:
    twice = [*document.sections["users"], document.sections["users"][0]]
    await refused(ConfigDamaged, replace(document, sections={**document.sections, "users": twice}))


async def test_a_part_that_nobody_knows_is_refused(refused: Callable[..., Any], document: Document) -> None:
    await refused(ConfigDamaged, replace(document, sections={**document.sections, "spells": []}))


async def test_a_second_import_collides_and_changes_nothing(
    database: Database, document: Document, vault: Vault
) -> None:
    await take(database, document, vault)
    before = to_bytes(await export(database, vault))
    with pytest.raises(ConfigCollides, match="ann"):
        await take(database, document, vault)
    assert to_bytes(await export(database, vault)) == before


async def test_a_name_that_is_taken_by_somebody_else_collides(
    database: Database, document: Document, vault: Vault
) -> None:
    async with database.unit() as unit:
        await identity.create_user(unit, email="ann@example.org", username="anna", password=None)
    with pytest.raises(ConfigCollides, match="email"):
        await take(database, document, vault)
    async with database.read() as unit:
        assert [row.username for row in await unit.all(sa.select(users))] == ["anna"]
        assert await unit.all(sa.select(strategies)) == []
        assert await identity.find_installation_id(unit) is None


async def test_a_database_of_another_installation_becomes_this_one_while_it_has_no_orders(
    database: Database, document: Document, vault: Vault, rng: random.Random
) -> None:
    async with database.unit() as unit:
        before = await identity.installation_id(unit, rng)
    assert before != document.installation_id
    await take(database, document, vault)
    async with database.unit() as unit:
        assert await identity.installation_id(unit, rng) == document.installation_id


async def test_a_key_that_nobody_can_open_is_not_exported(source: Database, document: Document) -> None:
    with pytest.raises(MasterKeyLost, match="The account one"):
        await export(source, Vault([Fernet.generate_key().decode()]))
    with pytest.raises(MasterKeyLost, match="FILLBOOK_MASTER_KEYS"):
        await export(source, None)


async def test_a_key_ring_is_asked_for_the_keys_that_are_needed_alone(
    source: Database, document: Document, master_key: str
) -> None:
    ring = Vault([Fernet.generate_key().decode(), master_key])
    assert await export(source, ring) == document


async def test_a_database_that_was_never_used_has_nothing_to_export(database: Database) -> None:
    with pytest.raises(NotFound):
        await export(database, None)


async def test_symbols_are_followed_from_the_import_on(
    database: Database, document: Document, vault: Vault, clock: ManualClock
) -> None:
    clock.advance(3600)
    await take(database, document, vault)
    async with database.read() as unit:
        (cursor,) = await unit.all(sa.select(sync_cursors))
        assert (cursor.symbol, cursor.complete_since, cursor.last_trade_id) == (PERP, None, None)
