"""The control pages tell the truth, and mistakes in them are answered with what to do."""

import asyncio
import sys

import aiohttp
import ccxt.async_support as ccxt
import pytest

from fillbook.kernel.errors import Conflict
from fillbook.market.core import VenueName
from fillbook.venues.sim.server import start

SPOT = "BTC/USDT"


async def test_the_truth_holds_orders_fills_requests_balances_and_positions(spot, futures, control):
    await spot.create_order(SPOT, "market", "buy", 0.5, None, {"clientOrderId": "mine"})
    await futures.create_order("BTC/USDT:USDT", "market", "sell", 1)
    orders = await control.get("orders", api_key="key")
    assert (orders[0]["client_order_id"], orders[0]["status"]) == ("mine", "FILLED")
    assert [fill["quantity"] for fill in await control.get("fills")] == ["0.5", "1"]
    balances = (await control.get("balances"))["key"]
    assert balances["spot"]["BTC"] == {"free": "10.4995", "locked": "0"}
    assert (await control.get("positions"))[0]["quantity"] == "-1"
    posts = [
        request for request in await control.get("requests", api_key="key") if request["method"] == "POST"
    ]
    assert [request["path"] for request in posts] == ["/api/v3/order", "/fapi/v1/order"]
    assert "signature" not in posts[0]["params"]


async def test_accounts_do_not_see_each_other(spot, control):
    await control.post("accounts", api_key="other", api_secret="x", balances={"USDT": "5"})
    await spot.create_order(SPOT, "limit", "buy", 1, 50000)
    assert not await control.get("orders", api_key="other")
    assert set(await control.get("balances", api_key="other")) == {"other"}


async def test_futures_balances_can_differ(control):
    await control.post(
        "accounts", api_key="other", api_secret="x", balances={"BTC": "1"}, futures_balances={"USDT": "7"}
    )
    balances = (await control.get("balances", api_key="other"))["other"]
    assert (balances["spot"]["BTC"]["free"], balances["futures"]) == ("1", {"USDT": "7"})


async def test_a_thin_book_fills_partly(spot, control):
    await control.post("depth", symbol=SPOT, levels=1, level_quantity="0.2", refills=False)
    order = await spot.create_order(SPOT, "limit", "buy", 0.5, 60000.01)
    assert (order["status"], order["filled"]) == ("open", 0.2)
    await control.post("price", symbol=SPOT, price="60000")
    assert (await spot.fetch_order(order["id"], SPOT))["filled"] == 0.4


async def test_a_delisted_symbol_is_settled_and_then_unknown(futures, control):
    symbol = "ETH/USDT:USDT"
    await futures.create_order(symbol, "market", "buy", 1)
    resting = await futures.create_order(symbol, "limit", "buy", 1, 2000)
    await control.post("delist", symbol=symbol)
    orders = {order["order_id"]: order for order in await control.get("orders")}
    assert orders[int(resting["id"])]["status"] == "CANCELED"
    assert [fill["kind"] for fill in await control.get("fills")] == ["trade", "settlement"]
    assert all(row["quantity"] == "0" for row in await control.get("positions"))
    with pytest.raises(ccxt.BadSymbol):
        await futures.create_order(symbol, "market", "buy", 1)
    assert symbol not in await futures.load_markets(True)


async def test_mistakes_are_explained(sim, control):
    url = sim.url(VenueName.BINANCE)
    async with aiohttp.ClientSession() as session:
        for page, body, status in (
            ("price", {"symbol": "NO/PE", "price": "1"}, 400),
            ("price", {"symbol": SPOT, "price": "dear"}, 422),
            ("faults", {"kind": "surprise"}, 422),
            ("accounts", {"api_key": "a"}, 422),
            ("nothing", {}, 404),
        ):
            async with session.post(f"{url}/_sim/{page}", json=body) as answer:
                assert answer.status == status, page
                assert (await answer.json())["detail"]


async def test_a_taken_port_is_named(sim):
    with pytest.raises(Conflict, match=str(sim.port(VenueName.BINANCE))):
        await start({VenueName.BINANCE: sim.port(VenueName.BINANCE)})


async def test_a_server_with_a_seed_walks(clock):
    server = await start({VenueName.BINANCE: 0}, seed=1, clock=clock)
    prices: dict[str, str] = {SPOT: "60000"}
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(5):
            while prices[SPOT] == "60000":
                async with session.get(f"{server.url(VenueName.BINANCE)}/_sim/prices") as answer:
                    prices = await answer.json()
    finally:
        await server.close()
    assert prices["ETH/USDT"] != "3000"


async def test_it_runs_in_a_process_of_its_own_and_says_when_it_is_ready():
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fillbook.venues.sim",
        *("--venue", "binance", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode()
    url = line.split()[-1]
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v3/ping") as answer:
        assert answer.status == 200
    process.terminate()
    assert await process.wait() == 0
