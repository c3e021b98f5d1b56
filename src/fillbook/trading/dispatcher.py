"""From deliveries to orders on the wire: take in, prepare, plan and commit in batches, send.

A batch holds whatever is ready at that moment, at most one item of each (account, symbol), and waits for
nobody. An order leaves only after the transaction that wrote it down, under a lease whose row was locked in it.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import structlog

from fillbook.accounts import cursors
from fillbook.accounts.core import PositionSide
from fillbook.fleet.leases import still_held
from fillbook.kernel.bell import Bell
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import ZERO
from fillbook.ledger.core.round_trip import TradeSource
from fillbook.orders.core.client_ids import Origin, make_client_order_id
from fillbook.orders.core.order import Order, OrderStatus, OrderType, Owner
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.orders.store import cancels, results, rows
from fillbook.orders.store.results import LegResult
from fillbook.risk.core import Denied
from fillbook.storage.unit import Unit
from fillbook.strategies.terms import CapitalChange, change_capital
from fillbook.trading.core.follow_ups import REPLACED
from fillbook.trading.core.plan import OrderIntent, OrderWish, plan
from fillbook.trading.core.settle import with_late_close, with_requested_cancel
from fillbook.trading.floor import Floor
from fillbook.trading.follow_ups import NOTHING_DUE, due_follow_up
from fillbook.trading.planning import PlanBoard
from fillbook.trading.runner import AccountRunner
from fillbook.trading.sending import SEND_WITHIN_S
from fillbook.trading.store import DeliveryMove, finish_deliveries, finish_signals, move_deliveries
from fillbook.trading.work import CancelAllWish, FollowUpWish, Lanes, LegWork

POLL_S: Final = 1.0
BATCH_LIMIT: Final = 500
CANCEL_WAIT_S: Final = 5.0
CANCEL_POLL_S: Final = 0.05
TOO_OLD: Final = timedelta(seconds=60)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Planned:
    """What the transaction made of one item of work."""

    work: LegWork
    outcome: OrderIntent | Denied | None
    order: Order | None = None
    cancelled: tuple[int, ...] = ()
    comes_again: bool = False


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
        self._holder = holder
        self._installation = installation
        self._rng = rng
        self.lanes = Lanes()
        self._ready: list[LegWork] = []
        self._bell = Bell()
        self._tasks: set[asyncio.Task[None]] = set()
        self._followed: set[tuple[int, str]] = set()
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
        # A close is sized by what is held: it passes without a price, and opens no leverage.
        leverage = None if reduces else work.leverage
        needs_price = isinstance(work.wish, FollowUpWish) or (
            work.wish.order_type is OrderType.MARKET and not reduces
        )
        is_blind = reduces and work.symbol in runner.lookups.symbols
        if not is_blind and runner.is_prepared(work.symbol, leverage, needs_price):
            self._ready.append(work)
        else:
            self._spawn(self._prepare(runner, work, leverage, needs_price))

    async def _prepare(
        self, runner: AccountRunner, work: LegWork, leverage: Decimal | None, needs_price: bool
    ) -> None:
        try:
            async with asyncio.timeout(20):
                if work.symbol in runner.lookups.symbols:
                    await runner.read_fills(work.symbol)
                work.refused = await runner.prepare(work.symbol, leverage, needs_price)
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
            planned = await self._floor.db.run(lambda unit: self._plan(unit, batch))
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

    async def _plan(self, unit: Unit, batch: Sequence[LegWork]) -> list[_Planned]:
        owned = await self._lock_leases(unit, batch)
        works = [work for work in batch if work.account_id in owned and not self._must_wait(work, unit.now)]
        board = await PlanBoard.load(unit, self._floor, works)
        planned = [await self._plan_one(unit, board, work) for work in works]
        await self._write(unit, planned, owned)
        return planned

    async def _lock_leases(self, unit: Unit, batch: Sequence[LegWork]) -> dict[int, int]:
        """The accounts of the batch whose leases are still ours, with their epochs; their rows stay locked."""
        held = {
            lease.resource: (work.account_id, lease)
            for work in batch
            if (lease := self._floor.ownership.lease_of(work.account_id)) is not None
        }
        kept = await still_held(unit, [lease for _, lease in held.values()])
        return {held[lease.resource][0]: lease.epoch for lease in kept}

    def _must_wait(self, work: LegWork, now: datetime) -> bool:
        """Whether an account is ours but its desk is not open yet, as in the quiet time after a take-over."""
        is_closed = work.account_id not in self._runners
        return is_closed and self._floor.accounts[work.account_id].is_active and not _is_too_old(work, now)

    async def _plan_one(self, unit: Unit, board: PlanBoard, work: LegWork) -> _Planned:
        if work.refused is not None:
            return _Planned(work, work.refused)
        if _is_too_old(work, unit.now):
            reason = f"It waited more than {TOO_OLD.seconds} s before it could be planned: nothing was sent."
            return _Planned(work, Denied("too_old", reason))
        if isinstance(work.wish, CancelAllWish):
            live = board.live_of_link(work, work.wish.side)
            await request_cancels(unit, live)
            return _Planned(work, None, cancelled=tuple(order.id for order in live))
        if isinstance(work.wish, FollowUpWish):
            return await self._plan_follow_up(unit, board, work)
        if work.wish.is_close:
            room = board.locked_by_protection(work)
            if room and not work.has_made_room:
                await request_cancels(unit, room, because=REPLACED)
                return _Planned(work, None, cancelled=tuple(order.id for order in room), comes_again=True)
            unknown = board.unknown_openings(work)
            await request_cancels(unit, unknown, close_late=True)
            return self._decide(board, work, work.wish, cancelled=tuple(order.id for order in unknown))
        return self._decide(board, work, work.wish)

    async def _plan_follow_up(self, unit: Unit, board: PlanBoard, work: LegWork) -> _Planned:
        context = board.context(work)
        held: dict[PositionSide, Decimal] = defaultdict(lambda: ZERO)
        for holding in context.holdings:
            if holding.symbol == work.symbol:
                held[holding.position_side] += holding.quantity
        last = None if context.price is None else context.price.last
        lot = self._floor.instrument_of(work.account_id, work.symbol).lot
        due = await due_follow_up(unit, work, held, lot, last)
        await request_cancels(unit, due.cancels, because=REPLACED)
        cancelled = tuple(order.id for order in due.cancels)
        if due.place is None or due.wish is None:
            return _Planned(work, NOTHING_DUE, cancelled=cancelled)
        work.leg, work.parent_order_id = due.place.kind, due.place.entry.id
        work.leverage, work.trade_source = due.place.entry.leverage, due.place.entry.trade_source
        return self._decide(board, work, due.wish, cancelled=cancelled)

    def _decide(
        self, board: PlanBoard, work: LegWork, wish: OrderWish, cancelled: tuple[int, ...] = ()
    ) -> _Planned:
        outcome = plan(wish, board.context(work), work.trade_source)
        if isinstance(outcome, OrderIntent):
            board.add(work, outcome)
        elif cancelled and outcome.code == "no_position":
            outcome = Denied(
                "not_yet_held",
                "Nothing is held yet. An order of unknown fate is being cancelled; what it fills is closed.",
            )
        return _Planned(work, outcome, cancelled=cancelled)

    async def _write(self, unit: Unit, planned: Sequence[_Planned], epochs: Mapping[int, int]) -> None:
        intents = [one for one in planned if isinstance(one.outcome, OrderIntent)]
        order_rows = [self._order_row(unit, one.work, one.outcome, epochs) for one in intents]  # type: ignore[arg-type]
        numbers = await rows.insert_orders(unit, order_rows)
        for one, row, number in zip(intents, order_rows, numbers, strict=True):
            one.order = rows.to_order(_Row({**_ORDER_DEFAULTS, **row, "id": number, "created_at": unit.now}))
        await self._follow_symbols(unit, {one.work.lane for one in intents})
        await change_capital(
            unit,
            [
                CapitalChange(one.order.strategy_account_id, one.order.currency, reserved=one.order.reserved)
                for one in intents
                if one.order is not None and one.order.strategy_account_id is not None and one.order.reserved
            ],
        )
        settled = [one for one in planned if not one.comes_again]
        results_now = [_result_now(one, unit) for one in settled if one.work.log_id is not None]
        await results.open_results(unit, [result for result in results_now if result.success is None])
        await results.record_results(unit, [result for result in results_now if result.success is not None])
        await move_deliveries(unit, _moves(settled), self._holder)
        ended = {
            one.work.signal_id for one in settled if one.order is None and one.work.signal_id is not None
        }
        await finish_deliveries(unit, ended)
        await finish_signals(unit, ended)
        unit.after_commit(lambda: self._tell(ended))

    def _tell(self, signal_ids: set[int]) -> None:
        for signal_id in signal_ids:
            self._floor.signal_moved(signal_id)

    async def _follow_symbols(self, unit: Unit, lanes: set[tuple[int, str]]) -> None:
        """A symbol's fills are read on from the moment before its first order."""
        fresh = lanes - self._followed
        if fresh:
            await cursors.begin(
                unit, [(self._floor.accounts[account], symbol) for account, symbol in sorted(fresh)]
            )
            unit.after_commit(lambda: self._followed.update(fresh))

    def _order_row(
        self, unit: Unit, work: LegWork, intent: OrderIntent, epochs: Mapping[int, int]
    ) -> dict[str, Any]:
        # A person's close of a strategy's position is the person's: the id says so, beside the strategy's code.
        origin = Origin.MANUAL if work.trade_source is TradeSource.MANUAL else Origin.STRATEGY
        leg = work.leg[-4:] or "0"
        client_id = make_client_order_id(self._installation, origin, work.strategy_code, leg, self._rng)
        traits = TRAITS[self._floor.accounts[work.account_id].exchange]
        market_type = self._floor.instrument_of(work.account_id, intent.symbol).market_type
        return {
            "account_id": work.account_id,
            "user_id": work.user_id,
            "environment": work.environment,
            "currency": intent.currency,
            "strategy_id": work.strategy_id,
            "strategy_account_id": work.strategy_account_id,
            "signal_id": work.signal_id,
            "leg": work.leg,
            "client_order_id": str(client_id),
            "book": traits.book_of(market_type, intent.order_type),
            "symbol": intent.symbol,
            "market_type": market_type,
            "side": intent.side,
            "position_side": intent.position_side,
            "order_type": intent.order_type,
            "time_in_force": intent.time_in_force,
            "reduce_only": intent.reduce_only,
            "quantity": intent.quantity,
            "price": intent.price,
            "stop_price": intent.stop_price,
            "status": OrderStatus.PENDING_NEW,
            "owner": Owner.OURS,
            "origin": "manual" if origin is Origin.MANUAL else "strategy",
            "sizing": [asdict(step) for step in intent.sizing],
            "settings_version": work.settings_version,
            "parent_order_id": work.parent_order_id,
            "stop_loss_price": intent.stop_loss_price,
            "take_profit_price": intent.take_profit_price,
            "leverage": intent.leverage,
            "reserved": intent.reserved,
            "exit_reason": intent.exit_reason,
            "trade_source": intent.trade_source,
            "epoch": epochs[work.account_id],
            "send_by": unit.now + timedelta(seconds=SEND_WITHIN_S),
        }

    async def _send(self, one: _Planned, committed_s: float) -> None:
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

    def _finish(self, one: _Planned) -> None:
        if isinstance(one.outcome, Denied):
            _answer(one.work, one.outcome)
        elif one.cancelled and one.work.account_id in self._runners:
            self._spawn(self._await_cancels(one))
            return
        self.lanes.release(one.work.lane)
        self._bell.ring()

    async def _await_cancels(self, one: _Planned) -> None:
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


