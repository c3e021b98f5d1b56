"""Binance's `exchangeInfo` as instruments: ticks, lots and minima from its filters, exactly as it writes them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import ZERO
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.venues.ccxt.site import Listing
from fillbook.venues.ccxt.values import amount, positive

# ccxt's unified spelling where it differs from Binance's own.
_ASSET_NAMES = {"YOYO": "YOYOW"}
_NEVER_DELIVERED = 4133404800000


def spot_listings(answer: Mapping[str, Any]) -> list[Listing]:
    return [_listing(row, MarketType.SPOT) for row in _readable(answer["symbols"])]


def futures_listings(answer: Mapping[str, Any]) -> list[Listing]:
    """Linear contracts only: those whose settlement asset is their quote."""
    return [
        _listing(row, MarketType.FUTURES)
        for row in _readable(answer["symbols"])
        if row["marginAsset"] == row["quoteAsset"]
    ]


def _readable(rows: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Rows with the two filters without which nothing can be ordered."""
    for row in rows:
        kinds = {part["filterType"] for part in row["filters"]}
        if {"PRICE_FILTER", "LOT_SIZE"} <= kinds:
            yield row


def _listing(row: Mapping[str, Any], market_type: MarketType) -> Listing:
    filters = {part["filterType"]: part for part in row["filters"]}
    price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    market_lot = filters.get("MARKET_LOT_SIZE", {})
    base, quote = _asset(row["baseAsset"]), _asset(row["quoteAsset"])
    instrument = Instrument(
        venue=VenueName.BINANCE,
        symbol=_symbol(row, base, quote, market_type),
        market_type=market_type,
        base=base,
        quote=quote,
        settle=quote,
        tick=_tick(price, row),
        lot=amount(lot["stepSize"]),
        min_quantity=amount(lot["minQty"]),
        max_quantity=positive(lot.get("maxQty")),
        max_market_quantity=positive(market_lot.get("maxQty")),
        # Zero means that the ordinary lot applies.
        market_lot=positive(market_lot.get("stepSize")),
        min_notional=_min_notional(filters),
        is_active=row.get("status") == "TRADING",
    )
    return Listing(instrument, row["symbol"])


def _asset(name: str) -> str:
    return _ASSET_NAMES.get(name, name)


def _symbol(row: Mapping[str, Any], base: str, quote: str, market_type: MarketType) -> str:
    if market_type is MarketType.SPOT:
        return f"{base}/{quote}"
    symbol = f"{base}/{quote}:{quote}"
    delivery = int(row.get("deliveryDate") or _NEVER_DELIVERED)
    if row.get("contractType") == "PERPETUAL" or delivery == _NEVER_DELIVERED:
        return symbol
    return f"{symbol}-{from_ms(delivery):%y%m%d}"


def _tick(price: Mapping[str, Any], row: Mapping[str, Any]) -> Decimal:
    """The tick; where the filter is switched off (zero) the stated precision is the tick."""
    tick = amount(price["tickSize"])
    return tick or Decimal(1).scaleb(-int(row.get("pricePrecision", row.get("quotePrecision", 8))))


def _min_notional(filters: Mapping[str, Mapping[str, Any]]) -> Decimal:
    for name in ("NOTIONAL", "MIN_NOTIONAL"):
        part = filters.get(name)
        if part is not None:
            return amount(part.get("minNotional", part.get("notional")))
    return ZERO
