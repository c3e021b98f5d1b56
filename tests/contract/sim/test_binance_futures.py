"""Binance USD-M through an unmodified ccxt client: orders, conditional orders, positions, modes, income."""

import ccxt.async_support as ccxt
import pytest

SYMBOL = "BTC/USDT:USDT"
TRIGGER = {"trigger": True}


async def test_a_market_order_answers_filled(futures):
    order = await futures.create_order(SYMBOL, "market", "buy", 0.5, None, {"clientOrderId": "a1"})
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.5, 60000.1)
    assert order["clientOrderId"] == "a1"


async def test_a_limit_order_is_found_by_either_id_and_canceled(futures):
    made = await futures.create_order(SYMBOL, "limit", "buy", 0.5, 50000, {"clientOrderId": "b1"})
    by_client_id = await futures.fetch_order(None, SYMBOL, {"clientOrderId": "b1"})
    assert by_client_id["id"] == (await futures.fetch_order(made["id"], SYMBOL))["id"] == made["id"]
    assert len(await futures.fetch_open_orders(SYMBOL)) == 1
    assert (await futures.cancel_order(made["id"], SYMBOL))["status"] == "canceled"


async def test_an_amended_order_keeps_its_id(futures):
    made = await futures.create_order(SYMBOL, "limit", "buy", 0.5, 50000)
    edited = await futures.edit_order(made["id"], SYMBOL, "limit", "buy", 0.6, 50001)
    assert (edited["id"], edited["amount"], edited["price"]) == (made["id"], 0.6, 50001)
    with pytest.raises(ccxt.OperationRejected):
        await futures.edit_order(made["id"], SYMBOL, "limit", "buy", 0.6, 50001)


async def test_post_only_and_fill_or_kill_are_refused_when_they_cannot_be(futures):
    order = await futures.create_order(SYMBOL, "limit", "buy", 1, 50000, {"postOnly": True})
    assert order["info"]["timeInForce"] == "GTX"
    for params in ({"postOnly": True}, {"timeInForce": "FOK"}):
        price = 61000 if "postOnly" in params else 50000
        with pytest.raises(ccxt.InvalidOrder):
            await futures.create_order(SYMBOL, "limit", "buy", 1, price, params)


@pytest.mark.parametrize(
    ("kind", "price", "params", "name"),
    [
        ("market", None, {"stopLossPrice": 59000}, "STOP_MARKET"),
        ("limit", 58900, {"stopLossPrice": 59000}, "STOP"),
        ("market", None, {"takeProfitPrice": 61000}, "TAKE_PROFIT_MARKET"),
        ("limit", 60900, {"takeProfitPrice": 61000}, "TAKE_PROFIT"),
    ],
)
async def test_conditional_orders_live_in_a_book_of_their_own(futures, control, kind, price, params, name):
    await futures.create_order(SYMBOL, "market", "buy", 1)
    made = await futures.create_order(
        SYMBOL, kind, "sell", 1, price, params | {"reduceOnly": True, "clientOrderId": "c1"}
    )
    assert not await futures.fetch_open_orders(SYMBOL)
    waiting = (await futures.fetch_open_orders(SYMBOL, params=TRIGGER))[0]
    assert (waiting["id"], waiting["clientOrderId"], waiting["info"]["orderType"]) == (made["id"], "c1", name)
    trigger = params.get("stopLossPrice") or params["takeProfitPrice"]
    await control.post("price", symbol=SYMBOL, price=str(trigger))
    done = await futures.fetch_order(made["id"], SYMBOL, TRIGGER)
    assert done["status"] == "closed"
    placed = await futures.fetch_order(done["info"]["actualOrderId"], SYMBOL)
    assert (placed["clientOrderId"], placed["status"], placed["filled"]) == ("c1", "closed", 1)
    assert not await futures.fetch_positions([SYMBOL])


