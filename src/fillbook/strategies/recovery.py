"""Strategies and links that only the ids of old orders still tell of.

A database that lost them gets them back under their codes, switched off: they own what they traded, and trade
nothing until a person says so.
"""

from collections.abc import Iterable
from decimal import Decimal

import sqlalchemy as sa

from fillbook.accounts.core import Account
from fillbook.market.core import MarketType
from fillbook.storage.unit import Unit
from fillbook.strategies import store
from fillbook.strategies.core import StrategyKind
from fillbook.strategies.tables import strategies
from fillbook.strategies.terms import links_of_codes


async def missing_links(unit: Unit, account: Account, codes: Iterable[str]) -> list[str]:
    """Those of the codes that name no link of the account."""
    wanted = set(codes)
    known = await links_of_codes(unit, {(account.id, code) for code in wanted})
    return sorted(code for code in wanted if (account.id, code) not in known)


async def recover_links(
    unit: Unit, account: Account, codes: Iterable[str], market_type: MarketType, leverage: Decimal
) -> None:
    """Link the account to the strategies of these codes, which it is not linked to."""
    for code in codes:
        strategy_id = await _strategy_of(unit, account, code, market_type)
        row = {
            "strategy_id": strategy_id,
            "account_id": account.id,
            "user_id": account.user_id,
            "environment": account.environment,
            "leverage": leverage,
            "is_active": False,
        }
        await store.insert_link(unit, row)


async def _strategy_of(unit: Unit, account: Account, code: str, market_type: MarketType) -> int:
    found = await unit.scalar(sa.select(strategies.c.id).where(strategies.c.code6 == code))
    if found is not None:
        return int(found)
    name = f"recovered-{code}"
    row = {
        "code6": code,
        "user_id": account.user_id,
        "name": name,
        "group_name": name,
        "market_type": market_type,
        "kind": StrategyKind.WEBHOOK,
        "params": {},
        "is_active": False,
    }
    return await store.insert_strategy(unit, row)
