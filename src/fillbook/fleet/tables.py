"""Tables of leases, workers and events."""

import sqlalchemy as sa

from fillbook.storage.metadata import table
from fillbook.storage.types import BigId, Instant, Json, created_at, instant, reference, row_id

leases = table(
    "leases",
    # Such as `account:12`.
    sa.Column("resource", sa.String(100), primary_key=True),
    sa.Column("holder", sa.String(100)),
    sa.Column("epoch", BigId, nullable=False),
    sa.Column("expires_at", Instant(), nullable=False, index=True),
    instant("acquired_at"),
)

workers = table(
    "workers",
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("version", sa.String(50), nullable=False),
    instant("started_at"),
    sa.Column("seen_at", Instant(), nullable=False, index=True),
)

events = table(
    "events",
    row_id(),
    # Given after the commit by the one sequencer, so that readers never miss a number.
    sa.Column("seq", BigId, unique=True),
    reference("user_id", "users.id", nullable=True),
    sa.Column("type", sa.String(50), nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("at", Instant(), nullable=False, index=True),
    created_at(),
    sa.Index(None, "user_id", "seq"),
    growing=True,
)
