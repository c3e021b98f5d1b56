"""The venue's side: what one run has read of it, part by part.

Every read either fills its part or says why it could not; nothing that failed is taken for nothing there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from fillbook.accounts.core import Account, BalanceReport, PositionReport
from fillbook.ledger.core.fill import FillReport
from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, Order
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.trading.core.reconcile.snapshots import Unread, VenueSnapshot
from fillbook.trading.floor import Floor, market_key
from fillbook.trading.ports import Venue
from fillbook.trading.sending import ref_of

MANY_ORDERS: Final = 20
"""From so many on, one reading of the whole book costs less than asking for each order."""


@dataclass(slots=True)
class VenueSide:
    """Gathers the parts; `snapshot` is what the planner sees."""

    account: Account
    venue: Venue
    floor: Floor
    open_orders: dict[tuple[MarketType, Book], tuple[OrderReport, ...] | Unread] = field(default_factory=dict)
    records: dict[tuple[str, Book, str], OrderReport] = field(default_factory=dict)
    not_found: set[int] = field(default_factory=set)
    unread_orders: dict[int, Unread] = field(default_factory=dict)
    fills: list[FillReport] = field(default_factory=list)
    fills_read: set[str] = field(default_factory=set)
    unread_fills: dict[str, Unread] = field(default_factory=dict)
    exhausted: set[str] = field(default_factory=set)
    unexplained: set[int] = field(default_factory=set)
    positions: tuple[PositionReport, ...] | Unread | None = None
    positions_at: datetime | None = None
    balances: dict[MarketType, tuple[BalanceReport, ...] | Unread] = field(default_factory=dict)
    marks: dict[str, Decimal] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    def snapshot(self, at: datetime) -> VenueSnapshot:
        return VenueSnapshot(
            at=at,
            open_orders=dict(self.open_orders),
            records=tuple(self.records.values()),
            not_found=frozenset(self.not_found),
            unread_orders=dict(self.unread_orders),
            fills_read=frozenset(self.fills_read),
            unread_fills=dict(self.unread_fills),
            exhausted=frozenset(self.exhausted),
            unexplained=frozenset(self.unexplained),
            positions=self.positions,
            positions_at=self.positions_at,
            balances=dict(self.balances),
            marks=dict(self.marks),
        )

    def reports(self) -> list[OrderReport]:
        """Every order that was shown so far."""
        listed = [
            report for part in self.open_orders.values() if not isinstance(part, Unread) for report in part
        ]
        return [*listed, *self.records.values()]

    async def read_positions(self) -> None:
        if MarketType.FUTURES not in self.account.market_types:
            return
        self.positions_at = self.floor.clock.now()
        try:
            self.positions = tuple(await self.venue.positions())
        except ReadFailed as failure:
            self.positions = Unread(failure.detail)

    async def read_balances(self, market_types: Iterable[MarketType]) -> None:
        for market_type in market_types:
            try:
                self.balances[market_type] = tuple(await self.venue.balances(market_type))
            except ReadFailed as failure:
                self.balances[market_type] = Unread(failure.detail)

    async def read_books(self) -> None:
        """Every open order of every book. Heavy."""
        for market_type in self.account.market_types:
            for book in TRAITS[self.account.exchange].books(market_type):
                await self._read_book(market_type, book)

    async def _read_book(self, market_type: MarketType, book: Book) -> None:
        try:
            self.open_orders[(market_type, book)] = tuple(await self.venue.open_orders(market_type, book))
        except ReadFailed as failure:
            self.open_orders[(market_type, book)] = Unread(failure.detail)

    async def read_live(self, orders: Iterable[Order]) -> None:
        """The records of live orders, one by one, or by the book where they are many. Those of unknown fate are
        the look-ups' business."""
        by_book: dict[tuple[MarketType, Book], list[Order]] = {}
        for order in orders:
            if order.status.is_live and order.acknowledged_at is not None and order.unknown_since is None:
                by_book.setdefault((order.market_type, order.book), []).append(order)
        for where, group in by_book.items():
            if where in self.open_orders:
                continue
            if len(group) > MANY_ORDERS:
                await self._read_book(*where)
                continue
            for order in group:
                await self.look_up(order)

    async def look_up(self, order: Order) -> None:
        """An order's own record, from every book of its market."""
        ref = ref_of(order)
        others = TRAITS[self.account.exchange].books(order.market_type)
        self.unread_orders.pop(order.id, None)
        self.not_found.discard(order.id)
        try:
            for book in (order.book, *(book for book in others if book is not order.book)):
                report = await self.venue.find_order(replace(ref, book=book))
                if report is not None:
                    self.see(report)
                    return
        except ReadFailed as failure:
            self.unread_orders[order.id] = Unread(failure.detail)
            return
        self.not_found.add(order.id)

    def see(self, report: OrderReport) -> None:
        self.records[(report.symbol, report.book, report.exchange_order_id)] = report

    async def read_mark(self, symbol: str) -> None:
        """What a symbol trades at, for what nothing else gives a price."""
        try:
            price = await self.floor.prices.get(market_key(self.account), symbol, self.venue)
        except ReadFailed as failure:
            self.others.append(f"price of {symbol}: {failure.detail}")
            return
        self.marks[symbol] = price.last
