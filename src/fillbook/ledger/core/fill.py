"""A fill: the only fact. Its key is (account, symbol, exchange order id, venue fill id).

A fill is never changed; where a better record of the same execution supersedes it, it stays and counts no more.
Canonical order is by the venue's fill time, then the venue's id (numbers as numbers, so that 9 comes before
10), then the order id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType, Side


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


class FillKind(StrEnum):
    TRADE = "trade"
    LIQUIDATION = "liquidation"
    ADL = "adl"
    SETTLEMENT = "settlement"


class FillSource(StrEnum):
    RESPONSE = "response"
    STREAM = "stream"
    REST = "rest"
    INFERRED = "inferred"


class FillAmendment(StrEnum):
    """What a venue later says of an execution that it has reported before."""

    CORRECTED = "corrected"
    BUSTED = "busted"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `quantity` in base units, `cost` = price x quantity in quote, `fee` in `fee_asset`.

    `fee_rate` converts one unit of `fee_asset` into quote and was fixed at booking; `fee_quote` = fee x rate.
    """

    id: int
    account_id: int
    symbol: str
    exchange_order_id: str
    venue_fill_id: str
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    cost: Decimal
    market_type: MarketType
    exchange_at: datetime
    fee: Decimal = ZERO
    fee_asset: str | None = None
    fee_quote: Decimal = ZERO
    liquidity: Liquidity | None = None
    kind: FillKind = FillKind.TRADE
    order_id: int | None = None

    @property
    def key(self) -> "FillKey":
        return (self.account_id, self.symbol, self.exchange_order_id, self.venue_fill_id)


@dataclass(frozen=True, slots=True)
class FillReport:
    """One execution as the venue records it. `fee` is above zero when charged, below zero when rebated.

    `cumulative_quantity` is what its order had filled with it (an inferred fill must say it). `amendment` marks
    the venue's word on an execution that it has reported before; a busted one is repeated as it was.
    """

    symbol: str
    exchange_order_id: str
    client_order_id: str | None
    venue_fill_id: str
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str | None
    liquidity: Liquidity | None
    kind: FillKind
    exchange_at: datetime
    venue_realized_pnl: Decimal | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    cumulative_quantity: Decimal | None = None
    amendment: FillAmendment | None = None

    @property
    def canonical_key(self) -> "CanonicalKey":
        return canonical_key(self.exchange_at, self.venue_fill_id, self.exchange_order_id)


FillKey = tuple[int, str, str, str]
OrderKey = tuple[int, str, str]
"""Account, symbol and exchange order id: what the fills of one order share."""
CanonicalKey = tuple[datetime, int, int, str, str]


def canonical_key(exchange_at: datetime, venue_fill_id: str, exchange_order_id: str) -> CanonicalKey:
    """Sort key of the canonical order. Numeric ids sort as numbers and before all others."""
    if venue_fill_id.isdecimal():
        return (exchange_at, 0, int(venue_fill_id), "", exchange_order_id)
    return (exchange_at, 1, 0, venue_fill_id, exchange_order_id)
