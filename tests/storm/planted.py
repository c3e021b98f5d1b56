"""Bugs to plant, one at a time, so that a storm can show that it would have found them.

Each is a mistake that order systems have made. `make storm ARGS="--planted NAME"` must fail within 500 seeds.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fillbook.orders.core.order import Book, Order, OrderStatus
from fillbook.orders.core.outcomes import Unknown
from fillbook.orders.core.reports import StreamChange, StreamState
from fillbook.orders.store import cancels, rows
from fillbook.trading import runner
from fillbook.trading.booking import Booking
from fillbook.trading.cancels import CancelWorker
from fillbook.trading.runner import AccountRunner
from fillbook.venues.sim.direct.venue import SimVenue


def send_again_on_timeout() -> None:
    """An order without an answer is sent once more."""
    place = SimVenue.place

    async def place_twice(self: Any, request: Any) -> Any:
        outcome = await place(self, request)
        return await place(self, request) if isinstance(outcome, Unknown) else outcome

    SimVenue.place = place_twice  # type: ignore[method-assign]


def close_on_cancel_error() -> None:
    """A refused cancel closes the order here, while it lives on at the venue."""

    async def close(self: Any, unit: Any, item: Any, refusal: Any) -> None:
        (order,) = await rows.locked(unit, [item.order_id])
        item.mark_success()
        await cancels.save(unit, [item])
        await rows.save_orders(unit, [replace(order, status=OrderStatus.CANCELED)])

    CancelWorker._refused = close  # type: ignore[method-assign]


def refuse_late_fill() -> None:
    """A fill of an order that is over is not booked."""
    _drop_fills(lambda order, _: not order.status.is_live)


def drop_overfill() -> None:
    """A fill beyond an order's size is not booked."""
    _drop_fills(lambda order, fill: order.filled_quantity + fill.quantity > order.quantity)


def skip_backfill() -> None:
    """A stream that is back counts as if it had never been gone."""
    hear = AccountRunner._hear

    async def hear_without_backfill(self: Any, event: object) -> None:
        if isinstance(event, StreamChange) and event.state is StreamState.CONNECTED:
            self._feeds[event.feed] = True
            return
        await hear(self, event)

    AccountRunner._hear = hear_without_backfill  # type: ignore[method-assign]


def send_after_any_time() -> None:
    """A process that stood still sends what it had decided, whoever holds the account by now."""
    runner.too_late = lambda *_: None  # type: ignore[attr-defined]


def _drop_fills(is_dropped: Callable[[Order, Any], bool]) -> None:
    take = Booking._take_fills

    def take_some(self: Any, batch: Any, place: int, fact: Any) -> None:
        kept = []
        for fill in fact.fills:
            order = batch.orders.find(fact.account_id, fill.client_order_id, _venue_id(fact.account_id, fill))
            if order is None or not is_dropped(order, fill):
                kept.append(fill)
        take(self, batch, place, replace(fact, fills=tuple(kept)))

    Booking._take_fills = take_some  # type: ignore[method-assign]


def _venue_id(account_id: int, fill: Any) -> Any:
    return (account_id, fill.symbol, Book.NORMAL, fill.exchange_order_id)


PLANTED: dict[str, Callable[[], None]] = {
    act.__name__.replace("_", "-"): act
    for act in (
        send_again_on_timeout,
        close_on_cancel_error,
        refuse_late_fill,
        drop_overfill,
        skip_backfill,
        send_after_any_time,
    )
}
