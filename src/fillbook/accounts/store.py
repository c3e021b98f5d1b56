"""The rows of accounts and of what their venues report. The only SQL of this domain."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import (
    Account,
    BalanceReport,
    Environment,
    KeyPermissions,
    MarginMode,
    PositionMode,
    SymbolModes,
    SyncCursor,
    TradingState,
    VerifiedModes,
)
from fillbook.accounts.tables import account_symbols, accounts, balances, sync_cursors
from fillbook.accounts.vault import SealedCredentials
from fillbook.kernel.scope import Scope
from fillbook.market.core import MarketType, VenueName
from fillbook.storage.scope import owned
from fillbook.storage.unit import Unit
from fillbook.storage.versions import update_version

_PRESENT = accounts.c.deleted_at.is_(None)
_BY_IDS = sa.select(accounts).where(accounts.c.id.in_(sa.bindparam("ids", expanding=True)))


async def insert_account(unit: Unit, row: Mapping[str, Any]) -> int:
    return await unit.insert(accounts, row)


async def get_account(unit: Unit, scope: Scope, account_id: int) -> Account | None:
    statement = sa.select(accounts).where(accounts.c.id == account_id, _PRESENT)
    row = await unit.one_or_none(owned(statement, accounts, scope))
    return None if row is None else _account(row)


async def list_accounts(unit: Unit, scope: Scope, environment: Environment | None = None) -> list[Account]:
    statement = sa.select(accounts).where(_PRESENT).order_by(accounts.c.id)
    if environment is not None:
        statement = statement.where(accounts.c.environment == environment)
    return [_account(row) for row in await unit.all(owned(statement, accounts, scope))]


async def fingerprint_is_used(
    unit: Unit, exchange: VenueName, environment: Environment, fingerprint: str, but_for: int | None
) -> bool:
    """Whether an account of anybody has this key: two would count one venue account twice."""
    statement = sa.select(accounts.c.id).where(
        accounts.c.exchange == exchange,
        accounts.c.environment == environment,
        accounts.c.key_fingerprint == fingerprint,
        _PRESENT,
    )
    if but_for is not None:
        statement = statement.where(accounts.c.id != but_for)
    return await unit.scalar(statement.limit(1)) is not None


async def update_account(
    unit: Unit, scope: Scope, account_id: int, expected: int | None, changes: Mapping[str, Any]
) -> int:
    return await update_version(unit, accounts, account_id, scope, expected, changes)


async def sealed_credentials(unit: Unit, account_id: int) -> tuple[str, SealedCredentials] | None:
    """The account's uid and its key as it is stored; None when the key is gone."""
    row = await unit.one_or_none(
        sa.select(
            accounts.c.uid,
            accounts.c.encrypted_api_key,
            accounts.c.encrypted_secret_key,
            accounts.c.encrypted_passphrase,
        ).where(accounts.c.id == account_id, _PRESENT, accounts.c.encrypted_api_key.is_not(None))
    )
    if row is None:
        return None
    sealed = SealedCredentials(row.encrypted_api_key, row.encrypted_secret_key, row.encrypted_passphrase)
    return row.uid, sealed


def _account(row: sa.Row[Any]) -> Account:
    return Account(
        id=row.id,
        uid=row.uid,
        user_id=row.user_id,
        name=row.name,
        exchange=VenueName(row.exchange),
        environment=Environment(row.environment),
        market_types=tuple(MarketType(kind) for kind in row.market_types),
        position_mode=None if row.position_mode is None else PositionMode(row.position_mode),
        trading_state=TradingState(row.trading_state),
        trading_state_reason=row.trading_state_reason,
        is_active=row.is_active,
        egress=row.egress,
        key_fingerprint=row.key_fingerprint,
        permissions=None if row.permissions is None else KeyPermissions(**row.permissions),
        version=row.version,
        created_at=row.created_at,
    )


