"""Instruments and the one rounding policy.

Quantities are base units everywhere and round down to the lot; prices round to the tick on the passive side
(a buy down, a sell up). `symbol` is ccxt's unified id: `BTC/USDT` is spot, `BTC/USDT:USDT` a linear
perpetual.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fillbook.kernel.errors import InvalidInput
from fillbook.kernel.money import ONE, ZERO, ceil_to, divide, exact, floor_to, is_multiple, to_text


class VenueName(StrEnum):
    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"
    BITGET = "bitget"


class MarketType(StrEnum):
    SPOT = "spot"
    FUTURES = "futures"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


def market_type_of(symbol: str) -> MarketType:
    return MarketType.FUTURES if ":" in symbol else MarketType.SPOT


@dataclass(frozen=True, slots=True)
class Instrument:
    """The trading rules of one symbol at one venue, in force from `valid_from`.

    `lot` and `min_quantity` are in base units; `min_notional` in quote; `contract_size` in base units per
    contract (1 where the venue counts base units itself).
    """

    venue: VenueName
    symbol: str
    market_type: MarketType
    base: str
    quote: str
    settle: str
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal = ZERO
    max_quantity: Decimal | None = None
    max_market_quantity: Decimal | None = None
    market_lot: Decimal | None = None
    min_notional: Decimal = ZERO
    contract_size: Decimal = ONE
    is_active: bool = True
    valid_from: datetime | None = None

    def quantity_down(self, quantity: Decimal) -> Decimal:
        """The largest tradable quantity not above the given one."""
        return floor_to(quantity, self.lot)

    def for_market_orders(self) -> "Instrument":
        """The rules for market orders, where the venue has a coarser lot or a smaller maximum for them."""
        return replace(
            self,
            lot=max(self.lot, self.market_lot or self.lot),
            max_quantity=self.max_market_quantity or self.max_quantity,
        )

    def price_passive(self, side: Side, price: Decimal) -> Decimal:
        """The price on the tick, on the side that is never worse for the order's owner."""
        return floor_to(price, self.tick) if side is Side.BUY else ceil_to(price, self.tick)


class InexactQuantity(InvalidInput):
    """A quantity that is no whole number of the venue's units; it is refused, never rounded in passing."""

    code = "inexact_quantity"


@exact
def to_contracts(instrument: Instrument, quantity: Decimal) -> Decimal:
    """Base units as the venue counts them. Raises `InexactQuantity` unless it is a whole number of lots.

    The count itself need not be whole: a lot may be a fraction of a contract (OKX).
    """
    contracts = divide(quantity, instrument.contract_size)
    if not is_multiple(quantity, instrument.lot) or contracts * instrument.contract_size != quantity:
        raise InexactQuantity(
            f"{to_text(quantity)} {instrument.base} is not a multiple of the lot "
            f"{to_text(instrument.lot)}: round it down first."
        )
    return contracts


@exact
def from_contracts(instrument: Instrument, contracts: Decimal) -> Decimal:
    """The venue's count in base units."""
    return contracts * instrument.contract_size


@dataclass(frozen=True, slots=True)
class Price:
    """A price of a symbol at a venue, and when it was so (the venue's time)."""

    symbol: str
    last: Decimal
    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    mark: Decimal | None = None
