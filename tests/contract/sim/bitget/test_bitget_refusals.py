"""Bitget's refusals reach ccxt as the class that the real venue's do, and its sockets refuse as they should."""

import asyncio
import base64
import hmac
import time

import aiohttp
import ccxt.async_support as ccxt
import pytest

from fillbook.accounts.core import KeyPermissions
from fillbook.market.core import VenueName

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def order(symbol, kind, side, amount, price=None, **params):
    return lambda client: client.create_order(symbol, kind, side, amount, price, params)


def raw(path, **params):
    return lambda client: getattr(client, path)(params)


PLACE_PERP = "privateMixPostV2MixOrderPlaceOrder"
PERP_ORDER = {
    "symbol": "BTCUSDT",
    "productType": "USDT-FUTURES",
    "marginCoin": "USDT",
    "marginMode": "crossed",
    "side": "buy",
    "orderType": "limit",
}
REFUSED = [
    (order(SPOT, "limit", "buy", 900, 50000), ccxt.InsufficientFunds, "43012"),
    (order(PERP, "limit", "buy", 900, 50000), ccxt.InsufficientFunds, "40762"),
    (order(SPOT, "limit", "buy", 0.0001, 40000), ccxt.InvalidOrder, "45110"),
    (order(PERP, "market", "sell", 0.01, None, reduceOnly=True), ccxt.ExchangeError, "22002"),
    (raw(PLACE_PERP, **PERP_ORDER, size="0.0105", price="50000"), ccxt.InvalidOrder, "40808"),
    (raw(PLACE_PERP, **PERP_ORDER, size="0.01", price="50000.05"), ccxt.ExchangeError, "45115"),
    (raw(PLACE_PERP, **PERP_ORDER, size="0.01"), ccxt.BadRequest, "40019"),
    (order(SPOT, "limit", "buy", 0.01, 50000, clientOrderId="x" * 33), ccxt.BadRequest, "40305"),
    (lambda client: client.fetch_order("999", PERP), ccxt.OrderNotFound, "40109"),
    (lambda client: client.fetch_order("999", SPOT), ccxt.OrderNotFound, "could not find"),
    (lambda client: client.cancel_order("999", PERP), ccxt.OrderNotFound, "40768"),
    (lambda client: client.cancel_order("999", SPOT), ccxt.OrderNotFound, "43001"),
    (lambda client: client.cancel_order("999", SPOT, {"trigger": True}), ccxt.InvalidOrder, "43025"),
    (lambda client: client.set_leverage(500, PERP), ccxt.ExchangeError, "45045"),
    (raw("privateMixGetV2MixOrderDetail", symbol="NOPE", orderId="1", productType="USDT-FUTURES"), ccxt.BadRequest,
     "40102"),
    (raw("privateSpotGetV2SpotTradeFills", startTime="1", endTime="9000000000"), ccxt.BadRequest, "00001"),
    (raw("privateSpotPostV2SpotTradePlacePlanOrder", symbol="BTCUSDT", side="buy", orderType="market", size="0.01",
         planType="amount", triggerPrice="65000", triggerType="fill_price"), ccxt.BadRequest, "40017"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "kind", "code"), REFUSED, ids=[row[2] for row in REFUSED])
async def test_a_refusal_has_the_class_and_code_of_the_venues(client, act, kind, code):
    with pytest.raises(ccxt.BaseError, match=code) as refused:
        await act(client)
    assert type(refused.value) is kind


@pytest.mark.parametrize(("symbol", "code"), [(SPOT, "43004"), (PERP, "22001")])
async def test_a_cancel_of_what_has_ended_is_a_plain_exchange_error(client, symbol, code):
    made = await client.create_order(symbol, "limit", "buy", 0.01, 50000)
    await client.cancel_order(made["id"], symbol)
    with pytest.raises(ccxt.ExchangeError, match=code) as refused:
        await client.cancel_order(made["id"], symbol)
    assert type(refused.value) is ccxt.ExchangeError


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"apiKey": "nobody"}, ccxt.AuthenticationError, "40037"),
        ({"secret": "wrong"}, ccxt.AuthenticationError, "40009"),
        ({"password": "wrong"}, ccxt.AuthenticationError, "40012"),
    ],
)
async def test_a_wrong_key_secret_or_passphrase_is_refused(make_client, changes, kind, code):
    with pytest.raises(kind, match=code):
        await make_client(**changes).fetch_balance()


