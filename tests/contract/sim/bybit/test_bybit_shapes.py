"""Bybit's answers and stream messages beside what the real venue was recorded to send."""

import orjson
import pytest

from support.shapes import differences, recorded

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
ENUMS = {
    "side": {"Buy", "Sell", ""},
    "orderType": {"Market", "Limit"},
    "orderStatus": {
        "New",
        "PartiallyFilled",
        "Filled",
        "Cancelled",
        "Rejected",
        "Untriggered",
        "Deactivated",
    },
    "timeInForce": {"GTC", "IOC", "FOK", "PostOnly"},
    "execType": {"Trade", "BustTrade", "AdlTrade", "Funding"},
    "contractType": {"LinearPerpetual"},
    "status": {"Trading"},
    "marginMode": {"REGULAR_MARGIN", "ISOLATED_MARGIN"},
    "accountType": {"UNIFIED"},
    "positionStatus": {"Normal"},
    "triggerBy": {"LastPrice", "MarkPrice", ""},
    "createType": {"CreateByUser", "CreateByLiq", "CreateByAdl_PassThrough"},
    "category": {"linear", "spot"},
    "stopOrderType": {"Stop", "", "UNKNOWN"},
    "op": {"auth", "subscribe"},
    "marginTrading": {"utaOnly"},
}
# Ids that the recording replaces by words, and words that say why or by whom an order ended.
NOT_COMPARED = {
    "http_get_orders_realtime": {"orderId", "placeType", "blockTradeId"},
    "http_get_orders_realtime_tp_sl": {"orderId", "placeType", "blockTradeId"},
    "http_get_orders_history_with_duplicate": {"orderId", "placeType", "blockTradeId"},
    "ws_account_order": {"orderId"},
    # Spelled `totalPerpUPL` in REST answers and in the venue's description of the stream.
    "ws_account_wallet_small_order": {"totalPerpUpl"},
}


def compare(name, made, record_property):
    wanted = recorded("bybit", name)
    rows = made.get("result", {}).get("list") if isinstance(made.get("result"), dict) else None
    assert rows is None or rows, f"nothing to compare with {name}"
    record_property("compared", name)
    assert differences(wanted, made, ENUMS, NOT_COMPARED.get(name, set())) == []


async def raw(client, path, params):
    await getattr(client, path)(params)
    return orjson.loads(client.last_http_response)


@pytest.fixture
async def traded(client):
    """A client with a position, a filled and a waiting order, and one that waits for its trigger."""
    await client.create_order(PERP, "market", "buy", 0.5, None, {"orderLinkId": "m1"})
    await client.create_order(PERP, "limit", "buy", 0.1, 50000, {"orderLinkId": "p1"})
    await client.create_order(SPOT, "market", "buy", 0.1)
    return client


ANSWERS = [
    ("http_get_account_info", "privateGetV5AccountInfo", {}),
    ("http_get_executions", "privateGetV5ExecutionList", LINEAR),
    ("http_get_instruments_linear", "publicGetV5MarketInstrumentsInfo", {"category": "linear"}),
    ("http_get_instruments_spot", "publicGetV5MarketInstrumentsInfo", {"category": "spot"}),
    ("http_get_klines_linear", "publicGetV5MarketKline", LINEAR | {"interval": "1"}),
    ("http_get_orderbook", "publicGetV5MarketOrderbook", LINEAR),
    ("http_get_orders_realtime", "privateGetV5OrderRealtime", LINEAR),
    ("http_get_orders_history_with_duplicate", "privateGetV5OrderHistory", LINEAR),
    ("http_get_positions", "privateGetV5PositionList", LINEAR),
    ("http_get_trades_recent", "publicGetV5MarketRecentTrade", LINEAR),
    ("http_get_wallet_balance", "privateGetV5AccountWalletBalance", {"accountType": "UNIFIED"}),
    ("http_get_wallet_balance_spot_short", "privateGetV5AccountWalletBalance", {"accountType": "UNIFIED"}),
]


@pytest.mark.parametrize(("name", "path", "params"), ANSWERS)
async def test_answers_have_the_recorded_shape(traded, record_property, name, path, params):
    compare(name, await raw(traded, path, params), record_property)


