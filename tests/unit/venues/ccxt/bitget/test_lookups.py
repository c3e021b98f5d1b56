"""Look-ups against a venue with Bitget's rules: windows, ids to page below, and what it forgets."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fillbook.kernel.clock import to_ms
from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef, OrderStatus
from fillbook.venues.ccxt.bitget import endpoints as at
from fillbook.venues.ccxt.bitget import pages
from support.bitget import (
    DAY_MS,
    failed,
    mix_fill,
    mix_order,
    mix_plan,
    paged,
    spot_fill,
    spot_order,
    spot_plan,
)

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"


def holding_fills(link, spot=(), futures=()):
    def of_order(rows, params):
        return [row for row in rows if params.get("orderId") in (None, row["orderId"])]

    def mix_fills(params):
        found = paged(of_order(futures, params), "tradeId", params, 7)
        return found if isinstance(found, Exception) else {"fillList": found or None}

    link.answers["spot/trade/fills"] = lambda params: paged(of_order(spot, params), "tradeId", params, 90)
    link.answers["mix/order/fills"] = mix_fills


async def read_all(subject, symbol, since):
    found = {}
    for _ in range(100):
        page = await subject.fills_since(symbol, since)
        found |= {fill.venue_fill_id: fill for fill in page.fills}
        if page.complete:
            return found
        assert page.next_since > since
        since = page.next_since
    raise AssertionError("it does not end")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 20 * DAY_MS), min_size=1, max_size=60), st.integers(2, 7))
async def test_every_fill_of_three_weeks_is_read_however_they_lie(venue, link, clock, ages_ms, page):
    now_ms = to_ms(clock.now())
    times = sorted(now_ms - age // 1000 * 1000 for age in ages_ms)
    rows = [mix_fill(number, at_ms) for number, at_ms in enumerate(times, 1)]
    holding_fills(link, futures=rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PAGE", page)
        found = await read_all(venue, PERP, clock.now() - timedelta(days=21))
    assert found.keys() == {row["tradeId"] for row in rows}


@pytest.mark.parametrize(("symbol", "days"), [(SPOT, 300), (PERP, 40)])
async def test_no_window_is_wider_than_its_market_allows(venue, link, clock, symbol, days):
    then = to_ms(clock.now()) - days * DAY_MS
    holding_fills(link, [spot_fill(1, then)], [mix_fill(1, then)])
    assert (await read_all(venue, symbol, clock.now() - timedelta(days=days))).keys() == {"1"}


async def test_both_fills_of_a_self_trade_are_read_wherever_a_page_ends(venue, link, clock, monkeypatch):
    now_ms = to_ms(clock.now())
    rows = [mix_fill(number, now_ms, orderId=order) for number in (1, 2, 3) for order in ("1", "2")]
    holding_fills(link, futures=rows)
    for page in (3, 4, 5):
        monkeypatch.setattr(pages, "PAGE", page)
        fills = (await venue.fills_since(PERP, clock.now() - timedelta(days=1))).fills
        keys = {(fill.exchange_order_id, fill.venue_fill_id) for fill in fills}
        assert len(keys) == len(fills) == 6


async def test_a_page_that_comes_again_and_again_is_a_failed_read_and_not_an_end(link, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    link.answers["mix/order/fills"] = {"fillList": [mix_fill(1), mix_fill(2)]}
    with pytest.raises(ReadFailed, match="again and again"):
        await pages.read_all(link, at.MIX_FILLS, {}, "tradeId")


async def test_too_many_rows_are_a_failed_read_and_not_a_gap(link, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 1)
    monkeypatch.setattr(pages, "MOST_REQUESTS", 3)
    rows = [mix_fill(number) for number in range(1, 9)]

    def one(params):
        below = int(params.get("idLessThan", 99))
        return {"fillList": [row for row in rows if int(row["tradeId"]) < below - 1][-1:]}

    link.answers["mix/order/fills"] = one
    with pytest.raises(ReadFailed, match="too many"):
        await pages.read_all(link, at.MIX_FILLS, {}, "tradeId")


@pytest.mark.parametrize("body", [{}, {"other": []}, "text", [{"tradeId": "x"}], [{}]])
async def test_a_page_of_another_shape_is_a_failed_read(link, body):
    link.answers["mix/order/fills"] = body
    with pytest.raises(ReadFailed):
        await pages.read_all(link, at.MIX_FILLS, {}, "tradeId")


@pytest.mark.parametrize(("filled", "complete"), [("2", True), ("3", False)])
async def test_an_orders_fills_are_complete_when_they_add_up_to_its_record(
    venue, link, clock, filled, complete
):
    now_ms = to_ms(clock.now())
    link.answers["mix/order/detail"] = mix_order(1, now_ms, filled=filled)
    rows = [mix_fill(1, now_ms), mix_fill(2, now_ms), mix_fill(3, now_ms, orderId="2")]
    holding_fills(link, futures=rows)
    page = await venue.fills_of_order(PERP, "1")
    assert (page.complete, len(page.fills)) == (complete, 2)
    assert {fill.client_order_id for fill in page.fills} == {"fb1"}


async def test_fills_older_than_what_comes_without_times_are_asked_for_by_window(venue, link, clock):
    began = to_ms(clock.now()) - 30 * DAY_MS
    link.answers["mix/order/detail"] = mix_order(1, began, filled="2")
    rows = [mix_fill(1, began), mix_fill(2, began + 20 * DAY_MS)]
    holding_fills(link, futures=rows)
    by_window = link.answers["mix/order/fills"]
    link.answers["mix/order/fills"] = lambda params: by_window(params) if "startTime" in params else []
    page = await venue.fills_of_order(PERP, "1")
    assert (page.complete, len(page.fills)) == (True, 2)


async def test_fills_without_a_record_of_their_order_are_never_complete(venue, link):
    link.answers["spot/trade/orderInfo"] = []
    holding_fills(link, spot=[spot_fill(1)])
    assert (await venue.fills_of_order(SPOT, "1")).complete is False


@pytest.mark.parametrize("answer", [failed("40109"), failed("40768"), failed("43001"), []])
async def test_an_order_that_bitget_does_not_know_is_not_found(venue, link, answer):
    link.answers["mix/order/detail"] = link.answers["spot/trade/orderInfo"] = answer
    for symbol in (SPOT, PERP):
        assert await venue.find_order(OrderRef(symbol, "fb1", "1", Book.NORMAL)) is None


@pytest.mark.parametrize("answer", [failed("40725"), failed("40015"), "text", 7, [{}], {"orderId": "1"}])
async def test_anything_else_proves_nothing(venue, link, answer):
    link.answers["mix/order/detail"] = link.answers["spot/trade/orderInfo"] = answer
    for symbol in (SPOT, PERP):
        with pytest.raises(ReadFailed):
            await venue.find_order(OrderRef(symbol, "fb1", "1", Book.NORMAL))


@pytest.mark.parametrize("where", ["unfilled-orders", "history-orders"])
async def test_a_spot_order_older_than_two_hours_is_found_by_its_client_id(venue, link, monkeypatch, where):
    monkeypatch.setattr(pages, "PAGE", 3)
    rows = [spot_order(number) for number in range(1, 12)]
    link.answers[f"spot/trade/{where}"] = lambda params: paged(rows, "orderId", params)
    found = await venue.find_order(OrderRef(SPOT, "fb2", None, Book.NORMAL))
    assert found.exchange_order_id == "2"
    assert await venue.find_order(OrderRef(SPOT, "fbother", None, Book.NORMAL)) is None


async def test_a_spot_order_is_not_missing_while_a_page_cannot_be_read(venue, link):
    link.answers["spot/trade/history-orders"] = failed("40725")
    with pytest.raises(ReadFailed):
        await venue.find_order(OrderRef(SPOT, "fb1", None, Book.NORMAL))


TRIGGERED = {
    SPOT: {
        "spot/trade/history-plan-order": {"orderList": [spot_plan(1, status="executed")]},
        "spot/trade/current-plan-order": {"orderList": []},
        "spot/trade/plan-sub-order": [{"orderId": "5"}],
        "spot/trade/orderInfo": [spot_order(5, filled="9", quoteVolume="90", status="filled")],
        "spot/trade/history-orders": [spot_order(5, filled="9", quoteVolume="90", status="filled")],
    },
    PERP: {
        "mix/order/orders-plan-history": {"entrustedList": [mix_plan(1, planStatus="executed")]},
        "mix/order/orders-plan-pending": {"entrustedList": None},
        "mix/order/plan-sub-order": [{"orderId": "5"}],
        "mix/order/detail": mix_order(5, filled="9", quoteVolume="90", status="filled"),
        "mix/order/orders-pending": {"entrustedList": None},
        "mix/order/orders-history": {
            "entrustedList": [mix_order(5, filled="9", quoteVolume="90", status="filled")]
        },
    },
}


@pytest.mark.parametrize("symbol", [SPOT, PERP])
@pytest.mark.parametrize("order_id", ["1", None])
async def test_a_triggered_plan_shares_the_fate_of_what_its_trigger_made(venue, link, symbol, order_id):
    link.answers |= TRIGGERED[symbol]
    found = await venue.find_order(OrderRef(symbol, "fb1", order_id, Book.CONDITIONAL))
    assert (found.exchange_order_id, found.triggered_order_id) == ("1", "5")
    assert (found.status, found.filled_quantity, found.cost) == (OrderStatus.FILLED, 9, 90)
    assert (found.book, found.stop_price) == (Book.CONDITIONAL, 11)


@pytest.mark.parametrize(
    ("symbol", "missing"),
    [
        (SPOT, "spot/trade/plan-sub-order"),
        (SPOT, "spot/trade/orderInfo"),
        (PERP, "mix/order/plan-sub-order"),
        (PERP, "mix/order/detail"),
    ],
)
async def test_a_triggered_plan_whose_order_is_not_shown_yet_is_a_failed_read(venue, link, symbol, missing):
    link.answers |= TRIGGERED[symbol] | {missing: []}
    with pytest.raises(ReadFailed, match="does not show"):
        await venue.find_order(OrderRef(symbol, "fb1", "1", Book.CONDITIONAL))


@pytest.mark.parametrize("symbol", [SPOT, PERP])
async def test_orders_since_a_time_show_what_came_of_a_trigger_or_leave_it_for_later(
    venue, link, clock, symbol
):
    link.answers |= TRIGGERED[symbol]
    since = clock.now() - timedelta(days=1)
    (plan,) = await venue.orders_since(symbol, since, Book.CONDITIONAL)
    assert (plan.status, plan.triggered_order_id) == (OrderStatus.FILLED, "5")
    link.answers["spot/trade/plan-sub-order"] = link.answers["mix/order/plan-sub-order"] = []
    assert list(await venue.orders_since(symbol, since, Book.CONDITIONAL)) == []


async def test_a_stop_that_is_nowhere_is_not_found(venue, link):
    for path in ("orders-plan-pending", "orders-plan-history"):
        link.answers[f"mix/order/{path}"] = {"entrustedList": None}
    assert await venue.find_order(OrderRef(PERP, "fb1", None, Book.CONDITIONAL)) is None
    asked = {params["planType"] for _, params in link.asked}
    assert asked == {"normal_plan"}


async def test_an_order_that_ends_between_two_pages_reads_as_ended(venue, link, clock):
    now_ms = to_ms(clock.now())
    link.answers["mix/order/orders-pending"] = {"entrustedList": [mix_order(1, now_ms)]}
    link.answers["mix/order/orders-history"] = {
        "entrustedList": [mix_order(1, now_ms, filled="9", status="filled")]
    }
    (order,) = await venue.orders_since(PERP, clock.now() - timedelta(days=1), Book.NORMAL)
    assert order.status is OrderStatus.FILLED


async def test_open_orders_are_those_of_every_symbol(venue, link):
    rows = [mix_order(1), mix_order(2, symbol="ETHUSDT")]
    link.answers["mix/order/orders-pending"] = {"entrustedList": rows}
    found = await venue.open_orders(MarketType.FUTURES, Book.NORMAL)
    assert {order.symbol for order in found} == {PERP, "ETH/USDT:USDT"}
