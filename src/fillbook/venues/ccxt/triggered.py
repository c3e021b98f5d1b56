"""A conditional order and the order that its trigger made: two rows at the venue, one order to us."""

from collections.abc import Awaitable, Callable, Set
from dataclasses import replace

from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef
from fillbook.orders.core.outcomes import CancelAccepted, CancelOutcome, Rejected
from fillbook.orders.core.reports import OrderReport


def joined(conditional: OrderReport, triggered: OrderReport) -> OrderReport:
    """The conditional order's report with the fate of the order that it triggered.

    A venue calls a conditional order done whether its order filled or was cancelled; only the latter knows.
    """
    if conditional.triggered_order_id != triggered.exchange_order_id:
        raise ValueError(f"{triggered.exchange_order_id} was not triggered by this order")
    return replace(
        conditional,
        status=triggered.status,
        filled_quantity=triggered.filled_quantity,
        cost=triggered.cost,
        exchange_at=max(conditional.exchange_at, triggered.exchange_at),
    )


async def cancel_with_what_came(
    ref: OrderRef,
    cancel: Callable[[OrderRef], Awaitable[CancelOutcome]],
    find: Callable[[OrderRef], Awaitable[OrderReport | None]],
    ended_codes: Set[str],
) -> CancelOutcome:
    """Cancel a conditional order, or where there is nothing left of it to cancel the order that it triggered.

    `cancel` names one order to the venue, `find` joins the two; `ended_codes` refuse a cancel of what has ended.
    """
    outcome = await cancel(ref)
    if not isinstance(outcome, Rejected) or outcome.code not in ended_codes:
        return outcome
    try:
        found = await find(ref)
    except ReadFailed:
        return outcome
    if found is None or found.triggered_order_id is None or not found.status.is_live:
        return outcome
    placed = replace(ref, exchange_order_id=found.triggered_order_id, book=Book.NORMAL)
    outcome = await cancel(placed)
    return CancelAccepted(found.exchange_order_id) if isinstance(outcome, CancelAccepted) else outcome
