"""Tables of reconciliation: what a run looked at, and what it found to differ from the venue."""

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.storage.metadata import table
from fillbook.storage.types import Json, created_at, flag, instant, reference, row_id, word

reconcile_runs = table(
    "reconcile_runs",
    row_id(),
    reference("account_id", "accounts.id"),
    reference("user_id", "users.id"),
    word("environment", Environment, length=8),
    sa.Column("cause", sa.String(50), nullable=False),
    sa.Column("depth", sa.String(10)),
    # For a run that a person asked for and nobody has begun: when it was asked for.
    instant("started_at"),
    # NULL while it is wanted or under way.
    instant("finished_at", nullable=True, index=True),
    # What could not be read, and why: nothing is concluded about it.
    sa.Column("unread", Json, nullable=False, default=list),
    sa.Column("findings", sa.Integer, nullable=False, default=0),
    sa.Column("repaired", sa.Integer, nullable=False, default=0),
    created_at(),
    sa.Index(None, "account_id", "started_at"),
    sa.Index(None, "user_id", "environment", "started_at"),
    growing=True,
)

reconcile_findings = table(
    "reconcile_findings",
    row_id(),
    reference("run_id", "reconcile_runs.id", index=True),
    reference("account_id", "accounts.id", index=True),
    reference("user_id", "users.id"),
    word("environment", Environment, length=8),
    sa.Column("finding_case", sa.String(50), nullable=False),
    sa.Column("subject", sa.String(100), nullable=False),
    sa.Column("symbol", sa.String(50)),
    sa.Column("before", Json),
    sa.Column("after", Json),
    flag("is_repaired", False, index=True),
    sa.Column("repair", sa.String(30)),
    instant("repaired_at", nullable=True),
    sa.Column("cause", sa.Text),
    reference("order_id", "orders.id", nullable=True),
    created_at(),
    sa.Index(None, "user_id", "environment", "created_at"),
    growing=True,
)
