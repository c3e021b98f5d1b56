"""The rows of strategies, links, capital and their settings' history. The only SQL of this domain's service."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.kernel.scope import EVERYONE, Scope
from fillbook.market.core import MarketType
from fillbook.storage.scope import owned
from fillbook.storage.unit import Unit
from fillbook.storage.versions import update_version
from fillbook.strategies.core import LinkCapital, SettingsSubject, Strategy, StrategyKind, StrategyLink
from fillbook.strategies.tables import settings_history, strategies, strategy_accounts, strategy_capital

_STRATEGY_PRESENT = strategies.c.deleted_at.is_(None)
_LINK_PRESENT = strategy_accounts.c.deleted_at.is_(None)
_LINK_SETTINGS = ("weight", "leverage", "max_symbols", "max_qty_per", "is_active")


async def insert_strategy(unit: Unit, row: Mapping[str, Any]) -> int:
    return await unit.insert(strategies, row)


async def code_is_taken(unit: Unit, code6: str) -> bool:
    return await unit.scalar(sa.select(strategies.c.id).where(strategies.c.code6 == code6)) is not None


async def get_strategy(unit: Unit, scope: Scope, strategy_id: int) -> Strategy | None:
    """A strategy that is the scope's own."""
    statement = sa.select(strategies).where(strategies.c.id == strategy_id, _STRATEGY_PRESENT)
    row = await unit.one_or_none(owned(statement, strategies, scope))
    return None if row is None else _strategy(row)


async def get_readable_strategy(unit: Unit, scope: Scope, strategy_id: int) -> Strategy | None:
    """A strategy that is the scope's own, built in, or public."""
    statement = sa.select(strategies).where(strategies.c.id == strategy_id, _STRATEGY_PRESENT)
    row = await unit.one_or_none(_readable(statement, scope))
    return None if row is None else _strategy(row)


async def list_strategies(unit: Unit, scope: Scope, *, with_shared: bool) -> list[Strategy]:
    statement = sa.select(strategies).where(_STRATEGY_PRESENT).order_by(strategies.c.id)
    statement = _readable(statement, scope) if with_shared else owned(statement, strategies, scope)
    return [_strategy(row) for row in await unit.all(statement)]


def _readable(statement: sa.Select[Any], scope: Scope) -> sa.Select[Any]:
    if scope.user_id is None:
        return statement
    is_mine = strategies.c.user_id == scope.user_id
    return statement.where(sa.or_(is_mine, strategies.c.user_id.is_(None), strategies.c.is_public))


async def update_strategy(
    unit: Unit, scope: Scope, strategy_id: int, expected: int | None, changes: Mapping[str, Any]
) -> int:
    return await update_version(unit, strategies, strategy_id, scope, expected, changes)


def _strategy(row: sa.Row[Any]) -> Strategy:
    return Strategy(
        id=row.id,
        code6=row.code6,
        user_id=row.user_id,
        name=row.name,
        group_name=row.group_name,
        market_type=MarketType(row.market_type),
        kind=StrategyKind(row.kind),
        max_positions=row.max_positions,
        webhook_key_prefix=row.webhook_key_prefix,
        is_public=row.is_public,
        is_active=row.is_active,
        settings_version=row.settings_version,
        version=row.version,
        created_at=row.created_at,
        description=row.description,
        code=row.code,
        params=row.params or {},
    )


async def find_link(
    unit: Unit, scope: Scope, strategy_id: int, account_id: int, *, with_deleted: bool = False
) -> StrategyLink | None:
    statement = sa.select(strategy_accounts).where(
        strategy_accounts.c.strategy_id == strategy_id, strategy_accounts.c.account_id == account_id
    )
    if not with_deleted:
        statement = statement.where(_LINK_PRESENT)
    row = await unit.one_or_none(owned(statement, strategy_accounts, scope))
    return None if row is None else _link(row)


