"""A venue's truth and our books of it, as plain sets: what the planner's repairs make of the books.

Orders are moved and fills are folded by the real pure cores; only reading and writing are left out.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from fillbook.accounts.core import PositionReport, PositionSide
from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.fill import FillReport
from fillbook.market.core import MarketType, VenueName
from fillbook.orders.core.order import LIVE_STATUSES, Book, Order, OrderStatus, Owner
from fillbook.orders.core.reports import OrderReport
from fillbook.trading.core import settle
from fillbook.trading.core.reconcile import LocalSnapshot, Plan, VenueSnapshot, reconcile
from fillbook.trading.core.reconcile.positions import RESIDUAL
from fillbook.trading.core.reconcile.repairs import (
    BookFills,
    EndVanished,
    InferFill,
    LookUpOrder,
    MarkPosition,
    QueueCancel,
    ReadFills,
    ReadHistory,
    Relabel,
    Repair,
    RestartCursor,
    TakeBack,
    TakeRecord,
)
from fillbook.trading.core.reconcile.snapshots import FillId, Leg, Link, LocalPosition, Residual
from support.trading import PERP, a_fill, after, an_order

NOW = after(7200)
ROUNDS = 8
LINK = Link("abc123", strategy_id=4, strategy_account_id=3)


@dataclass
class Truth:
    """What the venue has on record. `hidden` fills moved the position, and no page of history shows them."""

    orders: list[OrderReport] = field(default_factory=list)
    fills: list[FillReport] = field(default_factory=list)
    hidden: frozenset[FillId] = frozenset()

    def shown(self) -> tuple[FillReport, ...]:
        return tuple(fill for fill in self.fills if FillId.of(fill) not in self.hidden)

    def find(self, order: Order) -> OrderReport | None:
        return next((one for one in self.orders if one.client_order_id == order.client_order_id), None)


@exact
def net(fills: "list[FillReport] | tuple[FillReport, ...]") -> Decimal:
    return sum((fill.side.sign * fill.quantity for fill in fills), ZERO)


@dataclass
class Books:
    """What we have written down, and what the looks of one run have asked of the venue so far."""

    orders: dict[str, Order] = field(default_factory=dict)
    fills: dict[FillId, FillReport] = field(default_factory=dict)
    marks: dict[Leg, str] = field(default_factory=dict)
    queued: set[int] = field(default_factory=set)
    asked: dict[int, OrderReport | None] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    exhausted: set[str] = field(default_factory=set)
    unexplained: set[int] = field(default_factory=set)
    inferred: list[FillReport] = field(default_factory=list)

    def snapshot(self, now: datetime = NOW) -> LocalSnapshot:
        quantity = net(list(self.fills.values()))
        leg = Leg(PERP, PositionSide.NET)
        position = LocalPosition(
            quantity,
            cost=abs(quantity) * 100,
            status=self.marks.get(leg, "ok"),
            last_fill_id=str(len(self.fills)),
        )
        return LocalSnapshot(
            VenueName.BINANCE,
            frozenset({"test"}),
            now,
            orders=tuple(self.orders.values()),
            queued_cancels=frozenset(self.queued),
            positions={leg: position} if self.fills else {},
            fill_ids=frozenset(self.fills),
            links={LINK.code: LINK},
            newest_order_at=now,
            residuals={leg: self._residuals()},
            differing_since={leg: now - timedelta(days=1)},
            catching_up_since=now,
        )

    def _residuals(self) -> tuple[Residual, ...]:
        """What was inferred for positions, each with the real fills of its side that came after it."""
        order = list(self.fills.values())
        return tuple(
            Residual(
                fill,
                tuple(
                    later
                    for later in order[order.index(fill) + 1 :]
                    if later.side is fill.side and later not in self.inferred
                ),
            )
            for fill in self.inferred
            if fill.exchange_order_id.startswith(RESIDUAL)
        )

    def look(self, truth: Truth, now: datetime = NOW) -> VenueSnapshot:
        """What one look reads: open orders, positions, and what was asked for since the run began."""
        held = net(truth.fills)
        positions = (a_position(held),) if held else ()
        return VenueSnapshot(
            now,
            open_orders={
                (MarketType.FUTURES, Book.NORMAL): tuple(
                    order for order in truth.orders if order.status in LIVE_STATUSES
                )
            },
            records=tuple(report for report in self.asked.values() if report is not None),
            not_found=frozenset(number for number, report in self.asked.items() if report is None),
            fills=truth.shown() if PERP in self.read else (),
            fills_read=frozenset(self.read),
            exhausted=frozenset(self.exhausted),
            unexplained=frozenset(self.unexplained),
            positions=positions,
            marks={PERP: Decimal(100)},
        )

    def reconcile(self, truth: Truth) -> list[Plan]:
        """One run: look, repair, look again, until nothing is left to do."""
        self.asked, self.read, self.exhausted, self.unexplained = {}, {PERP}, set(), set()
        plans = []
        for _ in range(ROUNDS):
            plan = reconcile(self.snapshot(), self.look(truth))
            plans.append(plan)
            if not plan.repairs:
                return plans
            for repair in plan.repairs:
                self.apply(repair, truth)
        raise AssertionError(f"there is always more to repair: {plans[-1].repairs}")

    def apply(self, repair: Repair, truth: Truth) -> None:
        match repair:
            case TakeRecord(report):
                self._take(report, truth)
            case LookUpOrder(order):
                self.asked[order.id] = truth.find(order)
            case ReadFills(symbol):
                self.read.add(symbol)
            case ReadHistory(symbol):
                self.read.add(symbol)
                self.exhausted.add(symbol)
            case BookFills(fills):
                for fill in fills:
                    self._learn_order(fill, truth)
                    self._book(fill)
            case InferFill(fill, record):
                booked = replace(fill, venue_fill_id=f"~{len(self.inferred)}")
                self.inferred.append(booked)
                if record is not None:
                    self._take(record, Truth())
                self._book(booked)
            case TakeBack(residual):
                self.inferred.remove(residual.fill)
                del self.fills[FillId.of(residual.fill)]
            case EndVanished(order):
                self.orders[order.client_order_id] = settle.with_vanished(order, NOW)
            case QueueCancel(order):
                self.queued.add(order.id)
            case Relabel(order, link):
                self.orders[order.client_order_id] = replace(
                    order, strategy_account_id=link.strategy_account_id, signal_id=1
                )
            case MarkPosition(leg, status):
                self.marks[leg] = status
            case RestartCursor():
                pass

    def _take(self, report: OrderReport, truth: Truth) -> None:
        name = report.client_order_id or f"venue:{report.exchange_order_id}"
        if name not in self.orders:
            self.orders[name] = adopted(name, report, len(self.orders) + 100)
        for fill in truth.shown():
            if fill.exchange_order_id == report.exchange_order_id:
                self._book(fill)
        order = self.orders[name] = settle.with_report(self.orders[name], report, NOW)
        if settle.has_gap(order, report):
            self.unexplained.add(order.id)

    def _learn_order(self, fill: FillReport, truth: Truth) -> None:
        """A fill of an order that nobody knows leads to that order's record first."""
        known = {order.exchange_order_id for order in self.orders.values()}
        for report in truth.orders:
            if report.exchange_order_id == fill.exchange_order_id not in known:
                self._take(report, truth)

    def _book(self, fill: FillReport) -> None:
        key = FillId.of(fill)
        if key in self.fills:
            return
        self.fills[key] = fill
        for name, order in self.orders.items():
            if order.exchange_order_id == fill.exchange_order_id:
                booked = a_fill(str(fill.quantity), side=fill.side, price=fill.price)
                self.orders[name] = settle.with_fills(order, [booked])


def adopted(name: str, report: OrderReport, number: int) -> Order:
    """A row for a report, with those of its fills that are booked already left to be added."""
    return an_order(
        id=number,
        client_order_id=name,
        exchange_order_id=report.exchange_order_id,
        side=report.side,
        quantity=report.quantity,
        status=OrderStatus.NEW,
        acknowledged_at=after(1),
        owner=Owner.OURS,
        reserved=ZERO,
        sizing=(),
    )


def a_position(quantity: Decimal) -> PositionReport:
    return PositionReport(
        PERP, PositionSide.NET, quantity, Decimal(100), Decimal(100), None, None, None, None, after(1)
    )
