"""Strategies and their webhook keys. A key is shown once; what is kept is its hash and a visible prefix.

Whatever changes what a later order would be counts `settings_version` up and is kept in `settings_history`,
so that a size stays explainable. `version` is the ETag and counts every change.
"""

import random
from collections.abc import Mapping
from typing import Any

from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import Scope
from fillbook.kernel.tokens import hash_token, new_token, visible_prefix
from fillbook.market.core import MarketType
from fillbook.orders.core.client_ids import new_code
from fillbook.storage.unit import Unit
from fillbook.strategies import store
from fillbook.strategies.core import SettingsSubject, Strategy, StrategyKind
from fillbook.strategies.errors import InvalidStrategy

MAX_POSITIONS = 500
_CODE_ATTEMPTS = 10
_SETTINGS = ("name", "group_name", "market_type", "kind", "max_positions", "code", "params", "is_active")


async def create_strategy(
    unit: Unit,
    user_id: int,
    *,
    name: str,
    group_name: str,
    market_type: MarketType,
    kind: StrategyKind = StrategyKind.WEBHOOK,
    max_positions: int = 5,
    description: str | None = None,
    code: str | None = None,
    params: Mapping[str, Any] | None = None,
    is_public: bool = False,
    rng: random.Random,
) -> tuple[Strategy, str]:
    """A new strategy and its webhook key in the clear, which is never seen again. Raises `InvalidStrategy`.

    A webhook strategy starts active, one with code of its own starts inactive.
    """
    key = new_token(rng)
    row = {
        "code6": await _free_code(unit, rng),
        "user_id": user_id,
        "name": _checked_text(name, "name"),
        "group_name": _checked_text(group_name, "group_name"),
        "market_type": market_type,
        "kind": kind,
        "max_positions": _checked_count(max_positions),
        "description": description,
        "code": code,
        "params": dict(params or {}),
        "is_public": is_public,
        "is_active": kind is StrategyKind.WEBHOOK,
        **_key_columns(key),
    }
    strategy = await get_strategy(unit, Scope.of(user_id), await store.insert_strategy(unit, row))
    await _record(unit, strategy, user_id)
    return strategy, key


async def get_strategy(unit: Unit, scope: Scope, strategy_id: int) -> Strategy:
    """A strategy of the scope's own. Raises `NotFound`."""
    strategy = await store.get_strategy(unit, scope, strategy_id)
    if strategy is None:
        raise NotFound("There is no such strategy.")
    return strategy


async def get_readable_strategy(unit: Unit, scope: Scope, strategy_id: int) -> Strategy:
    """A strategy of the scope's own, a built-in one, or a public one. Raises `NotFound`."""
    strategy = await store.get_readable_strategy(unit, scope, strategy_id)
    if strategy is None:
        raise NotFound("There is no such strategy.")
    return strategy


async def list_strategies(unit: Unit, scope: Scope, *, with_shared: bool = False) -> list[Strategy]:
    """The scope's strategies; `with_shared` adds built-in and public ones."""
    return await store.list_strategies(unit, scope, with_shared=with_shared)


async def update_strategy(
    unit: Unit,
    scope: Scope,
    strategy_id: int,
    *,
    expected_version: int | None,
    changed_by: int | None = None,
    name: str | None = None,
    group_name: str | None = None,
    description: str | None = None,
    max_positions: int | None = None,
    code: str | None = None,
    params: Mapping[str, Any] | None = None,
    is_public: bool | None = None,
    is_active: bool | None = None,
) -> Strategy:
    """Change what is given (None leaves as it is). Market type and kind are fixed at creation.

    Raises `NotFound`, `ChangedMeanwhile`, `InvalidStrategy`.
    """
    before = await get_strategy(unit, scope, strategy_id)
    given: dict[str, Any] = {
        "name": None if name is None else _checked_text(name, "name"),
        "group_name": None if group_name is None else _checked_text(group_name, "group_name"),
        "description": description,
        "max_positions": None if max_positions is None else _checked_count(max_positions),
        "code": code,
        "params": None if params is None else dict(params),
        "is_public": is_public,
        "is_active": is_active,
    }
    changes = {field: value for field, value in given.items() if value is not None}
    resized = any(field in _SETTINGS and getattr(before, field) != value for field, value in changes.items())
    if resized:
        changes["settings_version"] = before.settings_version + 1
    await store.update_strategy(unit, scope, strategy_id, expected_version, changes)
    after = await get_strategy(unit, scope, strategy_id)
    if resized:
        await _record(unit, after, changed_by or scope.user_id)
    return after


async def replace_webhook_key(unit: Unit, scope: Scope, strategy_id: int, rng: random.Random) -> str:
    """A new webhook key, shown once; the old one is refused from the commit on."""
    key = new_token(rng)
    await get_strategy(unit, scope, strategy_id)
    await store.update_strategy(unit, scope, strategy_id, None, _key_columns(key))
    return key


async def delete_strategy(
    unit: Unit, scope: Scope, strategy_id: int, *, expected_version: int | None
) -> None:
    """Hide a strategy and refuse its key. Its links, orders and trades stay as they were."""
    await get_strategy(unit, scope, strategy_id)
    changes = {"is_active": False, "deleted_at": unit.now, "webhook_key": None, "webhook_key_prefix": None}
    await store.update_strategy(unit, scope, strategy_id, expected_version, changes)


async def list_settings(
    unit: Unit, scope: Scope, subject: SettingsSubject, subject_id: int
) -> list[tuple[int, Mapping[str, Any]]]:
    """All versions of a strategy's or link's settings, oldest first."""
    return list(await store.list_settings(unit, scope, subject, subject_id))


async def _record(unit: Unit, strategy: Strategy, changed_by: int | None) -> None:
    await store.record_settings(
        unit,
        SettingsSubject.STRATEGY,
        strategy.id,
        strategy.settings_version,
        strategy.user_id,
        changed_by,
        {field: getattr(strategy, field) for field in _SETTINGS},
    )


async def _free_code(unit: Unit, rng: random.Random) -> str:
    for _ in range(_CODE_ATTEMPTS):
        code = new_code(rng)
        if not await store.code_is_taken(unit, code):
            return code
    raise AssertionError("random codes of 31 bits do not collide ten times")


def _key_columns(key: str) -> dict[str, str]:
    return {"webhook_key": hash_token(key), "webhook_key_prefix": visible_prefix(key)}


def _checked_text(text: str, field: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= 100:
        raise InvalidStrategy(f"A strategy's {field} has 1 to 100 characters.", (field,))
    return text


def _checked_count(max_positions: int) -> int:
    if not 1 <= max_positions <= MAX_POSITIONS:
        raise InvalidStrategy(f"max_positions is 1 to {MAX_POSITIONS}.", ("max_positions",))
    return max_positions
