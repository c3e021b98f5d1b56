"""Orders of an unmodified ccxt client at the simulated Bybit, from placing to what history keeps of them."""

from decimal import Decimal

import ccxt.pro as ccxt
import orjson
import pytest

from fillbook.accounts.core import KeyPermissions, PositionSide
from fillbook.market.core import MarketType

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
DAY_MS = 86_400_000
KEY, SECRET = "key", "secret"


def at(exchange, milliseconds):
    """Move the exchange's clock on."""
    exchange.now_ms = lambda moved=exchange.now_ms() + milliseconds: moved


async def raw(client, path, **params):
    await getattr(client, path)(params)
    return orjson.loads(client.last_http_response)["result"]


@pytest.mark.parametrize("symbol", [SPOT, PERP])
async def test_an_order_is_placed_amended_and_cancelled_under_one_id(client, symbol):
    made = await client.create_order(symbol, "limit", "buy", 0.1, 50000, {"orderLinkId": "a1"})
    amended = await client.edit_order(made["id"], symbol, "limit", "buy", 0.2, 51000)
    assert amended["id"] == made["id"]
    (live,) = await client.fetch_open_orders(symbol)
    assert (live["id"], live["clientOrderId"], live["price"], live["amount"]) == (
        made["id"],
        "a1",
        51000,
        0.2,
    )
    await client.cancel_order(made["id"], symbol)
    (ended,) = await client.fetch_canceled_and_closed_orders(symbol)
    assert (ended["id"], ended["status"]) == (made["id"], "canceled")


@pytest.mark.parametrize("symbol", [SPOT, PERP])
async def test_a_link_id_is_taken_for_good_even_when_its_order_has_ended(client, symbol):
    await client.create_order(symbol, "market", "buy", 0.1, None, {"orderLinkId": "d1"})
    with pytest.raises(ccxt.InvalidOrder, match=r"110072|170141"):
        await client.create_order(symbol, "market", "buy", 0.1, None, {"orderLinkId": "d1"})
    assert len(await client.fetch_my_trades(symbol)) == 1


async def test_realtime_finds_an_ended_order_by_its_link_id_but_lists_only_live_ones(client):
    made = await client.create_order(PERP, "market", "buy", 0.1, None, {"orderLinkId": "r1"})
    linear = {"category": "linear", "symbol": "BTCUSDT"}
    named = await raw(client, "privateGetV5OrderRealtime", **linear, orderLinkId="r1")
    assert [row["orderId"] for row in named["list"]] == [made["id"]]
    assert (await raw(client, "privateGetV5OrderRealtime", **linear))["list"] == []
    recent = await raw(client, "privateGetV5OrderRealtime", **linear, openOnly="1")
    assert [row["orderStatus"] for row in recent["list"]] == ["Filled"]


async def test_history_forgets_what_ended_without_a_fill_after_a_day(client, exchange):
    ended = await client.create_order(PERP, "limit", "buy", 0.1, 50000)
    await client.cancel_order(ended["id"], PERP)
    filled = await client.create_order(PERP, "market", "buy", 0.1)
    linear = {"category": "linear", "symbol": "BTCUSDT"}
    assert len((await raw(client, "privateGetV5OrderHistory", **linear))["list"]) == 2
    at(exchange, DAY_MS + 1000)
    client.nonce = exchange.now_ms
    kept = await raw(client, "privateGetV5OrderHistory", **linear)
    assert [row["orderId"] for row in kept["list"]] == [filled["id"]]


async def test_history_and_executions_answer_seven_days_at_once(client, exchange):
    await client.create_order(PERP, "market", "buy", 0.1)
    at(exchange, 8 * DAY_MS)
    client.nonce = exchange.now_ms
    linear = {"category": "linear", "symbol": "BTCUSDT"}
    for path in ("privateGetV5OrderHistory", "privateGetV5ExecutionList"):
        assert (await raw(client, path, **linear))["list"] == []
        start = exchange.now_ms() - 9 * DAY_MS
        assert len((await raw(client, path, **linear, startTime=start))["list"]) == 1
        with pytest.raises(ccxt.BadRequest, match="10001"):
            await raw(client, path, **linear, startTime=start, endTime=start + 7 * DAY_MS + 1)


