from decimal import Decimal

from fillbook.market.core import MarketType
from fillbook.venues.ccxt.okx.instruments import spot_listings, swap_listings


def test_swaps_are_in_base_units_and_inverse_ones_are_left_out(recorded):
    found = {
        row.venue_id: row.instrument for row in swap_listings(recorded("http_get_instruments_swap")["data"])
    }
    assert "BTC-USD-SWAP" not in found
    eth = found["ETH-USDT-SWAP"]
    assert (eth.symbol, eth.base, eth.quote, eth.settle) == ("ETH/USDT:USDT", "ETH", "USDT", "USDT")
    assert (eth.contract_size, eth.lot, eth.min_quantity) == (
        Decimal("0.1"),
        Decimal("0.001"),
        Decimal("0.001"),
    )
    assert (eth.max_quantity, eth.max_market_quantity) == (10_000_000, 2_000)
    assert eth.is_active


def test_spot_counts_base_units_and_states_no_largest_market_order(recorded):
    rows = recorded("http_get_instruments_spot")["data"]
    found = {row.venue_id: row.instrument for row in spot_listings(rows)}
    btc = found["BTC-USD"]
    assert (btc.symbol, btc.market_type, btc.settle) == ("BTC/USD", MarketType.SPOT, "USD")
    assert (btc.lot, btc.min_quantity, btc.tick) == (
        Decimal("0.00000001"),
        Decimal("0.00001"),
        Decimal("0.1"),
    )
    assert btc.max_market_quantity is None


def test_an_instrument_that_does_not_trade_is_listed_as_such(recorded):
    row = recorded("http_get_instruments_spot")["data"][0] | {"state": "suspend"}
    assert not spot_listings([row])[0].instrument.is_active
