"""What a reconciliation looked at, and what it found to differ."""

import sqlalchemy as sa

from fillbook.migrations import steps
from fillbook.storage import types

revision = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_reconcile_runs()
    _create_reconcile_findings()


def downgrade() -> None:
    steps.drop_table("reconcile_findings")
    steps.drop_table("reconcile_runs")


def _create_reconcile_runs() -> None:
    steps.create_table(
        "reconcile_runs",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("cause", sa.String(50), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("finished_at", types.Instant()),
        sa.Column("unread", types.Json, nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("repaired", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconcile_runs"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_reconcile_runs_account_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_reconcile_runs_user_id"),
        sa.CheckConstraint("environment IN ('live', 'demo', 'paper')", name="ck_reconcile_runs_environment"),
        growing=True,
    )
    steps.create_index(
        "ix_reconcile_runs_account_id_started_at", "reconcile_runs", ["account_id", "started_at"]
    )
    steps.create_index(
        "ix_reconcile_runs_user_id_environment_started_at",
        "reconcile_runs",
        ["user_id", "environment", "started_at"],
    )


def _create_reconcile_findings() -> None:
    steps.create_table(
        "reconcile_findings",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("run_id", types.BigId, nullable=False),
        sa.Column("account_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("environment", sa.String(8), nullable=False),
        sa.Column("finding_case", sa.String(50), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("symbol", sa.String(50)),
        sa.Column("before", types.Json),
        sa.Column("after", types.Json),
        sa.Column("is_repaired", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.Text()),
        sa.Column("order_id", types.BigId),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconcile_findings"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_reconcile_findings_account_id"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_reconcile_findings_order_id"),
        sa.ForeignKeyConstraint(["run_id"], ["reconcile_runs.id"], name="fk_reconcile_findings_run_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_reconcile_findings_user_id"),
        sa.CheckConstraint(
            "environment IN ('live', 'demo', 'paper')", name="ck_reconcile_findings_environment"
        ),
        growing=True,
    )
    steps.create_index("ix_reconcile_findings_account_id", "reconcile_findings", ["account_id"])
    steps.create_index("ix_reconcile_findings_is_repaired", "reconcile_findings", ["is_repaired"])
    steps.create_index("ix_reconcile_findings_run_id", "reconcile_findings", ["run_id"])
    steps.create_index(
        "ix_reconcile_findings_user_id_environment_created_at",
        "reconcile_findings",
        ["user_id", "environment", "created_at"],
    )
