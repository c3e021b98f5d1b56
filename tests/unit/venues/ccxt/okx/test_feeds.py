"""The dialogue of a private socket: login, subscriptions, refusals that end it, rows of products we do not trade."""

import base64
import hashlib
import hmac
import json

import pytest

from fillbook.orders.core.reports import OrderReport
from fillbook.venues.ccxt.okx.feeds import BUSINESS, PRIVATE, Feed
from fillbook.venues.ccxt.websocket import StreamLost

LOGGED_IN = {"event": "login", "code": "0", "msg": "", "connId": "a"}


def subscribed(arg):
    return {"event": "subscribe", "arg": arg, "connId": "a"}


@pytest.fixture
async def feed(link):
    made = Feed(link, "private", PRIVATE)
    made.greeting()
    return made


async def test_the_login_is_signed_over_seconds_and_a_fixed_path(link):
    arg = json.loads(Feed(link, "private", PRIVATE).greeting())["args"][0]
    text = f"{arg['timestamp']}GET/users/self/verify"
    made = base64.b64encode(hmac.new(b"the-secret", text.encode(), hashlib.sha256).digest()).decode()
    assert (arg["apiKey"], arg["passphrase"], arg["sign"]) == ("the-key", "the-passphrase", made)
    assert len(arg["timestamp"]) == 10


async def test_the_subscriptions_follow_the_login_and_all_must_be_accepted(feed):
    assert json.loads(feed.acknowledges(LOGGED_IN)) == {"op": "subscribe", "args": list(PRIVATE)}
    heard = [feed.acknowledges(subscribed(arg)) for arg in PRIVATE]
    assert heard == [False, False, True]


async def test_what_a_channel_tells_meanwhile_acknowledges_nothing(feed):
    assert feed.acknowledges({"arg": PRIVATE[1], "data": []}) is False


async def test_a_new_connection_waits_for_all_its_subscriptions_again(feed):
    for _ in range(2):
        feed.greeting()
        feed.acknowledges(LOGGED_IN)
        assert [feed.acknowledges(subscribed(arg)) for arg in PRIVATE][-1] is True


@pytest.mark.parametrize(
    "message",
    [
        {"event": "error", "code": "60007", "msg": "Invalid sign of the-key"},
        {"event": "error", "code": "60018", "msg": "channel doesn't exist"},
        {"event": "channel-conn-count-error", "channel": "orders", "connCount": "20"},
    ],
)
async def test_a_refusal_ends_the_connection_without_showing_a_secret(feed, message):
    with pytest.raises(StreamLost) as lost:
        feed.acknowledges(message)
    assert "refused" in lost.value.reason
    assert "the-key" not in lost.value.reason


@pytest.mark.parametrize(
    "message",
    [
        {"event": "error", "code": "60014", "msg": "Requests too frequent"},
        {
            "event": "notice",
            "code": "64008",
            "msg": "The connection will soon be closed for a service upgrade.",
        },
    ],
)
async def test_an_error_or_a_notice_later_on_ends_it_too(feed, message):
    with pytest.raises(StreamLost, match="ended by the venue"):
        await feed.events(message)


@pytest.mark.parametrize(
    "message", [{"event": "channel-conn-count", "connCount": "2"}, subscribed({}), [], "text"]
)
async def test_what_says_nothing_of_ours_is_left_alone(feed, message):
    assert not await feed.events(message)


@pytest.mark.parametrize(
    "row",
    [
        {"instType": "MARGIN", "instId": "BTC-USDT"},
        {"instType": "FUTURES", "instId": "BTC-USDT-261225"},
        {"instType": "OPTION", "instId": "BTC-USD-261225-60000-C"},
        {"instType": "SWAP", "instId": "BTC-USD-SWAP"},
    ],
)
async def test_rows_of_products_that_we_do_not_trade_are_left_alone(feed, row):
    for channel in ("orders", "positions", "orders-algo"):
        assert await feed.events({"arg": {"channel": channel}, "data": [row]}) == []


@pytest.mark.parametrize("row", [{"instType": "SWAP", "instId": "BTC-USDT-SWAP"}, {"instType": "SPOT"}, {}])
async def test_a_row_that_cannot_be_understood_is_a_loss_never_a_silence(feed, row):
    with pytest.raises(StreamLost, match="could not be understood"):
        await feed.events({"arg": {"channel": "orders"}, "data": [row]})


async def test_an_unlisted_instrument_of_ours_is_a_loss(feed):
    with pytest.raises(StreamLost):
        await feed.events(
            {"arg": {"channel": "orders"}, "data": [{"instType": "SPOT", "instId": "NEW-USDT"}]}
        )


async def test_recorded_conditional_orders_are_told(link, recorded):
    feed = Feed(link, "business", BUSINESS)
    told = await feed.events(recorded("ws_orders_algo"))
    assert all(isinstance(one, OrderReport) for one in told)
    assert [one.triggered_order_id for one in told][:3] == [None, None, "706620792746729999"]