async def test_canceling_all_leaves_conditional_orders_alone(futures):
    await futures.create_order(SYMBOL, "limit", "buy", 1, 50000)
    made = await futures.create_order(SYMBOL, "market", "sell", 1, None, {"stopLossPrice": 59000})
    await futures.cancel_all_orders(SYMBOL)
    assert not await futures.fetch_open_orders(SYMBOL)
    assert len(await futures.fetch_open_orders(SYMBOL, params=TRIGGER)) == 1
    await futures.cancel_order(made["id"], SYMBOL, TRIGGER)
    assert (await futures.fetch_order(made["id"], SYMBOL, TRIGGER))["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        await futures.cancel_order(made["id"], SYMBOL, TRIGGER)


async def test_a_batch_answers_row_by_row(futures):
    rows = [
        {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": amount, "price": 50000}
        for amount in (1, 10000, 2)
    ]
    orders = await futures.create_orders(rows)
    assert sorted(order["status"] for order in orders) == ["open", "open", "rejected"]
    ids = [order["id"] for order in orders if order["id"]]
    canceled = await futures.cancel_orders(ids, SYMBOL)
    assert [order["status"] for order in canceled] == ["canceled", "canceled"]


async def test_positions_carry_entry_and_side(futures):
    await futures.create_order(SYMBOL, "market", "sell", 2)
    position = (await futures.fetch_positions([SYMBOL]))[0]
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("short", 2, 59999.9)
    assert position["marginMode"] == "cross"
    assert position["unrealizedPnl"] == pytest.approx(-0.2)


async def test_hedge_mode_has_two_legs(futures):
    await futures.set_position_mode(True)
    assert (await futures.fetch_position_mode())["hedged"] is True
    await futures.create_order(SYMBOL, "market", "buy", 2, None, {"hedged": True})
    await futures.create_order(SYMBOL, "market", "sell", 1, None, {"hedged": True})
    await futures.create_order(SYMBOL, "market", "sell", 1, None, {"hedged": True, "reduceOnly": True})
    legs = {position["side"]: position["contracts"] for position in await futures.fetch_positions([SYMBOL])}
    assert legs == {"long": 1, "short": 1}
    with pytest.raises(ccxt.OperationRejected):
        await futures.create_order(SYMBOL, "market", "buy", 1)
    with pytest.raises(ccxt.OperationRejected):
        await futures.set_position_mode(False)


async def test_leverage_and_margin_mode_read_back(futures):
    await futures.set_leverage(7, SYMBOL)
    await futures.set_margin_mode("isolated", SYMBOL)
    with pytest.raises(ccxt.MarginModeAlreadySet):
        await futures.set_margin_mode("isolated", SYMBOL)
    with pytest.raises(ccxt.OperationRejected):
        await futures.set_position_mode(False)
    with pytest.raises(ccxt.BadRequest):
        await futures.set_leverage(124, "ETH/USDT:USDT")
    leverage = await futures.fetch_leverage(SYMBOL)
    assert (leverage["longLeverage"], leverage["marginMode"]) == (7, "isolated")


async def test_funding_is_income(futures, control):
    await futures.create_order(SYMBOL, "market", "buy", 1)
    await control.post("funding", symbol=SYMBOL, rate="0.0001")
    rows = await futures.fetch_funding_history(SYMBOL)
    assert [(row["amount"], row["code"]) for row in rows] == [(-6, "USDT")]
    assert rows[0]["id"]


async def test_a_balance_counts_margin(futures):
    await futures.create_order(SYMBOL, "market", "buy", 1)
    balance = await futures.fetch_balance()
    assert balance["USDT"]["used"] == 3000
    assert balance["USDT"]["total"] == pytest.approx(1_000_000 - 30.00005 - 0.1)


async def test_what_a_key_may_do_is_controllable(futures, control):
    await control.post(
        "accounts",
        api_key="key",
        api_secret="secret",
        permissions={"can_withdraw": True, "ip_restricted": False, "can_trade_futures": False},
    )
    allowed = await futures.sapiGetAccountApiRestrictions()
    assert (allowed["enableWithdrawals"], allowed["ipRestrict"], allowed["enableFutures"]) == (
        True,
        False,
        False,
    )
    with pytest.raises(ccxt.AuthenticationError):
        await futures.create_order(SYMBOL, "market", "buy", 1)


async def test_a_liquidation_is_in_the_trades_and_the_position_is_gone(futures, control):
    await futures.set_leverage(125, SYMBOL)
    await futures.create_order(SYMBOL, "market", "buy", 1000)
    await control.post("price", symbol=SYMBOL, price="50000")
    assert not await futures.fetch_positions([SYMBOL])
    orders = await futures.fetch_orders(SYMBOL)
    assert orders[-1]["clientOrderId"].startswith("autoclose-")
    trades = await futures.fetch_my_trades(SYMBOL)
    assert trades[-1]["order"] == orders[-1]["id"]
