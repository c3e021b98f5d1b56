"""Binance spot through an unmodified ccxt client: orders of each kind, balances, history, market data."""

import ccxt.async_support as ccxt
import ccxt.pro as pro
import pytest

SYMBOL = "BTC/USDT"


async def test_a_market_order_answers_with_its_fills(spot):
    order = await spot.create_order(SYMBOL, "market", "buy", 0.5, None, {"clientOrderId": "a1"})
    assert (order["status"], order["filled"], order["clientOrderId"]) == ("closed", 0.5, "a1")
    assert order["average"] == 60000.01
    assert order["fee"] == {"currency": "BTC", "cost": 0.0005}
    assert order["info"]["fills"][0]["tradeId"]


async def test_a_market_order_with_a_price_is_an_order_by_cost(spot):
    order = await spot.create_order(SYMBOL, "market", "buy", 1, 600)
    assert order["status"] == "closed"
    assert 599 < order["cost"] <= 600


async def test_a_limit_order_is_found_by_either_id_and_canceled(spot):
    made = await spot.create_order(SYMBOL, "limit", "buy", 0.5, 50000, {"clientOrderId": "b1"})
    by_id = await spot.fetch_order(made["id"], SYMBOL)
    by_client_id = await spot.fetch_order(None, SYMBOL, {"clientOrderId": "b1"})
    assert by_id["id"] == by_client_id["id"] == made["id"]
    assert [order["id"] for order in await spot.fetch_open_orders(SYMBOL)] == [made["id"]]
    canceled = await spot.cancel_order(made["id"], SYMBOL)
    assert canceled["status"] == "canceled"
    assert (await spot.fetch_order(made["id"], SYMBOL))["status"] == "canceled"
    assert not await spot.fetch_open_orders(SYMBOL)


@pytest.mark.parametrize("in_force", ["IOC", "FOK"])
async def test_an_order_that_may_not_rest_expires(spot, in_force):
    order = await spot.create_order(SYMBOL, "limit", "buy", 1, 50000, {"timeInForce": in_force})
    assert (order["status"], order["filled"]) == ("expired", 0)


async def test_post_only_becomes_a_limit_maker(spot):
    order = await spot.create_order(SYMBOL, "limit", "buy", 1, 50000, {"postOnly": True})
    assert (order["status"], order["info"]["type"]) == ("open", "LIMIT_MAKER")
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        await spot.create_order(SYMBOL, "limit", "buy", 1, 61000, {"postOnly": True})


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ({"stopLossPrice": 59000}, "STOP_LOSS"),
        ({"takeProfitPrice": 61000}, "TAKE_PROFIT"),
    ],
)
async def test_a_stop_is_an_ordinary_order_that_waits(spot, control, params, kind):
    made = await spot.create_order(SYMBOL, "market", "sell", 1, None, params)
    waiting = await spot.fetch_order(made["id"], SYMBOL)
    assert (waiting["info"]["type"], waiting["info"]["isWorking"]) == (kind, False)
    await control.post("price", symbol=SYMBOL, price=str(next(iter(params.values()))))
    assert (await spot.fetch_order(made["id"], SYMBOL))["status"] == "closed"


async def test_a_stop_limit_order_names_both_prices(spot):
    made = await spot.create_order(SYMBOL, "limit", "sell", 1, 58900, {"stopLossPrice": 59000})
    order = await spot.fetch_order(made["id"], SYMBOL)
    assert (order["price"], order["stopPrice"], order["info"]["type"]) == (58900, 59000, "STOP_LOSS_LIMIT")


async def test_an_edited_order_is_canceled_and_replaced(spot):
    made = await spot.create_order(SYMBOL, "limit", "buy", 1, 50000)
    replaced = await spot.edit_order(made["id"], SYMBOL, "limit", "buy", 2, 51000)
    assert replaced["id"] != made["id"]
    assert (await spot.fetch_order(made["id"], SYMBOL))["status"] == "canceled"
    assert [order["price"] for order in await spot.fetch_open_orders(SYMBOL)] == [51000]


