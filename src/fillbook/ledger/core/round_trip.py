"""A round trip: one life of a position, from the fill that opened it to the fill that left it flat.

Its key is the fill that opened it and which part of that fill did (`TripKey`); a late fill that turns out to
be the opening one moves the key. Amounts are quote currency, quantities base units.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fillbook.kernel.money import ZERO, divide, exact
from fillbook.market.core import Side

HUNDRED = Decimal(100)


class ExitReason(StrEnum):
    """Why a position was reduced.

    `SIGNAL_REVERSE` is every end that a strategy's own signal brought, by turning round or by closing: to the
    person it answers "the signal turned", while `MANUAL` says that somebody did it by hand.
    """

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    SIGNAL_REVERSE = "signal_reverse"
    MANUAL = "manual"
    LIQUIDATION = "liquidation"
    GRID = "grid"
    KILL_SWITCH = "kill_switch"


class TradeSource(StrEnum):
    """Who opened the position."""

    MANUAL = "manual"
    AI_BOT = "ai_bot"
    GRID_BOT = "grid_bot"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class TripKey:
    """The opening fill's row id and the index of its part: 1 for the opening half of a flip, else 0."""

    fill_id: int
    part_index: int


@dataclass(frozen=True, slots=True)
class OpenTrip:
    """What a round trip has summed up so far: quantities and values entered and left, and what they cost.

    `capital` is the sum of entry value / leverage over its entries, never reduced: the base of `pnl_percent`.
    """

    key: TripKey
    side: Side
    leverage: Decimal
    trade_source: TradeSource
    opened_at: datetime
    entered_quantity: Decimal = ZERO
    entered_cost: Decimal = ZERO
    exited_quantity: Decimal = ZERO
    exited_value: Decimal = ZERO
    capital: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    exit_reason: ExitReason | None = None
    closed_at: datetime | None = None

    def summary(self) -> "RoundTrip":
        """The trip as a row of `trades`."""
        return _round_trip(self)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A trip as people read it. `side` is the entry's: buy is long. `quantity` is all that was ever entered.

    `pnl` is net: realised - fees + funding. `pnl_percent` is `pnl` in percent of the capital used, that is of
    entry cost / leverage. `exit_price` averages the exits so far and is None before the first;
    `exit_reason` is that of the latest exit; `closed_at` is None while it is open.
    """

    key: TripKey
    side: Side
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal | None
    pnl: Decimal
    realized_pnl: Decimal
    fees: Decimal
    pnl_percent: Decimal
    capital: Decimal
    leverage: Decimal
    exit_reason: ExitReason | None
    trade_source: TradeSource
    opened_at: datetime
    closed_at: datetime | None
    funding: Decimal = ZERO

    @exact
    def with_funding(self, funding: Decimal) -> "RoundTrip":
        """The trip with the funding that it received (below zero: paid); replaces earlier funding."""
        pnl = self.realized_pnl - self.fees + funding
        return replace(self, funding=funding, pnl=pnl, pnl_percent=_percent(pnl, self.capital))


@exact
def _round_trip(trip: OpenTrip) -> RoundTrip:
    pnl = trip.realized_pnl - trip.fees
    exited = trip.exited_quantity
    return RoundTrip(
        key=trip.key,
        side=trip.side,
        quantity=trip.entered_quantity,
        entry_price=divide(trip.entered_cost, trip.entered_quantity),
        exit_price=divide(trip.exited_value, exited) if exited else None,
        pnl=pnl,
        realized_pnl=trip.realized_pnl,
        fees=trip.fees,
        pnl_percent=_percent(pnl, trip.capital),
        capital=trip.capital,
        leverage=trip.leverage,
        exit_reason=trip.exit_reason,
        trade_source=trip.trade_source,
        opened_at=trip.opened_at,
        closed_at=trip.closed_at,
    )


def _percent(pnl: Decimal, capital: Decimal) -> Decimal:
    return divide(pnl * HUNDRED, capital) if capital else ZERO
