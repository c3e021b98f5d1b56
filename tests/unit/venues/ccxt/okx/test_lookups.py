"""Look-ups against a venue with OKX's manners: newest first, a bounded page, what it forgets after two hours."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.clock import from_ms, to_ms
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef, OrderStatus
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.okx import link as okx_link
from fillbook.venues.ccxt.okx import lookups
from fillbook.venues.ccxt.okx.link import OkxLink
from fillbook.venues.ccxt.okx.lookups import Lookups

PERP = "BTC/USDT:USDT"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOW_MS = to_ms(NOW)
HOUR_MS = 3_600_000


def fill(number, at_ms, order_id="1", size="1", trade_id=None):
    return {
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "tradeId": trade_id or str(number), "ordId": order_id,
        "clOrdId": "", "billId": str(number), "subType": "1", "fillPx": "10", "fillSz": size, "side": "buy",
        "posSide": "net", "execType": "T", "feeCcy": "USDT", "fee": "0", "ts": str(at_ms), "fillTime": str(at_ms),
    }  # fmt: skip


def order(number, at_ms, **changes):
    row = {
        "instId": "BTC-USDT-SWAP", "instType": "SWAP", "ordId": str(number), "clOrdId": f"fb{number}", "algoId": "",
        "algoClOrdId": "", "ordType": "limit", "side": "buy", "posSide": "net", "px": "10", "sz": "9",
        "accFillSz": "0", "state": "live", "reduceOnly": "false", "category": "normal", "cancelSource": "",
        "tgtCcy": "", "cTime": str(at_ms), "uTime": str(at_ms),
    }  # fmt: skip
    return row | changes


def algo(number, at_ms, **changes):
    row = {
        "algoId": str(number), "algoClOrdId": f"fb{number}", "ordId": "", "instId": "BTC-USDT-SWAP",
        "instType": "SWAP", "ordType": "conditional", "state": "live", "side": "sell", "posSide": "net", "sz": "9",
        "slTriggerPx": "9", "slOrdPx": "-1", "reduceOnly": "true", "triggerTime": "", "cTime": str(at_ms),
        "uTime": str(at_ms),
    }  # fmt: skip
    return row | changes


class Venue(OkxLink):
    """A link whose venue holds some fills and orders and keeps OKX's rules on asking for them."""

    def __init__(self, listing, fills=(), orders=(), algos=()):
        self.site = SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW))
        self._listing = listing
        self.fills, self.orders, self.algos = list(fills), list(orders), list(algos)
        self.asked = []

    async def listing(self, symbol):
        return self._listing

    async def try_read(self, endpoint, params=None):
        return await self.read(endpoint, params)

    async def read(self, endpoint, params=None):
        params = dict(params or {})
        self.asked.append((endpoint.path, params))
        return {"code": "0", "msg": "", "data": self.rows_at(endpoint.path, params)}

    def rows_at(self, path, params):
        match path:
            case "trade/order" | "trade/order-algo":
                return [self.one(path, params)]
            case "trade/fills":
                kept = [row for row in self.fills if int(row["ts"]) >= NOW_MS - 72 * HOUR_MS]
                return self.page(kept, "billId", "ts", params)
            case "trade/fills-history":
                return self.page(self.fills, "billId", "ts", params)
            case "trade/orders-pending":
                return self.page(
                    [row for row in self.orders if row["state"] == "live"], "ordId", "cTime", params
                )
            case "trade/orders-history" | "trade/orders-history-archive":
                days = 90 if path.endswith("archive") else 7
                kept = [row for row in self.orders if int(row["cTime"]) >= NOW_MS - days * 24 * HOUR_MS]
                return self.page([row for row in kept if row["state"] != "live"], "ordId", "cTime", params)
            case "trade/orders-algo-pending" | "trade/orders-algo-history":
                wanted = params.get("state", "live")
                kinds = params["ordType"].split(",")
                kept = [row for row in self.algos if row["state"] == wanted and row["ordType"] in kinds]
                return self.page(kept, "algoId", "cTime", params)
        raise AssertionError(path)

    def one(self, path, params):
        rows, keys = (self.orders, ("ordId", "clOrdId"))
        if path.endswith("algo"):
            rows, keys = (self.algos, ("algoId", "algoClOrdId"))
        for row in rows:
            if any(params.get(key) == row[key] for key in keys):
                return row
        raise CallFailed(errors.OrderNotFound, "51603", "Order does not exist")

    def page(self, rows, key, time_key, params):
        assert int(params["limit"]) <= 100
        found = [
            row
            for row in rows
            if int(row[key]) < int(params.get("after", 2**63))
            and int(params.get("begin", 0)) < int(row[time_key]) < int(params.get("end", 2**63))
            and params.get("ordId") in (None, row.get("ordId"))
        ]
        return sorted(found, key=lambda row: -int(row[key]))[: int(params["limit"])]


