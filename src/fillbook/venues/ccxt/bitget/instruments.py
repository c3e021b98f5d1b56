"""Bitget's listings as instruments: ticks from decimals and steps, lots and minima exactly as it writes them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from fillbook.kernel.money import ZERO, exact
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.venues.ccxt.bitget.words import asset
from fillbook.venues.ccxt.site import Listing
from fillbook.venues.ccxt.values import amount, positive


def spot_listings(rows: Iterable[Mapping[str, Any]]) -> list[Listing]:
    return [_spot(row) for row in rows]


def futures_listings(rows: Iterable[Mapping[str, Any]]) -> list[Listing]:
    """Perpetuals; contracts with an end are left out."""
    return [_futures(row) for row in rows if row["symbolType"] == "perpetual"]


def _step(places: Any) -> Decimal:
    return Decimal(1).scaleb(-int(places))


def _min_notional(row: Mapping[str, Any], quote: str) -> Decimal:
    """Bitget states the least value in USDT; what that is in another quote changes with the price."""
    return amount(row.get("minTradeUSDT")) if quote == "USDT" else ZERO


def _spot(row: Mapping[str, Any]) -> Listing:
    base, quote = asset(row["baseCoin"]), asset(row["quoteCoin"])
    lot = _step(row["quantityPrecision"])
    instrument = Instrument(
        venue=VenueName.BITGET,
        symbol=f"{base}/{quote}",
        market_type=MarketType.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        tick=_step(row["pricePrecision"]),
        lot=lot,
        min_quantity=max(amount(row.get("minTradeAmount")), lot),
        # `maxTradeAmount` is obsolete: a number without end that limits nothing.
        min_notional=_min_notional(row, quote),
        is_active=row.get("status") == "online",
    )
    return Listing(instrument, row["symbol"])


@exact
def _futures(row: Mapping[str, Any]) -> Listing:
    base, quote = asset(row["baseCoin"]), asset(row["quoteCoin"])
    instrument = Instrument(
        venue=VenueName.BITGET,
        symbol=f"{base}/{quote}:{quote}",
        market_type=MarketType.FUTURES,
        base=base,
        quote=quote,
        settle=quote,
        tick=amount(row["priceEndStep"]) * _step(row["pricePlace"]),
        lot=amount(row["sizeMultiplier"]),
        min_quantity=amount(row["minTradeNum"]),
        max_quantity=positive(row.get("maxOrderQty")),
        max_market_quantity=positive(row.get("maxMarketOrderQty")),
        min_notional=_min_notional(row, quote),
        is_active=row.get("symbolStatus") == "normal",
    )
    return Listing(instrument, row["symbol"])
