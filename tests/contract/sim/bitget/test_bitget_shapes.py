"""Answers and stream rows beside the samples in ccxt's source for Bitget: keys, kinds of values, spellings.

The tables below are facts of those samples. What is compared: time, symbols, contracts, both wallets, a single
futures account, positions, leverage and modes, orders of both markets by look-up and in the open and ended
lists, plan orders open and ended, fills, bills, tickers, cancels of each kind; and on the streams orders, plan
orders, fills, wallets, positions, ticker, trade and books.
"""

import asyncio
from decimal import Decimal

import orjson
import pytest

from fillbook.market.core import MarketType

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
MIX = {"productType": "USDT-FUTURES"}

TEXT, NUMBER, MOMENT, NONE = "text", "number in text", "milliseconds in text", "null"
EMPTY = "empty text"

SPOT_SYMBOL = {
    "symbol": TEXT, "baseCoin": TEXT, "quoteCoin": TEXT, "minTradeAmount": NUMBER, "maxTradeAmount": NUMBER,
    "takerFeeRate": NUMBER, "makerFeeRate": NUMBER, "pricePrecision": NUMBER, "quantityPrecision": NUMBER,
    "quotePrecision": NUMBER, "status": "online", "minTradeUSDT": NUMBER, "buyLimitPriceRatio": NUMBER,
    "sellLimitPriceRatio": NUMBER,
}  # fmt: skip
CONTRACT = {
    "symbol": TEXT, "baseCoin": TEXT, "quoteCoin": TEXT, "buyLimitPriceRatio": NUMBER,
    "sellLimitPriceRatio": NUMBER, "feeRateUpRatio": NUMBER, "makerFeeRate": NUMBER, "takerFeeRate": NUMBER,
    "openCostUpRatio": NUMBER, "supportMarginCoins": [TEXT], "minTradeNum": NUMBER, "priceEndStep": NUMBER,
    "volumePlace": NUMBER, "pricePlace": NUMBER, "sizeMultiplier": NUMBER, "symbolType": "perpetual",
    "minTradeUSDT": NUMBER, "maxSymbolOrderNum": NUMBER, "maxProductOrderNum": NUMBER, "maxPositionNum": NUMBER,
    "symbolStatus": "normal", "offTime": NUMBER, "limitOpenTime": NUMBER, "deliveryTime": EMPTY,
    "deliveryStartTime": EMPTY, "deliveryPeriod": EMPTY, "launchTime": EMPTY, "fundInterval": NUMBER,
    "minLever": NUMBER, "maxLever": NUMBER, "posLimit": NUMBER, "maintainTime": EMPTY,
}  # fmt: skip
ASSET = {"coin": TEXT, "available": NUMBER, "limitAvailable": NUMBER, "frozen": NUMBER, "locked": NUMBER,
         "uTime": MOMENT}  # fmt: skip
FUTURES_WALLET = {
    "marginCoin": TEXT, "locked": NUMBER, "available": NUMBER, "crossedMaxAvailable": NUMBER,
    "isolatedMaxAvailable": NUMBER, "maxTransferOut": NUMBER, "accountEquity": NUMBER, "usdtEquity": NUMBER,
    "btcEquity": NUMBER, "crossedRiskRate": NUMBER, "unrealizedPL": NUMBER, "coupon": NUMBER,
}  # fmt: skip
FUTURES_ACCOUNT = FUTURES_WALLET | {
    "crossedMarginLeverage": int, "isolatedLongLever": int, "isolatedShortLever": int,
    "marginMode": {"crossed", "isolated"}, "posMode": {"one_way_mode", "hedge_mode"},
}  # fmt: skip
POSITION = {
    "marginCoin": TEXT, "symbol": TEXT, "holdSide": {"long", "short"}, "openDelegateSize": NUMBER,
    "marginSize": NUMBER, "available": NUMBER, "locked": NUMBER, "total": NUMBER, "leverage": NUMBER,
    "achievedProfits": NUMBER, "openPriceAvg": NUMBER, "marginMode": {"crossed", "isolated"},
    "posMode": {"one_way_mode", "hedge_mode"}, "unrealizedPL": NUMBER, "liquidationPrice": NUMBER,
    "keepMarginRate": NUMBER, "markPrice": NUMBER, "marginRatio": NUMBER, "cTime": MOMENT,
}  # fmt: skip
TICKER = {
    "symbol": TEXT, "high24h": NUMBER, "low24h": NUMBER, "lastPr": NUMBER, "quoteVolume": NUMBER,
    "baseVolume": NUMBER, "usdtVolume": NUMBER, "ts": MOMENT, "bidPr": NUMBER, "askPr": NUMBER, "bidSz": NUMBER,
    "askSz": NUMBER, "openUtc": NUMBER, "changeUtc24h": NUMBER, "change24h": NUMBER,
}  # fmt: skip
MIX_TICKER = TICKER | {"indexPrice": NUMBER, "fundingRate": NUMBER, "holdingAmount": NUMBER, "open24h": NUMBER,
                       "markPrice": NUMBER, "deliveryStatus": EMPTY}  # fmt: skip

