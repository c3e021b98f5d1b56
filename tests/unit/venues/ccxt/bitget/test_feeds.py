"""The private stream's messages as events: once each, in order, and never in silence."""

import base64
import hashlib
import hmac
import json

import pytest

from fillbook.accounts.core import BalanceReport, PositionReport
from fillbook.ledger.core.fill import FillReport
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book, OrderStatus
from fillbook.orders.core.reports import OrderReport
from fillbook.venues.ccxt.bitget.feeds import AccountFeed
from fillbook.venues.ccxt.bitget.market import PriceFeed
from fillbook.venues.ccxt.websocket import StreamLost
from support.bitget import (
    failed,
    latest,
    mix_fill,
    order_told,
    plan_told,
    position_told,
    spot_fill,
)

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


@pytest.fixture
def feed(link):
    return AccountFeed(link)


def told(channel, *rows, inst_type="USDT-FUTURES"):
    arg = {"instType": inst_type, "channel": channel, "instId": "default"}
    return {"action": "snapshot", "arg": arg, "data": list(rows), "ts": 1700000000000}


async def test_the_login_is_signed_with_seconds(feed, clock):
    message = json.loads(feed.greeting())
    (arg,) = message["args"]
    assert (message["op"], arg["apiKey"], arg["passphrase"]) == ("login", "the-key", "the-passphrase")
    assert abs(int(arg["timestamp"]) - clock.now().timestamp()) < 10**9
    text = f"{arg['timestamp']}GET/user/verify"
    signature = hmac.new(b"the-secret", text.encode(), hashlib.sha256).digest()
    assert arg["sign"] == base64.b64encode(signature).decode()


async def test_the_login_is_answered_by_the_subscription_of_which_every_part_counts(feed):
    feed.greeting()
    subscription = json.loads(feed.acknowledges({"event": "login", "code": 0}))
    assert subscription["op"] == "subscribe"
    assert {(arg["instType"], arg["channel"]) for arg in subscription["args"]} == {
        ("SPOT", "orders"),
        ("SPOT", "fill"),
        ("SPOT", "orders-algo"),
        ("SPOT", "account"),
        ("USDT-FUTURES", "orders"),
        ("USDT-FUTURES", "fill"),
        ("USDT-FUTURES", "orders-algo"),
        ("USDT-FUTURES", "positions"),
    }
    *first, last = subscription["args"]
    for arg in first:
        assert feed.acknowledges({"event": "subscribe", "arg": arg}) is False
    assert feed.acknowledges({"event": "subscribe", "arg": first[0]}) is False
    assert feed.acknowledges("pong") is False
    assert feed.acknowledges({"event": "subscribe", "arg": last}) is True


@pytest.mark.parametrize(
    "message",
    [
        {"event": "error", "code": 30005, "msg": "no such key the-key"},
        {"event": "error", "code": "30001"},
        {"event": "login", "code": "30011"},
    ],
)
async def test_a_refusal_ends_the_connection_and_shows_no_key(feed, message):
    feed.greeting()
    with pytest.raises(StreamLost, match="refused") as lost:
        feed.acknowledges(message)
    assert "the-key" not in lost.value.reason


async def test_an_error_later_is_a_loss(feed):
    with pytest.raises(StreamLost, match="ended by the venue"):
        await feed.events({"event": "error", "code": 30033})


async def test_a_fill_comes_before_the_state_that_counts_it(feed):
    fill, order = await feed.events(told("orders", order_told(1, "1") | latest(7)))
    assert (type(fill), fill.venue_fill_id, fill.client_order_id) == (FillReport, "7", "fb1")
    assert (type(order), order.filled_quantity, order.status) == (
        OrderReport,
        1,
        OrderStatus.PARTIALLY_FILLED,
    )


@pytest.mark.parametrize("is_order_first", [True, False])
@pytest.mark.parametrize(("is_spot", "symbol"), [(True, SPOT), (False, PERP)])
async def test_a_trade_is_told_once_by_whichever_channel_comes_first(feed, is_order_first, is_spot, symbol):
    market = "SPOT" if is_spot else "USDT-FUTURES"
    row = spot_fill(7, feeDetail=[{"feeCoin": "BTC", "totalFee": "0.01"}]) if is_spot else mix_fill(7)
    order = order_told(1, "1", is_spot=is_spot) | latest(7)
    messages = [told("orders", order, inst_type=market), told("fill", row, inst_type=market)]
    if not is_order_first:
        messages.reverse()
    events = [event for message in messages for event in await feed.events(message)]
    (fill,) = [event for event in events if isinstance(event, FillReport)]
    assert (fill.symbol, fill.venue_fill_id, fill.exchange_order_id) == (symbol, "7", "1")
    assert str(fill.fee) == "0.01"


async def test_a_fills_client_id_is_that_of_its_orders_row(feed):
    await feed.events(told("orders", order_told(1)))
    (fill,) = await feed.events(told("fill", mix_fill(7)))
    assert fill.client_order_id == "fb1"