async def test_executions_go_on_by_cursor_although_they_share_a_millisecond(client, exchange):
    at(exchange, 0)
    for _ in range(7):
        await client.create_order(PERP, "market", "buy", 0.1)
    linear = {"category": "linear", "symbol": "BTCUSDT", "limit": "3"}
    seen, cursor = [], {}
    for count in (3, 3, 1):
        page = await raw(client, "privateGetV5ExecutionList", **linear, **cursor)
        assert len(page["list"]) == count
        seen += [row["execId"] for row in page["list"]]
        cursor = {"cursor": page["nextPageCursor"]}
    assert cursor == {"cursor": ""}
    assert len(set(seen)) == 7


async def test_forced_executions_and_funding_are_kinds_of_their_own(client, exchange):
    await client.set_leverage(100, PERP)
    await client.create_order(PERP, "market", "buy", 1000)
    exchange.fund(PERP, Decimal("0.0001"))
    account = exchange.account(KEY)
    exchange.deleverage(account, PERP, PositionSide.NET, Decimal(1))
    exchange.set_price(PERP, Decimal(40_000))
    linear = {"category": "linear", "symbol": "BTCUSDT"}
    kinds = [row["execType"] for row in (await raw(client, "privateGetV5ExecutionList", **linear))["list"]]
    assert sorted(set(kinds)) == ["AdlTrade", "BustTrade", "Funding", "Trade"]
    trades = await client.fetch_my_trades(PERP)
    assert {trade["info"]["execType"] for trade in trades} == {"Trade"}


async def test_post_only_and_immediate_orders_end_by_themselves_with_a_reason(client):
    for terms, price, reason in (
        ({"timeInForce": "PostOnly"}, 70000, "EC_PostOnlyWillTakeLiquidity"),
        ({"timeInForce": "IOC"}, 50000, "EC_NoImmediateQtyToFill"),
        ({"timeInForce": "FOK"}, 50000, "EC_CancelForNoFullFill"),
    ):
        made = await client.create_order(PERP, "limit", "buy", 0.1, price, terms)
        found = await client.fetch_order(made["id"], PERP, {"acknowledged": True})
        assert (found["status"], found["info"]["rejectReason"]) == ("canceled", reason)


async def test_a_spot_stop_is_cancelled_as_one_until_it_has_triggered(client, exchange):
    made = await client.create_order(SPOT, "limit", "sell", 0.1, 54000, {"triggerPrice": 55000})
    account = exchange.account(KEY)
    assert account.purse("BTC").locked == 0
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(made["id"], SPOT)
    exchange.set_price(SPOT, Decimal(53_000))
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(made["id"], SPOT, {"trigger": True})
    (live,) = await client.fetch_open_orders(SPOT)
    assert live["id"] == made["id"]
    await client.cancel_order(made["id"], SPOT)


async def test_a_spot_market_order_by_cost_spends_that_cost(client, exchange):
    client.options["createMarketBuyOrderRequiresPrice"] = False
    await client.create_order(SPOT, "market", "buy", None, None, {"cost": 6000})
    (trade,) = await client.fetch_my_trades(SPOT)
    assert 5990 < trade["cost"] <= 6000
    assert trade["fee"]["currency"] == "BTC"


async def test_a_batch_tells_the_fate_of_each_row(client):
    made = await client.create_orders(
        [
            {"symbol": PERP, "type": "limit", "side": "buy", "amount": 0.1, "price": 50000},
            {"symbol": PERP, "type": "limit", "side": "buy", "amount": 100000, "price": 50000},
        ]
    )
    assert [one["status"] for one in made] == [None, "rejected"]
    assert len(await client.fetch_open_orders(PERP)) == 1


async def test_cancelling_all_leaves_spots_stops_unless_they_are_named(client):
    await client.create_order(SPOT, "limit", "buy", 0.1, 50000)
    await client.create_order(SPOT, "market", "sell", 0.1, None, {"triggerPrice": 55000})
    await client.cancel_all_orders(SPOT)
    assert len(await client.fetch_open_orders(SPOT, params={"trigger": True})) == 1
    await client.cancel_all_orders(SPOT, {"trigger": True})
    assert await client.fetch_open_orders(SPOT, params={"trigger": True}) == []