async def list_links(
    unit: Unit,
    scope: Scope,
    *,
    strategy_id: int | None = None,
    account_id: int | None = None,
    market_type: MarketType | None = None,
) -> list[StrategyLink]:
    statement = sa.select(strategy_accounts).where(_LINK_PRESENT).order_by(strategy_accounts.c.id)
    if strategy_id is not None:
        statement = statement.where(strategy_accounts.c.strategy_id == strategy_id)
    if account_id is not None:
        statement = statement.where(strategy_accounts.c.account_id == account_id)
    if market_type is not None:
        of_market = sa.select(strategies.c.id).where(strategies.c.market_type == market_type)
        statement = statement.where(strategy_accounts.c.strategy_id.in_(of_market))
    return [_link(row) for row in await unit.all(owned(statement, strategy_accounts, scope))]


async def insert_link(unit: Unit, row: Mapping[str, Any]) -> int:
    return await unit.insert(strategy_accounts, row)


async def update_link(
    unit: Unit, scope: Scope, link_id: int, expected: int | None, changes: Mapping[str, Any]
) -> int:
    return await update_version(unit, strategy_accounts, link_id, scope, expected, changes)


def _link(row: sa.Row[Any]) -> StrategyLink:
    return StrategyLink(
        id=row.id,
        strategy_id=row.strategy_id,
        account_id=row.account_id,
        user_id=row.user_id,
        environment=Environment(row.environment),
        weight=row.weight,
        leverage=row.leverage,
        max_symbols=row.max_symbols,
        max_qty_per=row.max_qty_per,
        is_active=row.is_active,
        settings_version=row.settings_version,
        version=row.version,
        is_deleted=row.deleted_at is not None,
    )


async def set_total_capital(
    unit: Unit, link: StrategyLink, currency: str, total: Decimal, *, rebalanced: bool
) -> None:
    row = {
        "strategy_id": link.strategy_id,
        "account_id": link.account_id,
        "currency": currency,
        "user_id": link.user_id,
        "environment": link.environment,
        "total_capital": total,
        "last_rebalanced_at": unit.now if rebalanced else None,
    }
    changed = ["total_capital", "last_rebalanced_at"] if rebalanced else ["total_capital"]
    await unit.upsert(
        strategy_capital, [row], keys=("strategy_id", "account_id", "currency"), changed=changed
    )


async def list_capital(
    unit: Unit, scope: Scope, *, strategy_id: int | None = None, account_id: int | None = None
) -> list[LinkCapital]:
    statement = sa.select(strategy_capital).order_by(strategy_capital.c.id)
    if strategy_id is not None:
        statement = statement.where(strategy_capital.c.strategy_id == strategy_id)
    if account_id is not None:
        statement = statement.where(strategy_capital.c.account_id == account_id)
    return [
        LinkCapital(
            row.strategy_id,
            row.account_id,
            row.currency,
            row.total_capital,
            row.used_capital,
            row.reserved_capital,
        )
        for row in await unit.all(owned(statement, strategy_capital, scope))
    ]


async def record_settings(
    unit: Unit,
    subject: SettingsSubject,
    subject_id: int,
    version: int,
    owner_id: int | None,
    changed_by: int | None,
    settings: Mapping[str, Any],
) -> None:
    row = {
        "subject": subject,
        "subject_id": subject_id,
        "version": version,
        "user_id": owner_id,
        "changed_by": changed_by,
        "settings": dict(settings),
    }
    await unit.insert(settings_history, row)


async def list_settings(
    unit: Unit, scope: Scope, subject: SettingsSubject, subject_id: int
) -> Sequence[tuple[int, Mapping[str, Any]]]:
    """All versions of one subject's settings, oldest first."""
    statement = (
        sa.select(settings_history)
        .where(settings_history.c.subject == subject, settings_history.c.subject_id == subject_id)
        .order_by(settings_history.c.version)
    )
    rows = await unit.all(owned(statement, settings_history, scope))
    return [(row.version, row.settings) for row in rows]


def link_settings(link: StrategyLink) -> dict[str, Any]:
    """A link's settings as its history keeps them."""
    return {name: getattr(link, name) for name in _LINK_SETTINGS}


async def link_by_id(unit: Unit, link_id: int) -> StrategyLink:
    statement = sa.select(strategy_accounts).where(strategy_accounts.c.id == link_id)
    return _link((await unit.execute(owned(statement, strategy_accounts, EVERYONE))).one())
