"""Orders, cancels and the order log; the view of open orders."""

import sqlalchemy as sa

from fillbook.migrations import steps
from fillbook.storage import types

revision = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None

_OPEN_ORDERS = (
    "SELECT id, user_id, environment, account_id, strategy_account_id, exchange_order_id, "
    "symbol, side, order_type, quantity, price, filled_quantity, status, market_type, "
    "created_at, updated_at "
    "FROM orders WHERE status IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'PENDING_CANCEL')"
)


def upgrade() -> None:
    _create_orders()
    _create_order_venue_ids()
    _create_cancel_queue()
    _create_cancels()
    _create_strategy_order_logs()
    _create_strategy_order_results()
    steps.create_view("open_orders", _OPEN_ORDERS)


def downgrade() -> None:
    steps.drop_view("open_orders")
    steps.drop_table("strategy_order_results")
    steps.drop_table("strategy_order_logs")
    steps.drop_table("cancels")
    steps.drop_table("cancel_queue")
    steps.drop_table("order_venue_ids")
    steps.drop_table("orders")


def _create_orders() -> None:
    steps.create_table(
        "orders",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("currency", sa.String(30), nullable=False),
        sa.Column("strategy_id", types.BigId),
        sa.Column("strategy_account_id", types.BigId),
        sa.Column("bot_instance_id", types.BigId),
        sa.Column("signal_id", types.BigId),
        sa.Column("leg", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("parent_order_id", types.BigId),
        sa.Column("linked_order_id", types.BigId),
        sa.Column("client_order_id", sa.String(64), nullable=False),
        sa.Column("exchange_order_id", sa.String(100)),
        sa.Column("book", sa.String(20), nullable=False),
        sa.Column("trigger_state", sa.String(20)),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("market_type", sa.String(20), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("position_side", sa.String(10), nullable=False),
        sa.Column("order_type", sa.String(20), nullable=False),
        sa.Column("time_in_force", sa.String(10)),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("quantity", types.Amount(), nullable=False),
        sa.Column("price", types.Amount()),
        sa.Column("stop_price", types.Amount()),
        sa.Column("filled_quantity", types.Amount(), nullable=False),
        sa.Column("cost", types.Amount(), nullable=False),
        sa.Column("average_price", types.Amount()),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("unknown_since", types.Instant()),
        sa.Column("cancel_wanted", sa.Boolean(), nullable=False),
        sa.Column("close_on_late_fill", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(10), nullable=False),
        sa.Column("origin", sa.String(20)),
        sa.Column("engine", sa.String(50)),
        sa.Column("error_code", sa.String(50)),
        sa.Column("error_message", sa.Text()),
        sa.Column("sizing", types.Json),
        sa.Column("settings_version", sa.Integer()),
        sa.Column("leverage", types.Amount()),
        sa.Column("reserved", types.Amount(), nullable=False),
        sa.Column("exit_reason", sa.String(20)),
        sa.Column("trade_source", sa.String(20)),
        sa.Column("epoch", types.BigId),
        sa.Column("send_by", types.Instant()),
        sa.Column("sent_at", types.Instant()),
        sa.Column("acknowledged_at", types.Instant()),
        sa.Column("settled_at", types.Instant()),
        sa.Column("lookups", sa.Integer(), nullable=False),
        sa.Column("next_lookup_at", types.Instant()),
        sa.Column("watch_until", types.Instant()),
        sa.Column("raw", types.Json),
        sa.Column("exchange_at", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_orders_account_id"),
        sa.ForeignKeyConstraint(["linked_order_id"], ["orders.id"], name="fk_orders_linked_order_id"),
        sa.ForeignKeyConstraint(["parent_order_id"], ["orders.id"], name="fk_orders_parent_order_id"),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name="fk_orders_signal_id"),
        sa.ForeignKeyConstraint(
            ["strategy_account_id"], ["strategy_accounts.id"], name="fk_orders_strategy_account_id"
        ),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_orders_strategy_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_orders_user_id"),
        sa.UniqueConstraint("account_id", "client_order_id", name="uq_orders_account_id_client_order_id"),
        sa.UniqueConstraint(
            "signal_id", "account_id", "leg", "attempt", name="uq_orders_signal_id_account_id_leg_attempt"
        ),
        sa.CheckConstraint("book IN ('normal', 'conditional')", name="ck_orders_book"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_orders_environment"),
        sa.CheckConstraint(
            "exit_reason IN ('take_profit', 'stop_loss', 'signal_reverse', 'manual', 'liquidation', "
            "'grid', 'kill_switch')",
            name="ck_orders_exit_reason",
        ),
        sa.CheckConstraint("market_type IN ('spot', 'futures')", name="ck_orders_market_type"),
        sa.CheckConstraint(
            "order_type IN ('MARKET', 'LIMIT', 'STOP_MARKET', 'STOP_LIMIT', 'TAKE_PROFIT_MARKET', "
            "'TAKE_PROFIT_LIMIT')",
            name="ck_orders_order_type",
        ),
        sa.CheckConstraint(
            "origin IN ('strategy', 'grid', 'trend', 'manual', 'risk')", name="ck_orders_origin"
        ),
        sa.CheckConstraint("owner IN ('ours', 'external')", name="ck_orders_owner"),
        sa.CheckConstraint("position_side IN ('net', 'long', 'short')", name="ck_orders_position_side"),
        sa.CheckConstraint("quantity + 0 > 0", name="ck_orders_quantity_positive"),
        sa.CheckConstraint("side IN ('buy', 'sell')", name="ck_orders_side"),
        sa.CheckConstraint(
            "status IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'FILLED', 'PENDING_CANCEL', "
            "'CANCELED', 'REJECTED', 'EXPIRED')",
            name="ck_orders_status",
        ),
        sa.CheckConstraint("time_in_force IN ('GTC', 'IOC', 'FOK', 'PO')", name="ck_orders_time_in_force"),
        sa.CheckConstraint(
            "trade_source IN ('manual', 'ai_bot', 'grid_bot', 'webhook')", name="ck_orders_trade_source"
        ),
        growing=True,
    )
    steps.create_index(
        "ix_orders_account_id_exchange_order_id", "orders", ["account_id", "exchange_order_id"]
    )
    steps.create_index("ix_orders_account_id_status", "orders", ["account_id", "status"])
    steps.create_index("ix_orders_bot_instance_id", "orders", ["bot_instance_id"])
    steps.create_index("ix_orders_exchange_at_symbol", "orders", ["exchange_at", "symbol"])
    steps.create_index("ix_orders_linked_order_id", "orders", ["linked_order_id"])
    steps.create_index("ix_orders_next_lookup_at", "orders", ["next_lookup_at"])
    steps.create_index("ix_orders_parent_order_id", "orders", ["parent_order_id"])
    steps.create_index("ix_orders_status", "orders", ["status"])
    steps.create_index("ix_orders_strategy_account_id", "orders", ["strategy_account_id"])
    steps.create_index("ix_orders_strategy_id", "orders", ["strategy_id"])
    steps.create_index("ix_orders_symbol_status", "orders", ["symbol", "status"])
    steps.create_index(
        "ix_orders_user_id_environment_created_at", "orders", ["user_id", "environment", "created_at"]
    )
    steps.create_index("ix_orders_watch_until", "orders", ["watch_until"])


def _create_order_venue_ids() -> None:
    steps.create_table(
        "order_venue_ids",
        sa.Column("account_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("book", sa.String(20), nullable=False),
        sa.Column("venue_id", sa.String(100), nullable=False),
        sa.Column("order_id", types.BigId, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "symbol", "book", "venue_id", name="pk_order_venue_ids"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_order_venue_ids_account_id"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_venue_ids_order_id"),
        sa.CheckConstraint("book IN ('normal', 'conditional')", name="ck_order_venue_ids_book"),
    )
    steps.create_index("ix_order_venue_ids_order_id", "order_venue_ids", ["order_id"])


def _create_cancel_queue() -> None:
    steps.create_table(
        "cancel_queue",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("order_id", types.BigId, nullable=False),
        sa.Column("strategy_id", types.BigId),
        sa.Column("account_id", types.BigId),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("requested_at", types.Instant(), nullable=False),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("max_retries", sa.Integer(), nullable=False),
        sa.Column("next_retry_at", types.Instant()),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("error_message", sa.Text()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column(
            "live_order_id",
            types.BigId,
            sa.Computed("CASE WHEN status IN ('PENDING', 'PROCESSING') THEN order_id END", persisted=True),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cancel_queue"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_cancel_queue_account_id"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_cancel_queue_order_id"),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_cancel_queue_strategy_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_cancel_queue_user_id"),
        sa.UniqueConstraint("live_order_id", name="uq_cancel_queue_live_order_id"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_cancel_queue_environment"),
        sa.CheckConstraint(
            "status IN ('PENDING', 'PROCESSING', 'SUCCESS', 'FAILED')", name="ck_cancel_queue_status"
        ),
        growing=True,
    )
    steps.create_index("ix_cancel_queue_account_id", "cancel_queue", ["account_id"])
    steps.create_index("ix_cancel_queue_next_retry_at", "cancel_queue", ["next_retry_at"])
    steps.create_index("ix_cancel_queue_order_id", "cancel_queue", ["order_id"])
    steps.create_index("ix_cancel_queue_status", "cancel_queue", ["status"])
    steps.create_index(
        "ix_cancel_queue_user_id_environment_created_at",
        "cancel_queue",
        ["user_id", "environment", "created_at"],
    )


def _create_cancels() -> None:
    steps.create_table(
        "cancels",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("order_id", types.BigId, nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("raw", types.Json),
        sa.Column("exchange_at", types.Instant(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cancels"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_cancels_account_id"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_cancels_order_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_cancels_user_id"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_cancels_environment"),
        sa.CheckConstraint("side IN ('buy', 'sell')", name="ck_cancels_side"),
        growing=True,
    )
    steps.create_index("ix_cancels_exchange_at_symbol", "cancels", ["exchange_at", "symbol"])
    steps.create_index("ix_cancels_order_id", "cancels", ["order_id"])


def _create_strategy_order_logs() -> None:
    steps.create_table(
        "strategy_order_logs",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("strategy_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("webhook_log_id", types.BigId),
        sa.Column("signal_id", types.BigId),
        sa.Column("leg", sa.String(20), nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("order_type", sa.String(20), nullable=False),
        sa.Column("quantity", types.Amount(), nullable=False),
        sa.Column("price", types.Amount()),
        sa.Column("stop_price", types.Amount()),
        sa.Column("execution_results", types.Json, nullable=False),
        sa.Column("total_accounts", sa.Integer(), nullable=False),
        sa.Column("successful_accounts", sa.Integer(), nullable=False),
        sa.Column("failed_accounts", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("completed_at", types.Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_strategy_order_logs"),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name="fk_strategy_order_logs_signal_id"),
        sa.ForeignKeyConstraint(
            ["strategy_id"], ["strategies.id"], name="fk_strategy_order_logs_strategy_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_strategy_order_logs_user_id"),
        sa.UniqueConstraint("signal_id", "leg", name="uq_strategy_order_logs_signal_id_leg"),
        sa.CheckConstraint(
            "status IN ('PROCESSING', 'COMPLETED', 'PARTIAL_FAILURE', 'FAILED')",
            name="ck_strategy_order_logs_status",
        ),
        growing=True,
    )
    steps.create_index("ix_strategy_order_logs_signal_id", "strategy_order_logs", ["signal_id"])
    steps.create_index("ix_strategy_order_logs_status", "strategy_order_logs", ["status"])
    steps.create_index("ix_strategy_order_logs_strategy_id", "strategy_order_logs", ["strategy_id"])
    steps.create_index(
        "ix_strategy_order_logs_user_id_created_at", "strategy_order_logs", ["user_id", "created_at"]
    )


def _create_strategy_order_results() -> None:
    steps.create_table(
        "strategy_order_results",
        sa.Column("log_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("account_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("success", sa.Boolean()),
        sa.Column("order_id", types.BigId),
        sa.Column("error_code", sa.String(50)),
        sa.Column("error", sa.Text()),
        sa.Column("sizing", types.Json),
        sa.Column("sent_at", types.Instant()),
        sa.Column("settled_at", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "account_id", name="pk_strategy_order_results"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_strategy_order_results_account_id"),
        sa.ForeignKeyConstraint(
            ["log_id"], ["strategy_order_logs.id"], name="fk_strategy_order_results_log_id"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_strategy_order_results_order_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_strategy_order_results_user_id"),
        sa.CheckConstraint(
            "environment IN ('live', 'demo', 'paper')", name="ck_strategy_order_results_environment"
        ),
    )
    steps.create_index("ix_strategy_order_results_account_id", "strategy_order_results", ["account_id"])
    steps.create_index("ix_strategy_order_results_order_id", "strategy_order_results", ["order_id"])
    steps.create_index("ix_strategy_order_results_user_id", "strategy_order_results", ["user_id"])
