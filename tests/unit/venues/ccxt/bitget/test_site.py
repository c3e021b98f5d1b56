"""What is set on ccxt's exchange, and Bitget's listings as instruments."""

import random
from decimal import Decimal

import pytest

from fillbook.accounts.core import Credentials, Environment
from fillbook.venues.ccxt.bitget.endpoints import PROFILE
from fillbook.venues.ccxt.bitget.instruments import futures_listings, spot_listings
from fillbook.venues.ccxt.site import Site

CREDENTIALS = Credentials("the-key", "the-secret", "the-passphrase")
SPOT_ROW = {
    "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "minTradeAmount": "0", "pricePrecision": "2",
    "quantityPrecision": "6", "minTradeUSDT": "1", "status": "online", "maxTradeAmount": "900000000",
}  # fmt: skip
MIX_ROW = {
    "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "symbolType": "perpetual", "pricePlace": "1",
    "priceEndStep": "5", "sizeMultiplier": "0.001", "minTradeNum": "0.002", "minTradeUSDT": "5",
    "maxOrderQty": "120", "maxMarketOrderQty": "40", "symbolStatus": "normal",
}  # fmt: skip


@pytest.mark.parametrize(("environment", "is_demo"), [(Environment.DEMO, True), (Environment.LIVE, False)])
async def test_only_demo_requests_say_that_they_are(clock, environment, is_demo):
    url = "http://127.0.0.1:9" if environment is Environment.PAPER else None
    site = Site(PROFILE, environment, url, clock, random.Random(1))
    try:
        exchange = site.client(None, CREDENTIALS).exchange
        signed = exchange.sign("v2/mix/order/place-order", ["private", "mix"], "POST", {"symbol": "X"})
        assert (signed["headers"].get("PAPTRADING") == "1") is is_demo
        assert ("wspap" in site.stream_urls["private"]) is is_demo
    finally:
        await site.close()


async def test_ccxt_never_asks_by_itself_whether_the_account_is_unified(link):
    assert link.client.exchange.options["uta"] is False


def test_a_spot_listing():
    (listing,) = spot_listings([SPOT_ROW])
    instrument = listing.instrument
    assert (instrument.symbol, listing.venue_id) == ("BTC/USDT", "BTCUSDT")
    assert (instrument.tick, instrument.lot) == (Decimal("0.01"), Decimal("0.000001"))
    assert (instrument.min_quantity, instrument.min_notional) == (Decimal("0.000001"), 1)
    assert (instrument.max_quantity, instrument.is_active) == (None, True)


def test_a_futures_listing():
    (listing,) = futures_listings([MIX_ROW, MIX_ROW | {"symbolType": "delivery"}])
    instrument = listing.instrument
    assert (instrument.symbol, instrument.settle) == ("BTC/USDT:USDT", "USDT")
    assert (instrument.tick, instrument.lot) == (Decimal("0.5"), Decimal("0.001"))
    assert (instrument.min_quantity, instrument.min_notional) == (Decimal("0.002"), 5)
    assert (instrument.max_quantity, instrument.max_market_quantity) == (120, 40)


def test_a_least_value_in_usdt_limits_no_other_quote():
    (listing,) = spot_listings([SPOT_ROW | {"symbol": "ETHBTC", "baseCoin": "ETH", "quoteCoin": "BTC"}])
    assert listing.instrument.min_notional == 0


def test_what_is_not_traded_is_not_active():
    (spot,) = spot_listings([SPOT_ROW | {"status": "halt"}])
    (futures,) = futures_listings([MIX_ROW | {"symbolStatus": "maintain"}])
    assert (spot.instrument.is_active, futures.instrument.is_active) == (False, False)
