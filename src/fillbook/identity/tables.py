"""Tables of people and of the installation itself."""

import sqlalchemy as sa

from fillbook.identity.core import Role
from fillbook.storage.metadata import table
from fillbook.storage.types import Json, created_at, flag, instant, reference, row_id, updated_at, word

users = table(
    "users",
    row_id(),
    sa.Column("email", sa.String(255), nullable=False, unique=True),
    sa.Column("username", sa.String(80), nullable=False, unique=True),
    sa.Column("password_hash", sa.String(255)),
    sa.Column("name", sa.String(100)),
    sa.Column("phone", sa.String(20)),
    word("role", Role, default=Role.USER),
    flag("is_active", True),
    instant("suspended_at", nullable=True),
    flag("must_change_password", False),
    sa.Column("telegram_id", sa.String(50), index=True),
    sa.Column("profile_image", sa.String(500)),
    sa.Column("totp_secret", sa.Text),
    flag("is_2fa_enabled", False),
    instant("last_login", nullable=True),
    created_at(),
    updated_at(),
    growing=True,
)

api_tokens = table(
    "api_tokens",
    row_id(),
    reference("user_id", "users.id", index=True, ondelete="CASCADE"),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("prefix", sa.String(16), nullable=False),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("scopes", sa.String(50), nullable=False),
    instant("expires_at", nullable=True),
    instant("last_used_at", nullable=True),
    instant("revoked_at", nullable=True),
    created_at(),
    growing=True,
)

installation = table(
    "installation",
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("installation_id", sa.String(4), nullable=False),
    created_at(),
    sa.CheckConstraint("id = 1", name="single"),
)

idempotency_keys = table(
    "idempotency_keys",
    reference("user_id", "users.id", ondelete="CASCADE"),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("status_code", sa.Integer),
    sa.Column("response", Json),
    created_at(index=True),
    sa.PrimaryKeyConstraint("user_id", "key"),
)
