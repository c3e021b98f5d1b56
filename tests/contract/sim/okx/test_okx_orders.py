"""OKX through an unmodified ccxt client: orders, conditional orders, fills, positions, settings, bills."""

import ccxt.async_support as ccxt
import pytest

from fillbook.kernel.money import ZERO

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
LIMIT = ("limit", "buy", 1, 50000)


@pytest.fixture(params=[SPOT, PERP], ids=["spot", "swap"])
def symbol(request):
    return request.param


async def test_a_market_order_fills_and_its_look_up_says_so(client, symbol):
    made = await client.create_order(symbol, "market", "buy", 1, None, {"clientOrderId": "a1"})
    order = await client.fetch_order(made["id"], symbol)
    assert (order["status"], order["filled"], order["clientOrderId"]) == ("closed", 1, "a1")
    assert order["average"] == pytest.approx(60000, abs=1)


async def test_a_swap_counts_contracts(client, exchange):
    assert client.market(PERP)["contractSize"] == 0.01
    made = await client.create_order(PERP, "market", "buy", 30)
    order = exchange.orders[int(made["id"])]
    assert str(order.quantity) == "0.30"
    (position,) = await client.fetch_positions()
    assert (position["contracts"], position["side"]) == (30, "long")


async def test_a_limit_order_is_found_by_either_id_and_canceled(client, symbol):
    made = await client.create_order(symbol, *LIMIT, {"clientOrderId": "b1"})
    by_client_id = await client.fetch_order(None, symbol, {"clientOrderId": "b1"})
    assert by_client_id["id"] == (await client.fetch_order(made["id"], symbol))["id"] == made["id"]
    assert [order["id"] for order in await client.fetch_open_orders(symbol)] == [made["id"]]
    await client.cancel_order(None, symbol, {"clientOrderId": "b1"})
    assert (await client.fetch_order(made["id"], symbol))["status"] == "canceled"
    assert not await client.fetch_open_orders(symbol)
    assert [order["id"] for order in await client.fetch_canceled_orders(symbol)] == [made["id"]]


async def test_a_spot_market_buy_without_a_word_of_its_currency_spends_quote(client, exchange):
    answer = await client.privatePostTradeOrder(
        {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "market", "sz": "6000"}
    )
    order = exchange.orders[int(answer["data"][0]["ordId"])]
    assert order.quote_quantity == 6000
    assert order.cost <= 6000


async def test_an_amended_order_keeps_its_ids(client, symbol):
    made = await client.create_order(symbol, *LIMIT, {"clientOrderId": "c1"})
    edited = await client.edit_order(made["id"], symbol, "limit", "buy", 2, 50001)
    assert edited["id"] == made["id"]
    order = await client.fetch_order(made["id"], symbol)
    assert (order["amount"], order["price"], order["clientOrderId"]) == (2, 50001, "c1")


@pytest.mark.parametrize(
    ("params", "source"),
    [({"timeInForce": "IOC"}, "14"), ({"timeInForce": "FOK"}, "13"), ({"postOnly": True}, "31")],
)
async def test_what_cannot_be_done_at_once_is_taken_and_then_canceled(client, symbol, params, source):
    price = 61000 if "postOnly" in params else 50000
    made = await client.create_order(symbol, "limit", "buy", 1, price, params)
    order = await client.fetch_order(made["id"], symbol)
    assert (order["status"], order["filled"], order["info"]["cancelSource"]) == ("canceled", 0, source)


async def test_a_batch_answers_row_by_row_and_a_partial_failure_raises_nothing(client):
    rows = [
        {"symbol": PERP, "type": "limit", "side": "buy", "amount": amount, "price": 50000}
        for amount in (1, 10_000_000, 2)
    ]
    orders = await client.create_orders(rows)
    assert [order["info"]["sCode"] for order in orders] == ["0", "51008", "0"]
    ids = [order["id"] for order in orders if order["id"]]
    canceled = await client.cancel_orders([ids[0], "1", ids[1]], PERP)
    assert {order["id"] for order in canceled if order["id"]} >= set(ids)