async def test_past_funding_rates_have_the_recorded_shape(client, exchange, record_property):
    exchange.settle_due_funding()
    exchange.fund(PERP, exchange.markets[PERP].funding_rate)
    made = await raw(client, "publicGetV5MarketFundingHistory", LINEAR)
    compare("http_get_funding_history", made, record_property)


async def test_an_order_that_waits_for_its_trigger_has_the_recorded_shape(client, record_property):
    stop = {"triggerPrice": 55000, "triggerDirection": "descending"}
    await client.create_order(PERP, "market", "sell", 0.1, None, stop)
    made = await raw(client, "privateGetV5OrderRealtime", LINEAR)
    assert made["result"]["list"][0]["orderStatus"] == "Untriggered"
    compare("http_get_orders_realtime_tp_sl", made, record_property)


async def test_private_messages_have_the_recorded_shape(client, private, record_property):
    made = await client.create_order(PERP, "limit", "buy", 0.1, 50000, {"orderLinkId": "p1"})
    await client.cancel_order(made["id"], PERP)
    compare("ws_account_order", await private.topic("order", orderStatus="Cancelled"), record_property)
    await client.create_order(PERP, "market", "buy", 0.5, None, {"orderLinkId": "m1"})
    position = await private.topic("position")
    compare("ws_account_position", position, record_property)
    compare("ws_account_wallet_small_order", await private.topic("wallet"), record_property)
    compare("ws_account_execution", await private.topic("execution"), record_property)
    filled = await private.topic("order", orderStatus="Filled")
    compare("ws_account_order_filled", filled, record_property)
    await client.create_order(PERP, "market", "sell", 0.5, None, {"reduceOnly": True})
    closed = await private.topic("position", size="0.000")
    compare("ws_account_position_short", closed, record_property)


@pytest.mark.parametrize(
    ("name", "kind", "side", "price", "trigger", "direction"),
    [
        ("ws_account_order_buy_stop_market", "market", "buy", None, 65000, "ascending"),
        ("ws_account_order_limit_if_touched", "limit", "buy", 55500, 55000, "descending"),
        ("ws_account_order_sell_market_if_touched", "market", "sell", None, 65000, "ascending"),
        ("ws_account_order_stop_limit", "limit", "sell", 44500, 45000, "descending"),
    ],
)
async def test_conditional_orders_are_told_in_the_recorded_shape(
    client, private, record_property, name, kind, side, price, trigger, direction
):
    terms = {"triggerPrice": trigger, "triggerDirection": direction}
    await client.create_order(PERP, kind, side, 0.1, price, terms)
    made = await private.topic("order", orderStatus="Untriggered")
    wanted = recorded("bybit", name)["data"][0]
    assert made["data"][0]["triggerDirection"] == (1 if direction == "ascending" else 2)
    record_property("compared", name)
    assert differences(wanted, made["data"][0], ENUMS, {"orderId"}) == []


async def test_logins_and_refused_subscriptions_have_the_recorded_shape(connect, record_property):
    socket = await connect("private")
    compare("ws_auth_failure", await socket.login(key="nobody"), record_property)
    compare("ws_auth_success", await socket.login(), record_property)
    refused = await socket.say("subscribe", "invalid.topic.BTCUSDT")
    compare("ws_subscription_failure", refused, record_property)


async def test_public_messages_have_the_recorded_shape(client, connect, exchange, record_property):
    socket = await connect("public/linear")
    assert (await socket.say("subscribe", "tickers.BTCUSDT"))["success"]
    compare("ws_ticker_linear", await socket.topic("tickers.BTCUSDT"), record_property)
    await socket.say("unsubscribe", "tickers.BTCUSDT")
    await socket.say("subscribe", "orderbook.1.BTCUSDT")
    compare("ws_orderbook_snapshot", await socket.topic("orderbook.1.BTCUSDT"), record_property)
    await client.create_order(PERP, "limit", "buy", 0.1, 50000)
    delta = await socket.until(lambda message: message.get("type") == "delta")
    compare("ws_orderbook_delta", delta, record_property)
    await socket.say("subscribe", "publicTrade.BTCUSDT")
    await client.create_order(PERP, "market", "buy", 0.1)
    compare("ws_public_trade", await socket.topic("publicTrade.BTCUSDT"), record_property)