SIDE, TYPE = {"buy", "sell"}, {"limit", "market"}
SPOT_STATUS = {"live", "partially_filled", "filled", "cancelled"}
MIX_STATUS = {"live", "partially_filled", "filled", "canceled"}
ACKNOWLEDGED = {"orderId": NUMBER, "clientOid": TEXT}
SPOT_ORDER = {
    "userId": NUMBER, "symbol": TEXT, "orderId": NUMBER, "clientOid": TEXT, "price": NUMBER, "size": NUMBER,
    "orderType": TYPE, "side": SIDE, "status": SPOT_STATUS, "priceAvg": NUMBER, "baseVolume": NUMBER,
    "quoteVolume": NUMBER, "enterPointSource": TEXT, "feeDetail": str, "orderSource": TEXT, "cTime": MOMENT,
    "uTime": MOMENT,
}  # fmt: skip
SPOT_UNFILLED = {key: kind for key, kind in SPOT_ORDER.items() if key not in ("price", "feeDetail")} | {
    "basePrice": NUMBER
}
SPOT_PLAN = {
    "orderId": NUMBER, "clientOid": TEXT, "symbol": TEXT, "size": NUMBER, "planType": TEXT,
    "executePrice": NUMBER, "triggerPrice": NUMBER, "status": {"live", "cancelled", "executed"},
    "orderType": TYPE, "side": SIDE, "triggerType": {"fill_price", "mark_price"}, "enterPointSource": TEXT,
    "cTime": MOMENT, "uTime": MOMENT,
}  # fmt: skip
MIX_ORDER = {
    "symbol": TEXT, "size": NUMBER, "orderId": NUMBER, "clientOid": TEXT, "baseVolume": NUMBER, "fee": NUMBER,
    "price": NUMBER, "priceAvg": str, "status": MIX_STATUS, "side": SIDE,
    "force": {"gtc", "ioc", "fok", "post_only"}, "totalProfits": NUMBER, "posSide": {"long", "short", "net"},
    "marginCoin": TEXT, "quoteVolume": NUMBER, "leverage": NUMBER, "marginMode": {"crossed", "isolated"},
    "enterPointSource": TEXT, "tradeSide": TEXT, "posMode": {"one_way_mode", "hedge_mode"}, "orderType": TYPE,
    "orderSource": TEXT, "presetStopSurplusPrice": EMPTY, "presetStopLossPrice": EMPTY,
    "reduceOnly": {"YES", "NO"}, "cTime": MOMENT, "uTime": MOMENT,
}  # fmt: skip
MIX_DETAIL = {("state" if key == "status" else key): kind for key, kind in MIX_ORDER.items()}
MIX_PLAN = {
    "planType": "normal_plan", "symbol": TEXT, "size": NUMBER, "orderId": NUMBER, "clientOid": TEXT,
    "price": NUMBER, "callbackRatio": EMPTY, "triggerPrice": NUMBER, "triggerType": {"fill_price", "mark_price"},
    "planStatus": {"live", "cancelled", "executed", "fail_execute"}, "side": SIDE,
    "posSide": {"long", "short", "net"}, "marginCoin": TEXT, "marginMode": {"crossed", "isolated"},
    "enterPointSource": TEXT, "tradeSide": TEXT, "posMode": {"one_way_mode", "hedge_mode"}, "orderType": TYPE,
    "stopSurplusTriggerPrice": EMPTY, "stopSurplusExecutePrice": EMPTY, "stopSurplusTriggerType": "fill_price",
    "stopLossTriggerPrice": EMPTY, "stopLossExecutePrice": EMPTY, "stopLossTriggerType": "fill_price",
    "cTime": MOMENT, "uTime": MOMENT,
}  # fmt: skip
FEE = {"deduction": "no", "feeCoin": TEXT, "totalFee": NUMBER}
SPOT_FILL = {
    "userId": NUMBER, "symbol": TEXT, "orderId": NUMBER, "tradeId": NUMBER, "orderType": TYPE, "side": SIDE,
    "priceAvg": NUMBER, "size": NUMBER, "amount": NUMBER, "feeDetail": FEE | {"totalDeductionFee": EMPTY},
    "tradeScope": {"taker", "maker"}, "cTime": MOMENT, "uTime": MOMENT,
}  # fmt: skip
MIX_FILL = {
    "tradeId": NUMBER, "symbol": TEXT, "orderId": NUMBER, "price": NUMBER, "baseVolume": NUMBER,
    "feeDetail": [FEE | {"totalDeductionFee": NONE}], "side": SIDE, "quoteVolume": NUMBER, "profit": NUMBER,
    "enterPointSource": TEXT, "tradeSide": TEXT, "posMode": {"one_way_mode", "hedge_mode"},
    "tradeScope": {"taker", "maker"}, "cTime": MOMENT,
}  # fmt: skip
MIX_BILL = {"billId": NUMBER, "symbol": str, "amount": NUMBER, "fee": NUMBER, "feeByCoupon": EMPTY,
            "businessType": TEXT, "coin": TEXT, "cTime": MOMENT}  # fmt: skip