async def save_balances(unit: Unit, account: Account, reports: Sequence[BalanceReport]) -> None:
    rows = [
        {
            "account_id": account.id,
            "market_type": report.market_type,
            "asset": report.asset,
            "user_id": account.user_id,
            "environment": account.environment,
            "free": report.free,
            "locked": report.locked,
            "borrowed": report.borrowed,
            "at": report.at,
        }
        for report in reports
    ]
    await unit.upsert(
        balances,
        rows,
        keys=("account_id", "market_type", "asset"),
        changed=("free", "locked", "borrowed", "at"),
    )


async def drop_balances_but(
    unit: Unit, account_id: int, market_type: MarketType, assets: Iterable[str]
) -> None:
    await unit.execute(
        sa.delete(balances).where(
            balances.c.account_id == account_id,
            balances.c.market_type == market_type,
            balances.c.asset.not_in(list(assets)),
        )
    )


async def list_balances(unit: Unit, scope: Scope, account_id: int) -> list[BalanceReport]:
    statement = (
        sa.select(balances)
        .where(balances.c.account_id == account_id)
        .order_by(balances.c.market_type, balances.c.asset)
    )
    return [
        BalanceReport(MarketType(row.market_type), row.asset, row.free, row.locked, row.at, row.borrowed)
        for row in await unit.all(owned(statement, balances, scope))
    ]


async def save_modes(unit: Unit, account: Account, modes: SymbolModes, at: datetime) -> None:
    row = {
        "account_id": account.id,
        "symbol": modes.symbol,
        "user_id": account.user_id,
        "environment": account.environment,
        "leverage": modes.leverage,
        "margin_mode": modes.margin_mode,
        "position_mode": modes.position_mode,
        "verified_at": at,
    }
    await unit.upsert(
        account_symbols,
        [row],
        keys=("account_id", "symbol"),
        changed=("leverage", "margin_mode", "position_mode", "verified_at"),
    )


async def list_modes(unit: Unit, account_ids: Iterable[int]) -> list[VerifiedModes]:
    statement = sa.select(account_symbols).where(account_symbols.c.account_id.in_(list(account_ids)))
    return [
        VerifiedModes(
            row.account_id,
            SymbolModes(
                row.symbol,
                row.leverage,
                None if row.margin_mode is None else MarginMode(row.margin_mode),
                None if row.position_mode is None else PositionMode(row.position_mode),
            ),
            row.verified_at,
        )
        for row in await unit.all(statement)
    ]


async def save_cursors(unit: Unit, account: Account, cursors: Sequence[SyncCursor]) -> None:
    rows = [
        {
            "account_id": account.id,
            "symbol": cursor.symbol,
            "kind": cursor.kind,
            "user_id": account.user_id,
            "environment": account.environment,
            "last_sync_at": cursor.last_sync_at,
            "last_trade_id": cursor.last_trade_id,
            "complete_since": cursor.complete_since,
        }
        for cursor in cursors
    ]
    await unit.upsert(
        sync_cursors,
        rows,
        keys=("account_id", "symbol", "kind"),
        changed=("last_sync_at", "last_trade_id", "complete_since"),
    )


async def begin_cursors(unit: Unit, starts: Iterable[tuple[Account, str]], at: datetime) -> None:
    rows = [
        {
            "account_id": account.id,
            "symbol": symbol,
            "kind": "fills",
            "user_id": account.user_id,
            "environment": account.environment,
            "last_sync_at": at,
            "last_trade_id": None,
            "complete_since": at,
        }
        for account, symbol in starts
    ]
    await unit.insert_if_new(sync_cursors, rows)


async def accounts_by_ids(unit: Unit, account_ids: Iterable[int]) -> list[Account]:
    return [_account(row) for row in await unit.all(_BY_IDS, {"ids": sorted(account_ids)})]


async def list_cursors(unit: Unit, account_id: int) -> list[SyncCursor]:
    statement = sa.select(sync_cursors).where(sync_cursors.c.account_id == account_id)
    return [
        SyncCursor(row.symbol, row.kind, row.last_sync_at, row.last_trade_id, row.complete_since)
        for row in await unit.all(statement)
    ]
