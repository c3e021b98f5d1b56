"""Look-ups against a venue with Bybit's rules: windows, cursors, and what it forgets."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fillbook.accounts.core import PositionSide
from fillbook.kernel.clock import to_ms
from fillbook.ledger.core.fill import FillKind
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef, OrderStatus
from fillbook.venues.ccxt.bybit import lookups
from fillbook.venues.ccxt.bybit.lookups import Lookups
from support.bybit import DAY_MS, execution, failed, order, paged

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
NET_ROWS = {"list": [{"positionIdx": 0, "leverage": "10"}]}
HEDGE_ROWS = {"list": [{"positionIdx": 1, "leverage": "10"}, {"positionIdx": 2, "leverage": "10"}]}


def holding(link, fills=(), ended=(), live=()):
    """Let the venue hold executions, ended orders and live ones (which `realtime` finds by name too)."""
    now_ms = to_ms(link.site.clock.now())

    def named(rows, params):
        for key in ("orderId", "orderLinkId"):
            if params.get(key):
                return [row for row in rows if row[key] == params[key]]
        return list(rows)

    def realtime(params):
        return {"list": [] if params.get("openOnly") else named(live, params)}

    link.answers |= {
        "position/list": NET_ROWS,
        "order/realtime": realtime,
        "order/history": lambda params: paged(named(ended, params), "createdTime", params, now_ms),
        "execution/list": lambda params: paged(named(fills, params), "execTime", params, now_ms),
    }
    return Lookups(link)


async def read_all(subject, symbol, since):
    found, from_id = {}, None
    for _ in range(100):
        page = await subject.fills_since(symbol, since, from_id)
        found |= {fill.venue_fill_id: fill for fill in page.fills}
        if page.complete:
            return found
        assert page.next_since > since
        since = page.next_since
    raise AssertionError("it does not end")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 20 * DAY_MS), min_size=1, max_size=60), st.integers(1, 7))
async def test_every_fill_of_three_weeks_is_read_however_they_lie(link, clock, monkeypatch, ages_ms, page):
    monkeypatch.setattr(lookups, "PAGE", page)
    now_ms = to_ms(clock.now())
    fills = [execution(number, now_ms - age // 1000 * 1000) for number, age in enumerate(ages_ms)]
    subject = holding(link, fills)
    found = await read_all(subject, PERP, clock.now() - timedelta(days=21))
    assert found.keys() == {row["execId"] for row in fills}


async def test_a_window_that_holds_too_much_is_read_in_narrower_ones(link, clock, monkeypatch):
    monkeypatch.setattr(lookups, "PAGE", 1)
    monkeypatch.setattr(lookups, "_PAGES_OF_A_WINDOW", 4)
    now_ms = to_ms(clock.now())
    fills = [execution(number, now_ms - number * 3_600_000) for number in range(48)]
    found = await read_all(holding(link, fills), PERP, clock.now() - timedelta(days=2))
    assert len(found) == 48


async def test_fills_that_no_window_can_hold_are_a_failed_read_and_not_a_gap(link, clock, monkeypatch):
    monkeypatch.setattr(lookups, "PAGE", 1)
    monkeypatch.setattr(lookups, "_PAGES_OF_A_WINDOW", 2)
    now_ms = to_ms(clock.now())
    subject = holding(link, [execution(number, now_ms - 100) for number in range(3)])
    with pytest.raises(ReadFailed, match="too many"):
        await subject.fills_since(PERP, clock.now() - timedelta(milliseconds=200))


async def test_a_page_that_names_itself_as_the_next_one_fails_instead_of_going_on_for_ever(link, clock):
    subject = holding(link)
    same = {"list": [execution(1, to_ms(clock.now()))], "nextPageCursor": "again"}
    link.answers["execution/list"] = same
    with pytest.raises(ReadFailed, match="same next page"):
        await subject.fills_since(PERP, clock.now() - timedelta(hours=1))


async def test_forced_executions_are_fills_of_their_kind_and_funding_is_none(link, clock):
    now_ms = to_ms(clock.now())
    kinds = ["Trade", "BustTrade", "AdlTrade", "Funding", "Delivery", "BlockTrade"]
    fills = [execution(number, now_ms - 1000 + number, execType=kind) for number, kind in enumerate(kinds)]
    page = await holding(link, fills).fills_since(PERP, clock.now() - timedelta(hours=1))
    assert [fill.kind for fill in page.fills] == [
        FillKind.TRADE,
        FillKind.LIQUIDATION,
        FillKind.ADL,
        FillKind.SETTLEMENT,
        FillKind.TRADE,
    ]
    assert all("execType" not in params for params in link.asked_for("execution/list"))


@pytest.mark.parametrize(
    ("side", "closed", "kind", "leg"),
    [
        ("Buy", "0", "Trade", PositionSide.LONG),
        ("Sell", "0", "Trade", PositionSide.SHORT),
        ("Sell", "1", "Trade", PositionSide.LONG),
        ("Buy", "1", "Trade", PositionSide.SHORT),
        ("Sell", "", "BustTrade", PositionSide.LONG),
        ("Buy", "", "AdlTrade", PositionSide.SHORT),
    ],
)
async def test_in_hedge_mode_a_fill_is_of_the_leg_that_it_opens_or_closes(
    link, clock, side, closed, kind, leg
):
    row = execution(1, to_ms(clock.now()) - 1000, side=side, closedSize=closed, execType=kind)
    subject = holding(link, [row])
    link.answers["position/list"] = HEDGE_ROWS
    page = await subject.fills_since(PERP, clock.now() - timedelta(hours=1))
    assert [fill.position_side for fill in page.fills] == [leg]


async def test_the_position_mode_is_asked_for_once_and_learned_from_orders(link, clock):
    row = execution(1, to_ms(clock.now()) - 1000)
    subject = holding(link, [row], live=[order(1, to_ms(clock.now()), positionIdx=1)])
    await subject.fills_since(PERP, clock.now() - timedelta(hours=1))
    await subject.fills_since(PERP, clock.now() - timedelta(hours=1))
    assert len(link.asked_for("position/list")) == 1
    await subject.find_order(OrderRef(PERP, "fb1", None, Book.NORMAL))
    page = await subject.fills_since(PERP, clock.now() - timedelta(hours=1))
    assert [fill.position_side for fill in page.fills] == [PositionSide.LONG]


async def test_spot_fills_ask_for_no_position_mode_and_know_what_their_fee_is_paid_in(link, clock):
    now_ms = to_ms(clock.now())
    fills = [
        execution(1, now_ms - 3, side="Buy"),
        execution(2, now_ms - 2, side="Sell"),
        execution(3, now_ms - 1, side="Buy", isMaker=True, execFee="-0.1"),
        execution(4, now_ms, side="Sell", feeCurrency="BNB"),
    ]
    page = await holding(link, fills).fills_since(SPOT, clock.now() - timedelta(hours=1))
    assert [fill.fee_asset for fill in page.fills] == ["BTC", "USDT", "USDT", "BNB"]
    assert link.asked_for("position/list") == []


# Orders


async def test_an_order_is_looked_for_among_the_live_ones_then_in_history(link, clock):
    now_ms = to_ms(clock.now())
    ended = order(2, now_ms, "9", orderStatus="Filled")
    subject = holding(link, live=[order(1, now_ms)], ended=[ended])
    live = await subject.find_order(OrderRef(PERP, "fb1", None, Book.NORMAL))
    assert (live.exchange_order_id, live.status) == ("o1", OrderStatus.NEW)
    assert link.asked_for("order/history") == []
    found = await subject.find_order(OrderRef(PERP, "fb2", None, Book.NORMAL))
    assert (found.exchange_order_id, found.status) == ("o2", OrderStatus.FILLED)
    for _, params in link.asked:
        assert "clientOrderId" not in params
        assert ("orderLinkId" in params) is ("orderId" not in params)


async def test_an_order_that_was_known_is_looked_for_beyond_the_latest_week(link, clock):
    old = order(3, to_ms(clock.now()) - 40 * DAY_MS, "9", orderStatus="Filled")
    subject = holding(link, ended=[old])
    assert (await subject.find_order(OrderRef(PERP, "fb3", "o3", Book.NORMAL))).exchange_order_id == "o3"
    assert await subject.find_order(OrderRef(PERP, "fb3", None, Book.NORMAL)) is None


async def test_an_answer_about_another_order_is_no_answer(link, clock):
    subject = holding(link)
    link.answers["order/realtime"] = {"list": [order(7, to_ms(clock.now()))]}
    assert await subject.find_live_order(OrderRef(PERP, "fb1", None, Book.NORMAL)) is None
    assert await subject.find_live_order(OrderRef(PERP, "", "o1", Book.NORMAL)) is None


@pytest.mark.parametrize("path", ["order/realtime", "order/history"])
async def test_a_look_up_that_failed_says_so(link, clock, path):
    subject = holding(link)
    link.answers[path] = failed("10016")
    with pytest.raises(ReadFailed):
        await subject.find_order(OrderRef(PERP, "fb1", None, Book.NORMAL))


async def test_orders_since_are_ended_latest_and_live_ones_with_the_newest_word_on_each(link, clock):
    now_ms = to_ms(clock.now())
    was = order(1, now_ms - 5000)
    now = order(1, now_ms - 5000, "9", orderStatus="Filled", updatedTime=str(now_ms))
    too_old = order(2, now_ms - 9 * DAY_MS)
    subject = holding(link, ended=[now], live=[was, too_old])
    found = await subject.orders_since(PERP, clock.now() - timedelta(days=1), Book.NORMAL)
    assert [(report.exchange_order_id, report.status) for report in found] == [("o1", OrderStatus.FILLED)]


async def test_the_fills_of_an_order_are_read_from_its_first_day_until_they_add_up(link, clock):
    now_ms = to_ms(clock.now())
    born_ms = now_ms - 20 * DAY_MS
    fills = [execution(1, born_ms + 1000, "4"), execution(2, now_ms - 1000, "5")]
    subject = holding(link, fills, ended=[order(1, born_ms, "9", orderStatus="Filled")])
    page = await subject.fills_of_order(PERP, "o1")
    assert page.complete
    assert sum(fill.quantity for fill in page.fills) == 9
    lacking = holding(link, fills[:1], ended=[order(1, born_ms, "9", orderStatus="Filled")])
    assert not (await lacking.fills_of_order(PERP, "o1")).complete


async def test_the_fills_of_an_order_without_a_record_are_never_complete(link, clock):
    subject = holding(link, [execution(1, to_ms(clock.now()) - 1000, orderId="gone")])
    page = await subject.fills_of_order(PERP, "gone")
    assert (len(page.fills), page.complete) == (1, False)
    assert page.fills[0].quantity == Decimal(1)
