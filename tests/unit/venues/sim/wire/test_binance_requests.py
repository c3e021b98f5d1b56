"""Whatever a client sends, the wire answers in Binance's form, and a refused request changes nothing."""

import hmac
from decimal import Decimal
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fillbook.kernel.clock import SystemClock
from fillbook.market.core import MarketType, VenueName
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.listings import listings_for
from fillbook.venues.sim.faults import Faults
from fillbook.venues.sim.wire.binance.wire import BinanceWire
from fillbook.venues.sim.wire.ports import Call

NOW_MS = 1_700_000_000_000
PATHS = [
    ("POST", "/api/v3/order"),
    ("GET", "/api/v3/order"),
    ("DELETE", "/api/v3/order"),
    ("DELETE", "/api/v3/openOrders"),
    ("POST", "/api/v3/order/cancelReplace"),
    ("GET", "/api/v3/allOrders"),
    ("GET", "/api/v3/myTrades"),
    ("GET", "/api/v3/klines"),
    ("GET", "/api/v3/ticker/24hr"),
    ("POST", "/fapi/v1/order"),
    ("PUT", "/fapi/v1/order"),
    ("DELETE", "/fapi/v1/order"),
    ("POST", "/fapi/v1/batchOrders"),
    ("DELETE", "/fapi/v1/batchOrders"),
    ("POST", "/fapi/v1/algoOrder"),
    ("GET", "/fapi/v1/allAlgoOrders"),
    ("GET", "/fapi/v1/userTrades"),
    ("POST", "/fapi/v1/leverage"),
    ("POST", "/fapi/v1/marginType"),
    ("POST", "/fapi/v1/positionSide/dual"),
    ("GET", "/fapi/v1/income"),
    ("GET", "/fapi/v3/positionRisk"),
]
NAMES = {
    "symbol": ["BTCUSDT", "ETHUSDT", "NONE"],
    "side": ["BUY", "SELL", "HOLD"],
    "type": ["MARKET", "LIMIT", "LIMIT_MAKER", "STOP_LOSS", "STOP_MARKET", "TAKE_PROFIT", "STOP", "ODD"],
    "timeInForce": ["GTC", "IOC", "FOK", "GTX", "X"],
    "quantity": ["1", "0.001", "0", "-1", "1e99", "0.00000000000000000001", "99999999999999999999"],
    "price": ["60000", "50000.1", "70000", "1e-9", "-5"],
    "triggerPrice": ["59000", "61000", "x"],
    "stopPrice": ["59000", "61000"],
    "quoteOrderQty": ["100", "0"],
    "newClientOrderId": ["a", "ü", "x" * 40],
    "clientAlgoId": ["a"],
    "algoType": ["CONDITIONAL", "OTHER"],
    "orderId": ["1", "x", "99999999999999999999"],
    "algoId": ["1"],
    "origClientOrderId": ["a"],
    "cancelReplaceMode": ["STOP_ON_FAILURE", "ALLOW_FAILURE"],
    "cancelOrderId": ["1"],
    "reduceOnly": ["true", "false", "maybe"],
    "positionSide": ["BOTH", "LONG", "UP"],
    "closePosition": ["true"],
    "batchOrders": [
        "[]",
        "[1]",
        "{}",
        "[{}]",
        '[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":1}]',
    ],
    "orderidlist": ["[1,2]", "no"],
    "startTime": ["0", str(NOW_MS), "-1"],
    "endTime": ["0", str(NOW_MS + 10**12)],
    "fromId": ["0"],
    "limit": ["0", "1", "5000", "all"],
    "interval": ["1m", "1d", "7x"],
    "symbols": ['["BTCUSDT"]', "[", '["NONE"]'],
    "leverage": ["10", "1000", "1.5"],
    "marginType": ["ISOLATED", "CROSSED", "OTHER"],
    "dualSidePosition": ["true", "false", ""],
    "page": ["1", "0"],
}
params = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in NAMES.items()})


def make_wire():
    exchange = Exchange(listings_for(VenueName.BINANCE), now_ms=lambda: NOW_MS)
    account = exchange.open_account("key", "secret")
    for market_type in MarketType:
        exchange.deposit(account, market_type, "USDT", Decimal(1_000_000))
    return exchange, BinanceWire(exchange, Faults(SystemClock()).pass_on)


def send(wire, method, path, sent):
    text = "&".join(f"{name}={quote(value)}" for name, value in sent.items())
    text = f"{text}&timestamp={NOW_MS}" if text else f"timestamp={NOW_MS}"
    text += "&signature=" + hmac.digest(b"secret", text.encode(), "sha256").hex()
    in_body = method in ("POST", "PUT")
    call = Call(method, path, "" if in_body else text, text if in_body else "", {"X-MBX-APIKEY": "key"})
    wire.read(call)
    return wire.respond(call)


@settings(max_examples=400, deadline=None)
@given(page=st.sampled_from(PATHS), sent=params)
def test_every_request_is_answered_in_the_venue_s_form(page, sent):
    exchange, wire = make_wire()
    before = exchange.totals()
    reply = send(wire, *page, sent)
    body = orjson.loads(reply.body)
    if reply.status != 200:
        assert body["code"] < 0
        assert body["msg"]
        if page[1] != "/api/v3/order/cancelReplace":
            assert exchange.totals() == before
            assert not exchange.orders


@pytest.mark.parametrize("missing", ["timestamp", "signature", "X-MBX-APIKEY"])
def test_what_makes_a_request_signed_may_not_be_left_out(missing):
    _, wire = make_wire()
    text = f"timestamp={NOW_MS}"
    signature = hmac.digest(b"secret", text.encode(), "sha256").hex()
    query = {"timestamp": "recvWindow=5&signature=" + signature, "signature": text}.get(
        missing, f"{text}&signature={signature}"
    )
    headers = {} if missing == "X-MBX-APIKEY" else {"X-MBX-APIKEY": "key"}
    call = Call("GET", "/api/v3/account", query, "", headers)
    wire.read(call)
    reply = wire.respond(call)
    assert reply.status == (401 if missing == "X-MBX-APIKEY" else 400)
    assert orjson.loads(reply.body)["code"] == (-2014 if missing == "X-MBX-APIKEY" else -1102)


def test_weight_depends_on_the_symbol_being_named():
    _, wire = make_wire()
    used = [
        int(send(wire, "GET", "/fapi/v1/openOrders", sent).headers["X-MBX-USED-WEIGHT-1M"])
        for sent in ({}, {"symbol": "BTCUSDT"})
    ]
    assert used == [40, 41]


def test_an_unknown_page_is_404():
    _, wire = make_wire()
    assert send(wire, "GET", "/api/v3/nothing", {}).status == 404
