"""Takes deliveries of signals in: from rows that wait to work on the lanes.

A wake-up names a signal, whose deliveries are read at once; it is a hint. Looking for all that is open, every
second, is the truth, and comes first whenever something older may have been left behind.
"""

from collections.abc import Collection
from typing import Final

import structlog

from fillbook.kernel.bell import Bell
from fillbook.ledger.core.round_trip import TradeSource
from fillbook.orders.core.order import OrderType
from fillbook.signals.core.alert import Leg
from fillbook.storage.unit import Unit
from fillbook.strategies.terms import Terms, load_terms
from fillbook.trading.core.wishes import OrderWish
from fillbook.trading.dispatcher import Dispatcher
from fillbook.trading.floor import Floor
from fillbook.trading.store import (
    Delivery,
    deliveries_by_ids,
    deliveries_of_signals,
    open_delivery_ids,
)
from fillbook.trading.work import CancelAllWish, LaneFull, LegWork

POLL_S: Final = 1.0
TAKEN_AT_ONCE: Final = 1000

log = structlog.get_logger(__name__)


class DeliveryIntake:
    def __init__(self, floor: Floor, dispatcher: Dispatcher) -> None:
        self._floor = floor
        self._dispatcher = dispatcher
        self._bell = Bell()
        self._taken: set[int] = set()
        self._hinted: set[int] = set()
        self._looked_s = float("-inf")
        self._is_behind = False

    def wake(self, signal_id: int) -> None:
        self._hinted.add(signal_id)
        self._bell.ring()

    def forget(self, delivery_id: int) -> None:
        """A delivery that could not be planned to its end may be taken in again."""
        self._taken.discard(delivery_id)
        self._looked_s = float("-inf")

    async def run(self) -> None:
        while True:
            await self.turn()
            if not self._is_behind:
                await self._bell.wait(POLL_S)

    async def turn(self) -> int:
        """Take in what waits; returns how many deliveries that were."""
        owned = self._floor.ownership.leases().keys()
        if not owned:
            return 0
        hinted, self._hinted = self._hinted, set()
        now_s = self._floor.clock.elapsed_s()
        async with self._floor.db.read(brief=True) as unit:
            if self._is_behind or now_s - self._looked_s >= POLL_S:
                found = await self._look_for_all(unit, owned, now_s)
            else:
                found = await deliveries_of_signals(unit, hinted, owned)
                found = [one for one in found if one.id not in self._taken]
            links = {one.strategy_account_id for one in found if one.strategy_account_id is not None}
            terms = await load_terms(unit, links, with_capital=False) if links else {}
        for one in found:
            self._taken.add(one.id)
            self._queue(one, terms)
        return len(found)

    async def _look_for_all(self, unit: Unit, owned: Collection[int], now_s: float) -> list[Delivery]:
        open_ids = await open_delivery_ids(unit, owned)
        # What is no longer open has been planned: it need not be remembered.
        self._taken.intersection_update(open_ids)
        fresh = [number for number in open_ids if number not in self._taken]
        self._is_behind = len(fresh) > TAKEN_AT_ONCE
        self._looked_s = now_s
        return await deliveries_by_ids(unit, fresh[:TAKEN_AT_ONCE], owned)

    def _queue(self, delivery: Delivery, terms: dict[int, Terms]) -> None:
        link = terms.get(delivery.strategy_account_id or 0)
        for place, leg in enumerate(delivery.legs, start=1):
            work = LegWork(
                account_id=delivery.account_id,
                symbol=delivery.symbol,
                user_id=delivery.user_id,
                environment=delivery.environment,
                wish=wish_of(leg),
                leg=leg.leg,
                leg_count=delivery.leg_count,
                is_last_leg=place == len(delivery.legs),
                trade_source=TradeSource.WEBHOOK,
                strategy_code=link.strategy_code if link else "000000",
                received_at=delivery.received_at,
                strategy_id=delivery.strategy_id,
                strategy_account_id=delivery.strategy_account_id,
                signal_id=delivery.signal_id,
                delivery_id=delivery.id,
                log_id=delivery.log_ids.get(leg.leg),
                settings_version=delivery.settings_version,
            )
            if link is not None:
                work.leverage = link.leverage
            try:
                self._dispatcher.add(work)
            except LaneFull:
                log.warning("lane_full", account_id=work.account_id, symbol=work.symbol)
                self._dispatcher.lanes.drop_delivery(work.lane, delivery.id)
                self.forget(delivery.id)
                return


def wish_of(leg: Leg) -> OrderWish | CancelAllWish:
    order_type: OrderType | None = leg.kind.order_type
    if order_type is None:
        return CancelAllWish(leg.side)
    return OrderWish(
        order_type,
        leg.side,
        leg.price,
        leg.stop_price,
        leg.qty_per,
        stop_loss_price=leg.stop_loss,
        take_profit_price=leg.take_profit,
    )