SPOT_BILL = {"billId": NUMBER, "coin": TEXT, "groupType": TEXT, "businessType": TEXT, "size": NUMBER,
             "balance": NUMBER, "fees": NUMBER, "cTime": MOMENT}  # fmt: skip
LEVERAGE = {"symbol": TEXT, "marginCoin": TEXT, "longLeverage": NUMBER, "shortLeverage": NUMBER,
            "crossMarginLeverage": NUMBER, "marginMode": "crossed"}  # fmt: skip

FILLED_NOW = {"fillPrice": NUMBER, "tradeId": NUMBER, "baseVolume": NUMBER, "fillTime": MOMENT,
              "fillFee": NUMBER, "fillFeeCoin": TEXT, "tradeScope": {"T", "M"}}  # fmt: skip
WS_SPOT_ORDER = {
    "instId": TEXT, "orderId": NUMBER, "clientOid": TEXT, "notional": NUMBER, "newSize": NUMBER, "size": NUMBER,
    "orderType": TYPE, "force": TEXT, "side": SIDE, "accBaseVolume": NUMBER, "priceAvg": NUMBER,
    "status": SPOT_STATUS, "cTime": MOMENT, "uTime": MOMENT, "feeDetail": list, "enterPointSource": TEXT,
}  # fmt: skip
WS_MIX_ORDER = {
    "accBaseVolume": NUMBER, "cTime": MOMENT, "clientOid": TEXT, "enterPointSource": TEXT, "feeDetail": list,
    "force": TEXT, "instId": TEXT, "leverage": NUMBER, "marginCoin": TEXT, "marginMode": TEXT,
    "notionalUsd": NUMBER, "orderId": NUMBER, "orderType": TYPE, "posMode": {"one_way_mode", "hedge_mode"},
    "posSide": {"long", "short", "net"}, "price": NUMBER, "reduceOnly": {"yes", "no"}, "side": SIDE,
    "size": NUMBER, "status": MIX_STATUS, "tradeSide": TEXT, "uTime": MOMENT,
}  # fmt: skip
WS_FEES = [FEE | {"totalDeductionFee": NUMBER}]
WS_SPOT_FILL = {
    "orderId": NUMBER, "tradeId": NUMBER, "symbol": TEXT, "orderType": TYPE, "side": SIDE, "priceAvg": NUMBER,
    "size": NUMBER, "amount": NUMBER, "tradeScope": {"taker", "maker"}, "feeDetail": WS_FEES, "cTime": MOMENT,
    "uTime": MOMENT,
}  # fmt: skip
WS_MIX_FILL = {
    "orderId": NUMBER, "tradeId": NUMBER, "symbol": TEXT, "orderType": TYPE, "side": SIDE, "price": NUMBER,
    "baseVolume": NUMBER, "quoteVolume": NUMBER, "profit": NUMBER, "tradeSide": TEXT, "posMode": TEXT,
    "tradeScope": {"taker", "maker"}, "feeDetail": WS_FEES, "cTime": MOMENT, "uTime": MOMENT,
}  # fmt: skip
WS_MIX_PLAN = {"triggerPrice": NUMBER, "price": NUMBER, "triggerType": TEXT, "triggerTime": MOMENT,
               "planType": "pl", "actualSize": NUMBER, "stopSurplusTriggerType": "fill_price",
               "stopLossTriggerType": "fill_price", "status": TEXT}  # fmt: skip
