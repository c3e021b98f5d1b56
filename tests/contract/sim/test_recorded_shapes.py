"""The answers' keys, types and enum spellings beside what the real venue was recorded to send.

Every key of a recorded message must be there with a value of the same kind; numbers in text stay text. Keys
that the venue sends only for features that are not simulated are named in `NOT_SIMULATED`.
"""

from typing import Any

import orjson
import pytest

from support.shapes import differences, recorded

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"

ENUMS = {
    "status": {"TRADING", "NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED"},
    "type": {
        "LIMIT",
        "MARKET",
        "LIMIT_MAKER",
        "STOP_LOSS",
        "STOP_LOSS_LIMIT",
        "TAKE_PROFIT",
        "TAKE_PROFIT_LIMIT",
        "STOP",
        "STOP_MARKET",
        "TAKE_PROFIT_MARKET",
    },
    "side": {"BUY", "SELL"},
    "positionSide": {"BOTH", "LONG", "SHORT"},
    "timeInForce": {"GTC", "IOC", "FOK", "GTX"},
    "workingType": {"CONTRACT_PRICE", "MARK_PRICE"},
    "algoStatus": {"NEW", "CANCELED", "TRIGGERED", "FINISHED", "REJECTED", "EXPIRED"},
}
NOT_SIMULATED = {
    "spot__http__cancel_open_orders_response": {"orderReports", "orders", "contingencyType", "icebergQty"},
    "futures__user_data__order_update_trade": {"AP", "cr"},
}


def compare(name: str, made: Any, record_property: Any) -> None:
    """Assert that a message has the recorded shape, and note in the report which was compared."""
    wanted = recorded("binance", name)
    if isinstance(wanted, list) and isinstance(made, list):
        assert made, f"nothing to compare with {name}"
    record_property("compared", name)
    assert differences(wanted, made, ENUMS, NOT_SIMULATED.get(name, set())) == []


async def _raw(client: Any, path: str, **params: Any) -> Any:
    """The answer's own JSON, before ccxt turns its numbers into text."""
    await getattr(client, path)(params)
    return orjson.loads(client.last_http_response)


SPOT_ANSWERS = [
    ("spot__http__account_response", "privateGetAccount", {}),
    ("spot__http__all_orders_response", "privateGetAllOrders", {"symbol": "BTCUSDT"}),
    ("spot__http__avg_price_response", "publicGetAvgPrice", {"symbol": "BTCUSDT"}),
    ("spot__http__book_ticker_response", "publicGetTickerBookTicker", {"symbol": "BTCUSDT"}),
    ("spot__http__depth_response", "publicGetDepth", {"symbol": "BTCUSDT"}),
    ("spot__http__exchange_info_response", "publicGetExchangeInfo", {}),
    ("spot__http__klines_response", "publicGetKlines", {"symbol": "BTCUSDT", "interval": "1m"}),
    ("spot__http__ping_response", "publicGetPing", {}),
    ("spot__http__server_time_response", "publicGetTime", {}),
    ("spot__http__ticker_24hr_response", "publicGetTicker24hr", {"symbol": "BTCUSDT"}),
    ("spot__http__trades_response", "publicGetTrades", {"symbol": "BTCUSDT"}),
]
FUTURES_ANSWERS = [
    ("futures__http__account_info_v2", "fapiPrivateV2GetAccount", {}),
    ("futures__http__balance", "fapiPrivateV2GetBalance", {}),
    ("futures__http__balance", "fapiPrivateV3GetBalance", {}),
    ("futures__http__open_algo_orders", "fapiPrivateGetOpenAlgoOrders", {}),
]


@pytest.fixture
async def busy(spot, futures):
    """Both markets with a fill, a resting order, and on futures a conditional one."""
    for client, symbol in ((spot, SPOT), (futures, PERP)):
        await client.create_order(symbol, "market", "buy", 0.5)
        await client.create_order(symbol, "limit", "buy", 0.5, 50000)
    await futures.create_order(PERP, "market", "sell", 0.5, None, {"stopLossPrice": 59000})


@pytest.mark.parametrize(("name", "path", "params"), SPOT_ANSWERS)
async def test_a_spot_answer_has_the_recorded_shape(busy, spot, record_property, name, path, params):
    compare(name, await _raw(spot, path, **params), record_property)


@pytest.mark.parametrize(("name", "path", "params"), FUTURES_ANSWERS)
async def test_a_futures_answer_has_the_recorded_shape(busy, futures, record_property, name, path, params):
    compare(name, await _raw(futures, path, **params), record_property)


