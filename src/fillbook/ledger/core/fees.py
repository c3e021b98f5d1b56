"""What a fee is worth in quote currency, fixed once when its fill is booked.

A fee is charged in the quote (rate 1), in the base (the fill's own price), or in a third asset such as a
venue's coin, whose rate the caller must bring. Above zero is charged, below zero is a rebate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fillbook.kernel.money import ONE, ZERO, exact, quantise


class FeeRateSource(StrEnum):
    """Where the rate came from. `ESTIMATED` is a rebuild's word for a rate that nobody kept; `MISSING` means
    that the venue gave no price when the fill was booked, so the fee counts as 0 in quote."""

    NONE = "none"
    QUOTE = "quote"
    FILL_PRICE = "fill_price"
    MARKET = "market"
    ESTIMATED = "estimated"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class FeeInQuote:
    """`fee_quote` = fee x `fee_rate`, in quote; the rate is quote units for one unit of the fee asset."""

    fee_quote: Decimal
    fee_rate: Decimal
    source: FeeRateSource


@dataclass(frozen=True, slots=True)
class NeedsRate:
    """The fee was charged in `asset`, and nobody gave what that is worth in `quote`."""

    asset: str
    quote: str


@exact
def fee_in_quote(
    fee: Decimal,
    fee_asset: str | None,
    base: str,
    quote: str,
    price: Decimal,
    rates: Mapping[str, Decimal],
) -> FeeInQuote | NeedsRate:
    """The fee in quote. `rates` maps an asset to the quote units that one unit of it is worth."""
    if not fee:
        return FeeInQuote(ZERO, ZERO, FeeRateSource.NONE)
    if fee_asset is None or fee_asset == quote:
        # Venues leave the asset out only where it goes without saying: the settlement currency.
        return FeeInQuote(quantise(fee), ONE, FeeRateSource.QUOTE)
    if fee_asset == base:
        return FeeInQuote(quantise(fee * price), price, FeeRateSource.FILL_PRICE)
    rate = rates.get(fee_asset)
    if rate is None:
        return NeedsRate(fee_asset, quote)
    return FeeInQuote(quantise(fee * rate), rate, FeeRateSource.MARKET)