WS_SPOT_PLAN = {"triggerPrice": NUMBER, "price": NUMBER, "executePrice": NUMBER, "triggerType": TEXT,
                "planType": "amount", "status": TEXT}  # fmt: skip
WS_FUTURES_WALLET = {"marginCoin": TEXT, "frozen": NUMBER, "available": NUMBER, "maxOpenPosAvailable": NUMBER,
                     "maxTransferOut": NUMBER, "equity": NUMBER, "usdtEquity": NUMBER}  # fmt: skip
WS_POSITION = {
    "posId": NUMBER, "instId": TEXT, "marginCoin": TEXT, "marginSize": NUMBER, "marginMode": TEXT,
    "holdSide": {"long", "short"}, "posMode": TEXT, "total": NUMBER, "available": NUMBER, "frozen": NUMBER,
    "openPriceAvg": NUMBER, "leverage": int, "achievedProfits": NUMBER, "unrealizedPL": NUMBER,
    "unrealizedPLR": NUMBER, "liquidationPrice": NUMBER, "keepMarginRate": NUMBER, "marginRate": NUMBER,
    "cTime": MOMENT, "uTime": MOMENT, "autoMargin": "off",
}  # fmt: skip


def differences(wanted, made, at=""):
    """How `made` falls short of a table, as paths; empty when it has every key with the same kind of value."""
    match wanted:
        case dict():
            if not isinstance(made, dict):
                return [f"{at}: {made!r} is no object"]
            absent = [f"{at}.{key}: missing" for key in wanted if key not in made]
            return absent + [
                found
                for key, kind in wanted.items()
                if key in made
                for found in differences(kind, made[key], f"{at}.{key}")
            ]
        case [kind]:
            return (
                differences(kind, made[0], f"{at}[0]")
                if isinstance(made, list) and made
                else [f"{at}: {made!r}"]
            )
        case set():
            return [] if made in wanted else [f"{at}: {made!r} is none of {sorted(wanted)}"]
        case type():
            return [] if isinstance(made, wanted) else [f"{at}: {made!r} is no {wanted.__name__}"]
        case _:
            return [] if _is(wanted, made) else [f"{at}: {made!r} is no {wanted}"]


def _is(kind, value):
    if kind == NONE:
        return value is None
    if not isinstance(value, str):
        return False
    if kind == EMPTY:
        return value == ""
    if kind == TEXT:
        return value != ""
    if kind == MOMENT:
        return value.isdecimal() and len(value) == 13
    if kind == NUMBER:
        return _is_number(value)
    return value == kind


def _is_number(text):
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False


def test_a_wrong_shape_is_seen():
    assert differences({"a": NUMBER, "b": [{"c": MOMENT}]}, {"a": "", "b": [{"c": "1"}]}) == [
        ".a: '' is no number in text",
        ".b[0].c: '1' is no milliseconds in text",
    ]
    assert differences({"a": SIDE}, {}) == [".a: missing"]


