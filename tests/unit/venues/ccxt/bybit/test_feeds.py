import hashlib
import hmac
import json

import pytest

from fillbook.accounts.core import BalanceReport, PositionReport, PositionSide
from fillbook.ledger.core.fill import FillKind, FillReport
from fillbook.market.core import MarketType
from fillbook.orders.core.reports import OrderReport
from fillbook.venues.ccxt.bybit.feeds import PrivateFeed
from fillbook.venues.ccxt.bybit.market import PriceFeed
from fillbook.venues.ccxt.websocket import StreamLost
from support.bybit import execution, order
from support.shapes import recorded

PERP = "BTC/USDT:USDT"
NET_ROWS = {"list": [{"positionIdx": 0, "leverage": "10"}]}


@pytest.fixture
def feed(link):
    link.answers["position/list"] = NET_ROWS
    return PrivateFeed(link)


def told(topic, *rows):
    return {"topic": topic, "creationTime": 1700000000000, "data": list(rows)}


async def test_the_login_is_signed_and_holds_for_ten_seconds(feed, clock):
    message = json.loads(feed.greeting())
    key, expires, signature = message["args"]
    assert (message["op"], key) == ("auth", "the-key")
    assert int(expires) == clock.now().timestamp() * 1000 + 10_000
    assert signature == hmac.new(b"the-secret", f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()


async def test_an_accepted_login_is_answered_by_the_subscription_which_is_what_counts(feed):
    answer = feed.acknowledges(recorded("bybit", "ws_auth_success"))
    assert json.loads(answer)["args"] == ["execution", "order", "position", "wallet"]
    assert feed.acknowledges({"op": "pong"}) is False
    assert feed.acknowledges({"success": True, "ret_msg": "", "op": "subscribe"}) is True


@pytest.mark.parametrize("name", ["ws_auth_failure", "ws_subscription_failure"])
async def test_a_refusal_ends_the_connection_with_its_reason(feed, name):
    with pytest.raises(StreamLost, match=r"was refused \(Invalid"):
        feed.acknowledges(recorded("bybit", name))


async def test_a_refusal_shows_no_key(feed):
    with pytest.raises(StreamLost) as lost:
        feed.acknowledges({"op": "auth", "success": False, "retMsg": "no such key the-key"})
    assert "the-key" not in lost.value.reason


async def test_recorded_messages_become_events_of_the_market_that_they_name(feed):
    (fill,) = await feed.events(recorded("bybit", "ws_account_execution"))
    assert (type(fill), fill.symbol) == (FillReport, PERP)
    (spot,) = await feed.events(recorded("bybit", "ws_account_order_partially_filled_rejected"))
    assert (type(spot), spot.symbol) == (OrderReport, "APEX/USDT")
    (position,) = await feed.events(recorded("bybit", "ws_account_position"))
    assert (type(position), position.symbol) == (PositionReport, "ETH/USDT:USDT")
    balances = await feed.events(recorded("bybit", "ws_account_wallet_small_order"))
    assert {type(balance) for balance in balances} == {BalanceReport}
    assert {balance.market_type for balance in balances} == set(MarketType)


async def test_executions_of_one_message_come_in_the_venues_order_and_funding_is_left_out(feed):
    rows = [execution(3, 30), execution(1, 10), execution(2, 20, execType="Funding")]
    events = await feed.events(told("execution", *rows))
    assert [event.venue_fill_id for event in events] == ["e1", "e3"]


async def test_a_liquidation_is_told_as_one(feed):
    (event,) = await feed.events(told("execution", execution(1, 10, execType="BustTrade", orderLinkId="")))
    assert (event.kind, event.client_order_id) == (FillKind.LIQUIDATION, None)


async def test_a_fill_after_an_order_with_a_leg_is_of_a_leg(feed):
    await feed.events(told("order", order(1, 10, positionIdx=2, side="Sell")))
    (event,) = await feed.events(told("execution", execution(1, 10, side="Sell")))
    assert event.position_side is PositionSide.SHORT


async def test_products_that_are_not_traded_here_are_left_alone(feed):
    assert await feed.events(told("order", order(1, 10, category="inverse", symbol="BTCUSD"))) == []
    assert await feed.events(told("execution", execution(1, 10, category="option"))) == []
    assert await feed.events({"op": "pong"}) == ()


@pytest.mark.parametrize("topic", ["order", "execution", "position", "wallet"])
async def test_a_message_that_cannot_be_read_is_a_loss_and_not_a_silence(feed, topic):
    with pytest.raises(StreamLost, match=topic):
        await feed.events(told(topic, {"category": "linear", "symbol": "BTCUSDT"}))


async def test_a_position_mode_that_cannot_be_asked_for_is_a_loss(feed, link):
    link.answers["position/list"] = {}
    with pytest.raises(StreamLost):
        await feed.events(told("execution", execution(1, 10)))


async def test_prices_of_a_ticker_and_silence_about_fields_that_are_no_price():
    prices = PriceFeed(MarketType.FUTURES, "wss://x", {"BTCUSDT": PERP})
    message = recorded("bybit", "ws_ticker_linear")
    (price,) = await prices.events(message)
    assert (price.symbol, price.last) == (PERP, 17216)
    changed = message | {"data": {"symbol": "BTCUSDT", "openInterest": "1"}}
    assert await prices.events(changed) == ()
    assert await prices.events({"op": "ping", "ret_msg": "pong"}) == ()
    with pytest.raises(StreamLost):
        await prices.events(message | {"data": {"symbol": "BTCUSDT", "lastPrice": "none"}})
