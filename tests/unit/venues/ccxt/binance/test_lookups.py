"""Look-ups against a venue with Binance's limits: windows, page sizes, and what it answers without times."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.clock import from_ms, to_ms
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance import lookups
from fillbook.venues.ccxt.binance.lookups import Lookups
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors

PERP, SPOT = "BTC/USDT:USDT", "BTC/USDT"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY_MS = 86_400_000
LONGEST_MS = {"userTrades": 7 * DAY_MS, "myTrades": DAY_MS, "allOrders": 7 * DAY_MS}


def fill(number, at_ms, order_id=1, quantity="1"):
    return {
        "symbol": "BTCUSDT", "id": number, "orderId": order_id, "side": "BUY", "price": "10", "qty": quantity,
        "commission": "0", "commissionAsset": "USDT", "time": at_ms, "maker": False, "isMaker": False,
        "isBuyer": True, "positionSide": "BOTH", "realizedPnl": "0",
    }  # fmt: skip


def order(number, at_ms, executed="0", **changes):
    row = {
        "symbol": "BTCUSDT", "orderId": number, "clientOrderId": f"fb{number}", "price": "10", "origQty": "9",
        "executedQty": executed, "cumQuote": "0", "status": "NEW", "timeInForce": "GTC", "type": "LIMIT",
        "origType": "LIMIT", "side": "BUY", "positionSide": "BOTH", "reduceOnly": False, "stopPrice": "0",
        "time": at_ms, "updateTime": at_ms,
    }  # fmt: skip
    return row | changes


class Venue:
    """A link whose venue holds some fills and orders and keeps Binance's rules on asking for them."""

    def __init__(self, fills=(), orders=(), algos=()):
        self.site = SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW))
        self.fills = sorted(fills, key=lambda row: row["id"])
        self.orders = list(orders)
        self.algos = list(algos)

    async def readable_id(self, symbol):
        return "BTCUSDT"

    async def read(self, endpoint, params=None):
        return self.answer(endpoint, params or {})

    async def try_read(self, endpoint, params=None):
        return self.answer(endpoint, params or {})

    def answer(self, endpoint, params):
        match endpoint.path:
            case "userTrades" | "myTrades":
                return self.page(self.fills, "id", "fromId", endpoint, params)
            case "allOrders":
                return self.page(self.orders, "orderId", "orderId", endpoint, params)
            case "allAlgoOrders":
                return self.algos
            case "order" | "algoOrder":
                rows = self.algos if endpoint.path == "algoOrder" else self.orders
                key = "algoId" if endpoint.path == "algoOrder" else "orderId"
                for row in rows:
                    if str(row[key]) == str(params.get(key)):
                        return row
                raise CallFailed(errors.OrderNotFound, "-2013", "Order does not exist.")
        raise AssertionError(endpoint)

    def page(self, rows, key, cursor, endpoint, params):
        start, end = params.get("startTime"), params.get("endTime")
        if start is not None:
            assert cursor not in params, "Binance refuses an id together with times"
            assert end - start <= LONGEST_MS[endpoint.path]
        elif cursor not in params and endpoint.pool == at.FUTURES:
            start, end = to_ms(NOW) - 7 * DAY_MS, to_ms(NOW)
        found = [
            row
            for row in rows
            if (start is None or start <= row["time"] <= end)
            and (cursor not in params or row[key] >= params[cursor])
            and (key == "orderId" or "orderId" not in params or row["orderId"] == int(params["orderId"]))
        ]
        return found[: params["limit"]]


async def all_fills(venue, symbol, since, from_id=None):
    found, cursor = [], since
    for _ in range(500):
        page = await Lookups(venue).fills_since(symbol, cursor, from_id)
        found += page.fills
        if page.complete:
            return found
        cursor, from_id = page.next_since or cursor, page.next_from_id
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("symbol", [SPOT, PERP])
@given(
    steps=st.lists(st.one_of(st.integers(0, 2), st.integers(0, 3 * DAY_MS)), min_size=1, max_size=60),
    twins=st.sets(st.integers(0, 60)),
)
async def test_no_fill_is_lost_at_any_page_or_window_edge(symbol, steps, twins):
    now_ms, at_ms, rows = to_ms(NOW), to_ms(NOW - timedelta(days=180)), []
    for number, step in enumerate(steps):
        at_ms = min(at_ms + step, now_ms)
        rows.append(fill(number + 1, at_ms))
        if number in twins:  # a self-trade: two orders, one trade id
            rows.append(fill(number + 1, at_ms, order_id=2))
    page, lookups.PAGE = lookups.PAGE, 4
    try:
        found = await all_fills(Venue(rows), symbol, from_ms(rows[0]["time"]))
    finally:
        lookups.PAGE = page
    wanted = {(str(row["id"]), str(row["orderId"])) for row in rows}
    assert {(each.venue_fill_id, each.exchange_order_id) for each in found} == wanted


