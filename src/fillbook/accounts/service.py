"""Exchange accounts: opening one with a tested key, changing it, and the one gate that stops its trading.

A key reaches the database only as a `TestedKey`, which `check_key` alone makes: a key that may withdraw never
gets that far. Asking the venue happens before the unit of work, never inside it.
"""

import hashlib
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from fillbook.accounts import store
from fillbook.accounts.core import (
    Account,
    Credentials,
    Environment,
    KeyPermissions,
    PositionMode,
    TradingState,
)
from fillbook.accounts.errors import (
    InvalidAccount,
    KeyAlreadyUsed,
    KeyCannotTrade,
    KeyMayWithdraw,
    KeysRequired,
    MasterKeyLost,
    PaperTakesNoKeys,
    PassphraseRequired,
)
from fillbook.accounts.ports import KeyProbe
from fillbook.accounts.vault import Vault
from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import EVERYONE, Scope
from fillbook.kernel.tokens import new_token
from fillbook.market.core import MarketType, VenueName
from fillbook.storage.unit import Unit

_NEEDS_PASSPHRASE = frozenset({VenueName.OKX, VenueName.BITGET})
_ALL_MARKETS = (MarketType.SPOT, MarketType.FUTURES)


@dataclass(frozen=True, slots=True)
class TestedKey:
    """A key, and what its venue says that it may do. Made by `check_key` and `make_paper_key` alone."""

    credentials: Credentials
    permissions: KeyPermissions

    __test__ = False  # not a test, whatever its name begins with


async def check_key(
    probe: KeyProbe,
    exchange: VenueName,
    environment: Environment,
    credentials: Credentials | None,
    egress: str | None = None,
) -> TestedKey:
    """Ask the venue what a key may do. Raises `KeyMayWithdraw` without override, `KeyCannotTrade`,
    `KeysRequired`, `PassphraseRequired`, `PaperTakesNoKeys`; and `ReadFailed` when the venue cannot say."""
    if environment is Environment.PAPER:
        raise PaperTakesNoKeys(
            "A paper account trades on the built-in exchange and takes no keys: leave them out."
        )
    if credentials is None or not credentials.api_key or not credentials.secret:
        raise KeysRequired(f"A {environment} account needs the API key and the secret of {exchange}.")
    if exchange in _NEEDS_PASSPHRASE and not credentials.passphrase:
        raise PassphraseRequired(f"{exchange} gives a passphrase with each key: enter it too.")
    permissions = await probe.permissions(exchange, environment, credentials, egress)
    if permissions.can_withdraw:
        raise KeyMayWithdraw(
            "This key may withdraw money. Make one without the withdrawal permission and use that: "
            "there is no way round this."
        )
    if not (permissions.can_trade_spot or permissions.can_trade_futures):
        raise KeyCannotTrade("This key may only read: allow it to trade spot or futures at the exchange.")
    return TestedKey(credentials, permissions)


def make_paper_key(rng: random.Random) -> TestedKey:
    """A random key for the built-in exchange."""
    credentials = Credentials(f"paper-{new_token(rng)}", new_token(rng), new_token(rng, 16))
    return TestedKey(credentials, KeyPermissions(True, True, True, False, None))


async def create_account(
    unit: Unit,
    user_id: int,
    *,
    name: str,
    exchange: VenueName,
    environment: Environment,
    key: TestedKey | None,
    vault: Vault,
    rng: random.Random,
    egress: str | None = None,
    market_types: Iterable[MarketType] | None = None,
) -> Account:
    """A new account. `paper` accounts come without a key: the server makes it.

    Raises `InvalidAccount`, `KeysRequired`, `PaperTakesNoKeys`, `KeyAlreadyUsed`.
    """
    if (environment is Environment.PAPER) != (key is None):
        if key is None:
            raise KeysRequired(f"A {environment} account needs the API key and the secret of {exchange}.")
        raise PaperTakesNoKeys("A paper account takes no keys: leave them out.")
    tested = key or make_paper_key(rng)
    uid = new_token(rng, 26)
    row = {
        "uid": uid,
        "user_id": user_id,
        "name": _checked_name(name),
        "exchange": exchange,
        "environment": environment,
        "market_types": _checked_markets(market_types, tested.permissions),
        "egress": egress,
        **await _key_columns(unit, uid, exchange, environment, tested, vault, None),
    }
    return await get_account(unit, EVERYONE, await store.insert_account(unit, row))


async def get_account(unit: Unit, scope: Scope, account_id: int) -> Account:
    account = await store.get_account(unit, scope, account_id)
    if account is None:
        raise NotFound("There is no such account.")
    return account


async def list_accounts(unit: Unit, scope: Scope, environment: Environment | None = None) -> list[Account]:
    return await store.list_accounts(unit, scope, environment)


async def accounts_by_ids(unit: Unit, account_ids: Iterable[int]) -> list[Account]:
    """Accounts as they are now, for the engine: everybody's, inactive ones included."""
    return await store.accounts_by_ids(unit, account_ids)


async def update_account(
    unit: Unit,
    scope: Scope,
    account_id: int,
    *,
    expected_version: int | None,
    name: str | None = None,
    is_active: bool | None = None,
    egress: str | None = None,
    market_types: Iterable[MarketType] | None = None,
) -> Account:
    """Change what is given (None leaves as it is). Raises `NotFound`, `ChangedMeanwhile`, `InvalidAccount`."""
    account = await get_account(unit, scope, account_id)
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = _checked_name(name)
    if is_active is not None:
        changes["is_active"] = is_active
    if egress is not None:
        changes["egress"] = egress or None
    if market_types is not None:
        changes["market_types"] = _checked_markets(market_types, account.permissions)
    await store.update_account(unit, scope, account_id, expected_version, changes)
    return await get_account(unit, scope, account_id)


