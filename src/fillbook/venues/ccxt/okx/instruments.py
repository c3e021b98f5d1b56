"""OKX's instruments: spot in base units, linear swaps in contracts of a stated size, all in base units to us."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from fillbook.kernel.money import ONE, exact
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.venues.ccxt.site import Listing
from fillbook.venues.ccxt.values import amount, positive

Row = Mapping[str, Any]
_INVERSE_SUFFIX = "-USD-SWAP"


def is_linear(venue_id: str) -> bool:
    """Whether an instrument's id is of those that we list: contracts margined in coin are not."""
    return not venue_id.endswith(_INVERSE_SUFFIX)


def spot_listings(rows: Sequence[Row]) -> list[Listing]:
    return [_listing(row, MarketType.SPOT, row["baseCcy"], row["quoteCcy"], ONE) for row in rows]


@exact
def swap_listings(rows: Sequence[Row]) -> list[Listing]:
    """Linear ones, whose contracts count the base currency."""
    listings = []
    for row in rows:
        base, _, quote = row["uly"].partition("-")
        if row["ctType"] == "linear" and row["ctValCcy"] == base and is_linear(row["instId"]):
            size = amount(row["ctVal"]) * amount(row["ctMult"])
            listings.append(_listing(row, MarketType.FUTURES, base, quote, size))
    return listings


@exact
def _listing(row: Row, market_type: MarketType, base: str, quote: str, size: Decimal) -> Listing:
    settle = quote if market_type is MarketType.SPOT else row["settleCcy"]
    lot = amount(row["lotSz"]) * size
    instrument = Instrument(
        venue=VenueName.OKX,
        symbol=f"{base}/{quote}" if market_type is MarketType.SPOT else f"{base}/{quote}:{settle}",
        market_type=market_type,
        base=base,
        quote=quote,
        settle=settle,
        tick=amount(row["tickSz"]),
        lot=lot,
        min_quantity=amount(row["minSz"]) * size,
        max_quantity=_times(row.get("maxLmtSz"), size),
        # For spot market orders OKX states a value, not a quantity.
        max_market_quantity=None if market_type is MarketType.SPOT else _times(row.get("maxMktSz"), size),
        contract_size=size,
        is_active=row.get("state") == "live",
    )
    return Listing(instrument, row["instId"])


def _times(value: Any, size: Decimal) -> Decimal | None:
    count = positive(value)
    return None if count is None else count * size
