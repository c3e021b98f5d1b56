"""Links between strategies and accounts, and the capital of each link.

A link belongs to the owner of its account, whoever wrote the strategy. It is never removed, only ended: its
orders and positions stay explainable, and linking again revives it.
"""

from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Account
from fillbook.accounts.service import get_account
from fillbook.kernel.errors import NotFound
from fillbook.kernel.money import ONE, ZERO
from fillbook.kernel.scope import EVERYONE, Scope
from fillbook.market.core import MarketType
from fillbook.storage.unit import Unit
from fillbook.strategies import store
from fillbook.strategies.core import (
    DEFAULT_MAX_QTY_PER,
    LinkCapital,
    SettingsSubject,
    Strategy,
    StrategyLink,
    capital_by_weight,
)
from fillbook.strategies.errors import (
    AlreadyLinked,
    InvalidCapital,
    InvalidLink,
    MarketNotTraded,
    SpotHasNoLeverage,
)
from fillbook.strategies.service import get_readable_strategy

MAX_LEVERAGE = Decimal(125)
MAX_SYMBOLS = 1000
MAX_QTY_PER = Decimal(10_000)
DEFAULT_CURRENCY = "USDT"


async def link_account(
    unit: Unit,
    scope: Scope,
    strategy_id: int,
    account_id: int,
    *,
    weight: Decimal = ONE,
    leverage: Decimal = ONE,
    max_symbols: int = 10,
    max_qty_per: Decimal = DEFAULT_MAX_QTY_PER,
    changed_by: int | None = None,
) -> StrategyLink:
    """Let a strategy trade on an account. The account is the scope's; the strategy its own, built in or public.

    Raises `NotFound`, `AlreadyLinked`, `InvalidLink`, `SpotHasNoLeverage`, `MarketNotTraded`.
    """
    strategy = await get_readable_strategy(unit, scope, strategy_id)
    account = await get_account(unit, scope, account_id)
    _check_market(strategy, account)
    settings: dict[str, Any] = {
        "weight": weight,
        "leverage": leverage,
        "max_symbols": max_symbols,
        "max_qty_per": max_qty_per,
    }
    _check_settings(strategy, settings)
    known = await store.find_link(unit, scope, strategy_id, account_id, with_deleted=True)
    if known is not None and not known.is_deleted:
        raise AlreadyLinked("This account is linked to the strategy already: change that link instead.")
    if known is not None:
        changes = settings | {
            "is_active": True,
            "deleted_at": None,
            "settings_version": known.settings_version + 1,
        }
        await store.update_link(unit, scope, known.id, None, changes)
        link_id = known.id
    else:
        row = settings | {
            "strategy_id": strategy_id,
            "account_id": account_id,
            "user_id": account.user_id,
            "environment": account.environment,
        }
        link_id = await store.insert_link(unit, row)
    return await _recorded(unit, link_id, changed_by or scope.user_id)


async def get_link(unit: Unit, scope: Scope, strategy_id: int, account_id: int) -> StrategyLink:
    link = await store.find_link(unit, scope, strategy_id, account_id)
    if link is None:
        raise NotFound("This strategy has no such account.")
    return link


async def list_links(
    unit: Unit, scope: Scope, *, strategy_id: int | None = None, account_id: int | None = None
) -> list[StrategyLink]:
    return await store.list_links(unit, scope, strategy_id=strategy_id, account_id=account_id)


async def update_link(
    unit: Unit,
    scope: Scope,
    strategy_id: int,
    account_id: int,
    *,
    expected_version: int | None,
    weight: Decimal | None = None,
    leverage: Decimal | None = None,
    max_symbols: int | None = None,
    max_qty_per: Decimal | None = None,
    is_active: bool | None = None,
    changed_by: int | None = None,
) -> StrategyLink:
    """Change what is given (None leaves as it is). Raises as `link_account` does, and `ChangedMeanwhile`."""
    link = await get_link(unit, scope, strategy_id, account_id)
    strategy = await get_readable_strategy(unit, EVERYONE, strategy_id)
    given = {
        "weight": weight,
        "leverage": leverage,
        "max_symbols": max_symbols,
        "max_qty_per": max_qty_per,
        "is_active": is_active,
    }
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    _check_settings(strategy, changes)
    changes["settings_version"] = link.settings_version + 1
    await store.update_link(unit, scope, link.id, expected_version, changes)
    return await _recorded(unit, link.id, changed_by or scope.user_id)


