"""Takes deliveries of signals in: from rows that wait to work on the lanes.

Wake-ups are hints; looking into the table is the truth.
"""

from typing import Final

import structlog

from fillbook.kernel.bell import Bell
from fillbook.ledger.core.round_trip import TradeSource
from fillbook.orders.core.order import OrderType
from fillbook.signals.core.alert import Leg
from fillbook.strategies.terms import Terms, load_terms
from fillbook.trading.core.plan import OrderWish
from fillbook.trading.dispatcher import Dispatcher
from fillbook.trading.floor import Floor
from fillbook.trading.store import TAKEN_AT_ONCE, Delivery, open_deliveries
from fillbook.trading.work import CancelAllWish, LaneFull, LegWork

POLL_S: Final = 1.0

log = structlog.get_logger(__name__)


class DeliveryIntake:
    def __init__(self, floor: Floor, dispatcher: Dispatcher) -> None:
        self._floor = floor
        self._dispatcher = dispatcher
        self._bell = Bell()
        self._taken: set[int] = set()

    def wake(self) -> None:
        self._bell.ring()

    def forget(self, delivery_id: int) -> None:
        """A delivery that could not be planned to its end may be taken in again."""
        self._taken.discard(delivery_id)

    async def run(self) -> None:
        while True:
            if await self.turn() < TAKEN_AT_ONCE:
                await self._bell.wait(POLL_S)

    async def turn(self) -> int:
        """Take in what waits; returns how many deliveries that were."""
        owned = self._floor.ownership.leases().keys()
        if not owned:
            return 0
        async with self._floor.db.read(brief=True) as unit:
            found = await open_deliveries(unit, owned, self._taken)
            links = {one.strategy_account_id for one in found if one.strategy_account_id is not None}
            terms = await load_terms(unit, links, with_capital=False) if links else {}
        # What is no longer open has been planned: it need not be remembered.
        for one in found:
            self._taken.add(one.id)
            self._queue(one, terms)
        return len(found)

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
                self._taken.discard(delivery.id)
                return


def wish_of(leg: Leg) -> OrderWish | CancelAllWish:
    order_type: OrderType | None = leg.kind.order_type
    if order_type is None:
        return CancelAllWish(leg.side)
    return OrderWish(order_type, leg.side, leg.price, leg.stop_price, leg.qty_per)
