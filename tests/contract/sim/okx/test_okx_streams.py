"""OKX's sockets: logins and refusals on bare ones, order and account news and public channels through ccxt.pro."""

import asyncio
import time

import ccxt.pro as ccxt
import pytest

from fillbook.kernel.money import ZERO
from fillbook.venues.sim.wire.signing import base64_signature

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
SECRET = "sl:1/a b#é"


def login(**changes):
    stamp = str(changes.pop("timestamp", int(time.time())))
    sign = base64_signature(changes.pop("secret", SECRET), f"{stamp}GET/users/self/verify")
    arg = {"apiKey": "key", "passphrase": "open sesame", "timestamp": stamp, "sign": sign} | changes
    return {"op": "login", "args": [arg]}


async def test_a_login_is_answered_and_a_ping_in_plain_text(socket, exchange):
    private = await socket("private")
    await private.send_json(login())
    answer = await private.receive_json()
    assert (answer["event"], answer["code"]) == ("login", "0")
    await private.send_str("ping")
    assert await private.receive_str() == "pong"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": "wrong"}, "60007"),
        ({"passphrase": "wrong"}, "60024"),
        ({"apiKey": "nobody"}, "60005"),
        ({"timestamp": 1_600_000_000}, "60006"),
    ],
)
async def test_a_refused_login_is_an_error_event_and_leaves_the_socket_open(socket, exchange, changes, code):
    private = await socket("private")
    await private.send_json(login(**changes))
    answer = await private.receive_json()
    assert (answer["event"], answer["code"]) == ("error", code)
    await private.send_json({"op": "subscribe", "args": [{"channel": "orders", "instType": "ANY"}]})
    assert (await private.receive_json())["code"] == "60011"


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("public", '{"op":"subscribe","args":[{"channel":"nothing","instId":"BTC-USDT"}]}', "60018"),
        ("public", '{"op":"subscribe","args":[{"channel":"tickers","instId":"NONE-USDT"}]}', "60018"),
        ("public", '{"op":"subscribe","args":[{"channel":"candle1m","instId":"BTC-USDT"}]}', "60018"),
        ("public", '{"op":"subscribe","args":[{"channel":"orders","instType":"ANY"}]}', "60018"),
        ("public", "nonsense", "60012"),
        ("public", '{"op":"dance","args":[{}]}', "60012"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_an_error_event(socket, path, text, code):
    public = await socket(path)
    await public.send_str(text)
    answer = await public.receive_json()
    assert (answer["event"], answer["code"]) == ("error", code)


async def test_an_order_tells_its_life_and_each_fill_its_fee_below_zero(client, listening):
    tap = await listening(client)
    made = await client.create_order(PERP, "market", "buy", 30, None, {"clientOrderId": "f1"})
    live = await tap.row("orders", state="live")
    assert (live["ordId"], live["tradeId"], live["accFillSz"]) == (made["id"], "", "0")
    filled = await tap.row("orders", state="filled")
    assert (filled["clOrdId"], filled["fillSz"], filled["accFillSz"], filled["execType"]) == (
        "f1",
        "30",
        "30",
        "T",
    )
    assert filled["tradeId"]
    assert float(filled["fillFee"]) < 0
    assert filled["fillFeeCcy"] == "USDT"


async def test_a_cancel_carries_no_fill(client, exchange, listening):
    tap = await listening(client)
    made = await client.create_order(PERP, "limit", "buy", 1, 50000)
    await client.cancel_order(made["id"], PERP)
    row = await tap.row("orders", state="canceled")
    assert (row["tradeId"], row["fillSz"], row["cancelSource"]) == ("", "0", "1")


async def test_an_event_comes_once_for_each_subscription(client, listening):
    tap = await listening(client)
    watching = asyncio.ensure_future(client.watch_orders(PERP))
    while len(client.clients[next(iter(client.clients))].subscriptions) < 3:
        await client.fetch_time()
    await client.fetch_time()
    await client.create_order(PERP, "limit", "buy", 1, 50000)
    first, second = await tap.until(bool), await tap.until(bool)
    assert first[0]["data"][0]["ordId"] == second[0]["data"][0]["ordId"]
    assert first[0]["arg"] != second[0]["arg"]
    watching.cancel()


async def test_conditional_orders_have_a_channel_of_their_own(client, exchange, listening):
    await client.create_order(PERP, "market", "buy", 100)
    tap = await listening(client, lambda: client.watch_orders(params={"trigger": True}), client.watch_orders)
    params = {"stopLossPrice": 59000, "reduceOnly": True, "algoClOrdId": "h1"}
    while len(client.clients) < 2:
        await client.fetch_time()
    async with asyncio.timeout(5):
        while sum(len(one.subscriptions) for one in client.clients.values()) < 4:
            await client.fetch_time()
    await client.fetch_time()
    made = await client.create_order(PERP, "market", "sell", 100, None, params)
    assert (await tap.row("orders-algo"))["state"] == "live"
    exchange.set_price(PERP, 58_000 + ZERO)
    effective = await tap.row("orders-algo", state="effective")
    assert effective["algoId"] == made["id"]
    filled = await tap.row("orders", state="filled")
    assert (filled["ordId"], filled["algoId"], filled["algoClOrdId"]) == (
        effective["ordId"],
        made["id"],
        "h1",
    )


async def test_ccxt_reads_orders_trades_positions_and_balances(client, exchange, listening):
    client.options["watchPositions"] = {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False}
    tap = await listening(client, client.watch_balance)
    watching = [asyncio.ensure_future(watch()) for watch in (client.watch_orders, client.watch_my_trades)]
    await tap.until(lambda message: message["arg"]["channel"] == "account")
    await client.fetch_time()
    await client.create_order(PERP, "market", "buy", 30)
    async with asyncio.timeout(5):
        orders, trades = await asyncio.gather(*watching)
    assert orders[0]["symbol"] == trades[0]["symbol"] == PERP
    assert trades[0]["amount"] == 30


async def test_positions_are_told_whole_at_first_and_then_each_change(client, socket, exchange):
    await client.create_order(PERP, "market", "buy", 30)
    private = await socket("private")
    await private.send_json(login())
    await private.receive_json()
    await private.send_json({"op": "subscribe", "args": [{"channel": "positions", "instType": "ANY"}]})
    assert (await private.receive_json())["event"] == "subscribe"
    assert (await private.receive_json())["data"][0]["pos"] == "30"
    await client.create_order(PERP, "market", "sell", 30)
    assert (await private.receive_json())["data"][0]["pos"] == "0"


async def test_a_liquidation_is_an_order_of_its_category(client, exchange, listening):
    await client.set_leverage(125, PERP, {"mgnMode": "cross"})
    await client.create_order(PERP, "market", "buy", 100_000)
    tap = await listening(client)
    exchange.set_price(PERP, 50_000 + ZERO)
    row = await tap.row("orders", state="filled")
    assert (row["category"], row["clOrdId"], row["side"]) == ("full_liquidation", "", "sell")


async def test_public_channels_follow_the_price(client, exchange):
    async with asyncio.timeout(10):
        for symbol in (SPOT, PERP):
            assert (await client.watch_ticker(symbol))["last"] == 60000
            assert (await client.watch_ohlcv(symbol, "1m"))[-1][4] == 60000
            assert (await client.watch_order_book(symbol))["bids"][0][0] < 60000


def rows(book, side):
    """The best 20 levels, price and size."""
    return [level[:2] for level in book[side][:20]]


async def test_an_order_book_that_is_watched_equals_the_one_that_is_fetched(client, exchange):
    seen = {}

    async def follow():
        while True:
            seen["book"] = await client.watch_order_book(PERP)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(10):
        while "book" not in seen:
            await client.fetch_time()
        for price in (60_001, 60_500):
            exchange.set_price(PERP, price + ZERO)
        fetched = {"bids": [], "asks": []}
        while rows(fetched, "bids") != rows(seen["book"], "bids"):
            fetched = await client.fetch_order_book(PERP, 20)
    following.cancel()
    assert rows(seen["book"], "asks") == rows(fetched, "asks")


async def test_a_disconnect_reaches_the_one_who_waits(client, sim, listening):
    await listening(client)
    waiting = asyncio.create_task(client.watch_orders())
    await asyncio.sleep(0)
    assert sim.gateway("okx").add_fault({"kind": "disconnect", "api_key": "key"})[1] == 1
    with pytest.raises(ccxt.NetworkError):
        async with asyncio.timeout(5):
            await waiting