async def test_hedge_mode_has_two_legs(client):
    await client.set_position_mode(True, PERP)
    await client.create_order(PERP, "market", "buy", 0.2, None, {"positionIdx": 1})
    await client.create_order(PERP, "market", "sell", 0.1, None, {"positionIdx": 2})
    rows = (await raw(client, "privateGetV5PositionList", category="linear", symbol="BTCUSDT"))["list"]
    assert [(row["positionIdx"], row["side"], row["size"]) for row in rows] == [
        (1, "Buy", "0.200"),
        (2, "Sell", "0.100"),
    ]
    with pytest.raises(ccxt.BadRequest, match="position idx"):
        await client.create_order(PERP, "market", "buy", 0.1)
    await client.create_order(PERP, "market", "sell", 0.2, None, {"positionIdx": 1, "reduceOnly": True})
    assert [
        position["side"] for position in await client.fetch_positions([PERP]) if position["contracts"]
    ] == ["short"]


async def test_one_wallet_serves_both_markets(client, exchange):
    await client.create_order(PERP, "market", "buy", 1)
    await client.create_order(SPOT, "limit", "buy", 1, 50000)
    coin = (await raw(client, "privateGetV5AccountWalletBalance", accountType="UNIFIED"))["list"][0]["coin"][
        0
    ]
    assert coin["coin"] == "USDT"
    assert Decimal(coin["locked"]) == 50_000
    assert Decimal(coin["totalPositionIM"]) > 0
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(SPOT, "limit", "buy", 19, 50000)


REFUSALS = [
    (PERP, "market", 100_000, None, {}, ccxt.InsufficientFunds, "110007"),
    (SPOT, "limit", 100_000, 50_000, {}, ccxt.InsufficientFunds, "170131"),
    (PERP, "limit", 0.001, 50_000, {}, ccxt.InvalidOrder, "110094"),
    (SPOT, "limit", 0.00002, 50_000, {}, ccxt.InvalidOrder, "170140"),
    (PERP, "market", 0.1, None, {"reduceOnly": True}, ccxt.InvalidOrder, "110017"),
]


@pytest.mark.parametrize(("symbol", "kind", "quantity", "price", "terms", "error", "code"), REFUSALS)
async def test_refusals_have_the_venues_codes(
    client, exchange, symbol, kind, quantity, price, terms, error, code
):
    with pytest.raises(error, match=code):
        await client.create_order(symbol, kind, "buy", quantity, price, terms)
    assert not exchange.account(KEY).orders


async def test_who_asks_is_checked_by_key_time_and_signature(make_client, exchange):
    for changes, error, code in (
        ({"apiKey": "nobody"}, ccxt.AuthenticationError, "10003"),
        ({"secret": "wrong"}, ccxt.AuthenticationError, "10004"),
    ):
        with pytest.raises(error, match=code):
            await make_client(**changes).fetch_balance({"type": "unified", "accountType": "UNIFIED"})
    for difference_ms in (-2_000, 6_000):
        client = make_client()
        client.options["timeDifference"] = difference_ms
        with pytest.raises(ccxt.InvalidNonce, match="10002"):
            await client.privateGetV5AccountInfo()


async def test_a_key_may_only_do_what_it_was_given(make_client, exchange):
    permissions = KeyPermissions(True, True, False, False, True)
    exchange.open_account(KEY, SECRET, permissions=permissions)
    client = make_client()
    await client.load_markets()
    await client.create_order(SPOT, "limit", "buy", 0.1, 50000)
    with pytest.raises(ccxt.PermissionDenied, match="10005"):
        await client.create_order(PERP, "limit", "buy", 0.1, 50000)
    told = await raw(client, "privateGetV5UserQueryApi")
    assert (told["permissions"]["Spot"], told["permissions"]["ContractTrade"]) == (["SpotTrade"], [])
    assert exchange.account(KEY).open_orders
    assert {order.market_type for order in exchange.account(KEY).orders.values()} == {MarketType.SPOT}
