"""Tables of exchange accounts and of what their venues report."""

import sqlalchemy as sa

from fillbook.accounts.core import Environment, MarginMode, PositionMode, TradingState
from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType, VenueName
from fillbook.storage.metadata import table
from fillbook.storage.types import (
    Json,
    amount,
    created_at,
    flag,
    instant,
    reference,
    row_id,
    updated_at,
    word,
)

accounts = table(
    "accounts",
    row_id(),
    sa.Column("uid", sa.String(32), nullable=False, unique=True),
    reference("user_id", "users.id", index=True),
    sa.Column("name", sa.String(100), nullable=False),
    word("exchange", VenueName, index=True),
    word("environment", Environment, length=8),
    sa.Column("market_types", Json, nullable=False),
    sa.Column("encrypted_api_key", sa.Text),
    sa.Column("encrypted_secret_key", sa.Text),
    sa.Column("encrypted_passphrase", sa.Text),
    sa.Column("key_fingerprint", sa.String(16)),
    sa.Column("permissions", Json),
    word("position_mode", PositionMode, nullable=True),
    word("trading_state", TradingState, default=TradingState.ACTIVE),
    sa.Column("trading_state_reason", sa.String(200)),
    sa.Column("egress", sa.String(255)),
    flag("is_active", True),
    instant("deleted_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False, default=1),
    created_at(),
    updated_at(),
    growing=True,
)

balances = table(
    "balances",
    reference("account_id", "accounts.id"),
    word("market_type", MarketType),
    sa.Column("asset", sa.String(30), nullable=False),
    reference("user_id", "users.id", index=True),
    word("environment", Environment, length=8),
    amount("free"),
    amount("locked"),
    amount("borrowed", default=ZERO),
    instant("at"),
    sa.PrimaryKeyConstraint("account_id", "market_type", "asset"),
)

account_symbols = table(
    "account_symbols",
    reference("account_id", "accounts.id"),
    sa.Column("symbol", sa.String(50), nullable=False),
    reference("user_id", "users.id"),
    word("environment", Environment, length=8),
    amount("leverage", nullable=True),
    word("margin_mode", MarginMode, nullable=True),
    word("position_mode", PositionMode, nullable=True),
    instant("verified_at"),
    sa.PrimaryKeyConstraint("account_id", "symbol"),
)

sync_cursors = table(
    "sync_cursors",
    reference("account_id", "accounts.id"),
    sa.Column("symbol", sa.String(50), nullable=False),
    word("kind", ("fills", "orders", "ledger")),
    reference("user_id", "users.id"),
    word("environment", Environment, length=8),
    instant("last_sync_at"),
    sa.Column("last_trade_id", sa.String(100)),
    instant("complete_since", nullable=True),
    updated_at(),
    sa.PrimaryKeyConstraint("account_id", "symbol", "kind"),
)
