"""Work on one (account, symbol): a leg of a signal, or an order that a person places by hand.

A lane is the queue of one (account, symbol). Its head is worked on alone; the next item starts when the lane
is released, so that orders of one symbol on one account keep their order while accounts and symbols run side
by side. Every queue is bounded.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from fillbook.accounts.core import Environment
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import ONE
from fillbook.ledger.core.round_trip import TradeSource
from fillbook.market.core import Side
from fillbook.orders.core.order import Order
from fillbook.risk.core import Denied
from fillbook.trading.core.wishes import OrderWish

LANE_LIMIT: Final = 1000
Lane = tuple[int, str]


class LaneFull(FillbookError):
    code = "too_much_waiting"
    status = 429


@dataclass(frozen=True, slots=True)
class CancelAllWish:
    """Cancel the live orders of a strategy on one symbol, of one side if it is given."""

    side: Side | None = None


@dataclass(frozen=True, slots=True)
class FollowUpWish:
    """See to what an owner's filled orders on the symbol call for: it is worked out when its turn comes."""


@dataclass(slots=True, eq=False)
class LegWork:
    """One leg of a signal on one account. `wish` says what to do, the rest says for whom and why."""

    account_id: int
    symbol: str
    user_id: int
    environment: Environment
    wish: OrderWish | CancelAllWish | FollowUpWish
    leg: str
    leg_count: int
    is_last_leg: bool
    trade_source: TradeSource
    strategy_code: str
    received_at: datetime
    strategy_id: int | None = None
    strategy_account_id: int | None = None
    signal_id: int | None = None
    delivery_id: int | None = None
    log_id: int | None = None
    settings_version: int | None = None
    leverage: Decimal = ONE
    parent_order_id: int | None = None
    has_made_room: bool = False
    refused: Denied | None = None
    planned: "asyncio.Future[Order | Denied] | None" = field(default=None, repr=False)

    @property
    def lane(self) -> Lane:
        return (self.account_id, self.symbol)


class Lanes:
    """All lanes of the accounts that this process owns."""

    def __init__(self) -> None:
        self._waiting: dict[Lane, deque[LegWork]] = {}
        self._occupied: set[Lane] = set()
        self._startable: dict[Lane, None] = {}

    def add(self, work: LegWork) -> None:
        """Queue work; raises `LaneFull` when the lane already holds as much as it may."""
        queue = self._waiting.setdefault(work.lane, deque())
        if len(queue) >= LANE_LIMIT:
            raise LaneFull(
                f"{LANE_LIMIT} orders wait for {work.symbol} on this account already: try again later."
            )
        queue.append(work)
        if work.lane not in self._occupied:
            self._startable[work.lane] = None

    def start_all(self) -> Iterator[LegWork]:
        """Occupy every free lane that has work, and hand out its head."""
        while self._startable:
            lane = next(iter(self._startable))
            del self._startable[lane]
            self._occupied.add(lane)
            yield self._waiting[lane].popleft()

    def release(self, lane: Lane) -> None:
        """The head of a lane is done: the next may start."""
        assert lane in self._occupied, "only an occupied lane can be released"
        self._occupied.discard(lane)
        if self._waiting.get(lane):
            self._startable[lane] = None
        else:
            self._waiting.pop(lane, None)

    def drop_delivery(self, lane: Lane, delivery_id: int) -> None:
        """Forget the legs of a delivery that wait on its lane: it is taken in again as a whole."""
        waiting = self._waiting.get(lane)
        if waiting is None:
            return
        kept = deque(work for work in waiting if work.delivery_id != delivery_id)
        if kept:
            self._waiting[lane] = kept
        else:
            del self._waiting[lane]
            self._startable.pop(lane, None)

    def drop_account(self, account_id: int) -> list[LegWork]:
        """Forget what waits for an account that is no longer ours; its deliveries stay in the database."""
        dropped: list[LegWork] = []
        for lane in [lane for lane in self._waiting if lane[0] == account_id]:
            dropped += self._waiting.pop(lane)
            self._startable.pop(lane, None)
        return dropped