async def test_spot_orders_have_the_recorded_shape(spot, record_property):
    await spot.create_order(SPOT, "market", "sell", 0.5)
    compare("spot__http__new_order_full_response", orjson.loads(spot.last_http_response), record_property)
    made = await spot.create_order(SPOT, "limit", "buy", 0.5, 50000)
    await spot.fetch_order(made["id"], SPOT)
    compare("spot__http__order_response", orjson.loads(spot.last_http_response), record_property)
    await spot.cancel_all_orders(SPOT)
    compare("spot__http__cancel_open_orders_response", orjson.loads(spot.last_http_response), record_property)


async def test_futures_orders_have_the_recorded_shape(futures, record_property):
    made = await futures.create_order(PERP, "limit", "buy", 0.5, 50000)
    await futures.fetch_order(made["id"], PERP)
    compare("futures__http__order_response", orjson.loads(futures.last_http_response), record_property)


async def test_spot_stream_messages_have_the_recorded_shape(spot, control, listening, record_property):
    tap = await listening(spot)
    made = await spot.create_order(SPOT, "limit", "buy", 0.5, 50000)
    new = (await tap.until(lambda message: message.get("x") == "NEW"))[-1]
    compare("spot__user_data__execution_report_new", new, record_property)
    compare("spot__user_data__execution_report_wrapped", {"subscriptionId": 0, "event": new}, record_property)
    position = (await tap.until(lambda message: message.get("e") == "outboundAccountPosition"))[-1]
    compare("spot__user_data__account_position", position, record_property)
    await spot.cancel_order(made["id"], SPOT)
    canceled = (await tap.until(lambda message: message.get("x") == "CANCELED"))[-1]
    compare("spot__user_data__execution_report_canceled", canceled | {"C": ""}, record_property)
    await spot.create_order(SPOT, "limit", "buy", 0.5, 50000, {"timeInForce": "IOC"})
    expired = (await tap.until(lambda message: message.get("x") == "EXPIRED"))[-1]
    compare("spot__user_data__execution_report_expired", expired, record_property)
    await spot.create_order(SPOT, "limit", "sell", 0.5, 58900, {"stopLossPrice": 59000})
    stop = (await tap.until(lambda message: message.get("o") == "STOP_LOSS_LIMIT"))[-1]
    compare("spot__user_data__execution_report_stop_loss", stop, record_property)
    await control.post("deposits", api_key="key", asset="BTC", amount="0.001")
    update = (await tap.until(lambda message: message.get("e") == "balanceUpdate"))[-1]
    compare("spot__user_data__balance_update", update, record_property)


async def test_futures_stream_messages_have_the_recorded_shape(futures, control, listening, record_property):
    tap = await listening(futures)
    await futures.create_order(PERP, "market", "buy", 0.5)
    seen = await tap.until(lambda message: message.get("o", {}).get("x") == "TRADE")
    by_kind = {message["e"]: message for message in seen}
    compare("futures__user_data__order_update_new", seen[0], record_property)
    compare("futures__user_data__order_update_trade", seen[-1], record_property)
    compare("futures__user_data__order_update_trade_partial", seen[-1], record_property)
    compare("futures__user_data__trade_lite", by_kind["TRADE_LITE"], record_property)
    compare("futures__user_data__account_update_bnfcr", by_kind["ACCOUNT_UPDATE"], record_property)
    made = await futures.create_order(PERP, "limit", "sell", 0.5, 58900, {"stopLossPrice": 59000})
    new = (await tap.until(lambda message: message.get("e") == "ALGO_UPDATE"))[-1]
    compare("futures__user_data__algo_update_new", new, record_property)
    await futures.cancel_order(made["id"], PERP, {"trigger": True})
    canceled = (await tap.until(lambda message: message.get("e") == "ALGO_UPDATE"))[-1]
    compare("futures__user_data__algo_update_canceled", canceled, record_property)


@pytest.mark.parametrize(
    ("name", "path", "stream"),
    [
        ("futures__market_data__agg_trade_stream", "/market/ws", "btcusdt@aggTrade"),
        ("futures__market_data__book_ticker_stream", "/public/ws", "btcusdt@bookTicker"),
        ("futures__market_data__depth_update_stream", "/public/ws", "btcusdt@depth@100ms"),
        ("futures__market_data__kline_stream_closed", "/market/ws", "btcusdt@kline_1m"),
        ("futures__market_data__mark_price_stream", "/market/ws", "btcusdt@markPrice@1s"),
        ("futures__market_data__ticker_stream", "/market/ws", "btcusdt@ticker"),
        ("futures__market_data__trade_stream", "/public/ws", "btcusdt@trade"),
    ],
)
async def test_public_stream_messages_have_the_recorded_shape(
    futures, public, record_property, name, path, stream
):
    compare(name, await public(path, stream, futures, PERP), record_property)
