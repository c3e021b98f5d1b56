"""Balances as the venue last reported them, per account, wallet and asset."""

from collections.abc import Sequence

from fillbook.accounts import store
from fillbook.accounts.core import Account, BalanceReport
from fillbook.accounts.service import get_account
from fillbook.kernel.scope import Scope
from fillbook.market.core import MarketType
from fillbook.storage.unit import Unit


async def save(
    unit: Unit, account: Account, reports: Sequence[BalanceReport], *, whole_wallet: MarketType | None = None
) -> None:
    """Keep reported balances. `whole_wallet`: the reports are all that this wallet holds; others go."""
    await store.save_balances(unit, account, reports)
    if whole_wallet is not None:
        assets = [report.asset for report in reports if report.market_type is whole_wallet]
        await store.drop_balances_but(unit, account.id, whole_wallet, assets)


async def of_account(unit: Unit, scope: Scope, account_id: int) -> list[BalanceReport]:
    """Raises `NotFound` for an account outside the scope."""
    await get_account(unit, scope, account_id)
    return await store.list_balances(unit, scope, account_id)
