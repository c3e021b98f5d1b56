"""Asking for a run: written down, and taken up by whoever trades the account."""

from collections.abc import Mapping
from typing import Any, Protocol

from fillbook.accounts.core import Account
from fillbook.accounts.service import get_account
from fillbook.kernel.errors import Conflict
from fillbook.kernel.scope import Scope
from fillbook.storage.unit import Unit
from fillbook.trading.reconciliation import store


class AccountSwitchedOff(Conflict):
    code = "account_switched_off"


class RunsAsked(Protocol):
    def __call__(self) -> None:
        """A hint that a run is wanted; polling is the truth."""


async def ask_for_run(unit: Unit, scope: Scope, account_id: int) -> Mapping[str, Any]:
    """The run that was asked for: one that still waits, or a new one. Raises `NotFound` outside the scope."""
    account = await get_account(unit, scope, account_id)
    refuse_switched_off(account)
    waiting = await store.wanted(unit, [account.id])
    number = waiting[0].id if waiting else await store.ask(unit, account)
    return await store.run_of(unit, number)


def refuse_switched_off(account: Account) -> None:
    """Nobody acts for an account that is switched off, so nobody would take the run up."""
    if not account.is_active:
        raise AccountSwitchedOff(
            f"The account {account.name} is switched off: switch it on, then it is reconciled by itself."
        )
