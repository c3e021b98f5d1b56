"""The orders of one batch of facts, by every id under which they may be named.

An id that we drew names one order for ever. What others draw names an order only until it is over, and then
perhaps the next one: such orders are known by their venue's ids.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fillbook.kernel.money import ZERO
from fillbook.orders.core.order import Book, Order, Owner
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.store import rows
from fillbook.trading.adoption import UnknownOrder
from fillbook.trading.facts import Fact, OrderSeen


@dataclass(slots=True)
class NamedOrders:
    """The orders of a batch as they are being changed, and every id by which they may be named."""

    by_id: dict[int, Order] = field(default_factory=dict)
    before: dict[int, Order] = field(default_factory=dict)
    by_client: dict[rows.ClientId, int] = field(default_factory=dict)
    by_venue: dict[rows.VenueId, int] = field(default_factory=dict)
    new_venue_ids: dict[rows.VenueId, int] = field(default_factory=dict)

    def add(self, order: Order) -> None:
        if order.id not in self.by_id:
            self.by_id[order.id] = self.before[order.id] = order
        self.by_client[(order.account_id, order.client_order_id)] = order.id

    def add_adopted(self, order: Order, report: OrderReport) -> None:
        """An order that this batch wrote down: what it reserves is not in the link's capital yet."""
        self.add(order)
        if order.reserved:
            self.before[order.id] = replace(order, reserved=ZERO)
        for venue_id in venue_ids_of(order.account_id, report):
            self.know(venue_id, order.id)

    def put(self, order: Order) -> None:
        self.by_id[order.id] = order

    def know(self, venue_id: rows.VenueId, order_id: int) -> None:
        if venue_id not in self.by_venue:
            self.by_venue[venue_id] = self.new_venue_ids[venue_id] = order_id

    def changed(self) -> list[Order]:
        return [order for number, order in self.by_id.items() if order != self.before[number]]

    def find(self, account_id: int, client_id: str | None, *venue_ids: rows.VenueId) -> Order | None:
        number = None if client_id is None else self.by_client.get((account_id, client_id))
        if number is not None and not _is_another(self.by_id[number], venue_ids[0]):
            return self.by_id[number]
        known = (self.by_venue.get(venue_id) for venue_id in venue_ids)
        return next((self.by_id[number] for number in known if number is not None), None)

    def ours(self) -> set[rows.ClientId]:
        """The client ids that name one order for ever: those that we drew."""
        return {key for key, number in self.by_client.items() if self.by_id[number].owner is Owner.OURS}

    def unknown_of(self, facts: Iterable[Fact]) -> list[UnknownOrder]:
        """The orders among the facts, each once, that no row stands for."""
        unknown: list[UnknownOrder] = []
        claimed: set[rows.VenueId] = set()
        books: dict[tuple[rows.ClientId, str], Book] = {}
        names = set(self.by_client)
        for fact in facts:
            if not isinstance(fact, OrderSeen):
                continue
            account_id, report = fact.account_id, fact.report
            ids = venue_ids_of(account_id, report)
            name = None if report.client_order_id is None else (account_id, report.client_order_id)
            if not claimed.isdisjoint(ids) or self.find(account_id, report.client_order_id, *ids):
                continue
            # A conditional order and what came of its trigger bear one name in two books.
            if name is not None and books.setdefault((name, report.symbol), report.book) is not report.book:
                continue
            unknown.append(UnknownOrder(account_id, report, is_name_taken=name in names))
            claimed.update(ids)
            if name is not None:
                names.add(name)
        return unknown


def venue_ids_of(account_id: int, report: OrderReport) -> list[rows.VenueId]:
    ids = [(account_id, report.symbol, report.book, report.exchange_order_id)]
    if report.triggered_order_id is not None:
        ids.append((account_id, report.symbol, Book.NORMAL, report.triggered_order_id))
    return ids


def _is_another(order: Order, venue_id: rows.VenueId) -> bool:
    """Whether an order with this client id is not the one that its venue knows by this id: what others draw
    names an order only until it is over, and then perhaps the next one."""
    _, symbol, book, number = venue_id
    if order.owner is Owner.OURS:
        return False
    return order.symbol != symbol or (order.book is book and order.exchange_order_id not in (None, number))
