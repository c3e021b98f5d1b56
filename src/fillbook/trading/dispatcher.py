"""From deliveries to orders on the wire: take in, prepare, plan and commit in batches, send.

A batch holds whatever is ready at that moment, at most one item of each (account, symbol), and waits for
nobody. An order leaves only after the transaction that wrote it down, under a lease whose row was locked in it.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import structlog

from fillbook.kernel.bell import Bell
from fillbook.kernel.errors import FillbookError
from fillbook.orders.core.order import Order, OrderType
from fillbook.orders.store import rows
from fillbook.risk.core import Denied
from fillbook.trading.deciding import Deciding, Planned
from fillbook.trading.floor import Floor
from fillbook.trading.runner import AccountRunner
from fillbook.trading.work import CancelAllWish, FollowUpWish, Lanes, LegWork

POLL_S: Final = 1.0
BATCH_LIMIT: Final = 500
CANCEL_WAIT_S: Final = 5.0
CANCEL_POLL_S: Final = 0.05

log = structlog.get_logger(__name__)


class Dispatcher:
    def __init__(
        self,
        floor: Floor,
        runners: Mapping[int, AccountRunner],
        holder: str,
        installation: str,
        rng: random.Random,
    ) -> None:
        self._floor = floor
        self._runners = runners
        self._deciding = Deciding(floor, runners, holder, installation, rng)
        self.lanes = Lanes()
        self._ready: list[LegWork] = []
        self._bell = Bell()
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_unplanned: Callable[[int], None] | None = None

    def wake(self) -> None:
        self._bell.ring()

    def add(self, work: LegWork) -> None:
        """Queue work on its lane. Raises `LaneFull`."""
        self.lanes.add(work)
        self._bell.ring()

    async def run(self) -> None:
        while True:
            await self._bell.wait()
            for work in self.lanes.start_all():
                self._start(work)
            while self._ready:
                batch, self._ready = self._ready[:BATCH_LIMIT], self._ready[BATCH_LIMIT:]
                await self._commit(batch)

    async def stop(self) -> None:
        """Let what was committed leave and settle."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=15)

    def _start(self, work: LegWork) -> None:
        runner = self._runners.get(work.account_id)
        if runner is None or isinstance(work.wish, CancelAllWish):
            self._ready.append(work)
            return
        reduces = isinstance(work.wish, FollowUpWish) or work.wish.reduces
        # A close is sized by what is held: it passes without a price, and opens no leverage. An order by hand keeps
        # the venue's: the symbol may be a strategy's, too.
        leverage = None if reduces or work.strategy_account_id is None else work.leverage
        needs_price = isinstance(work.wish, FollowUpWish) or (
            work.wish.order_type is OrderType.MARKET and not reduces
        )
        is_blind = reduces and work.symbol in runner.lookups.symbols
        if not is_blind and runner.is_prepared(work.symbol, leverage, needs_price, opens=not reduces):
            self._ready.append(work)
        else:
            self._spawn(self._prepare(runner, work, leverage, needs_price, opens=not reduces))

    async def _prepare(
        self,
        runner: AccountRunner,
        work: LegWork,
        leverage: Decimal | None,
        needs_price: bool,
        *,
        opens: bool,
    ) -> None:
        try:
            async with asyncio.timeout(20):
                if work.symbol in runner.lookups.symbols:
                    await runner.read_fills(work.symbol)
                work.refused = await runner.prepare(work.symbol, leverage, needs_price, opens=opens)
        except TimeoutError:
            work.refused = Denied("venue_unreadable", "The venue did not answer in time: nothing was sent.")
        except Exception as error:
            log.error("not_prepared", account_id=work.account_id, error=type(error).__name__, exc_info=error)
            work.refused = Denied("not_prepared", "The venue's answers could not be used: nothing was sent.")
        self._ready.append(work)
        self._bell.ring()

    async def _commit(self, batch: Sequence[LegWork]) -> None:
        """Plan a batch and write it down in one transaction, then send what it decided."""
        try:
            planned = await self._floor.db.run(lambda unit: self._deciding.decide(unit, batch))
        except Exception as error:
            log.error("batch_not_planned", error=type(error).__name__, exc_info=error)
            if len(batch) > 1:
                for work in batch:
                    await self._commit([work])
                return
            self._give_up(batch[0], error)
            return
        committed_s = self._floor.clock.elapsed_s()
        told = {id(one.work) for one in planned}
        for work in batch:
            if id(work) not in told:
                self._give_up(work, None)
        for one in planned:
            if one.cancelled and one.work.account_id in self._runners:
                self._runners[one.work.account_id].cancels.wake()
            if one.order is not None:
                self._spawn(self._send(one, committed_s))
            else:
                self._finish(one)

    async def _send(self, one: Planned, committed_s: float) -> None:
        assert one.order is not None
        _answer(one.work, one.order)
        try:
            await self._runners[one.work.account_id].send(one.order, committed_s)
        except Exception as error:
            log.error("order_not_settled", order_id=one.order.id, error=type(error).__name__, exc_info=error)
            await self._leave_to_look_ups(one.order)
        finally:
            self.lanes.release(one.work.lane)
            self._bell.ring()

    async def _leave_to_look_ups(self, order: Order) -> None:
        """An order that is written down and perhaps sent, whose answer could not be booked: of unknown fate."""
        try:
            await self._floor.db.run(
                lambda unit: rows.mark_unresolved(unit, order.account_id, unit.now, order_id=order.id)
            )
        except Exception as error:
            # The look-ups find it by its age once the database is back.
            log.error("order_not_marked", order_id=order.id, error=type(error).__name__, exc_info=error)
            return
        if order.account_id in self._runners:
            self._runners[order.account_id].lookups.wake()

    def _finish(self, one: Planned) -> None:
        if isinstance(one.outcome, Denied):
            _answer(one.work, one.outcome)
        elif one.cancelled and one.work.account_id in self._runners:
            self._spawn(self._await_cancels(one))
            return
        self.lanes.release(one.work.lane)
        self._bell.ring()

    async def _await_cancels(self, one: Planned) -> None:
        """Later legs often replace what is being cancelled: they wait a while for it to end."""
        waits_until_s = self._floor.clock.elapsed_s() + CANCEL_WAIT_S
        try:
            while self._floor.clock.elapsed_s() < waits_until_s:
                async with self._floor.db.read() as unit:
                    left = await rows.by_ids(unit, one.cancelled)
                if not any(order.status.is_live for order in left):
                    return
                await self._floor.clock.sleep(CANCEL_POLL_S)
        finally:
            if one.comes_again:
                one.work.has_made_room = True
                self._ready.append(one.work)
            else:
                self.lanes.release(one.work.lane)
            self._bell.ring()

    def _give_up(self, work: LegWork, error: Exception | None) -> None:
        """Work that is not ours any more, or that cannot be planned: its delivery stays for whoever owns it."""
        reason = error.detail if isinstance(error, FillbookError) else "it could not be planned; see the log"
        _answer(work, Denied("not_planned", f"Nothing was sent: {reason}."))
        if work.delivery_id is not None and self.on_unplanned is not None:
            self.lanes.drop_delivery(work.lane, work.delivery_id)
            self.on_unplanned(work.delivery_id)
        self.lanes.release(work.lane)

    def _spawn(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _answer(work: LegWork, answer: Order | Denied) -> None:
    if work.planned is not None and not work.planned.done():
        work.planned.set_result(answer)