async def unlink_account(
    unit: Unit, scope: Scope, strategy_id: int, account_id: int, *, expected_version: int | None
) -> None:
    """End a link: no alert opens anything through it any more. Open positions stay the person's to close."""
    link = await get_link(unit, scope, strategy_id, account_id)
    changes = {"is_active": False, "deleted_at": unit.now, "settings_version": link.settings_version + 1}
    await store.update_link(unit, scope, link.id, expected_version, changes)
    await _recorded(unit, link.id, scope.user_id)


async def set_capital(
    unit: Unit,
    scope: Scope,
    strategy_id: int,
    account_id: int,
    total_capital: Decimal,
    currency: str = DEFAULT_CURRENCY,
) -> LinkCapital:
    """What a link may use in one currency. Below what is in use it only stops new orders."""
    link = await get_link(unit, scope, strategy_id, account_id)
    if not total_capital.is_finite() or total_capital < ZERO:
        raise InvalidCapital("Capital is zero or more.", ("total_capital",))
    await store.set_total_capital(unit, link, _checked_currency(currency), total_capital, rebalanced=False)
    return await get_capital(unit, scope, strategy_id, account_id, currency)


async def set_capital_by_balance(
    unit: Unit,
    scope: Scope,
    strategy_id: int,
    account_id: int,
    balance: Decimal,
    currency: str = DEFAULT_CURRENCY,
) -> LinkCapital:
    """A link's capital by its weight, from the account's balance in the currency."""
    link = await get_link(unit, scope, strategy_id, account_id)
    if not link.is_active:
        raise InvalidCapital("A link that is switched off has no part of the balance: switch it on first.")
    # Each market has a wallet of its own, which only the links of that market share.
    market_type = (await get_readable_strategy(unit, scope, strategy_id)).market_type
    sharing = await store.list_links(unit, scope, account_id=account_id, market_type=market_type)
    active = [one for one in sharing if one.is_active]
    total = capital_by_weight(balance, link.weight, (one.weight for one in active))
    await store.set_total_capital(unit, link, _checked_currency(currency), total, rebalanced=True)
    return await get_capital(unit, scope, strategy_id, account_id, currency)


async def get_capital(
    unit: Unit, scope: Scope, strategy_id: int, account_id: int, currency: str = DEFAULT_CURRENCY
) -> LinkCapital:
    """A link's capital; zero when nothing was set."""
    for capital in await store.list_capital(unit, scope, strategy_id=strategy_id, account_id=account_id):
        if capital.currency == currency:
            return capital
    return LinkCapital(strategy_id, account_id, currency, ZERO)


async def list_capital(
    unit: Unit, scope: Scope, *, strategy_id: int | None = None, account_id: int | None = None
) -> list[LinkCapital]:
    return await store.list_capital(unit, scope, strategy_id=strategy_id, account_id=account_id)


async def _recorded(unit: Unit, link_id: int, changed_by: int | None) -> StrategyLink:
    link = await store.link_by_id(unit, link_id)
    await store.record_settings(
        unit,
        SettingsSubject.LINK,
        link.id,
        link.settings_version,
        link.user_id,
        changed_by,
        store.link_settings(link),
    )
    return link


def _check_market(strategy: Strategy, account: Account) -> None:
    if strategy.market_type not in account.market_types:
        raise MarketNotTraded(
            f"The strategy trades {strategy.market_type}, and this account's key does not allow that."
        )


def _check_settings(strategy: Strategy, settings: dict[str, Any]) -> None:
    weight = settings.get("weight")
    if weight is not None and not (weight.is_finite() and ZERO < weight <= 1_000_000):
        raise InvalidLink("A weight is above zero.", ("weight",))
    leverage = settings.get("leverage")
    if leverage is not None and not (leverage.is_finite() and ONE <= leverage <= MAX_LEVERAGE):
        raise InvalidLink(f"Leverage is 1 to {MAX_LEVERAGE}.", ("leverage",))
    if leverage is not None and leverage != ONE and strategy.market_type is MarketType.SPOT:
        raise SpotHasNoLeverage("Spot has no leverage: leave it at 1.", ("leverage",))
    max_symbols = settings.get("max_symbols")
    if max_symbols is not None and not 1 <= max_symbols <= MAX_SYMBOLS:
        raise InvalidLink(f"max_symbols is 1 to {MAX_SYMBOLS}.", ("max_symbols",))
    max_qty_per = settings.get("max_qty_per")
    if max_qty_per is not None and not (max_qty_per.is_finite() and ZERO < max_qty_per <= MAX_QTY_PER):
        raise InvalidLink(f"max_qty_per is above zero and at most {MAX_QTY_PER} percent.", ("max_qty_per",))


def _checked_currency(currency: str) -> str:
    if not 0 < len(currency) <= 30:
        raise InvalidCapital("A currency is a code such as USDT.", ("currency",))
    return currency
