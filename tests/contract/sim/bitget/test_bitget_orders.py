"""Bitget through an unmodified ccxt client: orders of each kind and book, hedge mode, history in pages."""

from decimal import Decimal

import ccxt.async_support as ccxt
import pytest

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
BOTH = pytest.mark.parametrize("symbol", [SPOT, PERP])


@BOTH
async def test_a_resting_order_is_found_by_either_name_and_cancelled_by_either(client, symbol):
    first = await client.create_order(symbol, "limit", "buy", 0.01, 50000, {"clientOrderId": "a1"})
    second = await client.create_order(symbol, "limit", "buy", 0.01, 50000, {"clientOrderId": "a2"})
    for found in (
        await client.fetch_order(first["id"], symbol),
        await client.fetch_order("", symbol, {"clientOrderId": "a1"}),
    ):
        assert (found["id"], found["clientOrderId"], found["status"]) == (first["id"], "a1", "open")
    assert {order["id"] for order in await client.fetch_open_orders(symbol)} == {first["id"], second["id"]}
    await client.cancel_order(first["id"], symbol)
    await client.cancel_order("", symbol, {"clientOrderId": "a2"})
    assert await client.fetch_open_orders(symbol) == []
    ended = await client.fetch_canceled_orders(symbol)
    assert {order["clientOrderId"] for order in ended} == {"a1", "a2"}


async def test_a_spot_market_buy_is_sized_by_its_cost(client, exchange):
    made = await client.create_order(SPOT, "market", "buy", 0.01, None, {"cost": 600})
    order = await client.fetch_order(made["id"], SPOT)
    assert (order["status"], order["info"]["size"]) == ("closed", "600")
    assert 599 < order["cost"] <= 600
    assert order["fee"]["currency"] == "BTC"
    assert order["fee"]["cost"] == pytest.approx(order["filled"] * 0.001)


async def test_a_client_id_is_unique_among_pending_orders_only(client, exchange):
    for symbol, code in ((SPOT, "43118"), (PERP, "40786")):
        params = {"clientOrderId": "again"}
        made = await client.create_order(symbol, "limit", "buy", 0.01, 50000, params)
        with pytest.raises(ccxt.ExchangeError, match=code):
            await client.create_order(symbol, "limit", "buy", 0.01, 50000, params)
        await client.cancel_order(made["id"], symbol)
        assert (await client.create_order(symbol, "limit", "buy", 0.01, 50000, params))["id"] != made["id"]


async def test_by_client_id_spot_tells_only_of_the_last_two_hours(client, exchange, monkeypatch):
    made = await client.create_order(SPOT, "limit", "buy", 0.01, 50000, {"clientOrderId": "old"})
    exchange.orders[int(made["id"])].created_ms -= 2 * 3_600_000 + 1
    assert (await client.fetch_order(made["id"], SPOT))["status"] == "open"
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order("", SPOT, {"clientOrderId": "old"})


@BOTH
async def test_a_plan_order_has_books_of_its_own_and_only_plan_sub_order_names_what_it_made(
    client, exchange, symbol
):
    params = {"triggerPrice": "55000", "triggerType": "fill_price", "clientOrderId": "plan"}
    plan = await client.create_order(symbol, "market", "sell", 0.01, None, params)
    await client.create_order(symbol, "market", "sell", 0.01, None, params | {"clientOrderId": "other"})
    assert await client.fetch_open_orders(symbol) == []
    waiting = await client.fetch_open_orders(symbol, params={"trigger": True})
    assert {order["clientOrderId"] for order in waiting} == {"plan", "other"}
    exchange.set_price(symbol, Decimal(54_900))
    assert await client.fetch_open_orders(symbol, params={"trigger": True}) == []
    ended = await client.fetch_canceled_and_closed_orders(symbol, params={"trigger": True})
    assert {order["info"].get("planStatus") or order["info"]["status"] for order in ended} == {"executed"}
    if symbol == PERP:
        answer = await client.privateMixGetV2MixOrderPlanSubOrder(
            {"planOrderId": plan["id"], "planType": "normal_plan", "productType": "USDT-FUTURES"}
        )
    else:
        # ccxt lists no such page of spot, and sends it all the same.
        page = "v2/spot/trade/plan-sub-order"
        answer = await client.request(page, ["private", "spot"], "GET", {"planOrderId": plan["id"]})
    (made,) = answer["data"]
    assert made["status"] == "success"
    child = await client.fetch_order(made["orderId"], symbol)
    assert (child["status"], child["filled"], child["side"]) == ("closed", 0.01, "sell")


@pytest.mark.parametrize(
    ("trigger", "price", "triggers_at"), [("61000", 60_000, 61_000), ("59000", 60_000, 59_000)]
)
async def test_a_plan_order_waits_for_its_trigger_from_where_the_price_stands(
    client, exchange, trigger, price, triggers_at
):
    params = {"triggerPrice": trigger, "triggerType": "fill_price"}
    await client.create_order(PERP, "market", "buy", 0.01, None, params)
    exchange.set_price(PERP, Decimal(price))
    assert len(await client.fetch_open_orders(PERP, params={"trigger": True})) == 1
    exchange.set_price(PERP, Decimal(triggers_at))
    assert await client.fetch_open_orders(PERP, params={"trigger": True}) == []


