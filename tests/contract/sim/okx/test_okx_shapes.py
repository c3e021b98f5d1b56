"""OKX's answers and stream messages beside what the real venue was recorded to send.

The recording lacks bills, configuration and leverage: their keys are those of the samples in ccxt's source.
"""

import asyncio

import orjson
import pytest

from fillbook.kernel.money import ZERO
from support.shapes import differences, recorded

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
SWAP_ID = "BTC-USDT-SWAP"
ENUMS = {
    "state": {"live", "partially_filled", "filled", "canceled", "effective", "order_failed"},
    "ordType": {"market", "limit", "ioc", "fok", "post_only", "trigger", "conditional"},
    "side": {"buy", "sell"},
    "posSide": {"net", "long", "short"},
    "tdMode": {"cash", "cross", "isolated"},
    "mgnMode": {"cross", "isolated"},
    "execType": {"T", "M", ""},
    "instType": {"SPOT", "SWAP", "ANY"},
    "ctType": {"linear", ""},
    "category": {"normal", "full_liquidation", "adl"},
    "action": {"snapshot", "update"},
    "triggerPxType": {"last", "mark"},
    "stpMode": {"cancel_maker"},
}
# Where the recording has words in place of ids, and where a key means something else.
NOT_COMPARED = {
    "http_get_instruments_spot": {"category"},
    "http_get_instruments_swap": {"category"},
    "http_get_orders_algo_history": {"ordId"},
    "ws_orders_trigger": {"source"},
    "http_transaction_detail": {"billId"},
    "http_transaction_detail_empty_fee": {"billId"},
}


def compare(name, made, record_property):
    wanted = recorded("okx", name)
    if isinstance(wanted, dict) and "data" in wanted:
        assert made["data"], f"nothing to compare with {name}"
    record_property("compared", name)
    assert differences(wanted, made, ENUMS, NOT_COMPARED.get(name, set())) == []


async def raw(client, path, params):
    await getattr(client, path)(params)
    return orjson.loads(client.last_http_response)


@pytest.fixture
async def traded(client):
    """A client with a position, a filled and a waiting order, and a conditional one that waits."""
    await client.create_order(PERP, "market", "buy", 30)
    await client.create_order(PERP, "limit", "buy", 1, 50000, {"clientOrderId": "p1"})
    await client.create_order(PERP, "limit", "sell", 1, 58000, {"triggerPrice": 59000, "algoClOrdId": "t1"})
    await client.create_order(SPOT, "market", "buy", 1)
    return client


SWAP = {"instType": "SWAP"}
ANSWERS = [
    ("http_get_instruments_spot", "publicGetPublicInstruments", {"instType": "SPOT"}),
    ("http_get_instruments_swap", "publicGetPublicInstruments", SWAP),
    ("http_get_account_balance", "privateGetAccountBalance", {}),
    ("http_get_positions", "privateGetAccountPositions", SWAP),
    ("http_get_orders_history", "privateGetTradeOrdersHistory", SWAP),
    ("http_get_orders_pending", "privateGetTradeOrdersPending", SWAP),
    ("http_get_orders_algo_pending", "privateGetTradeOrdersAlgoPending", {"ordType": "trigger"}),
    ("http_get_order_book", "publicGetMarketBooks", {"instId": "BTC-USDT", "sz": "5"}),
    ("http_get_candlesticks", "publicGetMarketCandles", {"instId": "BTC-USDT"}),
    ("http_get_candlesticks_full", "publicGetMarketCandles", {"instId": SWAP_ID}),
    ("http_get_trades", "publicGetMarketTrades", {"instId": "BTC-USDT"}),
]


@pytest.mark.parametrize(("name", "path", "params"), ANSWERS)
async def test_answers_have_the_recorded_shape(traded, record_property, name, path, params):
    compare(name, await raw(traded, path, params), record_property)


async def test_a_row_of_a_placed_order_has_the_recorded_shape(client, record_property):
    await client.create_order(PERP, "limit", "buy", 1, 50000, {"clientOrderId": "p1"})
    compare("http_place_order_response", orjson.loads(client.last_http_response)["data"][0], record_property)
    await client.create_order(PERP, "limit", "sell", 1, 58000, {"triggerPrice": 59000, "algoClOrdId": "t1"})
    compare("http_place_algo_order_response", orjson.loads(client.last_http_response), record_property)
    refused = {"ordType": "conditional", "slTriggerPx": "61000", "slOrdPx": "-1", "algoClOrdId": "r1"}
    order = {"instId": SWAP_ID, "tdMode": "cross", "side": "sell", "sz": "1"}
    made = await raw(client, "privatePostTradeOrderAlgo", order | refused)
    assert made["code"] == recorded("okx", "http_place_algo_order_rejected")["code"] == "0"
    compare("http_place_algo_order_rejected", made, record_property)


async def test_a_triggered_order_in_the_history_has_the_recorded_shape(client, exchange, record_property):
    await client.create_order(PERP, "limit", "sell", 1, 58000, {"triggerPrice": 59000, "algoClOrdId": "t1"})
    exchange.set_price(PERP, 58_500 + ZERO)
    made = await raw(client, "privateGetTradeOrdersAlgoHistory", {"ordType": "trigger", "state": "effective"})
    compare("http_get_orders_algo_history", made, record_property)


