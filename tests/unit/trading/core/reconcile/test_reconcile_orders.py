"""Orders beside the venue's: what vanishes and what does not, what is inferred, what the stream is just bringing."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import PositionSide
from fillbook.market.core import MarketType, VenueName
from fillbook.orders.core.lookup_policy import VANISHED
from fillbook.orders.core.order import Book, Order, OrderStatus
from fillbook.trading.core import settle
from fillbook.trading.core.reconcile import Case, LocalSnapshot, Plan, VenueSnapshot, reconcile
from fillbook.trading.core.reconcile.orders import INFER_AFTER
from fillbook.trading.core.reconcile.repairs import (
    EndVanished,
    InferFill,
    LookUpOrder,
    ReadHistory,
    TakeRecord,
)
from fillbook.trading.core.reconcile.snapshots import Leg, LocalPosition, Misses
from support.trading import PERP, SPOT, a_report, after, an_order

LONG_AGO = after(0)
DAY = timedelta(days=1)
NOW = LONG_AGO + 10 * DAY


def a_live_order(**changes: Any) -> Order:
    given = {
        "status": OrderStatus.NEW,
        "exchange_order_id": "900",
        "acknowledged_at": LONG_AGO,
        "exchange_at": LONG_AGO,
        **changes,
    }
    return an_order(**given)


def books(*orders: Order, **changes: Any) -> LocalSnapshot:
    given = {"catching_up_since": NOW, **changes}
    return LocalSnapshot(
        given.pop("exchange", VenueName.BINANCE), frozenset({"test"}), NOW, orders=orders, **given
    )


def missed(order: Order, *, count: int = 3, since: datetime = NOW - DAY, **changes: Any) -> Plan:
    """An order that no book has, looked up so often since then."""
    local = books(order, misses={order.id: Misses(count, since)}, **changes)
    venue = VenueSnapshot(NOW, not_found=frozenset({order.id}), fills_read=frozenset({order.symbol}))
    return reconcile(local, venue)


def test_an_order_that_its_venue_has_forgotten_ends_as_vanished() -> None:
    plan = missed(a_live_order())
    assert plan.repairs == (EndVanished(a_live_order()),)
    assert [finding.case for finding in plan.findings] == [Case.ORDER_VANISHED]
    ended = settle.with_vanished(a_live_order(), NOW)
    assert (ended.status, ended.error_code, ended.reserved) == (OrderStatus.EXPIRED, VANISHED, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 2},
        {"since": NOW - timedelta(minutes=59)},
        {"order": {"exchange_at": NOW - 2 * DAY, "acknowledged_at": NOW - 2 * DAY}},
        {"order": {"symbol": SPOT, "market_type": MarketType.SPOT}},
    ],
    ids=[
        "too few look-ups",
        "within the hour",
        "younger than the venue forgets",
        "a venue that forgets nothing",
    ],
)
def test_an_order_that_is_not_found_stays_live_and_is_told(changes: dict[str, Any]) -> None:
    order = a_live_order(**changes.pop("order", {}))
    plan = missed(order, **changes)
    assert plan.repairs == ()
    assert [finding.case for finding in plan.findings] == [Case.ORDER_NOT_FOUND]


def test_an_order_does_not_vanish_while_the_fills_of_its_symbol_are_not_read() -> None:
    order = a_live_order()
    local = books(order, misses={order.id: Misses(9, LONG_AGO)})
    plan = reconcile(local, VenueSnapshot(NOW, not_found=frozenset({order.id})))
    assert plan.repairs == ()


def test_an_order_that_had_vanished_comes_back_to_life_when_it_shows_up() -> None:
    gone = settle.with_vanished(a_live_order(), NOW)
    report = a_report(OrderStatus.NEW)
    plan = reconcile(books(gone), VenueSnapshot(NOW, records=(report,)))
    assert plan.repairs == (TakeRecord(report),)
    back = settle.with_report(gone, report, NOW)
    assert (back.status, back.error_code) == (OrderStatus.NEW, None)


def test_a_list_that_is_older_than_what_is_known_ends_nothing_and_revives_nothing() -> None:
    """Cancelled after the list of open orders was read: only its own record may say otherwise."""
    ended = a_live_order(status=OrderStatus.CANCELED)
    listed = {(MarketType.FUTURES, Book.NORMAL): (a_report(OrderStatus.NEW),)}
    plan = reconcile(books(ended), VenueSnapshot(NOW, open_orders=listed))
    assert (plan.repairs, plan.findings) == ((LookUpOrder(ended),), ())
    asked = VenueSnapshot(NOW, open_orders=listed, records=(a_report(OrderStatus.CANCELED),))
    assert reconcile(books(ended), asked) == Plan((), ())
    lives = VenueSnapshot(NOW, open_orders=listed, records=(a_report(OrderStatus.NEW),))
    assert [one.case for one in reconcile(books(ended), lives).findings] == [Case.ENDED_BUT_LIVES]


def test_what_happened_a_moment_ago_is_taken_and_not_told() -> None:
    order = a_live_order()
    fresh = a_report(OrderStatus.CANCELED, exchange_at=NOW - timedelta(seconds=3))
    venue = VenueSnapshot(NOW, records=(fresh,))
    streaming = reconcile(books(order, catching_up_since=None), venue)
    assert (streaming.repairs, streaming.findings) == ((TakeRecord(fresh),), ())
    after_a_start = reconcile(books(order, catching_up_since=NOW - timedelta(seconds=1)), venue)
    assert [finding.case for finding in after_a_start.findings] == [Case.STATUS_BEHIND]


def gap(order: Order, **changes: Any) -> Plan:
    """The order's record says that 0.5 has filled, and its own fills were read."""
    report = a_report(
        OrderStatus.CANCELED,
        "0.5",
        **{"cost": Decimal(49), "exchange_at": LONG_AGO, **changes.pop("report", {})},
    )
    venue = VenueSnapshot(NOW, records=(report,), unexplained=frozenset({order.id}))
    return reconcile(books(order), replace(venue, **changes))


