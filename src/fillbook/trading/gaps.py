"""Closing the gap between what a venue has filled of an order and what is booked of it: fetched, never invented."""

from fillbook.ledger.core.fill import FillSource
from fillbook.orders.core.reports import OrderReport
from fillbook.trading.facts import Booked, FillsSeen, OrderSeen
from fillbook.trading.floor import Floor
from fillbook.trading.ports import Venue


async def take_report(floor: Floor, venue: Venue, account_id: int, report: OrderReport) -> Booked:
    """Book a report; when fills are missing, fetch them, book them, and book the report again.

    Raises `ReadFailed` when the fills cannot be read; the order then stays live and is looked at again.
    """
    booked = await floor.bookkeeper.submit(OrderSeen(account_id, report))
    if not booked.gap:
        return booked
    order_id = report.triggered_order_id or report.exchange_order_id
    page = await venue.fills_of_order(report.symbol, order_id)
    await floor.bookkeeper.submit(FillsSeen(account_id, page.fills, FillSource.REST, adopt=True))
    return await floor.bookkeeper.submit(OrderSeen(account_id, report))
