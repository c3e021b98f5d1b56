"""Works off an account's cancel queue. The row is there before the venue is asked, and only the venue's own
record of the order ends it: an error of a cancel never closes an order."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from fillbook.accounts.core import Account
from fillbook.fleet.events import NewEvent, append_events
from fillbook.kernel.bell import Bell
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.cancel_queue import CancelQueue, CancelStatus, already_ended
from fillbook.orders.core.order import Order, OrderStatus
from fillbook.orders.core.outcomes import CancelOutcome, Rejected
from fillbook.orders.core.transitions import status_after_failed_cancel
from fillbook.orders.store import cancels, rows
from fillbook.storage.unit import Unit
from fillbook.trading.floor import Floor
from fillbook.trading.gaps import take_report
from fillbook.trading.ports import Venue
from fillbook.trading.sending import ref_of

AT_ONCE: Final = 20
IDLE_S: Final = 30.0
ASK_AGAIN: Final = timedelta(seconds=2)
AWAIT_ANSWER: Final = timedelta(milliseconds=250)

log = structlog.get_logger(__name__)


class CancelWorker:
    def __init__(self, account: Account, venue: Venue, floor: Floor) -> None:
        self._account = account
        self._venue = venue
        self._floor = floor
        self._bell = Bell()

    def wake(self) -> None:
        self._bell.ring()

    async def run(self) -> None:
        while True:
            pause_s = await self.turn()
            await self._bell.wait(pause_s)

    async def turn(self) -> float:
        """Work on what is due; returns the seconds until the next is."""
        now = self._floor.clock.now()
        async with self._floor.db.read() as unit:
            items = await cancels.due(unit, self._account.id, now, AT_ONCE)
            orders = {order.id: order for order in await rows.by_ids(unit, [item.order_id for item in items])}
            next_at = await cancels.next_due_at(unit, self._account.id)
        if not items:
            return IDLE_S if next_at is None else min(max((next_at - now).total_seconds(), 0.05), IDLE_S)
        early = [item for item in items if _awaits_answer(orders[item.order_id])]
        ripe = [item for item in items if item not in early]
        for item in early:
            item.next_retry_at = now + AWAIT_ANSWER
        for item in ripe:
            item.status = CancelStatus.PROCESSING
        await self._floor.db.run(lambda unit: cancels.save(unit, [*early, *ripe]))
        await asyncio.gather(*(self._work(item, orders[item.order_id]) for item in ripe))
        return 0.1 if ripe else AWAIT_ANSWER.total_seconds()

    async def queue_again(self) -> None:
        """A wanted cancel is never given up: one whose item failed while its order lives gets a new item."""
        await self._floor.db.run(self._queue_again)
        self.wake()

    async def _queue_again(self, unit: Unit) -> None:
        ids = await cancels.wanted_but_not_queued(unit, self._account.id)
        await cancels.enqueue(unit, await rows.by_ids(unit, ids), unit.now)

    async def _work(self, item: CancelQueue, order: Order) -> None:
        """One attempt at one cancel, settled by the venue's record."""
        outcome: CancelOutcome | None = None
        if order.status.is_live:
            outcome = await self._venue.cancel(ref_of(order))
        order, was_read = await self._read_record(order)
        if not order.status.is_live:
            await self._floor.db.run(lambda unit: _end(unit, item, order))
        elif isinstance(outcome, Rejected) and not outcome.for_now and was_read:
            await self._floor.db.run(lambda unit: self._refused(unit, item, outcome))
        else:
            # No answer, no record, or an order that the venue has not shown yet: ask again, uncounted.
            await self._ask_again(item)

    async def _ask_again(self, item: CancelQueue) -> None:
        item.status = CancelStatus.PENDING
        item.next_retry_at = self._floor.clock.now() + ASK_AGAIN
        await self._floor.db.run(lambda unit: cancels.save(unit, [item]))

    async def _read_record(self, order: Order) -> tuple[Order, bool]:
        """The order after the venue's own record of it, and whether that record could be read."""
        if not order.status.is_live:
            return order, True
        try:
            report = await self._venue.find_order(ref_of(order))
            if report is None:
                return order, False
            booked = await take_report(self._floor, self._venue, self._account.id, report)
        except ReadFailed as failure:
            log.warning(
                "cancel_record_unread", account_id=self._account.id, order_id=order.id, reason=failure.detail
            )
            return order, False
        return booked.order or order, not booked.gap

    async def _refused(self, unit: Unit, item: CancelQueue, refusal: Rejected) -> None:
        """The venue refused although the order lives. The wish stays when the retries are used up."""
        if item.can_retry():
            item.increment_retry(unit.now)
            item.error_message = refusal.message
            await cancels.save(unit, [item])
            return
        (order,) = await rows.locked(unit, [item.order_id])
        item.mark_failed(refusal.message)
        await cancels.save(unit, [item])
        if order.status is OrderStatus.PENDING_CANCEL:
            status = status_after_failed_cancel(order.filled_quantity)
            await rows.save_orders(unit, [replace(order, status=status, cancel_wanted=True)])
        log.error("cancel_exhausted", account_id=self._account.id, order_id=order.id, code=refusal.code)
        alarm = NewEvent(order.user_id, "cancel.failed", {"order_id": order.id, "code": refusal.code})
        await append_events(unit, [alarm], self._floor.events)


def _awaits_answer(order: Order) -> bool:
    """Whether the request that places the order is still under way: its answer names the order."""
    return order.status.is_live and order.acknowledged_at is None and order.unknown_since is None


async def _end(unit: Unit, item: CancelQueue, order: Order) -> None:
    if order.status is OrderStatus.CANCELED:
        item.mark_success()
    else:
        item.mark_failed(already_ended(order.status))
    await cancels.save(unit, [item])
