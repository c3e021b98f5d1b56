"""Positions and wallets beside the venue's: when a difference is believed, how it is explained, what is inferred."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import BalanceReport, PositionReport, PositionSide, SyncCursor
from fillbook.market.core import MarketType, Side, VenueName
from fillbook.orders.core.order import OrderStatus
from fillbook.trading.core.reconcile import Case, LocalSnapshot, Plan, VenueSnapshot, reconcile
from fillbook.trading.core.reconcile.repairs import (
    InferFill,
    MarkPosition,
    ReadFills,
    ReadHistory,
    Repair,
    RestartCursor,
)
from fillbook.trading.core.reconcile.snapshots import Leg, LocalPosition, Unread
from support.trading import PERP, SPOT, after, an_order

NOW = after(10_000)
LEG = Leg(PERP, PositionSide.NET)
D = Decimal


def books(quantity: str | None = None, **changes: Any) -> LocalSnapshot:
    position = changes.pop("position", {})
    held = {} if quantity is None else {LEG: LocalPosition(D(quantity), **position)}
    given = {
        "positions": held,
        "catching_up_since": NOW,
        "differing_since": {LEG: NOW - timedelta(hours=1)},
        **changes,
    }
    return LocalSnapshot(VenueName.BINANCE, frozenset({"test"}), NOW, **given)


def venue(quantity: str = "0", *, entry: str = "100", **changes: Any) -> VenueSnapshot:
    held = PositionReport(
        PERP, PositionSide.NET, D(quantity), D(entry), None, None, None, None, None, after(1)
    )
    positions = (held,) if D(quantity) else ()
    given = {"positions": positions, "marks": {PERP: D(120)}, **changes}
    return VenueSnapshot(NOW, **given)


def seen_all(quantity: str = "0", **changes: Any) -> VenueSnapshot:
    """Everything that the venue still keeps has been read."""
    return venue(quantity, fills_read=frozenset({PERP}), exhausted=frozenset({PERP}), **changes)


def repairs(plan: Plan) -> list[Repair]:
    return [repair for repair in plan.repairs if not isinstance(repair, MarkPosition)]


def marks(plan: Plan) -> list[str]:
    return [repair.status for repair in plan.repairs if isinstance(repair, MarkPosition)]


@pytest.mark.parametrize(
    ("here", "there", "case"),
    [
        (None, "1", Case.POSITION_UNRECORDED),
        ("1", "0", Case.CLOSE_MISSING),
        ("1", "3", Case.POSITION_DIFFERS),
        ("1", "-1", Case.POSITION_DIFFERS),
    ],
)
def test_a_difference_is_read_about_before_anything_else(here: str | None, there: str, case: Case) -> None:
    plan = reconcile(books(here), venue(there))
    assert repairs(plan) == [ReadFills(PERP)]
    assert [finding.case for finding in plan.findings] == [case]
    read = reconcile(books(here), venue(there, fills_read=frozenset({PERP})))
    assert repairs(read) == [ReadHistory(PERP)]


def test_positions_that_agree_need_nothing_and_lose_an_old_mark() -> None:
    assert reconcile(books("1"), venue("1")) == Plan((), ())
    marked = books("1", position={"status": "repairing"})
    assert reconcile(marked, venue("1")).repairs == (MarkPosition(LEG, "ok"),)


def test_a_difference_beside_a_live_stream_is_believed_when_it_is_seen_twice() -> None:
    seen_once = books("1", catching_up_since=None)
    assert reconcile(seen_once, venue("2")) == Plan((), ())
    seen_twice = replace(seen_once, suspected={LEG: (D(1), D(2))})
    assert repairs(reconcile(seen_twice, venue("2"))) == [ReadFills(PERP)]
    another = replace(seen_once, suspected={LEG: (D(1), D(3))})
    assert reconcile(another, venue("2")) == Plan((), ())


def test_a_position_that_filled_a_moment_ago_is_still_moving() -> None:
    moving = books(
        "1",
        catching_up_since=None,
        suspected={LEG: (D(1), D(2))},
        position={"last_fill_at": NOW - timedelta(seconds=5)},
    )
    assert reconcile(moving, venue("2")) == Plan((), ())


def test_positions_that_were_not_asked_for_or_not_read_conclude_nothing() -> None:
    for positions in (None, Unread("no answer")):
        assert reconcile(books("1"), venue(positions=positions)) == Plan((), ())


def test_unread_fills_leave_a_difference_told_and_marked() -> None:
    plan = reconcile(books("1"), venue("2", unread_fills={PERP: Unread("no answer")}))
    assert repairs(plan) == [] and marks(plan) == ["mismatch"]
    assert plan.findings[0].repair is None


@pytest.mark.parametrize(
    ("here", "cost", "there", "entry", "side", "quantity", "price"),
    [
        (None, "0", "2", "90", Side.BUY, "2", "90"),
        ("1", "100", "3", "90", Side.BUY, "2", "85"),
        ("2", "200", "0", "0", Side.SELL, "2", "120"),
        ("2", "200", "1", "100", Side.SELL, "1", "120"),
        (None, "0", "-2", "90", Side.SELL, "2", "90"),
        ("-1", "100", "-3", "110", Side.SELL, "2", "115"),
        ("1", "100", "-1", "100", Side.SELL, "2", "120"),
    ],
    ids=["opened", "grew", "closed", "shrank", "opened short", "short grew", "turned"],
)
def test_what_nothing_explains_is_inferred_at_the_entrys_difference_or_the_mark(
    here: str | None, cost: str, there: str, entry: str, side: Side, quantity: str, price: str
) -> None:
    local = books(here, position={"cost": D(cost), "last_fill_id": "77"})
    (repair,) = repairs(reconcile(local, seen_all(there, entry=entry)))
    assert isinstance(repair, InferFill) and repair.record is not None
    fill, record = repair.fill, repair.record
    assert (fill.side, fill.quantity, fill.price) == (side, D(quantity), D(price))
    assert fill.exchange_order_id == record.exchange_order_id and record.status is OrderStatus.FILLED


def test_nothing_is_inferred_without_a_price_or_before_its_time() -> None:
    unpriced = reconcile(books("1"), seen_all("0", marks={}))
    assert repairs(unpriced) == [] and marks(unpriced) == ["mismatch"]
    young = books("1", differing_since={LEG: NOW - timedelta(seconds=59)})
    assert repairs(reconcile(young, seen_all("0"))) == []
    assert repairs(reconcile(books("1", differing_since={}), seen_all("0"))) == []


def test_nothing_is_inferred_while_an_order_of_ours_may_have_moved_the_position() -> None:
    in_flight = books("1", orders=(an_order(id=8),))
    assert repairs(reconcile(in_flight, seen_all("0"))) == []
    shown = an_order(id=8, status=OrderStatus.NEW, acknowledged_at=after(0), exchange_at=NOW)
    lost = books("1", orders=(shown,))
    assert repairs(reconcile(lost, seen_all("0", not_found=frozenset({8})))) == []
    unread = reconcile(lost, seen_all("0", unread_orders={8: Unread("no answer")}))
    assert repairs(unread) == []


def a_wallet(total: str, locked: str = "0") -> dict[MarketType, tuple[BalanceReport, ...]]:
    free = D(total) - D(locked)
    return {MarketType.SPOT: (BalanceReport(MarketType.SPOT, "BTC", free, D(locked), NOW),)}


@pytest.mark.parametrize(
    ("wallet", "is_told"),
    [("0.5", False), ("0.9", False), ("0.4995", False), ("0.498", True), ("0", True)],
    ids=["equal", "a surplus is the owner's own", "within a lot", "below", "nothing"],
)
def test_a_wallet_below_the_positions_is_told_and_a_surplus_is_not(wallet: str, is_told: bool) -> None:
    local = books(holdings={"BTC": D("0.5")}, lots={"BTC": D("0.001")})
    plan = reconcile(local, venue(balances=a_wallet(wallet)))
    assert plan.repairs == ()
    assert [finding.case for finding in plan.findings] == [Case.BALANCE_BELOW] * is_told


def test_coins_that_wait_in_an_order_count_and_an_unread_wallet_says_nothing() -> None:
    local = books(holdings={"BTC": D("0.5")})
    assert reconcile(local, venue(balances=a_wallet("0.5", locked="0.5"))) == Plan((), ())
    unread = venue(balances={MarketType.SPOT: Unread("no answer")})
    assert reconcile(local, unread) == Plan((), ())


@pytest.mark.parametrize(
    ("symbol", "days", "is_told"),
    [(PERP, 200, True), (PERP, 100, False), (SPOT, 2000, False)],
    ids=["older than is kept", "within", "a venue that keeps all"],
)
def test_a_cursor_before_what_the_venue_keeps_starts_anew_and_says_so(
    symbol: str, days: int, is_told: bool
) -> None:
    stood_at = NOW - timedelta(days=days)
    local = books(cursors={symbol: SyncCursor(symbol, "fills", stood_at, "5", stood_at)})
    plan = reconcile(local, venue())
    assert [finding.case for finding in plan.findings] == [Case.HISTORY_INCOMPLETE] * is_told
    kept_since = NOW - timedelta(days=180)
    assert repairs(plan) == [RestartCursor(symbol, kept_since)] * is_told
