"""Faults that only the exchange without a wire acts out, and what becomes of requests on their way."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from fillbook.accounts.core import Credentials
from fillbook.kernel.clock import SystemClock
from fillbook.market.core import MarketType, Side, VenueName
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderStatus, OrderType
from fillbook.orders.core.outcomes import Acknowledged, Rejected, Unknown
from fillbook.orders.core.reports import StreamChange, StreamState
from fillbook.venues.sim.direct import line
from fillbook.venues.sim.direct.manners import MANNERS
from fillbook.venues.sim.direct.site import SimSite
from support.trading import an_account

SPOT = "BTC/USDT"
KEY = Credentials("key", "secret")


class Network:
    """Holds what is on its way until a test lets it arrive."""

    def __init__(self):
        self.waiting = []

    def later(self, seconds, act):
        self.waiting.append((seconds, act))

    def arrive(self):
        waiting, self.waiting = self.waiting, []
        for _, act in waiting:
            act()


def a_site(venue=VenueName.BINANCE, **terms):
    site = SimSite(venue, SystemClock(), **terms)
    account = site.exchange.open_account(KEY.api_key, KEY.secret)
    site.exchange.deposit(account, MarketType.SPOT, "USDT", Decimal(100_000))
    return site, account, site.open(an_account(exchange=venue), KEY)


def a_request(client_order_id="fb1", **changes):
    given = {"order_type": OrderType.MARKET, "quantity": Decimal("0.01"), "price": None, **changes}
    return OrderRequest(client_order_id, SPOT, Side.BUY, **given)


def resting(client_order_id="fb1"):
    return a_request(client_order_id, order_type=OrderType.LIMIT, price=Decimal(50_000))


def named(client_order_id):
    return OrderRef(SPOT, client_order_id, None, Book.NORMAL)


async def test_a_stale_read_shows_an_order_as_it_was_before():
    site, account, venue = a_site()
    await venue.place(resting())
    (order,) = account.orders.values()
    order.created_ms -= 60_000
    site.exchange.cancel(account, order)
    site.fault("stale", path="^find_order", seconds=30)
    assert (await venue.find_order(named("fb1"))).status is OrderStatus.NEW
    assert (await venue.find_order(named("fb1"))).status is OrderStatus.CANCELED


async def test_a_stale_read_does_not_know_what_is_younger():
    site, _, venue = a_site()
    await venue.place(a_request())
    site.fault("stale", n=3, seconds=30)
    assert await venue.find_order(named("fb1")) is None
    assert await venue.open_orders(MarketType.SPOT, Book.NORMAL) == []
    assert (await venue.fills_since(SPOT, site.now() - timedelta(minutes=1))).fills == ()


async def test_a_partial_page_says_that_there_is_more():
    site, account, venue = a_site()
    for number in range(3):
        await venue.place(a_request(f"fb{number}"))
    site.fault("partial_page", fills=1)
    page = await venue.fills_since(SPOT, site.now() - timedelta(minutes=1))
    assert (len(page.fills), page.complete) == (1, False)
    rest = await venue.fills_since(SPOT, site.now(), page.next_from_id)
    assert [fill.venue_fill_id for fill in (*page.fills, *rest.fills)] == [
        str(fill.trade_id) for fill in account.fills
    ]


async def test_an_order_takes_effect_although_nobody_waits_for_the_answer_any_more(monkeypatch):
    monkeypatch.setattr(line, "TIMEOUT_S", 0.01)
    network = Network()
    _, account, venue = a_site(later=network.later, latency_s=lambda: 1.0)
    assert isinstance(await venue.place(a_request()), Unknown)
    assert not account.orders
    network.arrive()
    assert [order.client_order_id for order in account.orders.values()] == ["fb1"]


async def test_an_order_that_arrives_too_late_is_refused(monkeypatch):
    monkeypatch.setattr(line, "RECEIVE_WINDOW_S", -1)
    _, account, venue = a_site()
    assert isinstance(await venue.place(a_request()), Rejected)
    assert not account.orders


async def test_maintenance_leaves_orders_unknown_and_reads_failed():
    site, account, venue = a_site()
    site.fault("maintenance")
    assert isinstance(await venue.place(a_request()), Unknown)
    with pytest.raises(ReadFailed):
        await venue.balances(MarketType.SPOT)
    assert not account.orders


async def test_a_silent_stream_stays_connected_and_tells_nothing():
    site, _, venue = a_site()
    stream = venue.stream()
    changes = [await anext(stream), await anext(stream)]
    assert {change.state for change in changes if isinstance(change, StreamChange)} == {StreamState.CONNECTED}
    site.fault("half_open", seconds=60)
    await venue.place(a_request())
    site.calm()
    await venue.place(a_request("fb2"))
    await asyncio.sleep(0)
    told = await anext(stream)
    assert told.client_order_id == "fb2"
    await stream.aclose()


@pytest.mark.parametrize("venue_name", list(VenueName))
async def test_an_id_names_a_new_order_only_where_the_venue_lets_it(venue_name):
    site, account, venue = a_site(venue_name)
    await venue.place(resting())
    site.exchange.cancel_all(account, SPOT, Book.NORMAL)
    again = await venue.place(resting())
    assert isinstance(again, Acknowledged if MANNERS[venue_name].reuses_client_ids else Unknown)
