"""Tables of what came in: webhook logs, signals, their keys, and one delivery per linked account."""

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.signals.core.alert import SignalType
from fillbook.storage.metadata import partitioned_by_month, table
from fillbook.storage.types import (
    BigId,
    Instant,
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

webhook_logs = partitioned_by_month(
    "webhook_logs",
    "created_at",
    sa.Column("id", BigId, nullable=False, autoincrement=False),
    reference("strategy_id", "strategies.id", nullable=True, index=True),
    # NULL when the key is nobody's.
    reference("user_id", "users.id", nullable=True),
    # The key as prefix and hash, never as it was presented.
    sa.Column("webhook_key", sa.String(100), nullable=False),
    sa.Column("webhook_key_hash", sa.String(64), nullable=False),
    sa.Column("request_data", sa.Text, nullable=False),
    sa.Column("request_length", sa.Integer),
    sa.Column("response_data", sa.Text),
    word("status", ("received", "accepted", "duplicate", "stale", "rejected", "unauthorised")),
    sa.Column("status_code", sa.Integer),
    sa.Column("error_code", sa.String(50)),
    sa.Column("error_message", sa.Text),
    sa.Column("ip_address", sa.String(50)),
    created_at(index=True),
    sa.Index(None, "user_id", "created_at"),
    sa.Index(None, "ip_address", "created_at"),
)

signals = table(
    "signals",
    row_id(),
    reference("user_id", "users.id"),
    reference("strategy_id", "strategies.id", nullable=True, index=True),
    sa.Column("bot_instance_id", BigId, index=True),
    # No reference: webhook logs are partitioned.
    sa.Column("webhook_log_id", BigId),
    instant("exchange_at", nullable=True),
    sa.Column("at", Instant(), nullable=False, index=True),
    sa.Column("symbol", sa.String(50), nullable=False, index=True),
    sa.Column("side", sa.String(10)),
    word("signal_type", SignalType, length=10),
    sa.Column("engine", sa.String(50)),
    sa.Column("reason", sa.String(200)),
    sa.Column("timeframe", sa.String(10)),
    amount("price", nullable=True),
    sa.Column("indicators", Json),
    amount("confidence", nullable=True),
    sa.Column("meta", Json),
    sa.Column("legs", Json),
    sa.Column("dedupe_key", sa.String(64), index=True),
    reference("duplicate_of", "signals.id", nullable=True, index=True),
    word("status", ("accepted", "duplicate", "stale", "planned", "done"), default="accepted"),
    sa.Column("settings_version", sa.Integer),
    flag("restored", False),
    created_at(),
    updated_at(),
    sa.CheckConstraint("confidence + 0 >= 0 AND confidence + 0 <= 1", name="confidence_is_a_share"),
    sa.Index(None, "at", "symbol"),
    sa.Index(None, "user_id", "at"),
    growing=True,
)

signal_keys = table(
    "signal_keys",
    reference("strategy_id", "strategies.id"),
    sa.Column("hash", sa.String(64), nullable=False),
    instant("first_seen_at", index=True),
    reference("signal_id", "signals.id", index=True),
    sa.PrimaryKeyConstraint("strategy_id", "hash"),
)

signal_deliveries = table(
    "signal_deliveries",
    row_id(),
    reference("signal_id", "signals.id"),
    reference("account_id", "accounts.id"),
    reference("strategy_account_id", "strategy_accounts.id", nullable=True, index=True),
    reference("user_id", "users.id", index=True),
    word("environment", Environment, length=8),
    word("state", ("new", "claimed", "planned", "denied", "done"), length=10, default="new"),
    sa.Column("claimed_by", sa.String(100)),
    instant("claimed_at", nullable=True),
    sa.Column("denial_code", sa.String(50)),
    sa.Column("denial_reason", sa.Text),
    created_at(),
    updated_at(),
    sa.UniqueConstraint("signal_id", "account_id"),
    sa.Index(None, "account_id", "state", "id"),
    sa.Index(None, "state", "id"),
    growing=True,
)
