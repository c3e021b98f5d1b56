"""Sees to what orders call for once they have filled: protection, and the close of what filled too late.

What is due is decided on the lane of its (account, symbol), in the transaction that writes it down, so that
nothing is placed twice. A wake-up is a hint; looking at every entry that may call for something is the truth.
"""

import asyncio
from typing import Final

import structlog

from fillbook.orders.core.client_ids import MANUAL_CODE
from fillbook.orders.core.order import Order
from fillbook.orders.store import follow_ups as entries
from fillbook.risk.core import Denied
from fillbook.strategies.terms import load_terms
from fillbook.trading.dispatcher import Dispatcher
from fillbook.trading.floor import Floor
from fillbook.trading.follow_ups import NOTHING_DUE
from fillbook.trading.work import FollowUpWish, LaneFull, LegWork

POLL_S: Final = 5.0
AFTER_REFUSAL_S: Final = 30.0

log = structlog.get_logger(__name__)

Group = tuple[int, str, int | None]
"""One owner's entries on one symbol of an account: (account, symbol, link)."""


class Following:
    """One loop for all accounts of the process."""

    def __init__(self, floor: Floor, dispatcher: Dispatcher) -> None:
        self._floor = floor
        self._dispatcher = dispatcher
        self._under_way: set[Group] = set()
        self._not_before_s: dict[Group, float] = {}

    async def run(self) -> None:
        while True:
            await self.turn()
            await self._floor.follow_bell.wait(POLL_S)

    async def turn(self) -> None:
        """Queue a look at every group that may call for something, unless one is under way."""
        owned = self._floor.ownership.leases().keys()
        async with self._floor.db.read() as unit:
            waiting = await entries.waiting(unit, owned)
            links = {order.strategy_account_id for order in waiting if order.strategy_account_id is not None}
            terms = await load_terms(unit, links, lock=False, with_capital=False) if links else {}
        groups: dict[Group, Order] = {}
        for order in waiting:
            groups.setdefault((order.account_id, order.symbol, order.strategy_account_id), order)
        self._floor.followed = {(account_id, symbol) for account_id, symbol, _ in groups}
        now_s = self._floor.clock.elapsed_s()
        for group, order in groups.items():
            if group in self._under_way or now_s < self._not_before_s.get(group, now_s):
                continue
            known = terms.get(order.strategy_account_id or 0)
            self._queue(group, order, known.strategy_code if known else MANUAL_CODE)

    def _queue(self, group: Group, order: Order, code: str) -> None:
        planned: asyncio.Future[Order | Denied] = asyncio.get_running_loop().create_future()
        planned.add_done_callback(lambda done: self._ended(group, done))
        work = LegWork(
            account_id=order.account_id,
            symbol=order.symbol,
            user_id=order.user_id,
            environment=order.environment,
            wish=FollowUpWish(),
            leg="",
            leg_count=1,
            is_last_leg=True,
            trade_source=order.trade_source,
            strategy_code=code,
            received_at=self._floor.clock.now(),
            strategy_id=order.strategy_id,
            strategy_account_id=order.strategy_account_id,
            planned=planned,
        )
        try:
            self._dispatcher.add(work)
        except LaneFull:
            log.warning("lane_full", account_id=work.account_id, symbol=work.symbol)
            return
        self._under_way.add(group)

    def _ended(self, group: Group, done: "asyncio.Future[Order | Denied]") -> None:
        self._under_way.discard(group)
        if done.cancelled():
            return
        answer = done.result()
        if isinstance(answer, Denied) and answer.code != NOTHING_DUE.code:
            self._not_before_s[group] = self._floor.clock.elapsed_s() + AFTER_REFUSAL_S
            log.error("follow_up_denied", account_id=group[0], symbol=group[1], code=answer.code)
        elif isinstance(answer, Order):
            self._not_before_s.pop(group, None)
            self._floor.follow_bell.ring()  # a second one may be due