@pytest.fixture
async def busy(client):
    """Both markets with a fill, a resting order and a plan order."""
    await client.create_order(SPOT, "market", "buy", 0.01, None, {"cost": 600})
    await client.create_order(PERP, "market", "buy", 0.01)
    for symbol in (SPOT, PERP):
        await client.create_order(symbol, "limit", "buy", 0.01, 50000, {"clientOrderId": "rests"})
        ended = await client.create_order(symbol, "limit", "buy", 0.01, 50000)
        await client.cancel_order(ended["id"], symbol)
        plan = {"triggerPrice": "55000", "triggerType": "fill_price"}
        await client.create_order(symbol, "limit", "sell", 0.01, 54000, plan)
        ended = await client.create_order(symbol, "limit", "sell", 0.01, 54000, plan)
        await client.cancel_order(ended["id"], symbol, {"trigger": True})
    return client


ANSWERS = [
    ("publicCommonGetV2PublicTime", {}, {"serverTime": MOMENT}),
    ("publicSpotGetV2SpotPublicSymbols", {}, [SPOT_SYMBOL]),
    ("publicMixGetV2MixMarketContracts", MIX, [CONTRACT]),
    ("publicSpotGetV2SpotMarketTickers", {"symbol": "BTCUSDT"}, [TICKER | {"open": NUMBER}]),
    ("publicMixGetV2MixMarketTicker", MIX | {"symbol": "BTCUSDT"}, [MIX_TICKER]),
    ("privateSpotGetV2SpotAccountAssets", {}, [ASSET]),
    ("privateMixGetV2MixAccountAccounts", MIX, [FUTURES_WALLET]),
    ("privateMixGetV2MixAccountAccount", MIX | {"symbol": "BTCUSDT", "marginCoin": "USDT"}, FUTURES_ACCOUNT),
    ("privateMixGetV2MixPositionAllPosition", MIX | {"marginCoin": "USDT"}, [POSITION]),
    ("privateMixGetV2MixPositionSinglePosition", MIX | {"symbol": "BTCUSDT"}, [POSITION]),
    (
        "privateMixPostV2MixAccountSetLeverage",
        MIX | {"symbol": "BTCUSDT", "marginCoin": "USDT", "leverage": "25"},
        LEVERAGE,
    ),
    ("privateSpotGetV2SpotTradeOrderInfo", {"clientOid": "rests"}, [SPOT_ORDER]),
    ("privateSpotGetV2SpotTradeUnfilledOrders", {}, [SPOT_UNFILLED]),
    ("privateSpotGetV2SpotTradeHistoryOrders", {}, [SPOT_ORDER]),
    ("privateSpotGetV2SpotTradeFills", {"symbol": "BTCUSDT"}, [SPOT_FILL]),
    (
        "privateSpotGetV2SpotTradeCurrentPlanOrder",
        {},
        {"nextFlag": bool, "idLessThan": NUMBER, "orderList": [SPOT_PLAN]},
    ),
    ("privateSpotGetV2SpotTradeHistoryPlanOrder", {}, {"nextFlag": bool, "orderList": [SPOT_PLAN]}),
    ("privateMixGetV2MixOrderDetail", MIX | {"symbol": "BTCUSDT", "clientOid": "rests"}, MIX_DETAIL),
    ("privateMixGetV2MixOrderOrdersPending", MIX, {"entrustedList": [MIX_ORDER], "endId": NUMBER}),
    ("privateMixGetV2MixOrderOrdersHistory", MIX, {"entrustedList": [MIX_ORDER], "endId": NUMBER}),
    ("privateMixGetV2MixOrderFills", MIX, {"fillList": [MIX_FILL], "endId": NUMBER}),
    ("privateMixGetV2MixOrderFillHistory", MIX, {"fillList": [MIX_FILL], "endId": NUMBER}),
    (
        "privateMixGetV2MixOrderOrdersPlanPending",
        MIX | {"planType": "normal_plan"},
        {"entrustedList": [MIX_PLAN], "endId": NUMBER},
    ),
    (
        "privateMixGetV2MixOrderOrdersPlanHistory",
        MIX | {"planType": "normal_plan"},
        {"entrustedList": [MIX_PLAN | {"feeDetail": NONE, "baseVolume": NUMBER}], "endId": NUMBER},
    ),
    ("privateMixGetV2MixAccountBill", MIX, {"bills": [MIX_BILL], "endId": NUMBER}),
    ("privateSpotGetV2SpotAccountBills", {}, [SPOT_BILL]),
]