async def test_a_futures_plan_cancel_of_an_unknown_id_is_listed_and_raises_nothing(client):
    canceled = await client.cancel_order("999", PERP, {"trigger": True})
    assert canceled["id"] is None
    answer = await client.privateMixPostV2MixOrderCancelPlanOrder(
        {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "orderIdList": [{"clientOid": "nobody"}]}
    )
    assert answer["data"]["successList"] == []
    assert answer["data"]["failureList"][0]["clientOid"] == "nobody"


async def test_plan_orders_are_swept_by_their_own_pages(client):
    for symbol in (SPOT, PERP):
        await client.create_order(symbol, "market", "sell", 0.01, None, {"triggerPrice": "55000"})
    await client.cancel_all_orders(SPOT)
    with pytest.raises(ccxt.ExchangeError, match="22001"):
        await client.cancel_all_orders(PERP)
    for symbol in (SPOT, PERP):
        assert len(await client.fetch_open_orders(symbol, params={"trigger": True})) == 1
        await client.cancel_all_orders(symbol, {"trigger": True})
        assert await client.fetch_open_orders(symbol, params={"trigger": True}) == []


async def test_in_hedge_mode_the_side_is_the_positions_and_trade_side_says_what_is_done(client, exchange):
    await client.set_position_mode(True, PERP)
    with pytest.raises(ccxt.InvalidOrder, match="40774"):
        await client.create_order(PERP, "market", "buy", 0.01)
    await client.create_order(PERP, "market", "buy", 0.02, None, {"hedged": True})
    await client.create_order(PERP, "market", "sell", 0.01, None, {"hedged": True})
    close = await client.create_order(
        PERP, "market", "sell", 0.01, None, {"hedged": True, "reduceOnly": True}
    )
    held = {one["side"]: one["contracts"] for one in await client.fetch_positions([PERP])}
    assert held == {"long": 0.01, "short": 0.01}
    order = await client.fetch_order(close["id"], PERP)
    row = order["info"]
    assert (row["side"], row["tradeSide"], row["posSide"], order["side"]) == ("buy", "close", "long", "sell")
    (fill,) = [one for one in await client.fetch_my_trades(PERP) if one["order"] == close["id"]]
    assert (fill["info"]["side"], fill["info"]["tradeSide"]) == ("buy", "close")


async def test_a_modified_order_is_cancelled_and_another_stands_under_the_new_name(client):
    made = await client.create_order(PERP, "limit", "buy", 0.01, 50000)
    params = {"newClientOid": "successor"}
    edited = await client.edit_order(made["id"], PERP, "limit", "buy", 0.02, 51000, params)
    assert edited["id"] != made["id"]
    assert (await client.fetch_order(made["id"], PERP))["status"] == "canceled"
    (live,) = await client.fetch_open_orders(PERP)
    assert (live["clientOrderId"], live["price"], live["amount"]) == ("successor", 51_000, 0.02)


@BOTH
async def test_fills_come_newest_first_and_older_ones_below_an_id(client, symbol):
    for _ in range(3):
        await client.create_order(symbol, "market", "sell", 0.01)
    if symbol == SPOT:
        rows = (await client.privateSpotGetV2SpotTradeFills({"limit": "2"}))["data"]
        below = {"idLessThan": rows[-1]["tradeId"]}
        rest = (await client.privateSpotGetV2SpotTradeFills(below))["data"]
    else:
        product = {"productType": "USDT-FUTURES"}
        page = (await client.privateMixGetV2MixOrderFills(product | {"limit": "2"}))["data"]
        rows, below = page["fillList"], {"idLessThan": page["endId"]}
        rest = (await client.privateMixGetV2MixOrderFills(product | below))["data"]["fillList"]
    ids = [int(row["tradeId"]) for row in rows + rest]
    assert len(ids) == 3
    assert ids == sorted(ids, reverse=True)


async def test_modes_are_set_and_kept_while_something_is_open(client):
    await client.set_leverage(7, PERP)
    await client.set_margin_mode("isolated", PERP)
    await client.set_margin_mode("isolated", PERP)
    leverage = await client.fetch_leverage(PERP)
    assert (leverage["longLeverage"], leverage["marginMode"]) == (7, "isolated")
    await client.create_order(PERP, "limit", "buy", 0.01, 50000, {"marginMode": "isolated"})
    for change, code in (
        (client.set_margin_mode("cross", PERP), "45117"),
        (client.set_position_mode(True, PERP), "40920"),
    ):
        with pytest.raises(ccxt.ExchangeError, match=code):
            await change


async def test_funding_is_a_bill(client, exchange):
    await client.create_order(PERP, "market", "buy", 0.01)
    exchange.fund(PERP, Decimal("0.0001"))
    (paid,) = await client.fetch_funding_history(PERP)
    assert (paid["symbol"], paid["amount"], paid["code"]) == (PERP, -0.06, "USDT")
    exchange.fund(PERP, Decimal("-0.0001"))
    assert {row["amount"] for row in await client.fetch_funding_history(PERP)} == {-0.06, 0.06}


@BOTH
@pytest.mark.parametrize("terms", [{"postOnly": True}, {"timeInForce": "FOK"}, {"timeInForce": "IOC"}])
async def test_what_may_not_be_done_is_accepted_and_then_canceled(client, symbol, terms):
    price = 61_000 if "postOnly" in terms else 50_000
    made = await client.create_order(symbol, "limit", "buy", 0.01, price, terms)
    ended = await client.fetch_order(made["id"], symbol)
    assert (ended["status"], ended["filled"]) == ("canceled", 0)
