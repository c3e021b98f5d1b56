"""Instruments as clients see them."""

from fillbook.http.fields import Amount, Moment, Schema
from fillbook.market.core import MarketType, VenueName


class InstrumentOut(Schema):
    """Trading rules in force. Quantities are base units; `contract_size` is base units per contract."""

    id: int
    venue: VenueName
    symbol: str
    market_type: MarketType
    base: str
    quote: str
    settle: str
    tick: Amount
    lot: Amount
    min_quantity: Amount
    max_quantity: Amount | None
    max_market_quantity: Amount | None
    market_lot: Amount | None
    min_notional: Amount
    contract_size: Amount
    is_active: bool
    valid_from: Moment
