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


class SizeDenial(StrEnum):
    """Why a quantity cannot be ordered; the values are denial reasons of deliveries."""

    ROUNDS_TO_ZERO = "quantity_rounds_to_zero"
    BELOW_MIN_QUANTITY = "below_min_quantity"
    BELOW_MIN_NOTIONAL = "below_min_notional"
    ABOVE_MAX_QUANTITY = "above_max_quantity"


@dataclass(frozen=True, slots=True)
class Sized:
    """A quantity that the venue takes (base units) and its value at the price it was sized with (quote)."""

    quantity: Decimal
    notional: Decimal


@dataclass(frozen=True, slots=True)
class SizeDenied:
    """Why not, and a sentence with the limit that stood in the way."""

    code: SizeDenial
    detail: str


@exact
def size_order(
    instrument: Instrument,
    quantity: Decimal,
    price: Decimal,
    *,
    is_market: bool = False,
    reduces: bool = False,
) -> Sized | SizeDenied:
    """A wanted quantity, rounded down to the lot and held against the instrument's limits.

    `is_market` uses the limits for market orders where the venue has its own. `reduces` (reduce-only) leaves
    the minimum notional out on futures, as the venues do. Too large is denied, never cut to the maximum.
    """
    lot, largest = instrument.lot, instrument.max_quantity
    if is_market:
        lot = max(lot, instrument.market_lot or lot)
        largest = instrument.max_market_quantity or largest
    sized = floor_to(quantity, lot)
    value = sized * price
    is_exempt = reduces and instrument.market_type is MarketType.FUTURES
    unit = instrument.base
    if sized <= 0:
        return _denied(
            SizeDenial.ROUNDS_TO_ZERO, f"{to_text(quantity)} {unit} is less than one lot", lot, unit
        )
    if sized < instrument.min_quantity:
        smallest = instrument.min_quantity
        return _denied(
            SizeDenial.BELOW_MIN_QUANTITY, f"{to_text(sized)} {unit} is too little", smallest, unit
        )
    if value < instrument.min_notional and not is_exempt:
        return _denied(
            SizeDenial.BELOW_MIN_NOTIONAL,
            f"{to_text(value)} {instrument.quote} is worth too little",
            instrument.min_notional,
            instrument.quote,
        )
    if largest is not None and sized > largest:
        return _denied(SizeDenial.ABOVE_MAX_QUANTITY, f"{to_text(sized)} {unit} is too much", largest, unit)
    return Sized(sized, value)


def _denied(code: SizeDenial, what: str, limit: Decimal, unit: str) -> SizeDenied:
    return SizeDenied(code, f"{what}: the limit is {to_text(limit)} {unit}.")


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


@exact
def notional(quantity: Decimal, price: Decimal) -> Decimal:
    """Value in quote currency of a quantity of base units."""
    return quantity * price
