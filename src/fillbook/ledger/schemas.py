"""Fills, positions and round trips as clients see them: the field names are the columns."""

from typing import Literal

from fillbook.accounts.core import Environment, PositionSide
from fillbook.http.fields import Amount, Moment, Schema
from fillbook.ledger.core.fees import FeeRateSource
from fillbook.ledger.core.fill import FillKind, FillSource, Liquidity
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import MarketType, Side


class FillOut(Schema):
    id: int
    account_id: int
    environment: Environment
    symbol: str
    exchange_order_id: str
    venue_fill_id: str
    order_id: int | None
    side: Side
    position_side: PositionSide
    price: Amount
    quantity: Amount
    cost: Amount
    currency: str
    fee: Amount
    fee_asset: str | None
    fee_quote: Amount
    fee_rate: Amount
    fee_rate_source: FeeRateSource
    venue_realized_pnl: Amount | None
    market_type: MarketType
    liquidity: Liquidity | None
    kind: FillKind
    source: FillSource
    superseded_by_id: int | None
    corrects_id: int | None
    exchange_at: Moment
    created_at: Moment


class AllocatedFillOut(FillOut):
    """A fill behind a position or a round trip, and which part of it belongs there (`allocated_*`)."""

    allocated_quantity: Amount
    allocated_cost: Amount
    allocated_fee_quote: Amount
    realized_pnl: Amount


class PositionOut(Schema):
    """One book of an owner: a strategy's link, a bot, a person's hand, or what is nobody's (`external`)."""

    id: int
    account_id: int
    environment: Environment
    strategy_id: int | None
    strategy_account_id: int | None
    bot_instance_id: int | None
    owner_key: str
    symbol: str
    position_side: PositionSide
    direction: Literal["LONG", "SHORT"] | None
    quantity: Amount
    entry_price: Amount | None
    current_price: Amount | None
    unrealized_pnl: Amount | None
    realized_pnl: Amount
    fees: Amount
    capital_used: Amount
    leverage: Amount | None
    currency: str
    is_open: bool
    opened_at: Moment | None
    closed_at: Moment | None
    last_updated: Moment


class AccountPositionOut(Schema):
    """An account's position in one symbol, over all owners."""

    id: int
    account_id: int
    environment: Environment
    symbol: str
    position_side: PositionSide
    side: Literal["long", "short"] | None
    quantity: Amount
    avg_entry: Amount | None
    current_price: Amount | None
    unrealized_pnl: Amount | None
    realized_pnl: Amount
    fees: Amount
    leverage: Amount | None
    liquidation_price: Amount | None
    currency: str
    source: str
    reconcile_status: Literal["ok", "mismatch", "repairing"]
    is_open: bool
    opened_at: Moment | None
    closed_at: Moment | None
    updated_at: Moment


class TradeOut(Schema):
    """A round trip. `pnl` is after fees and funding; `realized_pnl` is before them."""

    id: int
    account_id: int
    environment: Environment
    strategy_id: int | None
    strategy_account_id: int | None
    bot_instance_id: int | None
    symbol: str
    side: Side
    quantity: Amount
    entry_price: Amount
    exit_price: Amount | None
    pnl: Amount
    realized_pnl: Amount
    pnl_percent: Amount
    fees: Amount
    funding: Amount
    currency: str
    leverage: Amount
    exit_reason: ExitReason | None
    trade_source: TradeSource
    opened_at: Moment
    closed_at: Moment | None
    created_at: Moment
