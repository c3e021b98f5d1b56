"""Prices that protect what an order fills, what fills too late, and changes of an order that are under way."""

import sqlalchemy as sa

from fillbook.migrations import steps
from fillbook.storage import types

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps.add_column("orders", sa.Column("stop_loss_price", types.Amount()))
    steps.add_column("orders", sa.Column("take_profit_price", types.Amount()))
    steps.add_column("orders", sa.Column("late_fill_from", types.Amount()))
    steps.add_column("orders", sa.Column("follow_up", sa.Boolean()))
    steps.add_column("orders", sa.Column("amend", types.Json))
    steps.create_index("ix_orders_follow_up", "orders", ["follow_up"])


def downgrade() -> None:
    steps.drop_index("ix_orders_follow_up", "orders")
    steps.drop_column("orders", "amend")
    steps.drop_column("orders", "follow_up")
    steps.drop_column("orders", "late_fill_from")
    steps.drop_column("orders", "take_profit_price")
    steps.drop_column("orders", "stop_loss_price")