@pytest.mark.parametrize(("call", "params", "wanted"), ANSWERS, ids=[row[0] for row in ANSWERS])
async def test_an_answer_has_the_shape_of_the_sample(busy, call, params, wanted):
    await getattr(busy, call)(params)
    answer = orjson.loads(busy.last_http_response)
    assert differences({"code": "00000", "msg": "success", "requestTime": int}, answer) == []
    assert differences(wanted, answer["data"]) == []


async def test_acts_answer_with_the_names_of_what_they_touched(client):
    made = await client.create_order(SPOT, "limit", "buy", 0.01, 50000)
    assert differences(ACKNOWLEDGED, made["info"]) == []
    canceled = await client.cancel_order(made["id"], SPOT)
    assert differences(ACKNOWLEDGED, canceled["info"]) == []
    made = await client.create_order(PERP, "limit", "buy", 0.01, 50000)
    (canceled,) = await client.cancel_all_orders(PERP)
    assert differences(ACKNOWLEDGED, canceled["info"]) == []
    (answer,) = await client.cancel_all_orders(SPOT)
    assert answer["info"]["data"] == {"symbol": "BTCUSDT"}
    plan = await client.create_order(SPOT, "limit", "sell", 0.01, 54000, {"triggerPrice": "55000"})
    canceled = await client.cancel_order(plan["id"], SPOT, {"trigger": True})
    assert canceled["info"] == {"result": "success"}


async def test_rows_of_the_private_streams_have_the_shape_of_the_samples(client, exchange, tap):
    exchange.deposit(exchange.account("key"), MarketType.SPOT, "USDT", Decimal(1))
    assert differences(ASSET, await tap.row("account", lambda row: "coin" in row)) == []
    await client.create_order(SPOT, "limit", "buy", 0.01, 50000)
    assert differences(WS_SPOT_ORDER | {"price": NUMBER}, await tap.row("orders")) == []
    await client.create_order(SPOT, "market", "buy", 0.01, None, {"cost": 600})
    assert (
        differences(WS_SPOT_ORDER | FILLED_NOW, await tap.row("orders", lambda row: "tradeId" in row)) == []
    )
    assert differences(WS_SPOT_FILL, await tap.row("fill")) == []
    await client.create_order(PERP, "market", "buy", 0.01)
    assert differences(WS_MIX_ORDER, await tap.row("orders")) == []
    filled_now = FILLED_NOW | {"fillNotionalUsd": NUMBER, "pnl": NUMBER, "priceAvg": NUMBER}
    assert differences(WS_FUTURES_WALLET, await tap.row("account", lambda row: "marginCoin" in row)) == []
    assert differences(WS_POSITION, await tap.row("positions")) == []
    assert differences(WS_MIX_ORDER | filled_now, await tap.row("orders", lambda row: "tradeId" in row)) == []
    assert differences(WS_MIX_FILL, await tap.row("fill")) == []
    plan = {"triggerPrice": "55000", "triggerType": "fill_price"}
    await client.create_order(SPOT, "limit", "sell", 0.01, 54000, plan)
    assert differences(WS_SPOT_PLAN, await tap.row("orders-algo")) == []
    await client.create_order(PERP, "limit", "sell", 0.01, 54000, plan)
    assert differences(WS_MIX_PLAN, await tap.row("orders-algo")) == []


@pytest.mark.parametrize("symbol", [SPOT, PERP])
async def test_ccxt_understands_the_public_streams(client, exchange, symbol):
    async with asyncio.timeout(5):
        ticker = await client.watch_ticker(symbol)
        assert (ticker["symbol"], ticker["last"], ticker["open"]) == (symbol, 60_000, 60_000)
        await client.watch_order_book(symbol)
        exchange.set_price(symbol, Decimal(60_100))
        full = await client.watch_order_book(symbol)  # raises when the checksum of the changes is wrong
        assert full["bids"][0][0] < 60_100 < full["asks"][0][0]
        candles = await client.watch_ohlcv(symbol, "1m")
        assert candles[-1][4] == 60_100


async def test_a_book_of_few_levels_comes_whole(client):
    async with asyncio.timeout(5):
        book = await client.watch_order_book(SPOT, 5)
    assert len(book["bids"]) == 5
