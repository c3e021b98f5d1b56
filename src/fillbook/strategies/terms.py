"""The terms on which strategies trade on accounts, read and changed by whoever books and plans.

Only `change_capital` writes: used and reserved capital move with fills and orders, in their transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import sqlalchemy as sa

from fillbook.kernel.money import ZERO, exact, parse_amount
from fillbook.market.core import MarketType
from fillbook.risk.core import Capital
from fillbook.storage.unit import Unit
from fillbook.strategies.core import CodedLink, SettingsSubject
from fillbook.strategies.tables import settings_history, strategies, strategy_accounts, strategy_capital

_link, _strategy, _capital = strategy_accounts.c, strategies.c, strategy_capital.c
_TERMS: Final = (
    sa.select(
        _link.id,
        _link.strategy_id,
        _link.account_id,
        _link.leverage,
        _link.max_symbols,
        _link.max_qty_per,
        _link.is_active,
        _link.settings_version,
        _strategy.code6,
        _strategy.market_type,
        _strategy.max_positions,
        _strategy.is_active.label("strategy_is_active"),
    )
    .join_from(strategy_accounts, strategies, _strategy.id == _link.strategy_id)
    .where(_link.id.in_(sa.bindparam("ids", expanding=True)))
)
_LINKS: Final = sa.select(
    _link.id, _link.strategy_id, _link.account_id, _link.user_id, _link.environment
).where(_link.id.in_(sa.bindparam("ids", expanding=True)))
_LINKS_OF_CODES: Final = (
    sa.select(_link.id, _link.strategy_id, _link.account_id, _strategy.code6, _link.leverage)
    .join_from(strategy_accounts, strategies, _strategy.id == _link.strategy_id)
    .where(sa.tuple_(_link.account_id, _strategy.code6).in_(sa.bindparam("keys", expanding=True)))
)
_FORMER_SETTINGS: Final = (
    sa.select(settings_history.c.subject_id, settings_history.c.created_at, settings_history.c.settings)
    .where(
        settings_history.c.subject == SettingsSubject.LINK,
        settings_history.c.subject_id.in_(sa.bindparam("ids", expanding=True)),
    )
    .order_by(settings_history.c.subject_id, settings_history.c.version)
)
_CAPITAL: Final = (
    sa.select(strategy_capital)
    .where(sa.tuple_(_capital.strategy_id, _capital.account_id).in_(sa.bindparam("pairs", expanding=True)))
    .order_by(_capital.id)
)
_CAPITAL_LOCKED: Final = _CAPITAL.with_for_update()


@dataclass(frozen=True, slots=True)
class Terms:
    """A link with what its strategy says; `capitals` by currency."""

    strategy_account_id: int
    strategy_id: int
    account_id: int
    strategy_code: str
    market_type: MarketType
    leverage: Decimal
    max_symbols: int
    max_qty_per: Decimal
    max_positions: int
    link_is_active: bool
    strategy_is_active: bool
    settings_version: int
    capitals: Mapping[str, Capital]


@dataclass(frozen=True, slots=True)
class CapitalChange:
    """What one booking adds to (or takes from) a link's capital in one currency."""

    strategy_account_id: int
    currency: str
    used: Decimal = ZERO
    reserved: Decimal = ZERO


async def load_terms(
    unit: Unit, strategy_account_ids: Iterable[int], *, lock: bool = True, with_capital: bool = True
) -> dict[int, Terms]:
    """The terms of links, by link. With `lock` the rows of their capital are locked until the unit ends."""
    rows = await unit.all(_TERMS, {"ids": sorted(set(strategy_account_ids))})
    pairs = {(row.strategy_id, row.account_id): row.id for row in rows if with_capital}
    capitals = await _load_capitals(unit, pairs, lock)
    return {
        row.id: Terms(
            strategy_account_id=row.id,
            strategy_id=row.strategy_id,
            account_id=row.account_id,
            strategy_code=row.code6,
            market_type=MarketType(row.market_type),
            leverage=row.leverage,
            max_symbols=row.max_symbols,
            max_qty_per=row.max_qty_per,
            max_positions=row.max_positions,
            link_is_active=row.is_active,
            strategy_is_active=row.strategy_is_active,
            settings_version=row.settings_version,
            capitals=capitals[row.id],
        )
        for row in rows
    }


async def links_of_codes(unit: Unit, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], CodedLink]:
    """The links, ended ones included, behind accounts and the codes of strategies; in two statements."""
    wanted = sorted(set(keys))
    rows = await unit.all(_LINKS_OF_CODES, {"keys": wanted}) if wanted else ()
    leverages: defaultdict[int, list[tuple[datetime, Decimal]]] = defaultdict(list)
    if rows:
        for one in await unit.all(_FORMER_SETTINGS, {"ids": [row.id for row in rows]}):
            leverages[one.subject_id].append((one.created_at, parse_amount(one.settings["leverage"])))
    return {
        (row.account_id, row.code6): CodedLink(
            row.id, row.strategy_id, row.account_id, row.code6, row.leverage, tuple(leverages[row.id])
        )
        for row in rows
    }


async def _load_capitals(
    unit: Unit, links: Mapping[tuple[int, int], int], lock: bool
) -> defaultdict[int, dict[str, Capital]]:
    found: defaultdict[int, dict[str, Capital]] = defaultdict(dict)
    if not links:
        return found
    for row in await unit.all(_CAPITAL_LOCKED if lock else _CAPITAL, {"pairs": list(links)}):
        found[links[(row.strategy_id, row.account_id)]][row.currency] = Capital(
            row.currency, row.total_capital, row.used_capital, row.reserved_capital
        )
    return found


@exact
def _sum_changes(changes: Iterable[CapitalChange]) -> dict[tuple[int, str], tuple[Decimal, Decimal]]:
    sums: dict[tuple[int, str], tuple[Decimal, Decimal]] = {}
    for change in changes:
        key = (change.strategy_account_id, change.currency)
        used, reserved = sums.get(key, (ZERO, ZERO))
        sums[key] = (used + change.used, reserved + change.reserved)
    return {key: both for key, both in sums.items() if any(both)}


@exact
def _add(row_amount: Decimal, change: Decimal) -> Decimal:
    return row_amount + change


async def change_capital(unit: Unit, changes: Iterable[CapitalChange]) -> None:
    """Move used and reserved capital. A link without a capital row in the currency gets one with total 0."""
    sums = _sum_changes(changes)
    if not sums:
        return
    links = {row.id: row for row in await unit.all(_LINKS, {"ids": sorted({key[0] for key in sums})})}
    pairs = [(row.strategy_id, row.account_id) for row in links.values()]
    rows = {
        (row.strategy_id, row.account_id, row.currency): row
        for row in await unit.all(_CAPITAL_LOCKED, {"pairs": pairs})
    }
    updates, fresh = [], []
    for (link_id, currency), (used, reserved) in sums.items():
        owner = links[link_id]
        row = rows.get((owner.strategy_id, owner.account_id, currency))
        if row is None:
            fresh.append(
                {
                    "strategy_id": owner.strategy_id,
                    "account_id": owner.account_id,
                    "currency": currency,
                    "user_id": owner.user_id,
                    "environment": owner.environment,
                    "total_capital": ZERO,
                    "used_capital": used,
                    "reserved_capital": reserved,
                }
            )
            continue
        updates.append(
            {
                "row_id": row.id,
                "used_capital": _add(row.used_capital, used),
                "reserved_capital": _add(row.reserved_capital, reserved),
            }
        )
    await unit.insert_many(strategy_capital, fresh)
    await unit.update_many(strategy_capital, updates)