@pytest.fixture
def venue(listing):
    return lambda **held: Venue(listing(PERP), **held)


async def all_fills(venue, since):
    found, cursor = [], since
    for _ in range(500):
        page = await Lookups(venue).fills_since(PERP, cursor)
        found += page.fills
        if page.complete:
            return found
        assert page.next_since > cursor
        cursor = page.next_since
    raise AssertionError("the pages never end")


@given(
    steps=st.lists(st.one_of(st.integers(0, 2), st.integers(0, 50 * HOUR_MS)), min_size=1, max_size=60),
    twins=st.sets(st.integers(0, 60)),
    most=st.integers(1, 3),
)
async def test_no_fill_is_lost_at_any_page_or_window_edge(steps, twins, most):
    at_ms, rows = NOW_MS - 80 * 24 * HOUR_MS, []
    for number, step in enumerate(steps):
        at_ms = min(at_ms + step, NOW_MS)
        rows.append(fill(2 * number + 1, at_ms))
        if number in twins:  # a self-trade: two orders, one trade id, two bills
            rows.append(fill(2 * number + 2, at_ms, order_id="2", trade_id=str(2 * number + 1)))
    crowded = max(sum(1 for row in rows if row["ts"] == one["ts"]) for one in rows)
    listing = SimpleNamespace(venue_id="BTC-USDT-SWAP", instrument=_instrument())
    page, pages = okx_link.PAGE, lookups.MOST_PAGES_AT_ONCE
    okx_link.PAGE, lookups.MOST_PAGES_AT_ONCE = 4, max(most, crowded)
    try:
        found = await all_fills(Venue(listing, fills=rows), from_ms(int(rows[0]["ts"])))
    finally:
        okx_link.PAGE, lookups.MOST_PAGES_AT_ONCE = page, pages
    wanted = {(row["tradeId"], row["ordId"]) for row in rows}
    assert {(one.venue_fill_id, one.exchange_order_id) for one in found} == wanted


def _instrument():
    return SimpleNamespace(
        symbol=PERP,
        market_type=lookups.market_type_of(PERP),
        contract_size=Decimal("0.01"),
        lot=Decimal("0.01"),
    )


async def test_fills_are_oldest_first_and_recent_ones_come_from_the_cheaper_page(venue):
    held = venue(fills=[fill(2, NOW_MS - 1000), fill(1, NOW_MS - 2000)])
    page = await Lookups(held).fills_since(PERP, NOW - timedelta(minutes=5))
    assert [one.venue_fill_id for one in page.fills] == ["1", "2"]
    assert page.complete
    assert {path for path, _ in held.asked} == {"trade/fills"}


async def test_older_fills_come_from_the_history(venue):
    held = venue(fills=[fill(1, NOW_MS - 80 * 24 * HOUR_MS)])
    page = await Lookups(held).fills_since(PERP, NOW - timedelta(days=85))
    assert len(page.fills) == 1
    assert {path for path, _ in held.asked} == {"trade/fills-history"}


async def test_more_fills_in_one_moment_than_can_be_read_is_an_error_never_a_gap(venue, monkeypatch):
    monkeypatch.setattr(okx_link, "PAGE", 2)
    monkeypatch.setattr(lookups, "MOST_PAGES_AT_ONCE", 2)
    held = venue(fills=[fill(number, NOW_MS - 1000) for number in range(1, 30)])
    with pytest.raises(ReadFailed, match="one moment"):
        await all_fills(held, NOW - timedelta(minutes=5))


@pytest.mark.parametrize(("filled", "complete"), [("3", True), ("4", False)])
async def test_the_fills_of_an_order_are_complete_when_they_add_up_to_its_record(venue, filled, complete):
    held = venue(
        fills=[fill(1, NOW_MS, size="1"), fill(2, NOW_MS, size="2"), fill(3, NOW_MS, order_id="9")],
        orders=[order(1, NOW_MS, accFillSz=filled, state="filled")],
    )
    page = await Lookups(held).fills_of_order(PERP, "1")
    assert page.complete is complete
    assert [one.venue_fill_id for one in page.fills] == ["1", "2"]
    assert {one.client_order_id for one in page.fills} == {"fb1"}


