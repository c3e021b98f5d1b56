"""The simulated Bybit's sockets: login, topics, the order of messages, pings."""

from decimal import Decimal

import pytest

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


async def test_private_topics_need_a_login_and_are_subscribed_once(connect):
    socket = await connect("private")
    refused = await socket.say("subscribe", "order", req_id="1")
    assert (refused["success"], refused["req_id"]) == (False, "1")
    assert (await socket.login(secret="wrong"))["retCode"] == 10004
    assert (await socket.login(expires="1"))["retCode"] == 10002
    assert (await socket.login())["success"]
    assert (await socket.say("subscribe", "order"))["success"]
    again = await socket.say("subscribe", "order")
    assert (again["success"], again["ret_msg"]) == (False, "error:already subscribed,topic:order")


async def test_an_execution_is_told_before_the_order_that_it_changed(client, private):
    await client.create_order(PERP, "market", "buy", 0.1)
    told = []
    await private.until(
        lambda message: (
            told.append((message["topic"], message["data"][0].get("orderStatus"))) or len(told) == 5
        )
    )
    wanted = [one for one in told if one[0] in ("order", "execution")]
    assert wanted == [("order", "New"), ("execution", None), ("order", "Filled")]


async def test_a_category_is_a_topic_of_its_own(client, connect):
    socket = await connect("private")
    await socket.login()
    await socket.say("subscribe", "execution.spot")
    await client.create_order(PERP, "market", "buy", 0.1)
    await client.create_order(SPOT, "market", "buy", 0.1)
    told = await socket.until(lambda message: "topic" in message)
    assert (told["topic"], told["data"][0]["category"]) == ("execution.spot", "spot")


async def test_a_liquidation_is_told_as_one(client, private, exchange):
    await client.set_leverage(100, PERP)
    await client.create_order(PERP, "market", "buy", 1000)
    exchange.set_price(PERP, Decimal(40_000))
    forced = await private.topic("execution", execType="BustTrade")
    assert forced["data"][0]["orderLinkId"] == ""
    ended = await private.topic("order", createType="CreateByLiq")
    assert ended["data"][0]["orderStatus"] == "Filled"


@pytest.mark.parametrize(("path", "operation"), [("private", "pong"), ("public/spot", "ping")])
async def test_a_ping_is_answered(connect, path, operation):
    socket = await connect(path)
    answer = await socket.say("ping", req_id="7")
    assert (answer["op"], answer["req_id"]) == (operation, "7")


async def test_prices_come_at_once_and_when_they_change(connect, exchange):
    socket = await connect("public/spot")
    await socket.say("subscribe", "tickers.BTCUSDT")
    assert (await socket.topic("tickers.BTCUSDT"))["data"]["lastPrice"] == "60000.00"
    exchange.set_price(SPOT, Decimal(60_500))
    assert await socket.topic("tickers.BTCUSDT", lastPrice="60500.00")
