"""What a refusal asks of us is heeded: by the account's budget, or by everybody's of the address."""

import random

import pytest

from fillbook.accounts.core import Credentials, Environment
from fillbook.venues.ccxt.bybit import endpoints as at
from fillbook.venues.ccxt.bybit.endpoints import ADDRESS, PROFILE
from fillbook.venues.ccxt.bybit.link import BybitLink
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.limits import BudgetSpent
from fillbook.venues.ccxt.site import Site


class RefusingClient:
    def __init__(self, code):
        self.code = code
        self.sent = 0

    async def send(self, endpoint, params):
        self.sent += 1
        raise CallFailed(errors.RateLimitExceeded, self.code, "Too many visits.")


@pytest.fixture
async def site(clock):
    site = Site(PROFILE, Environment.LIVE, "http://127.0.0.1:9", clock, random.Random(1))
    yield site
    await site.close()


async def refused(site, name, code):
    link = BybitLink(site, None, Credentials(name, "secret"))
    link._client = client = RefusingClient(code)
    with pytest.raises(CallFailed) as failed:
        await link.act(at.PLACE, {})
    return failed.value, client


async def test_too_many_of_an_account_pause_that_account_and_nobody_else(site):
    await refused(site, "a", "10006")
    held_back, client = await refused(site, "a", "10006")
    assert (held_back.code, held_back.sent, client.sent) == ("rate_limited", False, 0)
    passed, client = await refused(site, "b", "10006")
    assert (passed.sent, client.sent) == (True, 1)


async def test_too_many_of_an_address_pause_everybody_on_it(site):
    await refused(site, "a", "10018")
    held_back, client = await refused(site, "b", "10018")
    assert (held_back.code, client.sent) == ("rate_limited", 0)


async def test_a_burst_of_orders_waits_for_the_next_second(site, clock):
    own = site.account_budget("a", at.PLACE.account_pool)
    with pytest.raises(BudgetSpent):
        for _ in range(100):
            own.take_for_act(1)
    sent, client = await refused(site, "a", "some code")
    assert (sent.code, client.sent) == ("some code", 1)
    assert clock.slept == [pytest.approx(1.05)]


async def test_an_account_that_is_paused_uses_up_nothing_of_what_all_share(site, clock):
    site.account_budget("a", at.PLACE.account_pool).pause(60)
    held_back, client = await refused(site, "a", "10006")
    assert (held_back.code, client.sent, clock.slept) == ("rate_limited", 0, [])
    assert site.budget(None, ADDRESS).used == 0
