"""Both private streams and the public ones through ccxt.pro, raw messages included."""

import asyncio
from decimal import Decimal

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


async def test_a_spot_order_tells_its_life_and_then_the_balance(spot, listening):
    tap = await listening(spot)
    await spot.create_order(SPOT, "market", "buy", 0.5, None, {"clientOrderId": "s1"})
    await tap.until(lambda message: message.get("x") == "TRADE")
    seen = await tap.until(lambda message: message.get("e") == "outboundAccountPosition")
    balances = {row["a"]: Decimal(row["f"]) for row in seen[-1]["B"]}
    assert balances == {"BTC": Decimal("10.4995"), "USDT": Decimal("969999.995")}


async def test_a_spot_fill_carries_its_trade(spot, listening):
    tap = await listening(spot)
    order = await spot.create_order(SPOT, "market", "buy", 0.5, None, {"clientOrderId": "s1"})
    report = (await tap.until(lambda message: message.get("x") == "TRADE"))[-1]
    fill = order["info"]["fills"][0]
    assert (str(report["t"]), report["c"], report["X"]) == (str(fill["tradeId"]), "s1", "FILLED")
    assert (report["n"], report["N"], report["m"]) == (fill["commission"], "BTC", False)


async def test_a_spot_cancel_names_the_order_in_the_original_id(spot, listening):
    tap = await listening(spot)
    made = await spot.create_order(SPOT, "limit", "buy", 0.5, 50000, {"clientOrderId": "s2"})
    canceled = await spot.cancel_order(made["id"], SPOT)
    report = (await tap.until(lambda message: message.get("x") == "CANCELED"))[-1]
    assert report["C"] == canceled["info"]["origClientOrderId"] == "s2"
    assert report["c"] == canceled["info"]["clientOrderId"] != "s2"


async def test_a_futures_fill_comes_with_balance_and_position(futures, listening):
    tap = await listening(futures)
    await futures.create_order(PERP, "market", "buy", 0.5, None, {"clientOrderId": "f1"})
    seen = await tap.until(lambda message: message.get("o", {}).get("x") == "TRADE")
    kinds = [message["e"] for message in seen]
    assert kinds == ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE"]
    assert seen[1]["a"]["P"][0]["pa"] == "0.500"
    assert (seen[3]["o"]["c"], seen[3]["o"]["X"], seen[3]["o"]["N"]) == ("f1", "FILLED", "USDT")


async def test_a_conditional_order_tells_both_of_its_lives(futures, control, listening):
    await futures.create_order(PERP, "market", "buy", 1)
    tap = await listening(futures)
    made = await futures.create_order(
        PERP, "market", "sell", 1, None, {"stopLossPrice": 59000, "reduceOnly": True}
    )
    await control.post("price", symbol=PERP, price="58000")
    seen = await tap.until(lambda message: message.get("o", {}).get("X") == "FINISHED")
    algo = [message["o"] for message in seen if message["e"] == "ALGO_UPDATE"]
    assert [(str(one["aid"]), one["X"]) for one in algo] == [
        (made["id"], "NEW"),
        (made["id"], "TRIGGERED"),
        (made["id"], "FINISHED"),
    ]
    filled = next(m["o"] for m in seen if m.get("o", {}).get("x") == "TRADE")
    assert str(filled["i"]) == algo[-1]["ai"]
    assert filled["rp"] == "-2000.20000000"


async def test_a_liquidation_is_calculated_and_no_trade(futures, control, listening):
    await futures.set_leverage(125, PERP)
    await futures.create_order(PERP, "market", "buy", 1000)
    tap = await listening(futures)
    await control.post("price", symbol=PERP, price="50000")
    update = (await tap.until(lambda message: message.get("o", {}).get("x") == "CALCULATED"))[-1]["o"]
    assert update["c"].startswith("autoclose-")
    assert (update["o"], update["f"], update["S"]) == ("LIMIT", "IOC", "SELL")


async def test_deleveraging_reduces_a_position_by_an_order_of_the_exchange(futures, control, listening):
    await futures.create_order(PERP, "market", "sell", 2)
    tap = await listening(futures)
    await control.post("deleverage", api_key="key", symbol=PERP, quantity="0.5")
    update = (await tap.until(lambda message: message.get("o", {}).get("x") == "CALCULATED"))[-1]["o"]
    assert update["c"].startswith("adl_autoclose_")
    assert (update["S"], update["z"]) == ("BUY", "0.500")
    assert (await futures.fetch_positions([PERP]))[0]["contracts"] == 1.5


async def test_funding_and_leverage_are_told(futures, control, listening):
    await futures.create_order(PERP, "market", "buy", 1)
    tap = await listening(futures)
    await control.post("funding", symbol=PERP, rate="0.0001")
    update = (await tap.until(lambda message: message.get("e") == "ACCOUNT_UPDATE"))[-1]["a"]
    assert (update["m"], update["B"][0]["bc"]) == ("FUNDING_FEE", "-6.00000000")
    await futures.set_leverage(3, PERP)
    config = (await tap.until(lambda message: message.get("e") == "ACCOUNT_CONFIG_UPDATE"))[-1]
    assert config["ac"] == {"s": "BTCUSDT", "l": 3}


async def test_ccxt_reads_orders_trades_and_positions_from_the_stream(futures, listening):
    await listening(futures)
    waiting = [
        asyncio.create_task(watch())
        for watch in (futures.watch_orders, futures.watch_my_trades, futures.watch_positions)
    ]
    await asyncio.sleep(0)
    await futures.create_order(PERP, "market", "buy", 0.5)
    async with asyncio.timeout(5):
        orders, trades, positions = await asyncio.gather(*waiting)
    assert orders[0]["symbol"] == trades[0]["symbol"] == positions[0]["symbol"] == PERP
    assert (trades[0]["amount"], positions[0]["contracts"]) == (0.5, 0.5)


async def test_public_streams_follow_the_price(spot, futures, control):
    for client, symbol, tick in ((spot, SPOT, 0.01), (futures, PERP, 0.1)):
        async with asyncio.timeout(10):
            assert (await client.watch_ticker(symbol))["last"] == 60000
            assert (await client.watch_ohlcv(symbol, "1m"))[-1][4] == 60000
            quotes = await client.watch_bids_asks([symbol])
            assert quotes[symbol]["bid"] == 60000 - tick
            book = asyncio.create_task(client.watch_order_book(symbol))
            while not book.done():
                await control.post("price", symbol=symbol, price="60010")
                await asyncio.wait([book], timeout=0.2)
                await control.post("price", symbol=symbol, price="60000")
                await asyncio.wait([book], timeout=0.2)
            watched = book.result()
        assert watched["bids"][0][0] < watched["asks"][0][0]


async def test_an_order_book_that_is_watched_equals_the_one_that_is_fetched(futures, control):
    tap_book = {}

    async def follow():
        while True:
            tap_book["book"] = await futures.watch_order_book(PERP)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(10):
        while "book" not in tap_book:
            await control.post("price", symbol=PERP, price="60001")
        await control.post("price", symbol=PERP, price="60500")
        fetched = {}
        while fetched.get("bids") != tap_book["book"]["bids"][:20]:
            fetched = await futures.fetch_order_book(PERP, 20)
    following.cancel()
    assert tap_book["book"]["asks"][:20] == fetched["asks"]
