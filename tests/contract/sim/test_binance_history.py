"""Windows and pages of USD-M trades: what may be asked, and that nothing is lost between pages."""

import ccxt.async_support as ccxt
import pytest

SYMBOL = "BTC/USDT:USDT"
DAY_MS = 86_400_000


@pytest.fixture
async def traded(futures):
    for _ in range(5):
        await futures.create_order(SYMBOL, "market", "buy", 0.01)
    return [int(trade["id"]) for trade in await futures.fetch_my_trades(SYMBOL)]


async def test_pages_by_id_hold_every_trade_once(futures, traded):
    seen, next_id = [], traded[0]
    while page := await futures.fetch_my_trades(SYMBOL, None, 2, {"fromId": next_id}):
        seen += [int(trade["id"]) for trade in page]
        next_id = seen[-1] + 1
    assert seen == traded


async def test_the_newest_come_without_a_start(futures, traded):
    page = await futures.fetch_my_trades(SYMBOL, None, 2)
    assert [int(trade["id"]) for trade in page] == traded[-2:]


async def test_a_start_gives_the_oldest_from_there(futures, traded):
    since = futures.milliseconds() - 60_000
    page = await futures.fetch_my_trades(SYMBOL, since, 2)
    assert [int(trade["id"]) for trade in page] == traded[:2]


async def test_a_start_alone_reaches_seven_days_on(futures, traded):
    now = futures.milliseconds()
    assert not await futures.fapiPrivateGetUserTrades({"symbol": "BTCUSDT", "startTime": now - 8 * DAY_MS})
    assert await futures.fapiPrivateGetUserTrades({"symbol": "BTCUSDT", "startTime": now - 6 * DAY_MS})


async def test_an_id_and_a_time_do_not_go_together(spot, futures):
    for client, symbol in ((spot, "BTC/USDT"), (futures, SYMBOL)):
        with pytest.raises(ccxt.BadRequest, match="-1128"):
            await client.fetch_my_trades(symbol, client.milliseconds() - 1000, 2, {"fromId": 1})


async def test_a_window_that_is_too_wide_is_refused(futures, spot):
    now = futures.milliseconds()
    with pytest.raises(ccxt.BadRequest, match="-1127"):
        await futures.fapiPrivateGetUserTrades(
            {"symbol": "BTCUSDT", "startTime": now - 8 * DAY_MS, "endTime": now}
        )
    with pytest.raises(ccxt.BadRequest, match="-1127"):
        await spot.privateGetMyTrades({"symbol": "BTCUSDT", "startTime": now - 2 * DAY_MS, "endTime": now})


async def test_trades_of_one_order(futures, traded):
    orders = await futures.fetch_orders(SYMBOL)
    trades = await futures.fetch_my_trades(SYMBOL, params={"orderId": orders[2]["id"]})
    assert [int(trade["id"]) for trade in trades] == [traded[2]]
