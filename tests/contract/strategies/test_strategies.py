"""Strategies, links, capital and the history of their settings, on each database."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
import sqlalchemy as sa

from fillbook.accounts.core import Account, Environment
from fillbook.accounts.service import create_account
from fillbook.accounts.vault import Vault
from fillbook.identity.core import User
from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import Scope
from fillbook.kernel.tokens import hash_token
from fillbook.market.core import MarketType, VenueName
from fillbook.storage.unit import Database
from fillbook.storage.versions import ChangedMeanwhile
from fillbook.strategies import links, service
from fillbook.strategies.core import SettingsSubject, Strategy, StrategyKind
from fillbook.strategies.errors import (
    AlreadyLinked,
    InvalidCapital,
    InvalidLink,
    InvalidStrategy,
    MarketNotTraded,
    SpotHasNoLeverage,
)
from fillbook.strategies.tables import strategies

Person = Callable[..., Awaitable[User]]


@dataclass
class Desk:
    """A person with a futures strategy, a spot strategy and an account."""

    database: Database
    user: User
    futures: Strategy
    spot: Strategy
    key: str
    account: Account

    @property
    def scope(self) -> Scope:
        return Scope.of(self.user.id)


@pytest.fixture
async def desk(database: Database, person: Person, vault: Vault, rng: random.Random) -> Desk:
    user = await person("ann")
    async with database.unit() as unit:
        futures, key = await service.create_strategy(
            unit, user.id, name="Trend", group_name="trend", market_type=MarketType.FUTURES, rng=rng
        )
        spot, _ = await service.create_strategy(
            unit, user.id, name="Dip", group_name="dip", market_type=MarketType.SPOT, rng=rng
        )
        account = await create_account(
            unit,
            user.id,
            name="Main",
            exchange=VenueName.BINANCE,
            environment=Environment.PAPER,
            key=None,
            vault=vault,
            rng=rng,
        )
    return Desk(database, user, futures, spot, key, account)


async def test_the_webhook_key_is_shown_once_and_kept_as_a_hash(desk: Desk) -> None:
    async with desk.database.read() as unit:
        row = (await unit.all(sa.select(strategies).where(strategies.c.id == desk.futures.id)))[0]
    assert row.webhook_key == hash_token(desk.key)
    assert desk.key not in str(row)
    assert desk.futures.webhook_key_prefix is not None
    assert desk.key.startswith(desk.futures.webhook_key_prefix)
    assert desk.futures.code6 != desk.spot.code6


async def test_a_new_key_replaces_the_old_one(desk: Desk, rng: random.Random) -> None:
    async with desk.database.unit() as unit:
        fresh = await service.replace_webhook_key(unit, desk.scope, desk.futures.id, rng)
        kept = await unit.scalar(
            sa.select(strategies.c.webhook_key).where(strategies.c.id == desk.futures.id)
        )
    assert fresh != desk.key
    assert kept == hash_token(fresh)


async def test_a_webhook_strategy_starts_active_and_one_with_code_does_not(
    desk: Desk, rng: random.Random
) -> None:
    async with desk.database.unit() as unit:
        rule, _ = await service.create_strategy(
            unit,
            desk.user.id,
            name="Rule",
            group_name="rule",
            market_type=MarketType.SPOT,
            kind=StrategyKind.RULE,
            code="close > sma(20)",
            rng=rng,
        )
    assert desk.futures.is_active
    assert not rule.is_active


@pytest.mark.parametrize("wrong", [{"name": " "}, {"group_name": "x" * 101}, {"max_positions": 0}])
async def test_impossible_strategies_are_refused(
    desk: Desk, rng: random.Random, wrong: dict[str, object]
) -> None:
    asked: dict[str, object] = {"name": "n", "group_name": "g", "market_type": MarketType.SPOT}
    with pytest.raises(InvalidStrategy):
        async with desk.database.unit() as unit:
            await service.create_strategy(unit, desk.user.id, rng=rng, **(asked | wrong))  # type: ignore[arg-type]


async def test_settings_keep_every_version(desk: Desk) -> None:
    async with desk.database.unit() as unit:
        renamed = await service.update_strategy(
            unit, desk.scope, desk.futures.id, expected_version=1, description="only words"
        )
        changed = await service.update_strategy(
            unit, desk.scope, desk.futures.id, expected_version=2, max_positions=9
        )
        history = await service.list_settings(unit, desk.scope, SettingsSubject.STRATEGY, desk.futures.id)
    assert (renamed.settings_version, renamed.version) == (1, 2)
    assert (changed.settings_version, changed.version) == (2, 3)
    assert [(version, settings["max_positions"]) for version, settings in history] == [(1, 5), (2, 9)]


async def test_a_change_from_an_old_version_is_refused(desk: Desk) -> None:
    async with desk.database.unit() as unit:
        await service.update_strategy(unit, desk.scope, desk.futures.id, expected_version=1, name="A")
        with pytest.raises(ChangedMeanwhile):
            await service.update_strategy(unit, desk.scope, desk.futures.id, expected_version=1, name="B")


async def test_a_stranger_sees_no_strategy_and_links_none(desk: Desk, person: Person) -> None:
    stranger = Scope.of((await person("eve")).id)
    async with desk.database.unit() as unit:
        await links.link_account(unit, desk.scope, desk.futures.id, desk.account.id)
        assert await service.list_strategies(unit, stranger, with_shared=True) == []
        assert await links.list_links(unit, stranger, strategy_id=desk.futures.id) == []
        assert await links.list_capital(unit, stranger, strategy_id=desk.futures.id) == []
        assert await service.list_settings(unit, stranger, SettingsSubject.STRATEGY, desk.futures.id) == []
        attempts = (
            lambda: service.get_strategy(unit, stranger, desk.futures.id),
            lambda: service.update_strategy(unit, stranger, desk.futures.id, expected_version=1, name="x"),
            lambda: service.delete_strategy(unit, stranger, desk.futures.id, expected_version=1),
            lambda: service.replace_webhook_key(unit, stranger, desk.futures.id, random.Random(1)),
            lambda: links.link_account(unit, stranger, desk.futures.id, desk.account.id),
            lambda: links.set_capital(unit, stranger, desk.futures.id, desk.account.id, Decimal(1)),
            lambda: links.unlink_account(
                unit, stranger, desk.futures.id, desk.account.id, expected_version=None
            ),
        )
        for attempt in attempts:
            with pytest.raises(NotFound):
                await attempt()


async def test_a_public_strategy_may_be_read_and_linked_but_not_changed(desk: Desk, person: Person) -> None:
    other = Scope.of((await person("bea")).id)
    async with desk.database.unit() as unit:
        await service.update_strategy(unit, desk.scope, desk.futures.id, expected_version=1, is_public=True)
        found = await service.list_strategies(unit, other, with_shared=True)
        assert [one.id for one in found] == [desk.futures.id]
        assert await service.list_strategies(unit, other) == []
        with pytest.raises(NotFound):
            await service.update_strategy(unit, other, desk.futures.id, expected_version=None, name="mine")
        with pytest.raises(NotFound):
            await links.link_account(unit, other, desk.futures.id, desk.account.id)


async def test_a_link_carries_its_accounts_owner_and_environment(desk: Desk) -> None:
    async with desk.database.unit() as unit:
        link = await links.link_account(
            unit, desk.scope, desk.futures.id, desk.account.id, leverage=Decimal(5), weight=Decimal("0.5")
        )
        with pytest.raises(AlreadyLinked):
            await links.link_account(unit, desk.scope, desk.futures.id, desk.account.id)
    assert (link.user_id, link.environment) == (desk.user.id, Environment.PAPER)
    assert (link.leverage, link.weight, link.max_qty_per) == (Decimal(5), Decimal("0.5"), Decimal(100))


async def test_an_ended_link_is_gone_and_linking_again_revives_it(desk: Desk) -> None:
    async with desk.database.unit() as unit:
        first = await links.link_account(unit, desk.scope, desk.futures.id, desk.account.id)
        await links.unlink_account(
            unit, desk.scope, desk.futures.id, desk.account.id, expected_version=first.version
        )
        assert await links.list_links(unit, desk.scope) == []
        with pytest.raises(NotFound):
            await links.get_link(unit, desk.scope, desk.futures.id, desk.account.id)
        again = await links.link_account(
            unit, desk.scope, desk.futures.id, desk.account.id, leverage=Decimal(2)
        )
        history = await service.list_settings(unit, desk.scope, SettingsSubject.LINK, first.id)
    assert (again.id, again.is_active, again.leverage) == (first.id, True, Decimal(2))
    assert [(version, settings["is_active"]) for version, settings in history] == [
        (1, True),
        (2, False),
        (3, True),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight": Decimal(0)},
        {"weight": Decimal("NaN")},
        {"leverage": Decimal("0.5")},
        {"leverage": Decimal(126)},
        {"max_symbols": 0},
        {"max_qty_per": Decimal(0)},
    ],
)
async def test_impossible_links_are_refused(desk: Desk, wrong: dict[str, Decimal]) -> None:
    with pytest.raises(InvalidLink):
        async with desk.database.unit() as unit:
            await links.link_account(unit, desk.scope, desk.futures.id, desk.account.id, **wrong)  # type: ignore[arg-type]


async def test_spot_has_no_leverage(desk: Desk) -> None:
    async with desk.database.unit() as unit:
        with pytest.raises(SpotHasNoLeverage):
            await links.link_account(unit, desk.scope, desk.spot.id, desk.account.id, leverage=Decimal(2))


async def test_a_strategy_of_a_market_that_the_key_does_not_allow_is_not_linked(
    desk: Desk, vault: Vault, rng: random.Random
) -> None:
    async with desk.database.unit() as unit:
        spot_only = await create_account(
            unit,
            desk.user.id,
            name="Spot",
            exchange=VenueName.BYBIT,
            environment=Environment.PAPER,
            key=None,
            vault=vault,
            rng=rng,
            market_types=[MarketType.SPOT],
        )
        with pytest.raises(MarketNotTraded):
            await links.link_account(unit, desk.scope, desk.futures.id, spot_only.id)


async def test_capital_is_set_and_set_again(desk: Desk) -> None:
    async with desk.database.unit() as unit:
        await links.link_account(unit, desk.scope, desk.futures.id, desk.account.id)
        first = await links.set_capital(unit, desk.scope, desk.futures.id, desk.account.id, Decimal(1000))
        second = await links.set_capital(unit, desk.scope, desk.futures.id, desk.account.id, Decimal("0.1"))
        with pytest.raises(InvalidCapital):
            await links.set_capital(unit, desk.scope, desk.futures.id, desk.account.id, Decimal(-1))
        rows = await links.list_capital(unit, desk.scope)
    assert (first.total_capital, second.total_capital) == (Decimal(1000), Decimal("0.1"))
    assert (second.used_capital, second.reserved_capital, second.available) == (0, 0, Decimal("0.1"))
    assert rows == [second]


async def test_a_balance_is_divided_by_weight_among_the_active_links_of_its_market(desk: Desk) -> None:
    account = desk.account.id
    async with desk.database.unit() as unit:
        second, _ = await service.create_strategy(
            unit,
            desk.account.user_id,
            name="second",
            group_name="second",
            market_type=MarketType.FUTURES,
            rng=random.Random(2),
        )
        for strategy, weight in ((desk.futures, 1), (second, 2), (desk.spot, 5)):
            await links.link_account(unit, desk.scope, strategy.id, account, weight=Decimal(weight))
        part = await links.set_capital_by_balance(unit, desk.scope, desk.futures.id, account, Decimal(100))
        await links.update_link(unit, desk.scope, second.id, account, expected_version=1, is_active=False)
        whole = await links.set_capital_by_balance(unit, desk.scope, desk.futures.id, account, Decimal(100))
        with pytest.raises(InvalidCapital):
            await links.set_capital_by_balance(unit, desk.scope, second.id, account, Decimal(100))
    assert part.total_capital == Decimal("33.333333333333333333")
    assert whole.total_capital == Decimal(100)


async def test_a_deleted_strategy_is_gone_and_its_key_opens_nothing(desk: Desk) -> None:
    async with desk.database.unit() as unit:
        await service.delete_strategy(unit, desk.scope, desk.futures.id, expected_version=1)
        with pytest.raises(NotFound):
            await service.get_strategy(unit, desk.scope, desk.futures.id)
        kept = await unit.scalar(
            sa.select(sa.func.count())
            .select_from(strategies)
            .where(strategies.c.webhook_key == hash_token(desk.key))
        )
    assert kept == 0