async def test_a_failed_replacement_says_what_became_of_both(spot):
    made = await spot.create_order(SYMBOL, "limit", "buy", 1, 50000)
    with pytest.raises(ccxt.BadResponse, match="-2021"):
        await spot.edit_order(made["id"], SYMBOL, "limit", "buy", 1000, 51000)
    assert (await spot.fetch_order(made["id"], SYMBOL))["status"] == "canceled"
    with pytest.raises(ccxt.BadResponse, match="-2022"):
        await spot.edit_order(made["id"], SYMBOL, "limit", "buy", 1, 51000)
    assert not await spot.fetch_open_orders(SYMBOL)


async def test_canceling_all_counts_stops_and_raises_when_there_is_nothing(spot):
    await spot.create_order(SYMBOL, "limit", "buy", 1, 50000)
    await spot.create_order(SYMBOL, "market", "sell", 1, None, {"stopLossPrice": 59000})
    assert len(await spot.cancel_all_orders(SYMBOL)) == 2
    with pytest.raises(ccxt.OrderNotFound):
        await spot.cancel_all_orders(SYMBOL)


async def test_balances_show_what_is_locked(spot):
    await spot.create_order(SYMBOL, "limit", "buy", 1, 50000)
    balance = await spot.fetch_balance()
    assert balance["USDT"] == {"free": 950000, "used": 50000, "total": 1000000}
    assert balance["BTC"]["total"] == 10


async def test_trades_page_by_id_without_loss(spot):
    for _ in range(7):
        await spot.create_order(SYMBOL, "market", "buy", 0.01)
    first = await spot.fetch_my_trades(SYMBOL, None, 1, {"fromId": 0})
    seen = [int(first[0]["id"])]
    while True:
        page = await spot.fetch_my_trades(SYMBOL, None, 3, {"fromId": seen[-1] + 1})
        if not page:
            break
        seen += [int(trade["id"]) for trade in page]
    assert len(seen) == 7
    assert seen == sorted(set(seen))


async def test_trades_of_one_order_and_all_orders(spot):
    made = await spot.create_order(SYMBOL, "market", "buy", 0.01)
    await spot.create_order(SYMBOL, "market", "buy", 0.02)
    trades = await spot.fetch_order_trades(made["id"], SYMBOL)
    assert [(trade["order"], trade["amount"], trade["takerOrMaker"]) for trade in trades] == [
        (made["id"], 0.01, "taker")
    ]
    assert len(await spot.fetch_orders(SYMBOL)) == 2


async def test_market_data_follows_the_price(spot, control):
    await control.post("price", symbol=SYMBOL, price="61000")
    ticker = await spot.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (61000, 60999.99, 61000.01)
    book = await spot.fetch_order_book(SYMBOL, 5)
    assert (book["bids"][0][0], len(book["asks"])) == (60999.99, 5)
    candles = await spot.fetch_ohlcv(SYMBOL, "5m", limit=10)
    assert len(candles) == 10
    assert candles[-1][4] == 61000
    assert await spot.fetch_ohlcv(SYMBOL, "5m", limit=10) == candles
    quotes = await spot.fetch_bids_asks([SYMBOL])
    assert quotes[SYMBOL]["bid"] == 60999.99


async def test_all_of_load_markets_works_with_a_key(sim, control, make_client):
    client = make_client(pro.binance, options={"fetchMarkets": {"types": ["spot", "linear"]}})
    async with client:
        markets = await client.load_markets()
    assert {"BTC/USDT", "ETH/USDT", "BTC/USDT:USDT"} <= markets.keys()
    assert markets["BTC/USDT:USDT"]["contractSize"] == 1
    pages = {request["path"] for request in await control.get("requests")}
    assert "/sapi/v1/capital/config/getall" in pages