def test_a_gap_is_looked_for_in_all_of_the_history_before_anything_is_inferred() -> None:
    assert gap(a_live_order()).repairs == (ReadHistory(PERP),)


@pytest.mark.parametrize(
    ("report", "price"),
    [({}, Decimal(98)), ({"cost": None}, Decimal(100))],
    ids=["what makes its cost whole", "its limit price"],
)
def test_a_gap_that_nothing_explains_is_inferred_at_the_best_price_known(
    report: dict[str, Any], price: Decimal
) -> None:
    plan = gap(a_live_order(), report=report, exhausted=frozenset({PERP}))
    (repair,) = plan.repairs
    assert isinstance(repair, InferFill)
    fill = repair.fill
    assert (fill.quantity, fill.price, fill.cumulative_quantity) == (Decimal("0.5"), price, Decimal("0.5"))
    (finding,) = plan.findings
    assert finding.case is Case.FILLED_DIFFERS and "Inferred" in finding.cause


def test_only_what_is_missing_of_a_gap_is_inferred() -> None:
    order = a_live_order(filled_quantity=Decimal("0.2"), cost=Decimal(20))
    (repair,) = gap(order, exhausted=frozenset({PERP})).repairs
    assert isinstance(repair, InferFill)
    assert (repair.fill.quantity, repair.fill.price) == (Decimal("0.3"), divided(29, "0.3"))


def divided(cost: int, quantity: str) -> Decimal:
    return (Decimal(cost) / Decimal(quantity)).quantize(Decimal("1e-18"))


def test_nothing_is_inferred_before_the_venue_has_had_its_time_or_without_a_price() -> None:
    young = {"exchange_at": NOW - INFER_AFTER + timedelta(seconds=1)}
    assert gap(a_live_order(), report=young, exhausted=frozenset({PERP})).repairs == ()
    unpriced = {"cost": None, "price": None}
    plan = gap(a_live_order(), report=unpriced, exhausted=frozenset({PERP}))
    assert plan.repairs == () and plan.findings[0].repair is None


def test_a_fill_of_an_order_whose_position_was_closed_is_told_as_one() -> None:
    order = a_live_order(close_on_late_fill=True)
    plan = gap(order, unexplained=frozenset())
    assert {finding.case for finding in plan.findings} == {Case.FILLS_MISSING, Case.LATE_FILL}


def test_an_overfill_is_told() -> None:
    order = a_live_order(status=OrderStatus.FILLED, filled_quantity=Decimal("1.5"))
    plan = reconcile(books(order), VenueSnapshot(NOW, records=(a_report(OrderStatus.FILLED, "1.5"),)))
    assert [finding.case for finding in plan.findings] == [Case.OVERFILLED]


def test_a_residual_beside_an_order_that_lacks_fills_is_left_until_they_are_booked() -> None:
    leg = Leg(PERP, PositionSide.NET)
    order = a_live_order()
    local = books(order, positions={leg: LocalPosition(Decimal(1))}, differing_since={leg: LONG_AGO})
    report = a_report(OrderStatus.CANCELED, "0.5", cost=Decimal(49), exchange_at=LONG_AGO)
    venue = VenueSnapshot(
        NOW,
        records=(report,),
        unexplained=frozenset({order.id}),
        positions=(),
        fills_read=frozenset({PERP}),
        exhausted=frozenset({PERP}),
        marks={PERP: Decimal(100)},
    )
    inferred = [repair for repair in reconcile(local, venue).repairs if isinstance(repair, InferFill)]
    assert [repair.fill.quantity for repair in inferred] == [Decimal("0.5")]
