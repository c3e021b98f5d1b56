"""Tables of orders, of their ids at the venue, of cancels, and of the order log of strategies."""

import sqlalchemy as sa

from fillbook.accounts.core import Environment, PositionSide
from fillbook.kernel.money import ZERO
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import Book, OrderStatus, OrderType, Owner, TimeInForce
from fillbook.storage.metadata import table
from fillbook.storage.types import (
    BigId,
    Instant,
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

orders = table(
    "orders",
    row_id(),
    reference("account_id", "accounts.id"),
    reference("user_id", "users.id"),
    word("environment", Environment, length=8),
    sa.Column("currency", sa.String(30), nullable=False),
    # Copied from the link, so that a fill finds its strategy without asking the domain above.
    reference("strategy_id", "strategies.id", nullable=True, index=True),
    reference("strategy_account_id", "strategy_accounts.id", nullable=True, index=True),
    sa.Column("bot_instance_id", BigId, index=True),
    reference("signal_id", "signals.id", nullable=True),
    # Empty for an order that no signal asked for.
    sa.Column("leg", sa.String(20), nullable=False, default=""),
    sa.Column("attempt", sa.Integer, nullable=False, default=1),
    reference("parent_order_id", "orders.id", nullable=True, index=True),
    reference("linked_order_id", "orders.id", nullable=True, index=True),
    sa.Column("client_order_id", sa.String(64), nullable=False),
    sa.Column("exchange_order_id", sa.String(100)),
    word("book", Book, default=Book.NORMAL),
    sa.Column("trigger_state", sa.String(20)),
    sa.Column("symbol", sa.String(50), nullable=False),
    word("market_type", MarketType),
    word("side", Side, length=10),
    word("position_side", PositionSide, length=10, default=PositionSide.NET),
    word("order_type", OrderType),
    word("time_in_force", TimeInForce, length=10, nullable=True),
    flag("reduce_only", False),
    amount("quantity"),
    amount("price", nullable=True),
    amount("stop_price", nullable=True),
    # Protection wanted for what fills: it becomes orders of its own, whose parent this is.
    amount("stop_loss_price", nullable=True),
    amount("take_profit_price", nullable=True),
    # A change of price and quantity that is written down and not yet settled; see `orders.core.amend`.
    sa.Column("amend", Json),
    amount("filled_quantity", default=ZERO),
    amount("cost", default=ZERO),
    amount("average_price", nullable=True),
    word("status", OrderStatus, default=OrderStatus.PENDING_NEW, index=True),
    instant("unknown_since", nullable=True),
    flag("cancel_wanted", False),
    # A close came while nobody knew whether the order had arrived: what fills beyond `late_fill_from` is closed.
    flag("close_on_late_fill", False),
    amount("late_fill_from", nullable=True),
    # True while what the order has filled may call for orders of its own; else NULL.
    sa.Column("follow_up", sa.Boolean, index=True),
    word("owner", Owner, length=10, default=Owner.OURS),
    word("origin", ("strategy", "grid", "trend", "manual", "risk"), nullable=True),
    sa.Column("engine", sa.String(50)),
    sa.Column("error_code", sa.String(50)),
    sa.Column("error_message", sa.Text),
    sa.Column("sizing", Json),
    sa.Column("settings_version", sa.Integer),
    amount("leverage", nullable=True),
    amount("reserved", default=ZERO),
    word("exit_reason", ExitReason, nullable=True),
    word("trade_source", TradeSource, nullable=True),
    sa.Column("epoch", BigId),
    instant("send_by", nullable=True),
    instant("sent_at", nullable=True),
    instant("acknowledged_at", nullable=True),
    instant("settled_at", nullable=True),
    sa.Column("lookups", sa.Integer, nullable=False, default=0),
    sa.Column("next_lookup_at", Instant(), index=True),
    sa.Column("watch_until", Instant(), index=True),
    sa.Column("raw", Json),
    instant("exchange_at", nullable=True),
    created_at(),
    updated_at(),
    sa.UniqueConstraint("account_id", "client_order_id"),
    sa.UniqueConstraint("signal_id", "account_id", "leg", "attempt"),
    sa.Index(None, "exchange_at", "symbol"),
    sa.Index(None, "symbol", "status"),
    sa.Index(None, "account_id", "status"),
    sa.Index(None, "account_id", "exchange_order_id"),
    sa.Index(None, "user_id", "environment", "created_at"),
    amount_check("quantity", "> 0", "quantity_positive"),
    growing=True,
)

order_venue_ids = table(
    "order_venue_ids",
    reference("account_id", "accounts.id"),
    sa.Column("symbol", sa.String(50), nullable=False),
    word("book", Book),
    sa.Column("venue_id", sa.String(100), nullable=False),
    reference("order_id", "orders.id", index=True),
    sa.PrimaryKeyConstraint("account_id", "symbol", "book", "venue_id"),
)

cancel_queue = table(
    "cancel_queue",
    row_id(),
    reference("order_id", "orders.id", index=True),
    reference("strategy_id", "strategies.id", nullable=True),
    reference("account_id", "accounts.id", nullable=True, index=True),
    reference("user_id", "users.id"),
    word("environment", Environment, length=8),
    instant("requested_at"),
    sa.Column("retry_count", sa.Integer, nullable=False, default=0),
    sa.Column("max_retries", sa.Integer, nullable=False, default=5),
    instant("next_retry_at", nullable=True, index=True),
    word("status", ("PENDING", "PROCESSING", "SUCCESS", "FAILED"), default="PENDING", index=True),
    sa.Column("error_message", sa.Text),
    created_at(),
    updated_at(),
    # NULL once it has ended: at most one live row of an order, on databases without partial indexes too.
    sa.Column(
        "live_order_id",
        BigId,
        sa.Computed("CASE WHEN status IN ('PENDING', 'PROCESSING') THEN order_id END", persisted=True),
        unique=True,
    ),
    sa.Index(None, "user_id", "environment", "created_at"),
    growing=True,
)

cancels = table(
    "cancels",
    row_id(),
    reference("account_id", "accounts.id"),
    reference("user_id", "users.id"),
    word("environment", Environment, length=8),
    reference("order_id", "orders.id", index=True),
    sa.Column("symbol", sa.String(50), nullable=False),
    word("side", Side, length=10),
    sa.Column("reason", sa.String(200)),
    sa.Column("raw", Json),
    instant("exchange_at"),
    created_at(),
    sa.Index(None, "exchange_at", "symbol"),
    growing=True,
)

strategy_order_logs = table(
    "strategy_order_logs",
    row_id(),
    reference("strategy_id", "strategies.id", index=True),
    reference("user_id", "users.id"),
    # No reference: webhook logs are partitioned.
    sa.Column("webhook_log_id", BigId),
    reference("signal_id", "signals.id", nullable=True, index=True),
    sa.Column("leg", sa.String(20), nullable=False, default=""),
    sa.Column("symbol", sa.String(50), nullable=False),
    sa.Column("side", sa.String(10), nullable=False),
    sa.Column("order_type", sa.String(20), nullable=False),
    amount("quantity"),
    amount("price", nullable=True),
    amount("stop_price", nullable=True),
    sa.Column("execution_results", Json, nullable=False, default=dict),
    sa.Column("total_accounts", sa.Integer, nullable=False),
    sa.Column("successful_accounts", sa.Integer, nullable=False, default=0),
    sa.Column("failed_accounts", sa.Integer, nullable=False, default=0),
    sa.Column("unknown", sa.Integer, nullable=False, default=0),
    word(
        "status",
        ("PROCESSING", "COMPLETED", "PARTIAL_FAILURE", "FAILED"),
        default="PROCESSING",
        index=True,
    ),
    created_at(),
    instant("completed_at", nullable=True),
    sa.UniqueConstraint("signal_id", "leg"),
    sa.Index(None, "user_id", "created_at"),
    growing=True,
)

strategy_order_results = table(
    "strategy_order_results",
    reference("log_id", "strategy_order_logs.id"),
    reference("account_id", "accounts.id", index=True),
    reference("user_id", "users.id", index=True),
    word("environment", Environment, length=8),
    # NULL until its fate is known.
    sa.Column("success", sa.Boolean),
    reference("order_id", "orders.id", nullable=True, index=True),
    sa.Column("error_code", sa.String(50)),
    sa.Column("error", sa.Text),
    sa.Column("sizing", Json),
    instant("sent_at", nullable=True),
    instant("settled_at", nullable=True),
    created_at(),
    updated_at(),
    sa.PrimaryKeyConstraint("log_id", "account_id"),
)

_LIVE = ", ".join(f"'{status}'" for status in OrderStatus if status.is_live)

_OPEN_ORDER_COLUMNS = (
    "id",
    "user_id",
    "environment",
    "account_id",
    "strategy_account_id",
    "exchange_order_id",
    "symbol",
    "side",
    "order_type",
    "quantity",
    "price",
    "filled_quantity",
    "status",
    "market_type",
    "created_at",
    "updated_at",
)

OPEN_ORDERS_VIEW = f"SELECT {', '.join(_OPEN_ORDER_COLUMNS)} FROM orders WHERE status IN ({_LIVE})"  # noqa: S608

open_orders = sa.Table(
    "open_orders",
    sa.MetaData(),
    *(sa.Column(name, orders.c[name].type) for name in _OPEN_ORDER_COLUMNS),
)
"""The view of live orders. Not on the metadata: the migration creates it."""
