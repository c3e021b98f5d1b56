import asyncio
import random
from decimal import Decimal

import pytest

from fillbook.accounts.core import Credentials, Environment
from fillbook.kernel.clock import to_ms
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.binance.endpoints import FUTURES, PROFILE, SPOT, pool_of, real_address
from fillbook.venues.ccxt.client import stand_in
from fillbook.venues.ccxt.site import Listing, Site

BTC = Listing(
    Instrument(
        VenueName.BINANCE,
        "BTC/USDT",
        MarketType.SPOT,
        "BTC",
        "USDT",
        "USDT",
        Decimal("0.01"),
        Decimal("0.001"),
    ),
    "BTCUSDT",
)


@pytest.fixture
async def site(clock):
    site = Site(PROFILE, Environment.PAPER, "http://127.0.0.1:9", clock, random.Random(1))
    yield site
    await site.close()


def addresses(tree):
    for value in tree.values():
        if isinstance(value, dict):
            yield from addresses(value)
        else:
            yield value


def test_a_stand_in_keeps_every_path_and_takes_scheme_and_host():
    urls = {"rest": "https://fapi.binance.com/fapi/v1", "ws": {"spot": "wss://stream.binance.com:9443/ws"}}
    assert stand_in(urls, "http://127.0.0.1:9001") == {
        "rest": "http://127.0.0.1:9001/fapi/v1",
        "ws": {"spot": "ws://127.0.0.1:9001/ws"},
    }
    assert stand_in("wss://x/ws?a=1", "https://proxy.example") == "wss://proxy.example/ws?a=1"


async def test_no_request_of_a_stood_in_venue_leaves_for_the_real_one(site):
    exchange = site.client(None, None).exchange
    for address in [*addresses(exchange.urls["api"]), *site.stream_urls.values()]:
        assert "//127.0.0.1:9/" in address
    assert "/stream" in site.stream_urls["spot_market"]


async def test_the_demo_venue_has_its_own_addresses(clock):
    site = Site(PROFILE, Environment.DEMO, None, clock, random.Random(1))
    exchange = site.client(None, None).exchange
    assert "demo" in exchange.urls["api"]["private"]
    assert "demo" in exchange.urls["api"]["fapiPrivate"]
    assert "demo" in site.stream_urls["spot_account"]
    await site.close()


def test_a_paper_account_without_the_simulated_exchange_is_refused(clock):
    with pytest.raises(ValueError, match="simulated"):
        Site(PROFILE, Environment.PAPER, None, clock, random.Random(1))


@pytest.mark.parametrize(
    ("url", "prefix", "pool"),
    [
        ("http://127.0.0.1:9/fapi/v1/order", "https://fapi.binance.com/", FUTURES),
        ("http://127.0.0.1:9/api/v3/order?x=1", "https://api.binance.com/", SPOT),
        ("http://127.0.0.1:9/sapi/v1/account", "https://api.binance.com/", "wallet"),
    ],
)
def test_a_stood_in_address_selects_the_venues_own_error_table(url, prefix, pool):
    assert real_address(url).startswith(prefix)
    assert pool_of(url) == pool


async def test_accounts_share_a_session_and_never_a_key(site):
    first, second = (site.client(None, Credentials(name * 10, name * 10)) for name in "ab")
    assert first.exchange.session is second.exchange.session
    assert first.exchange.apiKey != second.exchange.apiKey
    assert first.exchange.urls is second.exchange.urls


async def test_each_egress_has_a_session_and_a_budget_of_its_own(site):
    assert site.session("10.0.0.1") is not site.session("10.0.0.2")
    assert site.session("10.0.0.1") is site.session("10.0.0.1")
    assert site.stream_session("10.0.0.1") is not site.session("10.0.0.1")
    assert site.budget("10.0.0.1", SPOT) is not site.budget("10.0.0.2", SPOT)


async def test_what_a_venue_counts_by_account_is_counted_from_every_address(site):
    assert site.account_budget("a", SPOT) is site.account_budget("a", SPOT)
    assert site.account_budget("a", SPOT) is not site.account_budget("b", SPOT)
    assert site.account_budget("a", SPOT) is not site.budget(None, SPOT)


async def test_a_clock_difference_reaches_every_account_present_and_future(site):
    before = site.client(None, None)
    site.set_time_difference(1500)
    after = site.client("10.0.0.1", None)
    for client in (before, after):
        assert client.exchange.nonce() == client.exchange.milliseconds() - 1500


async def test_one_load_serves_all_who_wait_for_it(site):
    loads = 0

    async def load():
        nonlocal loads
        loads += 1
        await asyncio.sleep(0)
        return [BTC]

    found = await asyncio.gather(*(site.catalogue(MarketType.SPOT, load) for _ in range(50)))
    assert loads == 1
    assert {catalogue.venue_ids["BTC/USDT"] for catalogue in found} == {"BTCUSDT"}


async def test_a_failed_load_fails_all_who_wait_and_the_next_one_tries_again(site):
    loads = 0

    async def fail():
        nonlocal loads
        loads += 1
        await asyncio.sleep(0)
        raise ReadFailed("down")

    async def load():
        return [BTC]

    results = await asyncio.gather(
        *(site.catalogue(MarketType.SPOT, fail) for _ in range(50)), return_exceptions=True
    )
    assert loads == 1
    assert {type(result) for result in results} == {ReadFailed}
    assert (await site.catalogue(MarketType.SPOT, load)).symbols["BTCUSDT"] == "BTC/USDT"


async def test_a_catalogue_is_loaded_anew_only_when_it_is_older_than_wanted(site, clock):
    loads = 0

    async def load():
        nonlocal loads
        loads += 1
        return [BTC]

    await site.catalogue(MarketType.SPOT, load)
    clock.advance(100)
    await site.catalogue(MarketType.SPOT, load)
    await site.catalogue(MarketType.SPOT, load, max_age_s=100)
    assert loads == 1
    await site.catalogue(MarketType.SPOT, load, max_age_s=99)
    assert loads == 2


async def test_one_who_stops_waiting_does_not_stop_the_load_of_the_others(site):
    go = asyncio.Event()

    async def load():
        await go.wait()
        return [BTC]

    impatient = asyncio.create_task(site.catalogue(MarketType.SPOT, load))
    patient = asyncio.create_task(site.catalogue(MarketType.SPOT, load))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    go.set()
    assert (await patient).venue_ids


async def test_accounts_that_ask_the_time_together_are_answered_by_one_measurement(site, clock):
    measured = []

    async def measure():
        measured.append(1)
        await asyncio.sleep(0)
        site.set_time_difference(2_000)
        return to_ms(clock.now()) - 2_000

    found = await asyncio.gather(*(site.venue_ms(measure, 10) for _ in range(20)))
    assert set(found) == {to_ms(clock.now()) - 2_000}
    clock.advance(9)
    assert await site.venue_ms(measure, 10) == to_ms(clock.now()) - 2_000
    assert len(measured) == 1
    clock.advance(2)
    await site.venue_ms(measure, 10)
    assert len(measured) == 2


async def test_a_measurement_that_failed_is_made_again(site):
    async def fail():
        raise ValueError("no time")

    for _ in range(2):
        with pytest.raises(ValueError, match="no time"):
            await site.venue_ms(fail, 10)
