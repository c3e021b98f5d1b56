"""What becomes of a batch of work, in one transaction: planned, denied, or cancels queued; all of it written down.

The lease rows of the batch's accounts are locked in the transaction: an order that it writes is ours to send.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from fillbook.accounts import cursors
from fillbook.accounts.core import PositionSide
from fillbook.fleet.leases import still_held
from fillbook.kernel.money import ZERO
from fillbook.ledger.core.round_trip import TradeSource
from fillbook.orders.core.client_ids import Origin, make_client_order_id
from fillbook.orders.core.order import Order, OrderStatus, Owner
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.orders.store import cancels, results, rows
from fillbook.orders.store.results import LegResult
from fillbook.risk.core import Denied
from fillbook.storage.unit import Unit
from fillbook.strategies.terms import CapitalChange, change_capital
from fillbook.trading.core.follow_ups import REPLACED
from fillbook.trading.core.plan import plan
from fillbook.trading.core.settle import with_late_close, with_requested_cancel
from fillbook.trading.core.wishes import OrderIntent, OrderWish
from fillbook.trading.floor import Floor
from fillbook.trading.follow_ups import NOTHING_DUE, due_follow_up
from fillbook.trading.planning import PlanBoard
from fillbook.trading.sending import SEND_WITHIN_S
from fillbook.trading.store import DeliveryMove, finish_deliveries, finish_signals, move_deliveries
from fillbook.trading.work import CancelAllWish, FollowUpWish, LegWork

TOO_OLD: Final = timedelta(seconds=60)


@dataclass(slots=True)
class Planned:
    """What the transaction made of one item of work."""

    work: LegWork
    outcome: OrderIntent | Denied | None
    order: Order | None = None
    cancelled: tuple[int, ...] = ()
    comes_again: bool = False


class Deciding:
    """`desks` are the accounts whose desks are open: a dict that its owner keeps current."""

    def __init__(
        self,
        floor: Floor,
        desks: Collection[int],
        holder: str,
        installation: str,
        rng: random.Random,
    ) -> None:
        self._floor = floor
        self._desks = desks
        self._holder = holder
        self._installation = installation
        self._rng = rng
        self._followed: set[tuple[int, str]] = set()

    async def decide(self, unit: Unit, batch: Sequence[LegWork]) -> list[Planned]:
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
        is_closed = work.account_id not in self._desks
        return is_closed and self._floor.accounts[work.account_id].is_active and not _is_too_old(work, now)

    async def _plan_one(self, unit: Unit, board: PlanBoard, work: LegWork) -> Planned:
        if work.refused is not None:
            return Planned(work, work.refused)
        if _is_too_old(work, unit.now):
            reason = f"It waited more than {TOO_OLD.seconds} s before it could be planned: nothing was sent."
            return Planned(work, Denied("too_old", reason))
        if isinstance(work.wish, CancelAllWish):
            live = board.live_of_link(work, work.wish.side)
            await request_cancels(unit, live)
            return Planned(work, None, cancelled=tuple(order.id for order in live))
        if isinstance(work.wish, FollowUpWish):
            return await self._plan_follow_up(unit, board, work)
        if work.wish.is_close:
            room = board.locked_by_protection(work)
            if room and not work.has_made_room:
                await request_cancels(unit, room, because=REPLACED)
                return Planned(work, None, cancelled=tuple(order.id for order in room), comes_again=True)
            unknown = board.unknown_openings(work)
            await request_cancels(unit, unknown, close_late=True)
            return self._decide(board, work, work.wish, cancelled=tuple(order.id for order in unknown))
        return self._decide(board, work, work.wish)

    async def _plan_follow_up(self, unit: Unit, board: PlanBoard, work: LegWork) -> Planned:
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
            return Planned(work, NOTHING_DUE, cancelled=cancelled)
        work.leg, work.parent_order_id = due.place.kind, due.place.entry.id
        work.leverage, work.trade_source = due.place.entry.leverage, due.place.entry.trade_source
        return self._decide(board, work, due.wish, cancelled=cancelled)

    def _decide(
        self, board: PlanBoard, work: LegWork, wish: OrderWish, cancelled: tuple[int, ...] = ()
    ) -> Planned:
        outcome = plan(wish, board.context(work), work.trade_source)
        if isinstance(outcome, OrderIntent):
            board.add(work, outcome)
        elif cancelled and outcome.code == "no_position":
            outcome = Denied(
                "not_yet_held",
                "Nothing is held yet. An order of unknown fate is being cancelled; what it fills is closed.",
            )
        return Planned(work, outcome, cancelled=cancelled)

    async def _write(self, unit: Unit, planned: Sequence[Planned], epochs: Mapping[int, int]) -> None:
        intents = [one for one in planned if isinstance(one.outcome, OrderIntent)]
        order_rows = [self._order_row(unit, one.work, one.outcome, epochs) for one in intents]  # type: ignore[arg-type]
        numbers = await rows.insert_orders(unit, order_rows)
        for one, row, number in zip(intents, order_rows, numbers, strict=True):
            one.order = rows.written_order(row, number, unit.now)
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


def _result_now(one: Planned, unit: Unit) -> LegResult:
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


def _moves(planned: Sequence[Planned]) -> list[DeliveryMove]:
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