async def test_fills_have_the_recorded_shape(traded, record_property):
    made = await raw(traded, "privateGetTradeFillsHistory", {"instType": "SPOT"})
    for name in ("http_transaction_detail", "http_transaction_detail_empty_fee"):
        compare(name, made["data"][0], record_property)


@pytest.mark.parametrize(
    ("path", "params", "keys"),
    [
        (
            "privateGetAccountBillsArchive",
            {},
            "bal balChg billId ccy fee from instId instType mgnMode notes ordId pnl posBal posBalChg subType sz to ts",
        ),
        (
            "privateGetAccountConfig",
            {},
            "acctLv autoLoan ctIsoMode greeksType level levelTmp mgnIsoMode posMode uid",
        ),
        (
            "privateGetAccountLeverageInfo",
            {"instId": SWAP_ID, "mgnMode": "cross"},
            "instId lever mgnMode posSide",
        ),
        (
            "publicGetPublicFundingRate",
            {"instId": SWAP_ID},
            "fundingRate fundingTime instId instType nextFundingTime",
        ),
        ("publicGetPublicTime", {}, "ts"),
    ],
)
async def test_answers_that_were_not_recorded_have_the_keys_of_ccxts_samples(traded, path, params, keys):
    rows = (await raw(traded, path, params))["data"]
    assert set(keys.split()) <= rows[0].keys()
    assert all(isinstance(rows[0][key], str | bool) for key in keys.split())


async def test_order_messages_have_the_recorded_shape(client, exchange, listening, record_property):
    tap = await listening(client)
    await client.create_order(PERP, "market", "buy", 30, None, {"clientOrderId": "a1"})
    message = (await tap.until(lambda one: one["data"][0]["state"] == "filled"))[-1]
    compare("ws_orders", message, record_property)
    compare("ws_orders_optimal_limit_ioc", message, record_property)
    await client.create_order(SPOT, "limit", "buy", 1, 61000, {"timeInForce": "FOK"})
    message = (await tap.until(lambda one: one["data"][0]["state"] == "filled"))[-1]
    compare("ws_orders_fok", message, record_property)
    await client.create_order(PERP, "market", "sell", 30, None, {"stopLossPrice": 59000, "algoClOrdId": "b1"})
    exchange.set_price(PERP, 58_000 + ZERO)
    message = (await tap.until(lambda one: one["data"][0]["state"] == "filled"))[-1]
    compare("ws_orders_trigger", message, record_property)


async def test_forced_orders_have_the_recorded_shape(client, exchange, listening, record_property):
    await client.set_leverage(125, PERP, {"mgnMode": "cross"})
    await client.create_order(PERP, "market", "buy", 100_000)
    tap = await listening(client)
    position = next(iter(exchange.accounts["key"].positions.values()))
    exchange.deleverage(exchange.accounts["key"], PERP, position.side, position.quantity / 2)
    message = (await tap.until(lambda one: one["data"][0]["category"] == "adl"))[-1]
    compare("ws_orders_adl", message, record_property)
    exchange.set_price(PERP, 50_000 + ZERO)
    message = (await tap.until(lambda one: one["data"][0]["category"] == "full_liquidation"))[-1]
    compare("ws_orders_liquidation", message, record_property)


async def test_account_and_conditional_messages_have_the_recorded_shape(client, listening, record_property):
    tap = await listening(client, client.watch_balance)
    message = (await tap.until(lambda one: one["arg"]["channel"] == "account"))[-1]
    compare("ws_account", message, record_property)
    compare("ws_account_empty", message, record_property)
    watching = asyncio.ensure_future(client.watch_orders(params={"trigger": True}))
    async with asyncio.timeout(5):
        while sum(len(one.subscriptions) for one in client.clients.values()) < 4:
            await client.fetch_time()
    await client.fetch_time()
    await client.create_order(PERP, "limit", "sell", 1, 58000, {"triggerPrice": 59000, "algoClOrdId": "t1"})
    message = (await tap.until(lambda one: one["arg"]["channel"] == "orders-algo"))[-1]
    compare("ws_orders_algo", message, record_property)
    watching.cancel()


@pytest.mark.parametrize(
    ("name", "path", "channel", "instrument"),
    [
        ("ws_tickers", "public", "tickers", "BTC-USDT"),
        ("ws_books_snapshot", "public", "books", "BTC-USDT"),
        ("ws_books_update", "public", "books", "BTC-USDT"),
        ("ws_candle", "business", "candle1D", "BTC-USDT"),
        ("ws_funding_rate", "public", "funding-rate", SWAP_ID),
    ],
)
async def test_public_messages_have_the_recorded_shape(
    socket, exchange, record_property, name, path, channel, instrument
):
    wire = await socket(path)
    await wire.send_json({"op": "subscribe", "args": [{"channel": channel, "instId": instrument}]})
    assert (await wire.receive_json())["event"] == "subscribe"
    message = await wire.receive_json()
    if name == "ws_books_update":
        assert message["data"][0]["prevSeqId"] == -1
        exchange.set_price(SPOT, 60_010 + ZERO)
        seq_id = message["data"][0]["seqId"]
        message = await wire.receive_json()
        assert message["data"][0]["prevSeqId"] == seq_id
    compare(name, message, record_property)
