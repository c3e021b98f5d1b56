"""Strategies with their links and capital, and what comes in for them."""

import sqlalchemy as sa

from fillbook.migrations import steps
from fillbook.storage import types

revision = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_strategies()
    _create_strategy_accounts()
    _create_strategy_capital()
    _create_settings_history()
    _create_webhook_logs()
    _create_signals()
    _create_signal_keys()
    _create_signal_deliveries()


def downgrade() -> None:
    steps.drop_table("signal_deliveries")
    steps.drop_table("signal_keys")
    steps.drop_table("signals")
    steps.drop_table("webhook_logs")
    steps.drop_table("settings_history")
    steps.drop_table("strategy_capital")
    steps.drop_table("strategy_accounts")
    steps.drop_table("strategies")


def _create_strategies() -> None:
    steps.create_table(
        "strategies",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("code6", sa.String(6), nullable=False),
        sa.Column("user_id", types.BigId),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("market_type", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("params", types.Json),
        sa.Column("max_positions", sa.Integer(), nullable=False),
        sa.Column("webhook_key", sa.String(100)),
        sa.Column("webhook_key_prefix", sa.String(16)),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", types.Instant()),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_strategies"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_strategies_user_id"),
        sa.UniqueConstraint("code6", name="uq_strategies_code6"),
        sa.UniqueConstraint("webhook_key", name="uq_strategies_webhook_key"),
        sa.CheckConstraint("kind IN ('webhook', 'rule', 'python', 'ai')", name="ck_strategies_kind"),
        sa.CheckConstraint("market_type IN ('spot', 'futures')", name="ck_strategies_market_type"),
        sa.CheckConstraint("max_positions >= 1", name="ck_strategies_max_positions_positive"),
        growing=True,
    )
    steps.create_index("ix_strategies_group_name", "strategies", ["group_name"])
    steps.create_index("ix_strategies_user_id", "strategies", ["user_id"])


def _create_strategy_accounts() -> None:
    steps.create_table(
        "strategy_accounts",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("strategy_id", types.BigId, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("weight", types.Amount(), nullable=False),
        sa.Column("leverage", types.Amount(), nullable=False),
        sa.Column("max_symbols", sa.Integer(), nullable=False),
        sa.Column("max_qty_per", types.Amount(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", types.Instant()),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_strategy_accounts"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_strategy_accounts_account_id"),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_strategy_accounts_strategy_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_strategy_accounts_user_id"),
        sa.UniqueConstraint("strategy_id", "account_id", name="uq_strategy_accounts_strategy_id_account_id"),
        sa.CheckConstraint(
            "environment IN ('live', 'demo', 'paper')", name="ck_strategy_accounts_environment"
        ),
        sa.CheckConstraint("leverage + 0 >= 1", name="ck_strategy_accounts_leverage_at_least_one"),
        sa.CheckConstraint("max_qty_per + 0 > 0", name="ck_strategy_accounts_max_qty_per_positive"),
        sa.CheckConstraint("weight + 0 > 0", name="ck_strategy_accounts_weight_positive"),
        growing=True,
    )
    steps.create_index("ix_strategy_accounts_account_id", "strategy_accounts", ["account_id"])
    steps.create_index("ix_strategy_accounts_user_id", "strategy_accounts", ["user_id"])


def _create_strategy_capital() -> None:
    steps.create_table(
        "strategy_capital",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("strategy_id", types.BigId, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("currency", sa.String(30), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("total_capital", types.Amount(), nullable=False),
        sa.Column("used_capital", types.Amount(), nullable=False),
        sa.Column("reserved_capital", types.Amount(), nullable=False),
        sa.Column("last_rebalanced_at", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_strategy_capital"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_strategy_capital_account_id"),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_strategy_capital_strategy_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_strategy_capital_user_id"),
        sa.UniqueConstraint(
            "strategy_id",
            "account_id",
            "currency",
            name="uq_strategy_capital_strategy_id_account_id_currency",
        ),
        sa.CheckConstraint(
            "environment IN ('live', 'demo', 'paper')", name="ck_strategy_capital_environment"
        ),
        sa.CheckConstraint("total_capital + 0 >= 0", name="ck_strategy_capital_total_capital_not_negative"),
        growing=True,
    )
    steps.create_index("ix_strategy_capital_strategy_id", "strategy_capital", ["strategy_id"])
    steps.create_index("ix_strategy_capital_user_id", "strategy_capital", ["user_id"])


def _create_settings_history() -> None:
    steps.create_table(
        "settings_history",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("user_id", types.BigId),
        sa.Column("subject", sa.String(20), nullable=False),
        sa.Column("subject_id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settings", types.Json, nullable=False),
        sa.Column("changed_by", types.BigId),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_settings_history"),
        sa.ForeignKeyConstraint(["changed_by"], ["users.id"], name="fk_settings_history_changed_by"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_settings_history_user_id"),
        sa.UniqueConstraint(
            "subject", "subject_id", "version", name="uq_settings_history_subject_subject_id_version"
        ),
        sa.CheckConstraint("subject IN ('strategy', 'link')", name="ck_settings_history_subject"),
        growing=True,
    )
    steps.create_index("ix_settings_history_user_id", "settings_history", ["user_id"])


def _create_webhook_logs() -> None:
    steps.create_table(
        "webhook_logs",
        sa.Column("id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("strategy_id", types.BigId),
        sa.Column("user_id", types.BigId),
        sa.Column("webhook_key", sa.String(100), nullable=False),
        sa.Column("webhook_key_hash", sa.String(64), nullable=False),
        sa.Column("request_data", sa.Text(), nullable=False),
        sa.Column("request_length", sa.Integer()),
        sa.Column("response_data", sa.Text()),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("status_code", sa.Integer()),
        sa.Column("error_code", sa.String(50)),
        sa.Column("error_message", sa.Text()),
        sa.Column("ip_address", sa.String(50)),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", "created_at", name="pk_webhook_logs"),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_webhook_logs_strategy_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_webhook_logs_user_id"),
        sa.CheckConstraint(
            "status IN ('received', 'accepted', 'duplicate', 'stale', 'rejected', 'unauthorised')",
            name="ck_webhook_logs_status",
        ),
        postgresql_partition_by="RANGE (created_at)",
    )
    steps.create_index("ix_webhook_logs_created_at", "webhook_logs", ["created_at"])
    steps.create_index("ix_webhook_logs_ip_address_created_at", "webhook_logs", ["ip_address", "created_at"])
    steps.create_index("ix_webhook_logs_strategy_id", "webhook_logs", ["strategy_id"])
    steps.create_index("ix_webhook_logs_user_id_created_at", "webhook_logs", ["user_id", "created_at"])


def _create_signals() -> None:
    steps.create_table(
        "signals",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("strategy_id", types.BigId),
        sa.Column("bot_instance_id", types.BigId),
        sa.Column("webhook_log_id", types.BigId),
        sa.Column("exchange_at", types.Instant()),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("side", sa.String(10)),
        sa.Column("signal_type", sa.String(10), nullable=False),
        sa.Column("engine", sa.String(50)),
        sa.Column("reason", sa.String(200)),
        sa.Column("timeframe", sa.String(10)),
        sa.Column("price", types.Amount()),
        sa.Column("indicators", types.Json),
        sa.Column("confidence", types.Amount()),
        sa.Column("meta", types.Json),
        sa.Column("legs", types.Json),
        sa.Column("dedupe_key", sa.String(64)),
        sa.Column("duplicate_of", types.BigId),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("settings_version", sa.Integer()),
        sa.Column("restored", sa.Boolean(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signals"),
        sa.ForeignKeyConstraint(["duplicate_of"], ["signals.id"], name="fk_signals_duplicate_of"),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_signals_strategy_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_signals_user_id"),
        sa.CheckConstraint(
            "confidence + 0 >= 0 AND confidence + 0 <= 1", name="ck_signals_confidence_is_a_share"
        ),
        sa.CheckConstraint(
            "signal_type IN ('BUY', 'SELL', 'HOLD', 'CLOSE', 'CANCEL')", name="ck_signals_signal_type"
        ),
        sa.CheckConstraint(
            "status IN ('accepted', 'duplicate', 'stale', 'planned', 'done')", name="ck_signals_status"
        ),
        growing=True,
    )
    steps.create_index("ix_signals_at", "signals", ["at"])
    steps.create_index("ix_signals_at_symbol", "signals", ["at", "symbol"])
    steps.create_index("ix_signals_bot_instance_id", "signals", ["bot_instance_id"])
    steps.create_index("ix_signals_dedupe_key", "signals", ["dedupe_key"])
    steps.create_index("ix_signals_duplicate_of", "signals", ["duplicate_of"])
    steps.create_index("ix_signals_strategy_id", "signals", ["strategy_id"])
    steps.create_index("ix_signals_symbol", "signals", ["symbol"])
    steps.create_index("ix_signals_user_id_at", "signals", ["user_id", "at"])


def _create_signal_keys() -> None:
    steps.create_table(
        "signal_keys",
        sa.Column("strategy_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("first_seen_at", types.Instant(), nullable=False),
        sa.Column("signal_id", types.BigId, nullable=False),
        sa.PrimaryKeyConstraint("strategy_id", "hash", name="pk_signal_keys"),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name="fk_signal_keys_signal_id"),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_signal_keys_strategy_id"),
    )
    steps.create_index("ix_signal_keys_first_seen_at", "signal_keys", ["first_seen_at"])
    steps.create_index("ix_signal_keys_signal_id", "signal_keys", ["signal_id"])


def _create_signal_deliveries() -> None:
    steps.create_table(
        "signal_deliveries",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("signal_id", types.BigId, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("strategy_account_id", types.BigId),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("claimed_by", sa.String(100)),
        sa.Column("claimed_at", types.Instant()),
        sa.Column("denial_code", sa.String(50)),
        sa.Column("denial_reason", sa.Text()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signal_deliveries"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_signal_deliveries_account_id"),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name="fk_signal_deliveries_signal_id"),
        sa.ForeignKeyConstraint(
            ["strategy_account_id"], ["strategy_accounts.id"], name="fk_signal_deliveries_strategy_account_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_signal_deliveries_user_id"),
        sa.UniqueConstraint("signal_id", "account_id", name="uq_signal_deliveries_signal_id_account_id"),
        sa.CheckConstraint(
            "environment IN ('live', 'demo', 'paper')", name="ck_signal_deliveries_environment"
        ),
        sa.CheckConstraint(
            "state IN ('new', 'claimed', 'planned', 'denied', 'done')", name="ck_signal_deliveries_state"
        ),
        growing=True,
    )
    steps.create_index(
        "ix_signal_deliveries_account_id_state_id", "signal_deliveries", ["account_id", "state", "id"]
    )
    steps.create_index("ix_signal_deliveries_state_id", "signal_deliveries", ["state", "id"])
    steps.create_index(
        "ix_signal_deliveries_strategy_account_id", "signal_deliveries", ["strategy_account_id"]
    )
    steps.create_index("ix_signal_deliveries_user_id", "signal_deliveries", ["user_id"])