@pytest.mark.parametrize(
    ("kind", "price", "params"),
    [
        ("market", None, {"stopLossPrice": 59000}),
        ("limit", 58900, {"stopLossPrice": 59000}),
        ("market", None, {"takeProfitPrice": 61000}),
        ("limit", 60900, {"takeProfitPrice": 61000}),
        ("market", None, {"triggerPrice": 59000}),
        ("market", None, {"triggerPrice": 61000}),
    ],
)
async def test_conditional_orders_live_in_a_book_of_their_own(client, exchange, kind, price, params):
    await client.create_order(PERP, "market", "buy", 100)
    named = params | {"reduceOnly": True, "clientOrderId": "d1", "algoClOrdId": "d1"}
    made = await client.create_order(PERP, kind, "sell", 100, price, named)
    assert not await client.fetch_open_orders(PERP)
    ord_type = "trigger" if "triggerPrice" in params else "conditional"
    (waiting,) = await client.fetch_open_orders(PERP, params={"trigger": True, "ordType": ord_type})
    assert (waiting["id"], waiting["info"]["algoClOrdId"]) == (made["id"], "d1")
    exchange.set_price(PERP, next(iter(params.values())) + ZERO)
    done = await client.fetch_order(None, PERP, {"trigger": True, "clientOrderId": "d1"})
    assert (done["info"]["algoId"], done["info"]["state"]) == (made["id"], "effective")
    placed = (await client.privateGetTradeOrder({"instId": "BTC-USDT-SWAP", "ordId": done["info"]["ordId"]}))[
        "data"
    ]
    assert (placed[0]["algoId"], placed[0]["algoClOrdId"], placed[0]["clOrdId"]) == (
        made["id"],
        "d1",
        f"{made['id']}_0",
    )
    (fill,) = await client.fetch_my_trades(PERP, params={"ordId": done["info"]["ordId"]})
    assert fill["order"] == done["info"]["ordId"] != made["id"]
    assert not await client.fetch_positions()


async def test_a_spot_stop_waits_in_the_conditional_book_too(client, exchange):
    params = {"triggerPrice": 59000, "clientOrderId": "e1", "algoClOrdId": "e1"}
    await client.create_order(SPOT, "market", "sell", 1, None, params)
    assert not await client.fetch_open_orders(SPOT)
    assert len(await client.fetch_open_orders(SPOT, params={"trigger": True})) == 1
    exchange.set_price(SPOT, 58_999 + ZERO)
    done = await client.fetch_order(None, SPOT, {"trigger": True, "clientOrderId": "e1"})
    assert done["info"]["state"] == "effective"


async def test_a_waiting_conditional_order_is_canceled_in_its_book(client):
    params = {"triggerPrice": 59000, "algoClOrdId": "f1"}
    made = await client.create_order(PERP, "market", "sell", 1, None, params)
    await client.cancel_order(made["id"], PERP, {"trigger": True})
    assert not await client.fetch_open_orders(PERP, params={"trigger": True})
    order = await client.fetch_order(made["id"], PERP, {"trigger": True})
    assert order["status"] == "canceled"
    assert len(await client.fetch_canceled_orders(PERP, params={"trigger": True, "ordType": "trigger"})) == 1


async def test_fills_tell_fees_below_zero_and_are_paged_by_bill(client, exchange):
    for _ in range(5):
        await client.create_order(PERP, "market", "buy", 1)
    rows, after = [], None
    while True:
        named = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "limit": "2"} | (
            {"after": after} if after else {}
        )
        page = (await client.privateGetTradeFillsHistory(named))["data"]
        if not page:
            break
        rows, after = rows + page, page[-1]["billId"]
    fills = list(exchange.accounts["key"].fills)
    assert [row["tradeId"] for row in reversed(rows)] == [str(fill.trade_id) for fill in fills]
    assert all(float(row["fee"]) < 0 for row in rows)
    assert (await client.fetch_my_trades(PERP))[0]["fee"]["cost"] > 0


