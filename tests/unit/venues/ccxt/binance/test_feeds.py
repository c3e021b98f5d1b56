import hashlib
import hmac
import json
import random

import pytest

from fillbook.accounts.core import (
    Account,
    Credentials,
    Environment,
    PositionMode,
    TradingState,
)
from fillbook.market.core import MarketType, VenueName
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.endpoints import PROFILE
from fillbook.venues.ccxt.binance.feeds import RENEW_EVERY_S, FuturesFeed, SpotFeed
from fillbook.venues.ccxt.binance.link import BinanceLink
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.site import Site
from fillbook.venues.ccxt.websocket import StreamLost

ACCOUNT = Account(
    id=1,
    uid="acc",
    user_id=1,
    name="test",
    exchange=VenueName.BINANCE,
    environment=Environment.PAPER,
    market_types=(MarketType.SPOT, MarketType.FUTURES),
    position_mode=PositionMode.ONE_WAY,
    trading_state=TradingState.ACTIVE,
    trading_state_reason=None,
    is_active=True,
)


class ScriptedLink(BinanceLink):
    """Answers the listen key's renewal from a script; everything else is the real link."""

    def __init__(self, *args):
        super().__init__(*args)
        self.script = []
        self.asked = []

    async def try_read(self, endpoint, params=None):
        self.asked.append(endpoint)
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
async def link(clock):
    site = Site(PROFILE, Environment.PAPER, "http://127.0.0.1:9", clock, random.Random(1))
    yield ScriptedLink(site, ACCOUNT, Credentials("the-key", "the-secret"))
    await site.close()


def failed(code, kind=errors.ExchangeNotAvailable):
    return CallFailed(kind, code, "")


async def test_the_spot_subscription_is_signed_over_its_sorted_parameters(link):
    params = json.loads(SpotFeed(link).greeting())["params"]
    signature = params.pop("signature")
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    assert signature == hmac.new(b"the-secret", text.encode(), hashlib.sha256).hexdigest()
    assert "the-secret" not in text


async def test_only_the_answer_to_the_subscription_acknowledges_it(link):
    feed = SpotFeed(link)
    assert not feed.acknowledges({"event": {"e": "executionReport"}})
    assert feed.acknowledges({"id": "subscribe", "status": 200, "result": {"subscriptionId": 0}})


async def test_a_refused_subscription_is_told_without_the_key(link):
    with pytest.raises(StreamLost) as lost:
        SpotFeed(link).acknowledges(
            {"id": "subscribe", "status": 400, "error": {"code": -2015, "msg": "Invalid API-key the-key."}}
        )
    assert "-2015" in lost.value.reason
    assert "the-key" not in lost.value.reason


@pytest.mark.parametrize("kind", ["eventStreamTerminated", "serverShutdown"])
async def test_what_ends_the_spot_stream_is_a_loss(link, kind):
    with pytest.raises(StreamLost, match=kind):
        await SpotFeed(link).events({"subscriptionId": 0, "event": {"e": kind}})


async def test_an_expired_listen_key_is_a_loss(link):
    with pytest.raises(StreamLost, match="listenKeyExpired"):
        await FuturesFeed(link).events({"e": "listenKeyExpired", "listenKey": "x"})


async def test_a_message_of_a_kind_that_says_nothing_of_ours_is_left_alone(link, recorded):
    assert await FuturesFeed(link).events(recorded("futures__user_data__trade_lite")) == ()
    assert await SpotFeed(link).events(recorded("spot__user_data__list_status_wrapped")) == ()


@pytest.mark.parametrize("message", [{"e": "ORDER_TRADE_UPDATE"}, {"e": "ORDER_TRADE_UPDATE", "o": {"s": 5}}])
async def test_an_event_that_cannot_be_understood_is_a_loss_never_a_silence(link, message):
    link.script = [failed("ExchangeNotAvailable")] * 2
    with pytest.raises(StreamLost, match="could not be understood"):
        await FuturesFeed(link).events(message)


async def test_the_listen_key_is_renewed_every_twenty_minutes(link):
    feed = FuturesFeed(link)
    assert feed.renew_every_s == RENEW_EVERY_S == 1200
    link.script = [{}]
    await feed.renew()
    assert link.asked == [at.RENEW_LISTEN_KEY]


async def test_a_renewal_that_fails_once_is_repeated_after_a_minute(link, clock):
    link.script = [failed("RequestTimeout"), {}]
    await FuturesFeed(link).renew()
    assert clock.slept == [60]
    assert len(link.asked) == 2


@pytest.mark.parametrize(
    ("code", "kind", "attempts"),
    [
        ("-1125", errors.AuthenticationError, 1),
        ("-2015", errors.AuthenticationError, 1),
        ("RequestTimeout", errors.RequestTimeout, 2),
    ],
)
async def test_a_listen_key_that_cannot_be_renewed_is_a_loss(link, code, kind, attempts):
    link.script = [failed(code, kind)] * attempts
    with pytest.raises(StreamLost, match=code):
        await FuturesFeed(link).renew()
    assert len(link.asked) == attempts
