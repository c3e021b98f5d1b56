"""People, accounts with what their venues report, instruments, leases and events."""

import sqlalchemy as sa

from fillbook.migrations import steps
from fillbook.storage import types

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_users()
    _create_api_tokens()
    _create_installation()
    _create_idempotency_keys()
    _create_accounts()
    _create_balances()
    _create_account_symbols()
    _create_sync_cursors()
    _create_instruments()
    _create_leases()
    _create_workers()
    _create_events()


def downgrade() -> None:
    steps.drop_table("events")
    steps.drop_table("workers")
    steps.drop_table("leases")
    steps.drop_table("instruments")
    steps.drop_table("sync_cursors")
    steps.drop_table("account_symbols")
    steps.drop_table("balances")
    steps.drop_table("accounts")
    steps.drop_table("idempotency_keys")
    steps.drop_table("installation")
    steps.drop_table("api_tokens")
    steps.drop_table("users")


def _create_users() -> None:
    steps.create_table(
        "users",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("username", sa.String(80), nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("name", sa.String(100)),
        sa.Column("phone", sa.String(20)),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("suspended_at", types.Instant()),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("telegram_id", sa.String(50)),
        sa.Column("profile_image", sa.String(500)),
        sa.Column("totp_secret", sa.Text()),
        sa.Column("is_2fa_enabled", sa.Boolean(), nullable=False),
        sa.Column("last_login", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.UniqueConstraint("username", name="uq_users_username"),
        sa.CheckConstraint("role IN ('user', 'admin')", name="ck_users_role"),
        growing=True,
    )
    steps.create_index("ix_users_telegram_id", "users", ["telegram_id"])


def _create_api_tokens() -> None:
    steps.create_table(
        "api_tokens",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(50), nullable=False),
        sa.Column("expires_at", types.Instant()),
        sa.Column("last_used_at", types.Instant()),
        sa.Column("revoked_at", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_user_id", ondelete="CASCADE"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
        growing=True,
    )
    steps.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])


def _create_installation() -> None:
    steps.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("installation_id", sa.String(4), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
        sa.CheckConstraint("id = 1", name="ck_installation_single"),
    )