async def test_the_same_trade_of_two_orders_is_two_fills(feed):
    rows = [mix_fill(7, orderId="1"), mix_fill(7, orderId="2", side="sell", tradeSide="sell_single")]
    events = await feed.events(told("fill", *rows))
    assert {event.exchange_order_id for event in events} == {"1", "2"}


@pytest.mark.parametrize("is_child_first", [True, False])
async def test_a_triggered_plan_shares_the_fate_of_its_order_in_either_order(feed, link, is_child_first):
    link.answers["mix/order/plan-sub-order"] = [{"orderId": "5"}]
    child = told("orders", order_told(5, "9", clientOid="", status="filled"))
    plan = told("orders-algo", plan_told(1, status="executed"))
    messages = [child, plan] if is_child_first else [plan, child]
    events = [event for message in messages for event in await feed.events(message)]
    last = [event for event in events if event.book is Book.CONDITIONAL][-1]
    assert (last.exchange_order_id, last.triggered_order_id) == ("1", "5")
    assert (last.status, last.filled_quantity) == (OrderStatus.FILLED, 9)


async def test_what_a_trigger_made_is_asked_for_again_while_it_is_not_shown(feed, link, clock):
    answers = [[], [], [{"orderId": "5"}]]
    link.answers["mix/order/plan-sub-order"] = lambda params: answers.pop(0)
    (plan,) = await feed.events(told("orders-algo", plan_told(1, status="executed")))
    assert (plan.triggered_order_id, len(clock.slept)) == ("5", 2)


@pytest.mark.parametrize("answer", [[], failed("40725")])
async def test_a_trigger_whose_order_stays_hidden_is_a_loss_and_not_a_silence(feed, link, answer):
    link.answers["mix/order/plan-sub-order"] = answer
    with pytest.raises(StreamLost, match="orders-algo"):
        await feed.events(told("orders-algo", plan_told(1, status="executed")))


async def test_a_plan_that_has_not_triggered_is_told_without_a_look(feed, link):
    (plan,) = await feed.events(told("orders-algo", plan_told(1)))
    assert (plan.book, plan.status, plan.client_order_id) == (Book.CONDITIONAL, OrderStatus.NEW, "fb1")
    assert link.asked == []


async def test_a_position_that_is_no_longer_named_is_closed(feed):
    btc, eth = position_told(), position_told("short", instId="ETHUSDT")
    assert len(await feed.events(told("positions", btc, eth))) == 2
    closed, still = await feed.events(told("positions", eth))
    assert (type(closed), closed.symbol, closed.quantity) == (PositionReport, PERP, 0)
    assert (still.symbol, still.quantity) == ("ETH/USDT:USDT", -2)
    (closed,) = await feed.events(told("positions"))
    assert (closed.symbol, closed.quantity) == ("ETH/USDT:USDT", 0)
    assert await feed.events(told("positions")) == []


async def test_legs_close_by_themselves(feed):
    long, short = (position_told(leg, posMode="hedge_mode") for leg in ("long", "short"))
    await feed.events(told("positions", long, short))
    closed, _ = await feed.events(told("positions", long))
    assert (closed.position_side.value, closed.quantity) == ("short", 0)


async def test_balances_are_those_of_spot(feed):
    row = {"coin": "BTC", "available": "1", "frozen": "1", "locked": "0", "uTime": "1"}
    (balance,) = await feed.events(told("account", row, inst_type="SPOT"))
    assert (type(balance), balance.market_type, balance.total) == (BalanceReport, MarketType.SPOT, 2)


@pytest.mark.parametrize("channel", ["orders", "fill", "orders-algo", "account", "positions"])
async def test_a_message_that_cannot_be_read_is_a_loss_and_not_a_silence(feed, channel):
    with pytest.raises(StreamLost, match=channel):
        await feed.events(told(channel, {"instId": "BTCUSDT", "symbol": "BTCUSDT"}))
    with pytest.raises(StreamLost, match=channel):
        await feed.events(told(channel, 7))


@pytest.mark.parametrize("message", ["pong", {"event": "subscribe"}, {"arg": {"instType": "COIN-FUTURES"}}])
async def test_what_is_no_event_is_none(feed, message):
    assert list(await feed.events(message)) == []


async def test_prices_of_a_ticker():
    prices = PriceFeed(MarketType.FUTURES, "wss://x", {"BTCUSDT": PERP})
    row = {"instId": "BTCUSDT", "lastPr": "10", "bidPr": "9", "askPr": "11", "markPrice": "10", "ts": "1"}
    (price,) = await prices.events(told("ticker", row))
    assert (price.symbol, price.last, price.ask) == (PERP, 10, 11)
    with pytest.raises(StreamLost):
        await prices.events(told("ticker", row | {"lastPr": "none"}))
