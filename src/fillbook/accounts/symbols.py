"""Leverage and modes of each symbol of an account, as they were read back from the venue."""

from collections.abc import Iterable

from fillbook.accounts import store
from fillbook.accounts.core import Account, SymbolModes, VerifiedModes
from fillbook.kernel.scope import EVERYONE
from fillbook.storage.unit import Unit


async def save_verified(unit: Unit, account: Account, modes: SymbolModes) -> None:
    """Remember what the venue confirmed. The position mode is the whole account's and is kept there too."""
    await store.save_modes(unit, account, modes, unit.now)
    if modes.position_mode is not None and modes.position_mode is not account.position_mode:
        changes = {"position_mode": modes.position_mode}
        await store.update_account(unit, EVERYONE, account.id, None, changes)


async def of_accounts(unit: Unit, account_ids: Iterable[int]) -> list[VerifiedModes]:
    return await store.list_modes(unit, account_ids)