def _create_idempotency_keys() -> None:
    steps.create_table(
        "idempotency_keys",
        sa.Column("user_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("status_code", sa.Integer()),
        sa.Column("response", types.Json),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_idempotency_keys_user_id", ondelete="CASCADE"
        ),
    )
    steps.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _create_accounts() -> None:
    steps.create_table(
        "accounts",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(32), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("exchange", sa.String(20), nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("market_types", types.Json, nullable=False),
        sa.Column("encrypted_api_key", sa.Text()),
        sa.Column("encrypted_secret_key", sa.Text()),
        sa.Column("encrypted_passphrase", sa.Text()),
        sa.Column("key_fingerprint", sa.String(16)),
        sa.Column("permissions", types.Json),
        sa.Column("position_mode", sa.String(20)),
        sa.Column("trading_state", sa.String(20), nullable=False),
        sa.Column("trading_state_reason", sa.String(200)),
        sa.Column("egress", sa.String(255)),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", types.Instant()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_accounts_user_id"),
        sa.UniqueConstraint("uid", name="uq_accounts_uid"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_accounts_environment"),
        sa.CheckConstraint("exchange IN ('binance', 'bybit', 'okx', 'bitget')", name="ck_accounts_exchange"),
        sa.CheckConstraint("position_mode IN ('one_way', 'hedge')", name="ck_accounts_position_mode"),
        sa.CheckConstraint(
            "trading_state IN ('active', 'reduce_only', 'halted')", name="ck_accounts_trading_state"
        ),
        growing=True,
    )
    steps.create_index("ix_accounts_exchange", "accounts", ["exchange"])
    steps.create_index("ix_accounts_user_id", "accounts", ["user_id"])


def _create_balances() -> None:
    steps.create_table(
        "balances",
        sa.Column("account_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("market_type", sa.String(20), nullable=False),
        sa.Column("asset", sa.String(30), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("free", types.Amount(), nullable=False),
        sa.Column("locked", types.Amount(), nullable=False),
        sa.Column("borrowed", types.Amount(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "market_type", "asset", name="pk_balances"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_balances_account_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_balances_user_id"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_balances_environment"),
        sa.CheckConstraint("market_type IN ('spot', 'futures')", name="ck_balances_market_type"),
    )
    steps.create_index("ix_balances_user_id", "balances", ["user_id"])


def _create_account_symbols() -> None:
    steps.create_table(
        "account_symbols",
        sa.Column("account_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("leverage", types.Amount()),
        sa.Column("margin_mode", sa.String(20)),
        sa.Column("position_mode", sa.String(20)),
        sa.Column("verified_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "symbol", name="pk_account_symbols"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_account_symbols_account_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_account_symbols_user_id"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_account_symbols_environment"),
        sa.CheckConstraint("margin_mode IN ('cross', 'isolated')", name="ck_account_symbols_margin_mode"),
        sa.CheckConstraint("position_mode IN ('one_way', 'hedge')", name="ck_account_symbols_position_mode"),
    )


def _create_sync_cursors() -> None:
    steps.create_table(
        "sync_cursors",
        sa.Column("account_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("last_sync_at", types.Instant(), nullable=False),
        sa.Column("last_trade_id", sa.String(100)),
        sa.Column("complete_since", types.Instant()),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "symbol", "kind", name="pk_sync_cursors"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_sync_cursors_account_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sync_cursors_user_id"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_sync_cursors_environment"),
        sa.CheckConstraint("kind IN ('fills', 'orders', 'ledger')", name="ck_sync_cursors_kind"),
    )


def _create_instruments() -> None:
    steps.create_table(
        "instruments",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("venue", sa.String(20), nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("symbol", sa.String(50), nullable=False),
        sa.Column("market_type", sa.String(20), nullable=False),
        sa.Column("base", sa.String(30), nullable=False),
        sa.Column("quote", sa.String(30), nullable=False),
        sa.Column("settle", sa.String(30), nullable=False),
        sa.Column("tick", types.Amount(), nullable=False),
        sa.Column("lot", types.Amount(), nullable=False),
        sa.Column("min_quantity", types.Amount(), nullable=False),
        sa.Column("max_quantity", types.Amount()),
        sa.Column("max_market_quantity", types.Amount()),
        sa.Column("market_lot", types.Amount()),
        sa.Column("min_notional", types.Amount(), nullable=False),
        sa.Column("contract_size", types.Amount(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("valid_from", types.Instant(), nullable=False),
        sa.Column("valid_to", types.Instant()),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column(
            "current_symbol",
            sa.String(50),
            sa.Computed("CASE WHEN valid_to IS NULL THEN symbol END", persisted=True),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_instruments"),
        sa.UniqueConstraint(
            "venue", "environment", "current_symbol", name="uq_instruments_venue_environment_current_symbol"
        ),
        sa.UniqueConstraint(
            "venue",
            "environment",
            "symbol",
            "valid_from",
            name="uq_instruments_venue_environment_symbol_valid_from",
        ),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_instruments_environment"),
        sa.CheckConstraint("lot + 0 > 0", name="ck_instruments_lot_positive"),
        sa.CheckConstraint("market_type IN ('spot', 'futures')", name="ck_instruments_market_type"),
        sa.CheckConstraint("tick + 0 > 0", name="ck_instruments_tick_positive"),
        sa.CheckConstraint("venue IN ('binance', 'bybit', 'okx', 'bitget')", name="ck_instruments_venue"),
        growing=True,
    )


def _create_leases() -> None:
    steps.create_table(
        "leases",
        sa.Column("resource", sa.String(100), nullable=False),
        sa.Column("holder", sa.String(100)),
        sa.Column("epoch", types.BigId, nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("acquired_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("resource", name="pk_leases"),
    )
    steps.create_index("ix_leases_expires_at", "leases", ["expires_at"])


def _create_workers() -> None:
    steps.create_table(
        "workers",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("seen_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )
    steps.create_index("ix_workers_seen_at", "workers", ["seen_at"])


def _create_events() -> None:
    steps.create_table(
        "events",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("seq", types.BigId),
        sa.Column("user_id", types.BigId),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("data", types.Json, nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_events_user_id"),
        sa.UniqueConstraint("seq", name="uq_events_seq"),
        growing=True,
    )
    steps.create_index("ix_events_at", "events", ["at"])
    steps.create_index("ix_events_user_id_seq", "events", ["user_id", "seq"])
