"""Fills and what they fold to."""

import sqlalchemy as sa

from fillbook.migrations import steps
from fillbook.storage import types

revision = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_fills()
    _create_fill_keys()
    _create_positions()
    _create_strategy_positions()
    _create_trades()
    _create_fill_allocations()
    _create_ledger_entries()


def downgrade() -> None:
    steps.drop_table("ledger_entries")
    steps.drop_table("fill_allocations")
    steps.drop_table("trades")
    steps.drop_table("strategy_positions")
    steps.drop_table("positions")
    steps.drop_table("fill_keys")
    steps.drop_table("fills")


def _create_fills() -> None:
    steps.create_table(
        "fills",
        sa.Column("id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("exchange_order_id", sa.String(100), nullable=False),
        sa.Column("venue_fill_id", sa.String(100), nullable=False),
        sa.Column("order_id", types.BigId),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("position_side", sa.String(10), nullable=False),
        sa.Column("price", types.Amount(), nullable=False),
        sa.Column("quantity", types.Amount(), nullable=False),
        sa.Column("cost", types.Amount(), nullable=False),
        sa.Column("currency", sa.String(30), nullable=False),
        sa.Column("fee", types.Amount(), nullable=False),
        sa.Column("fee_asset", sa.String(30)),
        sa.Column("fee_quote", types.Amount(), nullable=False),
        sa.Column("fee_rate", types.Amount(), nullable=False),
        sa.Column("fee_rate_source", sa.String(20), nullable=False),
        sa.Column("venue_realized_pnl", types.Amount()),
        sa.Column("market_type", sa.String(20), nullable=False),
        sa.Column("liquidity", sa.String(10)),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("superseded_by_id", types.BigId),
        sa.Column("corrects_id", types.BigId),
        sa.Column("raw", types.Json),
        sa.Column("exchange_at", types.Instant(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", "exchange_at", name="pk_fills"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_fills_account_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_fills_user_id"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_fills_environment"),
        sa.CheckConstraint(
            "fee_rate_source IN ('none', 'quote', 'fill_price', 'market', 'estimated', 'missing')",
            name="ck_fills_fee_rate_source",
        ),
        sa.CheckConstraint("kind IN ('trade', 'liquidation', 'adl', 'settlement')", name="ck_fills_kind"),
        sa.CheckConstraint("liquidity IN ('maker', 'taker')", name="ck_fills_liquidity"),
        sa.CheckConstraint("market_type IN ('spot', 'futures')", name="ck_fills_market_type"),
        sa.CheckConstraint("position_side IN ('net', 'long', 'short')", name="ck_fills_position_side"),
        sa.CheckConstraint("quantity + 0 > 0", name="ck_fills_quantity_positive"),
        sa.CheckConstraint("side IN ('buy', 'sell')", name="ck_fills_side"),
        sa.CheckConstraint("source IN ('response', 'stream', 'rest', 'inferred')", name="ck_fills_source"),
        postgresql_partition_by="RANGE (exchange_at)",
    )
    steps.create_index(
        "ix_fills_account_id_symbol_exchange_at", "fills", ["account_id", "symbol", "exchange_at"]
    )
    steps.create_index("ix_fills_exchange_at", "fills", ["exchange_at"])
    steps.create_index("ix_fills_exchange_at_symbol", "fills", ["exchange_at", "symbol"])
    steps.create_index("ix_fills_order_id", "fills", ["order_id"])
    steps.create_index("ix_fills_symbol", "fills", ["symbol"])
    steps.create_index(
        "ix_fills_user_id_environment_exchange_at", "fills", ["user_id", "environment", "exchange_at"]
    )


def _create_fill_keys() -> None:
    steps.create_table(
        "fill_keys",
        sa.Column("account_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("exchange_order_id", sa.String(100), nullable=False),
        sa.Column("venue_fill_id", sa.String(100), nullable=False),
        sa.Column("fill_id", types.BigId, nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "symbol", "exchange_order_id", "venue_fill_id", name="pk_fill_keys"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_fill_keys_account_id"),
        sa.UniqueConstraint("fill_id", name="uq_fill_keys_fill_id"),
    )


def _create_positions() -> None:
    steps.create_table(
        "positions",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("currency", sa.String(30), nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("position_side", sa.String(10), nullable=False),
        sa.Column("side", sa.String(10)),
        sa.Column("quantity", types.Amount(), nullable=False),
        sa.Column("cost", types.Amount(), nullable=False),
        sa.Column("capital_used", types.Amount(), nullable=False),
        sa.Column("realized_pnl", types.Amount(), nullable=False),
        sa.Column("fees", types.Amount(), nullable=False),
        sa.Column("dust_quantity", types.Amount(), nullable=False),
        sa.Column("dust_cost", types.Amount(), nullable=False),
        sa.Column("last_fill_at", types.Instant()),
        sa.Column("last_fill_id", sa.String(100)),
        sa.Column("last_order_id_text", sa.String(100)),
        sa.Column("trip_state", types.Json),
        sa.Column("avg_entry", types.Amount()),
        sa.Column("current_price", types.Amount()),
        sa.Column("unrealized_pnl", types.Amount()),
        sa.Column("leverage", types.Amount()),
        sa.Column("liquidation_price", types.Amount()),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("reconcile_status", sa.String(20), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("opened_at", types.Instant()),
        sa.Column("closed_at", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_positions"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_positions_account_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_positions_user_id"),
        sa.UniqueConstraint(
            "account_id", "symbol", "position_side", name="uq_positions_account_id_symbol_position_side"
        ),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_positions_environment"),
        sa.CheckConstraint("position_side IN ('net', 'long', 'short')", name="ck_positions_position_side"),
        sa.CheckConstraint(
            "reconcile_status IN ('ok', 'mismatch', 'repairing')", name="ck_positions_reconcile_status"
        ),
        sa.CheckConstraint("side IN ('long', 'short')", name="ck_positions_side"),
        sa.CheckConstraint("source IN ('fills', 'venue', 'rebuild')", name="ck_positions_source"),
        growing=True,
    )
    steps.create_index(
        "ix_positions_user_id_environment_is_open", "positions", ["user_id", "environment", "is_open"]
    )


def _create_strategy_positions() -> None:
    steps.create_table(
        "strategy_positions",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("strategy_id", types.BigId),
        sa.Column("strategy_account_id", types.BigId),
        sa.Column("bot_instance_id", types.BigId),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("currency", sa.String(30), nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("position_side", sa.String(10), nullable=False),
        sa.Column("owner_key", sa.String(40), nullable=False),
        sa.Column("direction", sa.String(10)),
        sa.Column("quantity", types.Amount(), nullable=False),
        sa.Column("cost", types.Amount(), nullable=False),
        sa.Column("capital_used", types.Amount(), nullable=False),
        sa.Column("realized_pnl", types.Amount(), nullable=False),
        sa.Column("fees", types.Amount(), nullable=False),
        sa.Column("dust_quantity", types.Amount(), nullable=False),
        sa.Column("dust_cost", types.Amount(), nullable=False),
        sa.Column("last_fill_at", types.Instant()),
        sa.Column("last_fill_id", sa.String(100)),
        sa.Column("last_order_id_text", sa.String(100)),
        sa.Column("trip_state", types.Json),
        sa.Column("entry_price", types.Amount()),
        sa.Column("current_price", types.Amount()),
        sa.Column("unrealized_pnl", types.Amount()),
        sa.Column("leverage", types.Amount()),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("opened_at", types.Instant()),
        sa.Column("closed_at", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("last_updated", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_strategy_positions"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_strategy_positions_account_id"),
        sa.ForeignKeyConstraint(
            ["strategy_account_id"],
            ["strategy_accounts.id"],
            name="fk_strategy_positions_strategy_account_id",
        ),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_strategy_positions_strategy_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_strategy_positions_user_id"),
        sa.UniqueConstraint(
            "account_id",
            "symbol",
            "position_side",
            "owner_key",
            name="uq_strategy_positions_account_id_symbol_position_side_owner_key",
        ),
        sa.CheckConstraint("direction IN ('LONG', 'SHORT')", name="ck_strategy_positions_direction"),
        sa.CheckConstraint(
            "environment IN ('live', 'demo', 'paper')", name="ck_strategy_positions_environment"
        ),
        sa.CheckConstraint(
            "position_side IN ('net', 'long', 'short')", name="ck_strategy_positions_position_side"
        ),
        growing=True,
    )
    steps.create_index("ix_strategy_positions_bot_instance_id", "strategy_positions", ["bot_instance_id"])
    steps.create_index("ix_strategy_positions_is_open", "strategy_positions", ["is_open"])
    steps.create_index(
        "ix_strategy_positions_strategy_account_id", "strategy_positions", ["strategy_account_id"]
    )
    steps.create_index("ix_strategy_positions_strategy_id", "strategy_positions", ["strategy_id"])
    steps.create_index("ix_strategy_positions_symbol", "strategy_positions", ["symbol"])
    steps.create_index(
        "ix_strategy_positions_user_id_environment_is_open",
        "strategy_positions",
        ["user_id", "environment", "is_open"],
    )


def _create_trades() -> None:
    steps.create_table(
        "trades",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("strategy_id", types.BigId),
        sa.Column("strategy_account_id", types.BigId),
        sa.Column("strategy_position_id", types.BigId),
        sa.Column("bot_instance_id", types.BigId),
        sa.Column("owner_key", sa.String(40), nullable=False),
        sa.Column("opening_fill_id", types.BigId, nullable=False),
        sa.Column("opening_part", sa.SmallInteger(), nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("position_side", sa.String(10), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("quantity", types.Amount(), nullable=False),
        sa.Column("entry_price", types.Amount(), nullable=False),
        sa.Column("exit_price", types.Amount()),
        sa.Column("pnl", types.Amount(), nullable=False),
        sa.Column("realized_pnl", types.Amount(), nullable=False),
        sa.Column("pnl_percent", types.Amount(), nullable=False),
        sa.Column("fees", types.Amount(), nullable=False),
        sa.Column("funding", types.Amount(), nullable=False),
        sa.Column("capital", types.Amount(), nullable=False),
        sa.Column("currency", sa.String(30), nullable=False),
        sa.Column("leverage", types.Amount(), nullable=False),
        sa.Column("exit_reason", sa.String(20)),
        sa.Column("trade_source", sa.String(20), nullable=False),
        sa.Column("opened_at", types.Instant(), nullable=False),
        sa.Column("closed_at", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trades"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_trades_account_id"),
        sa.ForeignKeyConstraint(
            ["strategy_account_id"], ["strategy_accounts.id"], name="fk_trades_strategy_account_id"
        ),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategies.id"], name="fk_trades_strategy_id"),
        sa.ForeignKeyConstraint(
            ["strategy_position_id"], ["strategy_positions.id"], name="fk_trades_strategy_position_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_trades_user_id"),
        sa.UniqueConstraint(
            "opening_fill_id",
            "opening_part",
            "owner_key",
            name="uq_trades_opening_fill_id_opening_part_owner_key",
        ),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_trades_environment"),
        sa.CheckConstraint(
            "exit_reason IN ('take_profit', 'stop_loss', 'signal_reverse', 'manual', 'liquidation', "
            "'grid', 'kill_switch')",
            name="ck_trades_exit_reason",
        ),
        sa.CheckConstraint("position_side IN ('net', 'long', 'short')", name="ck_trades_position_side"),
        sa.CheckConstraint("side IN ('buy', 'sell')", name="ck_trades_side"),
        sa.CheckConstraint(
            "trade_source IN ('manual', 'ai_bot', 'grid_bot', 'webhook')", name="ck_trades_trade_source"
        ),
        growing=True,
    )
    steps.create_index(
        "ix_trades_account_id_symbol_owner_key", "trades", ["account_id", "symbol", "owner_key"]
    )
    steps.create_index("ix_trades_bot_instance_id", "trades", ["bot_instance_id"])
    steps.create_index("ix_trades_strategy_id", "trades", ["strategy_id"])
    steps.create_index("ix_trades_symbol", "trades", ["symbol"])
    steps.create_index("ix_trades_user_id_created_at", "trades", ["user_id", "created_at"])
    steps.create_index(
        "ix_trades_user_id_environment_closed_at", "trades", ["user_id", "environment", "closed_at"]
    )


def _create_fill_allocations() -> None:
    steps.create_table(
        "fill_allocations",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("fill_id", types.BigId, nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("currency", sa.String(30), nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("position_side", sa.String(10), nullable=False),
        sa.Column("owner_key", sa.String(40), nullable=False),
        sa.Column("strategy_account_id", types.BigId),
        sa.Column("strategy_position_id", types.BigId),
        sa.Column("bot_instance_id", types.BigId),
        sa.Column("trade_id", types.BigId),
        sa.Column("quantity", types.Amount(), nullable=False),
        sa.Column("cost", types.Amount(), nullable=False),
        sa.Column("fee", types.Amount(), nullable=False),
        sa.Column("fee_quote", types.Amount(), nullable=False),
        sa.Column("realized_pnl", types.Amount(), nullable=False),
        sa.Column("leverage", types.Amount(), nullable=False),
        sa.Column("exit_reason", sa.String(20)),
        sa.Column("trade_source", sa.String(20)),
        sa.Column("exchange_at", types.Instant(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fill_allocations"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_fill_allocations_account_id"),
        sa.ForeignKeyConstraint(
            ["strategy_account_id"], ["strategy_accounts.id"], name="fk_fill_allocations_strategy_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["strategy_position_id"],
            ["strategy_positions.id"],
            name="fk_fill_allocations_strategy_position_id",
        ),
        sa.ForeignKeyConstraint(
            ["trade_id"], ["trades.id"], name="fk_fill_allocations_trade_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_fill_allocations_user_id"),
        sa.UniqueConstraint(
            "fill_id", "owner_key", "part", name="uq_fill_allocations_fill_id_owner_key_part"
        ),
        sa.CheckConstraint(
            "environment IN ('live', 'demo', 'paper')", name="ck_fill_allocations_environment"
        ),
        sa.CheckConstraint(
            "exit_reason IN ('take_profit', 'stop_loss', 'signal_reverse', 'manual', 'liquidation', "
            "'grid', 'kill_switch')",
            name="ck_fill_allocations_exit_reason",
        ),
        sa.CheckConstraint(
            "position_side IN ('net', 'long', 'short')", name="ck_fill_allocations_position_side"
        ),
        sa.CheckConstraint(
            "trade_source IN ('manual', 'ai_bot', 'grid_bot', 'webhook')",
            name="ck_fill_allocations_trade_source",
        ),
        growing=True,
    )
    steps.create_index(
        "ix_fill_allocations_account_id_symbol_owner_key_exchange_at",
        "fill_allocations",
        ["account_id", "symbol", "owner_key", "exchange_at"],
    )
    steps.create_index("ix_fill_allocations_bot_instance_id", "fill_allocations", ["bot_instance_id"])
    steps.create_index("ix_fill_allocations_strategy_account_id", "fill_allocations", ["strategy_account_id"])
    steps.create_index(
        "ix_fill_allocations_strategy_position_id", "fill_allocations", ["strategy_position_id"]
    )
    steps.create_index("ix_fill_allocations_trade_id", "fill_allocations", ["trade_id"])
    steps.create_index(
        "ix_fill_allocations_user_id_environment_exchange_at",
        "fill_allocations",
        ["user_id", "environment", "exchange_at"],
    )


def _create_ledger_entries() -> None:
    steps.create_table(
        "ledger_entries",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("asset", sa.String(30), nullable=False),
        sa.Column("symbol", sa.String(50)),
        sa.Column("amount", types.Amount(), nullable=False),
        sa.Column("venue_id", sa.String(150), nullable=False),
        sa.Column("trade_id", types.BigId),
        sa.Column("owner_key", sa.String(40)),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_ledger_entries_account_id"),
        sa.ForeignKeyConstraint(
            ["trade_id"], ["trades.id"], name="fk_ledger_entries_trade_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_ledger_entries_user_id"),
        sa.UniqueConstraint(
            "account_id", "kind", "venue_id", name="uq_ledger_entries_account_id_kind_venue_id"
        ),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_ledger_entries_environment"),
        sa.CheckConstraint(
            "kind IN ('funding', 'deposit', 'withdrawal', 'transfer', 'dust', 'adjustment')",
            name="ck_ledger_entries_kind",
        ),
        growing=True,
    )
    steps.create_index(
        "ix_ledger_entries_account_id_symbol_at", "ledger_entries", ["account_id", "symbol", "at"]
    )
    steps.create_index("ix_ledger_entries_trade_id", "ledger_entries", ["trade_id"])
    steps.create_index(
        "ix_ledger_entries_user_id_environment_at", "ledger_entries", ["user_id", "environment", "at"]
    )
