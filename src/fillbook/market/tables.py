"""The instruments table: trading rules with their history, so that old folds keep old rules."""

import sqlalchemy as sa

from fillbook.kernel.money import ONE, ZERO
from fillbook.market.core import MarketType, VenueName
from fillbook.storage.metadata import table
from fillbook.storage.types import amount, amount_check, created_at, flag, instant, row_id, word

instruments = table(
    "instruments",
    row_id(),
    word("venue", VenueName),
    # A test venue has rules of its own; the words are those of `accounts.core.Environment`, a domain above.
    word("environment", ("live", "demo", "paper"), length=8, default="live"),
    sa.Column("symbol", sa.String(50), nullable=False),
    word("market_type", MarketType),
    sa.Column("base", sa.String(30), nullable=False),
    sa.Column("quote", sa.String(30), nullable=False),
    sa.Column("settle", sa.String(30), nullable=False),
    amount("tick"),
    amount("lot"),
    amount("min_quantity", default=ZERO),
    amount("max_quantity", nullable=True),
    amount("max_market_quantity", nullable=True),
    amount("market_lot", nullable=True),
    amount("min_notional", default=ZERO),
    amount("contract_size", default=ONE),
    flag("is_active", True),
    instant("valid_from"),
    instant("valid_to", nullable=True),
    created_at(),
    # NULL once the rule has ended: at most one rule of a symbol is in force.
    sa.Column(
        "current_symbol",
        sa.String(50),
        sa.Computed("CASE WHEN valid_to IS NULL THEN symbol END", persisted=True),
    ),
    sa.UniqueConstraint("venue", "environment", "symbol", "valid_from"),
    sa.UniqueConstraint("venue", "environment", "current_symbol"),
    amount_check("tick", "> 0", "tick_positive"),
    amount_check("lot", "> 0", "lot_positive"),
    growing=True,
)
