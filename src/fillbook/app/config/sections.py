"""What goes into a configuration, table by table: one literal list, read by export and import alike.

Rows are known by names that outlive a database (a username, an account's uid, a strategy's code), never by
their numbers. Each column of a table is in exactly one part of its section; a test holds that. What bots and
other domains want kept becomes a section here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from fillbook.accounts.tables import accounts, sync_cursors
from fillbook.identity.tables import api_tokens, users
from fillbook.strategies.core import SettingsSubject
from fillbook.strategies.tables import settings_history, strategies, strategy_accounts, strategy_capital


@dataclass(frozen=True, slots=True)
class Section:
    """One table's part of the document.

    `key`: the columns that name a row. `references`: columns that hold another section's row. `copied`: columns
    that repeat one of a referenced row. `fixed`: columns that have one value in this section, and so say which
    rows belong to it. `at_import`: columns that take the moment of the import. `secrets`: ciphertexts, each
    bound to the row's uid. `unique`: further groups of columns that no other row may have. `present`: rows
    whose column is NULL belong here, the others are gone.
    """

    name: str
    table: sa.Table
    key: tuple[str, ...]
    columns: tuple[str, ...]
    references: Mapping[str, str] = field(default_factory=dict)
    copied: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    at_import: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    present: str | None = None
    left_out: tuple[str, ...] = ()


_OF_ACCOUNT: Final = {"user_id": ("account_id", "user_id"), "environment": ("account_id", "environment")}
_SETTINGS_COLUMNS: Final = ("version", "settings", "created_at")

SECTIONS: Final = (
    Section(
        "users",
        users,
        key=("username",),
        columns=(
            "username",
            "email",
            "password_hash",
            "name",
            "phone",
            "role",
            "is_active",
            "suspended_at",
            "must_change_password",
            "telegram_id",
            "profile_image",
            "totp_secret",
            "is_2fa_enabled",
            "created_at",
        ),
        unique=(("email",),),
        left_out=("id", "last_login", "updated_at"),
    ),
    Section(
        "api_tokens",
        api_tokens,
        key=("token_hash",),
        columns=("name", "prefix", "token_hash", "scopes", "expires_at", "created_at"),
        references={"user_id": "users"},
        present="revoked_at",
        left_out=("id", "last_used_at"),
    ),
    Section(
        "accounts",
        accounts,
        key=("uid",),
        columns=(
            "uid",
            "name",
            "exchange",
            "environment",
            "market_types",
            "encrypted_api_key",
            "encrypted_secret_key",
            "encrypted_passphrase",
            "key_fingerprint",
            "permissions",
            "position_mode",
            "trading_state",
            "trading_state_reason",
            "egress",
            "is_active",
            "created_at",
        ),
        references={"user_id": "users"},
        secrets=("encrypted_api_key", "encrypted_secret_key", "encrypted_passphrase"),
        unique=(("exchange", "environment", "key_fingerprint"),),
        present="deleted_at",
        left_out=("id", "version", "updated_at"),
    ),
    Section(
        "followed_symbols",
        sync_cursors,
        key=("account_id", "symbol"),
        columns=("symbol",),
        references={"account_id": "accounts"},
        copied=_OF_ACCOUNT,
        fixed={"kind": "fills"},
        at_import=("last_sync_at",),
        left_out=("last_trade_id", "complete_since", "updated_at"),
    ),
    # Ended strategies and links too: old orders bear their codes.
    Section(
        "strategies",
        strategies,
        key=("code6",),
        columns=(
            "code6",
            "name",
            "description",
            "group_name",
            "market_type",
            "kind",
            "code",
            "params",
            "max_positions",
            "webhook_key",
            "webhook_key_prefix",
            "is_public",
            "is_active",
            "deleted_at",
            "settings_version",
            "created_at",
        ),
        references={"user_id": "users"},
        unique=(("webhook_key",),),
        left_out=("id", "version", "updated_at"),
    ),
    Section(
        "links",
        strategy_accounts,
        key=("strategy_id", "account_id"),
        columns=(
            "weight",
            "leverage",
            "max_symbols",
            "max_qty_per",
            "is_active",
            "deleted_at",
            "settings_version",
            "created_at",
        ),
        references={"strategy_id": "strategies", "account_id": "accounts"},
        copied=_OF_ACCOUNT,
        left_out=("id", "version", "updated_at"),
    ),
    Section(
        "capital",
        strategy_capital,
        key=("strategy_id", "account_id", "currency"),
        columns=("currency", "total_capital", "last_rebalanced_at", "created_at"),
        references={"strategy_id": "strategies", "account_id": "accounts"},
        copied=_OF_ACCOUNT,
        left_out=("id", "used_capital", "reserved_capital", "updated_at"),
    ),
    Section(
        "strategy_settings",
        settings_history,
        key=("subject_id", "version"),
        columns=_SETTINGS_COLUMNS,
        references={"subject_id": "strategies", "user_id": "users", "changed_by": "users"},
        fixed={"subject": SettingsSubject.STRATEGY},
        left_out=("id",),
    ),
    Section(
        "link_settings",
        settings_history,
        key=("subject_id", "version"),
        columns=_SETTINGS_COLUMNS,
        references={"subject_id": "links", "user_id": "users", "changed_by": "users"},
        fixed={"subject": SettingsSubject.LINK},
        left_out=("id",),
    ),
)