def _is_too_old(work: LegWork, now: datetime) -> bool:
    return now - work.received_at > TOO_OLD


async def request_cancels(
    unit: Unit, live: Sequence[Order], *, because: str | None = None, close_late: bool = False
) -> None:
    """Write down that orders are to be cancelled: the queue first, then the status. With `close_late`, what they
    fill all the same is to be closed."""
    if not live:
        return
    still = [order for order in await rows.locked(unit, [order.id for order in live]) if order.status.is_live]
    await cancels.enqueue(unit, still, unit.now)
    wanted = [with_requested_cancel(order, because) for order in still]
    await rows.save_orders(unit, [with_late_close(order) if close_late else order for order in wanted])


def _answer(work: LegWork, answer: Order | Denied) -> None:
    if work.planned is not None and not work.planned.done():
        work.planned.set_result(answer)


def _result_now(one: _Planned, unit: Unit) -> LegResult:
    """The order log's row at planning: ended for a denial or a cancel, open for an order on its way."""
    work, order = one.work, one.order
    assert work.log_id is not None
    denied = one.outcome if isinstance(one.outcome, Denied) else None
    is_over = order is None
    return LegResult(
        log_id=work.log_id,
        account_id=work.account_id,
        user_id=work.user_id,
        environment=work.environment,
        success=(denied is None) if is_over else None,
        order_id=None if order is None else order.id,
        error_code=denied.code if denied else None,
        error=denied.reason if denied else None,
        sizing=() if order is None else order.sizing,
        settled_at=unit.now if is_over else None,
    )