async def replace_key(
    unit: Unit, scope: Scope, account_id: int, *, expected_version: int | None, key: TestedKey, vault: Vault
) -> Account:
    """Another key for the same venue account. Raises as `create_account` does."""
    account = await get_account(unit, scope, account_id)
    if account.environment is Environment.PAPER:
        raise PaperTakesNoKeys("A paper account takes no keys.")
    columns = await _key_columns(
        unit, account.uid, account.exchange, account.environment, key, vault, account.id
    )
    await store.update_account(unit, scope, account_id, expected_version, columns)
    return await get_account(unit, scope, account_id)


async def delete_account(unit: Unit, scope: Scope, account_id: int, *, expected_version: int | None) -> None:
    """Halt the account, shred its key's ciphertexts and hide it; its facts stay. Its live orders are the
    caller's to cancel before."""
    changes = {
        "is_active": False,
        "deleted_at": unit.now,
        "trading_state": TradingState.HALTED,
        "trading_state_reason": "deleted",
        "encrypted_api_key": None,
        "encrypted_secret_key": None,
        "encrypted_passphrase": None,
    }
    await get_account(unit, scope, account_id)
    await store.update_account(unit, scope, account_id, expected_version, changes)


async def set_trading_state(
    unit: Unit, scope: Scope, account_id: int, state: TradingState, reason: str | None
) -> Account:
    """Open, narrow or close the one gate of an account; kill switch, suspension, bad keys all come here."""
    if state is not TradingState.ACTIVE and not reason:
        raise InvalidAccount("An account that may not trade freely says why: give a reason.")
    changes = {
        "trading_state": state,
        "trading_state_reason": None if state is TradingState.ACTIVE else reason,
    }
    await store.update_account(unit, scope, account_id, None, changes)
    return await get_account(unit, scope, account_id)


async def set_position_mode(unit: Unit, account_id: int, mode: PositionMode) -> None:
    """Remember the mode that the venue confirmed for the whole account."""
    await store.update_account(unit, EVERYONE, account_id, None, {"position_mode": mode})


async def set_permissions(unit: Unit, account_id: int, permissions: KeyPermissions) -> Account:
    """What a later test of the key found. A key that may withdraw by now halts its account."""
    await store.update_account(unit, EVERYONE, account_id, None, {"permissions": asdict(permissions)})
    if permissions.can_withdraw:
        return await set_trading_state(unit, EVERYONE, account_id, TradingState.HALTED, KeyMayWithdraw.code)
    return await get_account(unit, EVERYONE, account_id)


async def credentials_of(unit: Unit, account_id: int, vault: Vault) -> Credentials:
    """The key in the clear, for the engine alone. Raises `MasterKeyLost`, `CiphertextMoved`, `NotFound`."""
    found = await store.sealed_credentials(unit, account_id)
    if found is None:
        raise NotFound("This account has no key any more.")
    return vault.open(*found)


async def rotate_keys(unit: Unit, vault: Vault) -> int:
    """Encrypt every stored key anew with the first master key; returns how many accounts there were."""
    accounts = await store.list_accounts(unit, EVERYONE)
    for account in accounts:
        found = await store.sealed_credentials(unit, account.id)
        if found is None:
            raise MasterKeyLost(f"Account {account.id} has no key to rotate.")
        sealed = vault.seal(account.uid, vault.open(*found))
        await store.update_account(unit, EVERYONE, account.id, None, asdict(sealed))
    return len(accounts)


def fingerprint(api_key: str) -> str:
    """What a person recognises a key by, and what shows that two accounts have the same one."""
    return hashlib.sha256(api_key.encode()).hexdigest()[:16]


async def _key_columns(
    unit: Unit,
    uid: str,
    exchange: VenueName,
    environment: Environment,
    key: TestedKey,
    vault: Vault,
    account_id: int | None,
) -> dict[str, Any]:
    mark = fingerprint(key.credentials.api_key)
    if await store.fingerprint_is_used(unit, exchange, environment, mark, account_id):
        raise KeyAlreadyUsed(
            "An account with this key exists already: use that one, or make another key on a sub-account."
        )
    sealed = vault.seal(uid, key.credentials)
    return {**asdict(sealed), "key_fingerprint": mark, "permissions": asdict(key.permissions)}


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= 100:
        raise InvalidAccount("An account's name has 1 to 100 characters.", ("name",))
    return name


def _checked_markets(wanted: Iterable[MarketType] | None, permissions: KeyPermissions | None) -> list[str]:
    allowed = [
        kind
        for kind in _ALL_MARKETS
        if permissions is None
        or (permissions.can_trade_spot if kind is MarketType.SPOT else permissions.can_trade_futures)
    ]
    chosen = allowed if wanted is None else list(dict.fromkeys(wanted))
    if not chosen or not set(chosen) <= set(allowed):
        raise InvalidAccount(
            f"This key may trade {' and '.join(allowed)} only: allow more at the exchange, or choose less.",
            ("market_types",),
        )
    return [str(kind) for kind in chosen]