async def test_fills_of_an_order_without_a_record_are_not_complete(venue):
    page = await Lookups(venue(fills=[fill(1, NOW_MS)])).fills_of_order(PERP, "1")
    assert (len(page.fills), page.complete) == (1, False)


async def test_fills_of_a_forced_order_are_of_its_kind(venue):
    held = venue(
        fills=[fill(1, NOW_MS)], orders=[order(1, NOW_MS, accFillSz="1", state="filled", category="adl")]
    )
    (found,) = (await Lookups(held).fills_of_order(PERP, "1")).fills
    assert found.kind is lookups.FillKind.ADL


@pytest.mark.parametrize("book", list(Book))
async def test_an_order_that_the_venue_does_not_know_is_none(venue, book):
    for exchange_id in (None, "5"):
        assert await Lookups(venue()).find_order(OrderRef(PERP, "fbnever", exchange_id, book)) is None


def triggered(hours_ago):
    at_ms = NOW_MS - round(hours_ago * HOUR_MS)
    return algo(900, at_ms, state="effective", ordId="7", triggerTime=str(at_ms))


CONDITION = OrderRef(PERP, "fb900", None, Book.CONDITIONAL)


async def test_a_triggered_order_has_the_fate_of_what_it_placed(venue):
    child = order(7, NOW_MS, state="filled", accFillSz="9", algoId="900", algoClOrdId="fb900")
    found = await Lookups(venue(algos=[triggered(1)], orders=[child])).find_order(CONDITION)
    assert (found.status, found.filled_quantity, found.exchange_order_id, found.triggered_order_id) == (
        OrderStatus.FILLED,
        Decimal("0.09"),
        "900",
        "7",
    )


async def test_what_a_trigger_placed_a_moment_ago_may_not_be_shown_yet(venue):
    with pytest.raises(ReadFailed, match="yet"):
        await Lookups(venue(algos=[triggered(0.5)])).find_order(CONDITION)


async def test_what_a_trigger_placed_and_is_forgotten_ended_without_a_fill(venue):
    found = await Lookups(venue(algos=[triggered(3)])).find_order(CONDITION)
    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, 0)


async def test_orders_since_hold_what_waits_and_what_has_ended_once_each(venue):
    ended = order(3, NOW_MS - 1000, state="canceled", cancelSource="1")
    held = venue(orders=[order(1, NOW_MS - 2000), order(2, NOW_MS - 90 * HOUR_MS), ended])
    found = await Lookups(held).orders_since(PERP, NOW - timedelta(hours=1), Book.NORMAL)
    assert [(one.exchange_order_id, one.status) for one in found] == [
        ("1", OrderStatus.NEW),
        ("3", OrderStatus.CANCELED),
    ]


async def test_conditional_orders_since_are_joined_with_what_they_placed(venue):
    child = order(7, NOW_MS - 500, state="filled", accFillSz="9", algoId="900")
    held = venue(algos=[algo(899, NOW_MS - 1000), triggered(0.01)], orders=[child])
    found = await Lookups(held).orders_since(PERP, NOW - timedelta(hours=1), Book.CONDITIONAL)
    assert {one.exchange_order_id: one.status for one in found} == {
        "899": OrderStatus.NEW,
        "900": OrderStatus.FILLED,
    }


async def test_every_list_of_conditional_orders_is_swept(venue):
    kinds = ["conditional", "oco", "trigger", "move_order_stop", "iceberg", "twap"]
    held = venue(algos=[algo(number, NOW_MS, ordType=kind) for number, kind in enumerate(kinds, 1)])
    rows = await lookups.waiting_rows(held, lookups.market_type_of(PERP), Book.CONDITIONAL)
    assert {row["ordType"] for row in rows} == set(kinds)


async def test_more_orders_than_a_page_are_all_read(venue, monkeypatch):
    monkeypatch.setattr(okx_link, "PAGE", 3)
    held = venue(orders=[order(number, NOW_MS) for number in range(1, 11)])
    rows = await lookups.waiting_rows(held, lookups.market_type_of(PERP), Book.NORMAL)
    assert len(rows) == 10


async def test_pages_that_never_end_are_an_error(venue, monkeypatch):
    monkeypatch.setattr(okx_link, "PAGE", 1)
    held = venue(orders=[order(1, NOW_MS)])
    monkeypatch.setattr(held, "page", lambda rows, *rest: rows)
    with pytest.raises(ReadFailed, match="do not end"):
        await lookups.waiting_rows(held, lookups.market_type_of(PERP), Book.NORMAL)