async def test_an_order_that_ended_without_a_fill_is_forgotten_after_two_hours(client, exchange, symbol):
    made = await client.create_order(symbol, *LIMIT, {"clientOrderId": "g1"})
    await client.cancel_order(made["id"], symbol)
    exchange.orders[int(made["id"])].updated_ms -= 2 * 3_600_000 + 1
    with pytest.raises(ccxt.OrderNotFound, match="51603"):
        await client.fetch_order(made["id"], symbol)
    assert not await client.fetch_canceled_orders(symbol)


async def test_hedge_mode_has_two_legs(client):
    await client.set_position_mode(True)
    assert (await client.fetch_position_mode())["hedged"] is True
    await client.create_order(PERP, "market", "buy", 2, None, {"hedged": True})
    await client.create_order(PERP, "market", "sell", 3, None, {"hedged": True})
    await client.create_order(PERP, "market", "sell", 1, None, {"hedged": True, "reduceOnly": True})
    legs = {row["side"]: row["contracts"] for row in await client.fetch_positions()}
    assert legs == {"long": 1, "short": 3}
    with pytest.raises(ccxt.BadRequest, match="51000"):
        await client.create_order(PERP, "market", "buy", 1)
    with pytest.raises(ccxt.ExchangeError, match="59000"):
        await client.set_position_mode(False)


async def test_leverage_belongs_to_a_margin_mode_and_the_margin_mode_to_an_order(client):
    await client.set_leverage(7, PERP, {"mgnMode": "isolated"})
    await client.set_leverage(3, PERP, {"mgnMode": "cross"})
    for mode, leverage in (("isolated", 7), ("cross", 3)):
        assert (await client.fetch_leverage(PERP, {"mgnMode": mode}))["longLeverage"] == leverage
    await client.create_order(PERP, "market", "buy", 1, None, {"tdMode": "isolated"})
    (position,) = await client.fetch_positions()
    assert (position["marginMode"], position["leverage"]) == ("isolated", 7)
    with pytest.raises(ccxt.ExchangeError, match="59102"):
        await client.set_leverage(120, "SOL/USDT:USDT", {"mgnMode": "cross"})


async def test_funding_and_transfers_are_bills(client, exchange):
    await client.create_order(PERP, "market", "buy", 100)
    exchange.fund(PERP, exchange.markets[PERP].funding_rate)
    (funding,) = await client.fetch_funding_history(PERP)
    assert funding["amount"] == pytest.approx(-6)
    bills = (await client.privateGetAccountBills({"type": "1"}))["data"]
    assert {(bill["ccy"], bill["balChg"]) for bill in bills} == {("USDT", "1000000"), ("BTC", "10")}


async def test_one_wallet_margins_positions_and_holds_coins(client):
    await client.create_order(PERP, "market", "buy", 100)
    await client.create_order(SPOT, "limit", "buy", 1, 50000)
    balance = await client.fetch_balance()
    assert balance["USDT"]["total"] == pytest.approx(1_000_000 - 30, abs=5)
    assert balance["USDT"]["free"] == pytest.approx(1_000_000 - 3000 - 50000 - 30, abs=5)
    assert balance["BTC"]["total"] == 10


async def test_what_a_key_may_do_is_in_the_configuration(client, exchange):
    (row,) = (await client.privateGetAccountConfig())["data"]
    assert row["perm"] == "read_only,trade"


async def test_market_data_is_read(client, symbol):
    assert (await client.fetch_ticker(symbol))["last"] == 60000
    assert len(await client.fetch_ohlcv(symbol, "1m", None, 5)) == 5
    book = await client.fetch_order_book(symbol, 5)
    assert book["bids"][0][0] < book["asks"][0][0]
    await client.create_order(symbol, "market", "buy", 1)
    assert (await client.fetch_trades(symbol))[-1]["amount"] == 1
    assert abs(await client.fetch_time() - client.milliseconds()) < 5000
    if symbol == PERP:
        assert (await client.fetch_funding_rate(symbol))["fundingRate"] == 0.0001
