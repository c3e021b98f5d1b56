"""What the exchange lists: trading rules, fees and the fixed first price of each symbol.

A listing is an instrument and what only the exchange itself knows of it. The first prices never change, so
that a test may rely on them; `listings_for` serves them under any venue's name.
"""

from dataclasses import dataclass
from decimal import Decimal

from fillbook.market.core import Instrument, MarketType, VenueName


@dataclass(frozen=True, slots=True)
class Listing:
    """`maintenance_rate` and `max_leverage` matter for futures; fee rates are fractions."""

    instrument: Instrument
    first_price: Decimal
    maker_rate: Decimal
    taker_rate: Decimal
    maintenance_rate: Decimal
    max_leverage: Decimal

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def market_type(self) -> MarketType:
        return self.instrument.market_type


# base, quote, first price, spot tick, spot lot, futures tick, futures lot, futures minimum notional
_ROWS: tuple[tuple[str, str, str, str, str, str | None, str | None, str], ...] = (
    ("BTC", "USDT", "60000", "0.01", "0.00001", "0.1", "0.001", "100"),
    ("ETH", "USDT", "3000", "0.01", "0.0001", "0.01", "0.001", "20"),
    ("BNB", "USDT", "600", "0.01", "0.001", "0.01", "0.01", "5"),
    ("SOL", "USDT", "150", "0.01", "0.001", "0.01", "0.01", "5"),
    ("XRP", "USDT", "0.6", "0.0001", "0.1", "0.0001", "0.1", "5"),
    ("DOGE", "USDT", "0.1", "0.00001", "1", "0.00001", "1", "5"),
    ("ADA", "USDT", "0.4", "0.0001", "0.1", "0.0001", "1", "5"),
    ("LTC", "USDT", "80", "0.01", "0.001", "0.01", "0.001", "20"),
    ("LINK", "USDT", "15", "0.01", "0.01", "0.001", "0.01", "20"),
    ("AVAX", "USDT", "30", "0.01", "0.01", "0.001", "1", "5"),
    ("TRX", "USDT", "0.12", "0.0001", "0.1", "0.00001", "1", "5"),
    ("ETH", "BTC", "0.05", "0.00001", "0.0001", None, None, ""),
    ("ADA", "BTC", "0.00001", "0.00000001", "0.1", None, None, ""),
)
_SPOT_FEE = Decimal("0.001")
_FUTURES_MAKER = Decimal("0.0002")
_FUTURES_TAKER = Decimal("0.0005")
_MAX_LEVERAGE = {"BTC": Decimal(125), "ETH": Decimal(100)}
_MAX_LEVERAGE_OTHERS = Decimal(75)
_MAINTENANCE = {"BTC": Decimal("0.004"), "ETH": Decimal("0.005")}
_MAINTENANCE_OTHERS = Decimal("0.01")


# Where a venue counts contracts: the base units in one.
_CONTRACT_SIZES = {
    VenueName.OKX: {
        "BTC": "0.01",
        "ETH": "0.1",
        "BNB": "0.01",
        "SOL": "1",
        "XRP": "100",
        "DOGE": "1000",
        "ADA": "100",
        "LTC": "1",
        "LINK": "1",
        "AVAX": "1",
        "TRX": "1000",
    }
}
# Venues that ask for a least quantity only.
_WITHOUT_MIN_NOTIONAL = frozenset({VenueName.OKX})
# Venues that state a least value in USDT whatever the quote is: of other quotes it is not known.
_MIN_NOTIONAL_IN_USDT = frozenset({VenueName.BITGET})


def listings_for(venue: VenueName) -> tuple[Listing, ...]:
    """Every default listing, spot first, under the venue's name."""
    spot = [_spot(venue, *row[:5]) for row in _ROWS]
    futures = [
        _futures(venue, base, quote, first_price, tick, lot, least)
        for base, quote, first_price, _, _, tick, lot, least in _ROWS
        if tick and lot
    ]
    return (*spot, *futures)


def _spot(venue: VenueName, base: str, quote: str, first_price: str, tick: str, lot: str) -> Listing:
    instrument = Instrument(
        venue=venue,
        symbol=f"{base}/{quote}",
        market_type=MarketType.SPOT,
        base=base,
        quote=quote,
        settle=quote,
        tick=Decimal(tick),
        lot=Decimal(lot),
        min_quantity=Decimal(lot),
        max_quantity=Decimal(9_000_000),
        max_market_quantity=Decimal(9_000_000),
        market_lot=Decimal(lot),
        min_notional=_min_notional(venue, quote, "5" if quote == "USDT" else "0.0001"),
    )
    return Listing(instrument, Decimal(first_price), _SPOT_FEE, _SPOT_FEE, Decimal(0), Decimal(1))


def _min_notional(venue: VenueName, quote: str, least: str) -> Decimal:
    is_known = quote == "USDT" or venue not in _MIN_NOTIONAL_IN_USDT
    return Decimal(least) if is_known and venue not in _WITHOUT_MIN_NOTIONAL else Decimal(0)


def _futures(
    venue: VenueName, base: str, quote: str, first_price: str, tick: str, lot: str, least: str
) -> Listing:
    instrument = Instrument(
        venue=venue,
        symbol=f"{base}/{quote}:{quote}",
        market_type=MarketType.FUTURES,
        base=base,
        quote=quote,
        settle=quote,
        tick=Decimal(tick),
        lot=Decimal(lot),
        min_quantity=Decimal(lot),
        max_quantity=Decimal(10_000_000),
        max_market_quantity=Decimal(10_000_000),
        market_lot=Decimal(lot),
        min_notional=_min_notional(venue, quote, least),
        contract_size=Decimal(_CONTRACT_SIZES.get(venue, {}).get(base, "1")),
    )
    return Listing(
        instrument,
        Decimal(first_price),
        _FUTURES_MAKER,
        _FUTURES_TAKER,
        _MAINTENANCE.get(base, _MAINTENANCE_OTHERS),
        _MAX_LEVERAGE.get(base, _MAX_LEVERAGE_OTHERS),
    )
