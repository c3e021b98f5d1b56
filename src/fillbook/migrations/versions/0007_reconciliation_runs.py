"""How deep a reconciliation looked, which of them are still wanted, and how a finding was repaired."""

import sqlalchemy as sa

from fillbook.migrations import steps
from fillbook.storage import types

revision = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps.add_column("reconcile_runs", sa.Column("depth", sa.String(10)))
    steps.create_index("ix_reconcile_runs_finished_at", "reconcile_runs", ["finished_at"])
    steps.add_column("reconcile_findings", sa.Column("repair", sa.String(30)))
    steps.add_column("reconcile_findings", sa.Column("repaired_at", types.Instant()))


def downgrade() -> None:
    steps.drop_column("reconcile_findings", "repaired_at")
    steps.drop_column("reconcile_findings", "repair")
    steps.drop_index("ix_reconcile_runs_finished_at", "reconcile_runs")
    steps.drop_column("reconcile_runs", "depth")