def _moves(planned: Sequence[_Planned]) -> list[DeliveryMove]:
    moves = []
    for one in planned:
        if one.work.delivery_id is None:
            continue
        if not one.work.is_last_leg:
            moves.append(DeliveryMove(one.work.delivery_id, "claimed"))
        elif isinstance(one.outcome, Denied) and one.work.leg_count == 1:
            moves.append(DeliveryMove(one.work.delivery_id, "denied", one.outcome.code, one.outcome.reason))
        else:
            moves.append(DeliveryMove(one.work.delivery_id, "planned"))
    return moves


class _Row(dict[str, Any]):
    """A row that was just written, read like one that was fetched."""

    __getattr__ = dict.__getitem__


_ORDER_DEFAULTS: Final[dict[str, Any]] = {
    "attempt": 1,
    "exchange_order_id": None,
    "filled_quantity": ZERO,
    "cost": ZERO,
    "unknown_since": None,
    "cancel_wanted": False,
    "bot_instance_id": None,
    "lookups": 0,
    "next_lookup_at": None,
    "watch_until": None,
    "error_code": None,
    "error_message": None,
    "sent_at": None,
    "acknowledged_at": None,
    "settled_at": None,
    "exchange_at": None,
    "close_on_late_fill": False,
    "late_fill_from": None,
    "follow_up": None,
    "amend": None,
}
"""What the database gives a new order, for reading it back without asking."""
