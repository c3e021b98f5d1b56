"""Tables of strategies, their links to accounts, capital, and the history of settings."""

from decimal import Decimal

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.kernel.money import ONE, ZERO
from fillbook.market.core import MarketType
from fillbook.storage.metadata import table
from fillbook.storage.types import (
    BigId,
    Json,
    amount,
    amount_check,
    created_at,
    flag,
    instant,
    reference,
    row_id,
    updated_at,
    word,
)
from fillbook.strategies.core import SettingsSubject, StrategyKind

strategies = table(
    "strategies",
    row_id(),
    sa.Column("code6", sa.String(6), nullable=False, unique=True),
    reference("user_id", "users.id", nullable=True, index=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("group_name", sa.String(100), nullable=False, index=True),
    word("market_type", MarketType),
    word("kind", StrategyKind, default=StrategyKind.WEBHOOK),
    sa.Column("code", sa.Text),
    sa.Column("params", Json),
    sa.Column("max_positions", sa.Integer, nullable=False, default=5),
    # The SHA-256 of the key; what a person sees of it is the prefix.
    sa.Column("webhook_key", sa.String(100), unique=True),
    sa.Column("webhook_key_prefix", sa.String(16)),
    flag("is_public", False),
    flag("is_active", True),
    instant("deleted_at", nullable=True),
    sa.Column("settings_version", sa.Integer, nullable=False, default=1),
    sa.Column("version", sa.Integer, nullable=False, default=1),
    created_at(),
    updated_at(),
    sa.CheckConstraint("max_positions >= 1", name="max_positions_positive"),
    growing=True,
)

strategy_accounts = table(
    "strategy_accounts",
    row_id(),
    reference("strategy_id", "strategies.id"),
    reference("account_id", "accounts.id", index=True),
    reference("user_id", "users.id", index=True),
    word("environment", Environment, length=8),
    amount("weight", default=ONE),
    amount("leverage", default=ONE),
    sa.Column("max_symbols", sa.Integer, nullable=False, default=10),
    amount("max_qty_per", default=Decimal(100)),
    flag("is_active", True),
    # A link is never removed: its orders and positions stay explainable. Linking again revives it.
    instant("deleted_at", nullable=True),
    sa.Column("settings_version", sa.Integer, nullable=False, default=1),
    sa.Column("version", sa.Integer, nullable=False, default=1),
    created_at(),
    updated_at(),
    sa.UniqueConstraint("strategy_id", "account_id"),
    amount_check("leverage", ">= 1", "leverage_at_least_one"),
    amount_check("weight", "> 0", "weight_positive"),
    amount_check("max_qty_per", "> 0", "max_qty_per_positive"),
    growing=True,
)

strategy_capital = table(
    "strategy_capital",
    row_id(),
    reference("strategy_id", "strategies.id", index=True),
    reference("account_id", "accounts.id"),
    sa.Column("currency", sa.String(30), nullable=False),
    reference("user_id", "users.id", index=True),
    word("environment", Environment, length=8),
    amount("total_capital"),
    amount("used_capital", default=ZERO),
    amount("reserved_capital", default=ZERO),
    instant("last_rebalanced_at", nullable=True),
    created_at(),
    updated_at(),
    sa.UniqueConstraint("strategy_id", "account_id", "currency"),
    amount_check("total_capital", ">= 0", "total_capital_not_negative"),
    growing=True,
)

settings_history = table(
    "settings_history",
    row_id(),
    reference("user_id", "users.id", nullable=True, index=True),
    word("subject", SettingsSubject),
    sa.Column("subject_id", BigId, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("settings", Json, nullable=False),
    reference("changed_by", "users.id", nullable=True),
    created_at(),
    sa.UniqueConstraint("subject", "subject_id", "version"),
    growing=True,
)