async def test_the_fills_of_an_order_older_than_seven_days_are_found_on_futures():
    old_ms = to_ms(NOW - timedelta(days=40))
    venue = Venue(
        [
            fill(1, old_ms, quantity="2"),
            fill(2, old_ms + 10 * DAY_MS, quantity="3"),
            fill(3, old_ms, order_id=2),
        ],
        [order(1, old_ms, executed="5", status="FILLED")],
    )
    page = await Lookups(venue).fills_of_order(PERP, "1")
    assert page.complete
    assert [each.venue_fill_id for each in page.fills] == ["1", "2"]
    assert {each.client_order_id for each in page.fills} == {"fb1"}


async def test_fills_that_do_not_add_up_to_the_order_are_not_complete():
    now_ms = to_ms(NOW) - 1000
    venue = Venue([fill(1, now_ms, quantity="2")], [order(1, now_ms, executed="5")])
    page = await Lookups(venue).fills_of_order(PERP, "1")
    assert not page.complete
    assert sum(each.quantity for each in page.fills) == 2


async def test_fills_of_an_order_that_the_venue_does_not_show_prove_nothing():
    page = await Lookups(Venue([fill(1, to_ms(NOW) - 1000)])).fills_of_order(PERP, "1")
    assert len(page.fills) == 1
    assert not page.complete


async def test_orders_of_many_windows_and_pages_are_all_read(monkeypatch):
    monkeypatch.setattr(lookups, "PAGE", 3)
    since = NOW - timedelta(days=20)
    orders = [order(number, to_ms(since) + number * 6 * 3_600_000) for number in range(1, 60)]
    found = await Lookups(Venue(orders=orders)).orders_since(PERP, since, Book.NORMAL)
    assert [report.exchange_order_id for report in found] == [str(row["orderId"]) for row in orders]


async def test_orders_from_too_long_ago_are_refused_rather_than_read_for_hours():
    with pytest.raises(ReadFailed, match="too long ago"):
        await Lookups(Venue()).orders_since(PERP, NOW - timedelta(days=2000), Book.NORMAL)


async def test_spot_orders_from_long_ago_are_read_by_number_rather_than_day_by_day(monkeypatch):
    monkeypatch.setattr(lookups, "PAGE", 3)
    since = NOW - timedelta(days=2000)
    orders = [order(number, to_ms(since) + (number - 2) * 100 * DAY_MS) for number in range(1, 12)]
    found = await Lookups(Venue(orders=orders)).orders_since(SPOT, since, Book.NORMAL)
    assert [report.exchange_order_id for report in found] == [str(number) for number in range(2, 12)]


ALGO = {
    "algoId": 70, "clientAlgoId": "fbstop", "orderType": "STOP_MARKET", "symbol": "BTCUSDT", "side": "BUY",
    "positionSide": "BOTH", "quantity": "9", "algoStatus": "FINISHED", "actualOrderId": "7", "triggerPrice": "11",
    "createTime": 1, "updateTime": 2,
}  # fmt: skip


async def test_a_finished_conditional_order_is_what_its_order_became():
    ref = OrderRef(PERP, "fbstop", "70", Book.CONDITIONAL)
    venue = Venue(orders=[order(7, to_ms(NOW) - 1000, executed="9", status="FILLED")], algos=[ALGO])
    report = await Lookups(venue).find_order(ref)
    assert (report.status, report.filled_quantity, report.triggered_order_id) == ("FILLED", Decimal(9), "7")
    (listed,) = await Lookups(venue).orders_since(PERP, NOW - timedelta(days=1), Book.CONDITIONAL)
    assert (listed.status, listed.filled_quantity) == (report.status, report.filled_quantity)


async def test_a_triggered_order_whose_order_is_not_shown_yet_is_unreadable_not_ended():
    with pytest.raises(ReadFailed):
        await Lookups(Venue(algos=[ALGO])).find_order(OrderRef(PERP, "fbstop", "70", Book.CONDITIONAL))
