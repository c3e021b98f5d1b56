from decimal import Decimal

from fillbook.market.core import MarketType
from fillbook.venues.ccxt.binance.instruments import futures_listings, spot_listings

PRICE = {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"}
LOT = {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"}
MARKET_LOT = {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "120.5", "stepSize": "0.00000000"}
SPOT = {
    "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
    "filters": [PRICE, LOT, MARKET_LOT, {"filterType": "NOTIONAL", "minNotional": "5.00000000"}],
}  # fmt: skip
FUTURES = SPOT | {
    "contractType": "PERPETUAL", "deliveryDate": 4133404800000, "marginAsset": "USDT",
    "filters": [PRICE, LOT, {"filterType": "MIN_NOTIONAL", "notional": "100"}],
}  # fmt: skip


def test_spot_rules_are_the_venues_filters_exactly():
    (listing,) = spot_listings({"symbols": [SPOT]})
    rules = listing.instrument
    assert (listing.venue_id, rules.symbol, rules.market_type) == ("BTCUSDT", "BTC/USDT", MarketType.SPOT)
    assert (rules.tick, rules.lot, rules.min_quantity) == (
        Decimal("0.01"),
        Decimal("0.00001"),
        Decimal("0.00001"),
    )
    assert (rules.max_quantity, rules.max_market_quantity, rules.market_lot) == (9000, Decimal("120.5"), None)
    assert (rules.min_notional, rules.contract_size, rules.is_active) == (5, 1, True)


def test_a_perpetual_and_a_dated_contract_have_ccxts_symbols():
    dated = FUTURES | {
        "symbol": "BTCUSDT_260327", "contractType": "CURRENT_QUARTER", "deliveryDate": 1774598400000,
        "status": "SETTLING",
    }  # fmt: skip
    perpetual, quarter = futures_listings({"symbols": [FUTURES, dated]})
    assert perpetual.instrument.symbol == "BTC/USDT:USDT"
    assert perpetual.instrument.min_notional == 100
    assert quarter.instrument.symbol == "BTC/USDT:USDT-260327"
    assert not quarter.instrument.is_active


def test_a_contract_that_settles_in_another_asset_is_left_out():
    assert futures_listings({"symbols": [FUTURES | {"marginAsset": "BTC"}]}) == []


def test_a_symbol_without_filters_cannot_be_traded_and_is_left_out(recorded):
    assert spot_listings(recorded("spot__http__exchange_info_response")) == []


def test_a_price_filter_that_is_switched_off_leaves_the_precision_as_tick():
    off = SPOT | {"filters": [PRICE | {"tickSize": "0.00000000"}, LOT], "quotePrecision": 8}
    (listing,) = spot_listings({"symbols": [off]})
    assert listing.instrument.tick == Decimal("0.00000001")