async def test_a_request_of_another_time_is_refused(make_client):
    client = make_client()
    client.options["timeDifference"] = 31_000
    with pytest.raises(ccxt.InvalidNonce, match="40008"):
        await client.fetch_balance()


async def test_a_key_may_do_only_what_it_was_given(client, exchange):
    may_only_read = KeyPermissions(True, False, False, False, False)
    account = exchange.account("key")
    exchange.open_account("key", account.secret, passphrase=account.passphrase, permissions=may_only_read)
    await client.fetch_balance()
    for symbol in (SPOT, PERP):
        with pytest.raises(ccxt.PermissionDenied, match="40014"):
            await client.create_order(symbol, "limit", "buy", 0.01, 50000)
    answer = await client.privateSpotGetV2SpotAccountInfo()
    assert answer["data"]["authorities"] == ["coor", "cpor", "stor", "wtor"]
    assert answer["data"]["ips"] == ""


async def test_signed_text_is_what_the_address_says_once_decoded(client):
    await client.create_order(SPOT, "limit", "buy", 0.01, 50000, {"clientOrderId": "a b#c:d+e"})
    found = await client.fetch_order("", SPOT, {"clientOrderId": "a b#c:d+e"})
    assert found["clientOrderId"] == "a b#c:d+e"


# Sockets


class Talk:
    """A bare client of one socket."""

    def __init__(self, socket):
        self._socket = socket

    async def ask(self, message):
        await (
            self._socket.send_str(message) if isinstance(message, str) else self._socket.send_json(message)
        )
        async with asyncio.timeout(5):
            told = await self._socket.receive()
        return told.data if told.data == "pong" else told.json()

    def login(self, secret, **changes):
        stamp = str(int(time.time()))
        signature = hmac.digest(secret.encode(), f"{stamp}GET/user/verify".encode(), "sha256")
        arg = {"apiKey": "key", "passphrase": "open sesame", "timestamp": stamp}
        return {"op": "login", "args": [arg | {"sign": base64.b64encode(signature).decode()} | changes]}


@pytest.fixture
async def talk(sim, exchange):
    async with aiohttp.ClientSession() as session:
        url = f"ws://127.0.0.1:{sim.port(VenueName.BITGET)}/v2/ws/private"
        async with session.ws_connect(url) as socket:
            yield Talk(socket)


ORDERS = {"op": "subscribe", "args": [{"instType": "SPOT", "channel": "orders", "instId": "default"}]}


async def test_a_text_ping_is_answered(talk):
    assert await talk.ask("ping") == "pong"


async def test_nobody_hears_private_rows_without_a_login(talk, exchange):
    assert (await talk.ask(ORDERS))["code"] == 30004
    secret = exchange.account("key").secret
    assert (await talk.ask(talk.login("wrong")))["code"] == 30015
    assert (await talk.ask(talk.login(secret, passphrase="wrong")))["code"] == 30012
    assert (await talk.ask(talk.login(secret, apiKey="nobody")))["code"] == 30011
    assert (await talk.ask(talk.login(secret, timestamp="1")))["code"] == 30014
    assert (await talk.ask(ORDERS))["code"] == 30004
    assert await talk.ask(talk.login(secret)) == {"event": "login", "code": 0}
    assert await talk.ask(ORDERS) == {"event": "subscribe", "arg": ORDERS["args"][0]}


async def test_a_channel_or_product_that_does_not_exist_is_refused(talk, exchange):
    await talk.ask(talk.login(exchange.account("key").secret))
    for arg, code in (
        ({"instType": "SPOT", "channel": "nonsense", "instId": "default"}, 30001),
        ({"instType": "NONSENSE", "channel": "orders", "instId": "default"}, 30016),
    ):
        assert (await talk.ask({"op": "subscribe", "args": [arg]}))["code"] == code
    assert (await talk.ask({"op": "nonsense", "args": []}))["code"] == 30003
