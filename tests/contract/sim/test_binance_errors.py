"""Each refusal reaches ccxt as the class that the real venue's does."""

import asyncio
import hmac
import time

import aiohttp
import ccxt.async_support as ccxt
import pytest
import yarl

from fillbook.market.core import VenueName

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
ENDED = "1"
HEADERS = {"X-MBX-APIKEY": "key"}


async def _refused(client, act):
    try:
        await act(client)
    except ccxt.BaseError as error:
        return type(error), str(error)
    return None, ""


def _order(symbol, kind, side, amount, price=None, **params):
    return lambda client: client.create_order(symbol, kind, side, amount, price, params)


def _raw(path, **params):
    return lambda client: getattr(client, path)(params)


def _limit(**params):
    return _raw("privatePostOrder", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", **params)


STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "1", "stopPrice": "59000"}
TRIGGERED_STOP = _order(SPOT, "market", "sell", 1, None, stopLossPrice=61000)
SPOT_ROWS = [
    (_order(SPOT, "market", "buy", 1000), ccxt.InsufficientFunds, "insufficient balance"),
    (_order(SPOT, "limit", "buy", 0.00001, 50000), ccxt.BadRequest, "NOTIONAL"),
    (_order(SPOT, "limit", "buy", 1, 50000, reduceOnly=True), ccxt.BadRequest, "-1104"),
    (
        _raw(
            "privatePostOrder",
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="0.000015",
            price="50000",
        ),
        ccxt.InvalidOrder,
        "LOT_SIZE",
    ),
    (
        _raw(
            "privatePostOrder",
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="1",
            price="50000.001",
        ),
        ccxt.InvalidOrder,
        "PRICE_FILTER",
    ),
    (_raw("privatePostOrder", symbol="BTCUSDT", side="BUY", type="LIMIT"), ccxt.BadRequest, "-1102"),
    (_raw("privateGetOrder", symbol="NONEUSDT", orderId="1"), ccxt.BadSymbol, "-1121"),
    (lambda client: client.fetch_order(ENDED, SPOT), ccxt.OrderNotFound, "-2013"),
    (lambda client: client.cancel_order(ENDED, SPOT), ccxt.OrderNotFound, "-2011"),
    (
        _order(SPOT, "market", "sell", 1, None, stopLossPrice=61000),
        ccxt.OrderImmediatelyFillable,
        "trigger immediately",
    ),
]
FUTURES_ROWS = [
    (_order(PERP, "market", "buy", 1000), ccxt.InsufficientFunds, "-2019"),
    (_order(PERP, "market", "sell", 1, None, reduceOnly=True), ccxt.InvalidOrder, "-2022"),
    (_order(PERP, "market", "sell", 1, None, stopLossPrice=61000), ccxt.OrderImmediatelyFillable, "-2021"),
    (_order(PERP, "limit", "buy", 0.001, 50000), ccxt.InvalidOrder, "-4164"),
    (_order(PERP, "limit", "buy", 1, 61000, postOnly=True), ccxt.OrderNotFillable, "-5022"),
    (_order(PERP, "limit", "buy", 1, 50000, timeInForce="FOK"), ccxt.OrderNotFillable, "-5021"),
    (
        _raw("fapiPrivatePostOrder", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0"),
        ccxt.BadRequest,
        "-4003",
    ),
    (
        _raw("fapiPrivatePostOrder", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.0015"),
        ccxt.BadRequest,
        "-1111",
    ),
    (
        _raw(
            "fapiPrivatePostOrder",
            symbol="BTCUSDT",
            side="SELL",
            type="STOP_MARKET",
            quantity="1",
            stopPrice="59000",
        ),
        ccxt.InvalidOrder,
        "-4120",
    ),
    (lambda client: client.fetch_order(ENDED, PERP), ccxt.OrderNotFound, "-2013"),
    (lambda client: client.cancel_order(ENDED, PERP), ccxt.OrderNotFound, "-2011"),
    (lambda client: client.set_margin_mode("cross", PERP), ccxt.MarginModeAlreadySet, "-4046"),
    (lambda client: client.set_position_mode(False), ccxt.OperationRejected, "-4059"),
    (lambda client: client.fapiPrivatePutListenKey(), ccxt.AuthenticationError, "-1125"),
]


@pytest.mark.parametrize(("act", "kind", "text"), SPOT_ROWS)
async def test_a_spot_refusal_has_its_class(spot, act, kind, text):
    raised, message = await _refused(spot, act)
    assert raised is kind
    assert text in message


@pytest.mark.parametrize(("act", "kind", "text"), FUTURES_ROWS)
async def test_a_futures_refusal_has_its_class(futures, act, kind, text):
    raised, message = await _refused(futures, act)
    assert raised is kind
    assert text in message


async def test_a_client_id_in_use_is_refused_and_free_again_when_its_order_has_ended(spot, futures):
    for client, symbol in ((spot, SPOT), (futures, PERP)):
        made = await client.create_order(symbol, "limit", "buy", 1, 50000, {"clientOrderId": "same"})
        with pytest.raises(ccxt.InvalidOrder, match=r"Duplicate order sent|-4116"):
            await client.create_order(symbol, "limit", "buy", 1, 50000, {"clientOrderId": "same"})
        await client.cancel_order(made["id"], symbol)
        await client.create_order(symbol, "limit", "buy", 1, 50000, {"clientOrderId": "same"})


async def test_keys_signatures_and_times_are_checked(spot, futures):
    for client, read in ((spot, spot.fetch_balance), (futures, futures.fetch_balance)):
        client.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError, match="-1022"):
            await read()
        client.secret = "secret"
        client.apiKey = "nobody"
        with pytest.raises(ccxt.AuthenticationError, match="-2015"):
            await read()
        client.apiKey = "key"
        for offset in (3_600_000, -3_600_000):
            client.options["timeDifference"] = offset
            with pytest.raises(ccxt.InvalidNonce, match="-1021"):
                await read()
        client.options["timeDifference"] = 0
        await read()


async def test_a_signature_covers_the_text_as_it_was_sent(sim, control):
    query = f"symbol=BTCUSDT&recvWindow=5000&origClientOrderId=%61bc&timestamp={int(time.time() * 1000)}"
    signature = hmac.digest(b"secret", query.encode(), "sha256").hex()
    url = f"{sim.url(VenueName.BINANCE)}/api/v3/order?{query}&signature={signature}"
    exact_url = yarl.URL(url, encoded=True)
    async with aiohttp.ClientSession() as session, session.get(exact_url, headers=HEADERS) as answer:
        body = await answer.json()
    assert body["code"] == -2013


async def test_answers_tell_the_used_weight(spot):
    await spot.fetch_time()
    first = int(spot.last_response_headers["X-MBX-USED-WEIGHT-1M"])
    await spot.fetch_balance()
    assert int(spot.last_response_headers["X-MBX-USED-WEIGHT-1M"]) in (first + 20, 20)


async def test_a_hundred_orders_at_once_are_all_taken(futures):
    orders = await asyncio.gather(*(futures.create_order(PERP, "market", "buy", 0.01) for _ in range(100)))
    assert len({order["id"] for order in orders}) == 100
    assert (await futures.fetch_positions([PERP]))[0]["contracts"] == 1
