"""Bybit's `instruments-info` as instruments: ticks, lots and minima exactly as it writes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fillbook.kernel.clock import from_ms
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.venues.ccxt.site import Listing
from fillbook.venues.ccxt.values import amount, positive

_PERPETUAL, _DELIVERED = "LinearPerpetual", "LinearFutures"

Row = Mapping[str, Any]


def spot_listings(rows: Sequence[Row]) -> list[Listing]:
    return [_spot(row) for row in rows]


def linear_listings(rows: Sequence[Row]) -> list[Listing]:
    """Contracts whose settlement coin is their quote."""
    return [
        _linear(row)
        for row in rows
        if row["contractType"] in (_PERPETUAL, _DELIVERED) and row["settleCoin"] == row["quoteCoin"]
    ]


def _spot(row: Row) -> Listing:
    lot = row["lotSizeFilter"]
    base, quote = row["baseCoin"], row["quoteCoin"]
    instrument = Instrument(
        venue=VenueName.BYBIT,
        symbol=f"{base}/{quote}",
        market_type=MarketType.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        tick=amount(row["priceFilter"]["tickSize"]),
        lot=amount(lot["basePrecision"]),
        min_quantity=amount(lot.get("minOrderQty")),
        max_quantity=positive(lot.get("maxLimitOrderQty", lot.get("maxOrderQty"))),
        max_market_quantity=positive(lot.get("maxMarketOrderQty")),
        min_notional=amount(lot.get("minOrderAmt")),
        is_active=row.get("status") == "Trading",
    )
    return Listing(instrument, row["symbol"])


def _linear(row: Row) -> Listing:
    lot = row["lotSizeFilter"]
    base, quote = row["baseCoin"], row["quoteCoin"]
    symbol = f"{base}/{quote}:{row['settleCoin']}"
    if row["contractType"] == _DELIVERED:
        symbol += f"-{from_ms(int(row['deliveryTime'])):%y%m%d}"
    instrument = Instrument(
        venue=VenueName.BYBIT,
        symbol=symbol,
        market_type=MarketType.FUTURES,
        base=base,
        quote=quote,
        settle=row["settleCoin"],
        tick=amount(row["priceFilter"]["tickSize"]),
        lot=amount(lot["qtyStep"]),
        min_quantity=amount(lot["minOrderQty"]),
        max_quantity=positive(lot.get("maxOrderQty")),
        max_market_quantity=positive(lot.get("maxMktOrderQty")),
        min_notional=amount(lot.get("minNotionalValue")),
        # Before its launch a contract trades by other rules.
        is_active=row.get("status") == "Trading",
    )
    return Listing(instrument, row["symbol"])
