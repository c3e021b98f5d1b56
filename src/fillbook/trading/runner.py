"""One account's desk: what is prepared, sent, streamed, looked up, cancelled and fetched for it.

A group of small loops that share the account's venue and the bookkeeper. Facts go to the bookkeeper, decisions
come from pure cores. A venue that is slow or down slows this runner and no other.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import structlog

from fillbook.accounts import balances, symbols
from fillbook.accounts import service as accounts
from fillbook.accounts.core import Account, BalanceReport, PositionReport, SymbolModes
from fillbook.kernel.errors import FillbookError
from fillbook.ledger.core.fill import FillReport, FillSource
from fillbook.market import service as market
from fillbook.market.core import MarketType, market_type_of
from fillbook.market.errors import CredentialsRefused, ReadFailed
from fillbook.orders.core.order import Order
from fillbook.orders.core.outcomes import Acknowledged, PlaceOutcome, Rejected, Unknown
from fillbook.orders.core.reports import OrderReport, StreamChange, StreamState
from fillbook.orders.store import rows
from fillbook.risk.core import Denied
from fillbook.trading.backfill import Backfill
from fillbook.trading.cancels import CancelWorker
from fillbook.trading.core.plan import venue_leverage
from fillbook.trading.core.reconcile import pace
from fillbook.trading.facts import AmendSettled, Booked, FillsSeen, OrderSeen, SendSettled
from fillbook.trading.floor import Floor, OrderWatch, market_key
from fillbook.trading.gaps import take_report
from fillbook.trading.keys import KeyWatch
from fillbook.trading.lookups import LookUps
from fillbook.trading.ports import Venue
from fillbook.trading.reconciliation.reconciler import Reconciler
from fillbook.trading.reconciliation.rounds import Rounds
from fillbook.trading.sending import ref_of, request_of, too_late

STREAMED_FILL_WAIT_S: Final = 0.5
GAP_ATTEMPTS: Final = 4
VERIFIED_FOR: Final = timedelta(days=1)
RULES_RETRY_S: Final = 2.0

log = structlog.get_logger(__name__)


class AccountRunner:
    def __init__(self, account: Account, venue: Venue, floor: Floor) -> None:
        self.account = account
        self.venue = venue
        self._floor = floor
        self._verified: dict[str, Decimal] = {}
        self._preparing = asyncio.Lock()
        self._acts: set[asyncio.Task[None]] = set()
        self.backfill = Backfill(account, venue, floor)
        self.lookups = LookUps(account, venue, floor, self.backfill)
        self.cancels = CancelWorker(account, venue, floor)
        self.key = KeyWatch(account, venue, floor)
        self._feeds: dict[str, bool] = {}
        self.reconciler = Reconciler(account, venue, floor, self.backfill, self.cancels)
        self.rounds = Rounds(account, self.reconciler, floor, lambda: self.is_streaming)

    @property
    def is_streaming(self) -> bool:
        """Whether every feed of the account is up."""
        return bool(self._feeds) and all(self._feeds.values())

    async def run(self) -> None:
        """Run until cancelled. Orders whose answer was never booked are of unknown fate from the start."""
        await self._floor.db.run(lambda unit: rows.mark_unresolved(unit, self.account.id, unit.now))
        self._feeds.clear()
        await self._recall_modes()
        await self.learn_instruments()
        await self._learn_position_mode()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream(), name=f"stream-{self.account.id}")
            group.create_task(self.rounds.run(), name=f"rounds-{self.account.id}")
            group.create_task(self.lookups.run(), name=f"look-ups-{self.account.id}")
            group.create_task(self.cancels.run(), name=f"cancels-{self.account.id}")
            group.create_task(self.key.run(), name=f"key-{self.account.id}")

    async def learn_instruments(self) -> None:
        """Nothing can be booked by rules that nobody knows: take those of the database, or ask until told."""
        key = market_key(self.account)
        for market_type in self.account.market_types:
            if not self._floor.instruments.knows(key, market_type):
                async with self._floor.db.read() as unit:
                    kept = await market.instruments_in_force(unit, *key)
                self._floor.instruments.remember(key, kept.values())
            while not self._floor.instruments.knows(key, market_type):
                try:
                    await self._floor.instruments.refresh(key, market_type, self.venue)
                except ReadFailed as failure:
                    log.warning("rules_not_read", account_id=self.account.id, reason=failure.detail)
                    await self._floor.clock.sleep(RULES_RETRY_S)

    async def _learn_position_mode(self) -> None:
        """Ahead of the first order, so that many accounts need not ask for it at the same alert."""
        if MarketType.FUTURES not in self.account.market_types:
            return
        try:
            async with self._preparing:
                await self._verify_position_mode()
        except FillbookError as failure:
            log.info("position_mode_not_read", account_id=self.account.id, reason=failure.detail)

    async def _recall_modes(self) -> None:
        """Leverage that was verified lately need not be asked for again after a restart."""
        async with self._floor.db.read() as unit:
            known = await symbols.of_accounts(unit, [self.account.id])
        since = self._floor.clock.now() - VERIFIED_FOR
        for one in known:
            if one.verified_at >= since and one.modes.leverage is not None:
                self._verified[one.modes.symbol] = one.modes.leverage

    async def stop(self) -> None:
        """Let requests that are under way come to their end, then close the venue."""
        if self._acts:
            await asyncio.wait(set(self._acts), timeout=15)
        await self.venue.close()

    # What an order needs before it can be planned.

    def is_prepared(self, symbol: str, leverage: Decimal | None, needs_price: bool, *, opens: bool) -> bool:
        key, market_type = market_key(self.account), market_type_of(symbol)
        return (
            self._floor.instruments.is_fresh(key, market_type)
            and (not needs_price or self._floor.prices.fresh(key, symbol) is not None)
            and (
                market_type is MarketType.SPOT
                or not opens
                or (
                    self.account.position_mode is not None
                    and (leverage is None or self._verified.get(symbol) == venue_leverage(leverage))
                )
            )
        )

    async def prepare(
        self, symbol: str, leverage: Decimal | None, needs_price: bool, *, opens: bool
    ) -> Denied | None:
        """Read rules and price, and set and verify the venue's modes, before a symbol's first order.

        `leverage` is None where the venue's is to stay as it is. The answer is why nothing may be sent.
        """
        key, market_type = market_key(self.account), market_type_of(symbol)
        try:
            await self._floor.instruments.refresh(key, market_type, self.venue)
            instrument = self._floor.instruments.get(key, symbol)
            if instrument is None or not instrument.is_active:
                return None  # the planner says that the venue does not list it, or does not trade it
            if needs_price:
                await self._floor.prices.get(key, symbol, self.venue)
            if market_type is MarketType.FUTURES and opens:
                async with self._preparing:
                    await self._verify_position_mode()
                    if leverage is not None:
                        await self._verify_modes(symbol, leverage)
        except CredentialsRefused as failure:
            self.key.doubt()
            return Denied(failure.code, failure.detail)
        except ReadFailed as failure:
            return Denied(failure.code, f"{self.account.exchange} could not be read: {failure.detail}")
        except FillbookError as failure:
            return Denied(failure.code, failure.detail)
        return None

    async def read_fills(self, symbol: str) -> None:
        """Bring the books of a symbol up to what the venue tells now, before they are relied on."""
        try:
            await self.backfill.read_on(symbol)
        except ReadFailed as failure:
            log.warning("fills_not_read", account_id=self.account.id, symbol=symbol, reason=failure.detail)

    async def _verify_modes(self, symbol: str, leverage: Decimal) -> None:
        wanted = venue_leverage(leverage)
        if self._verified.get(symbol) == wanted:
            return
        await self.venue.set_leverage(symbol, wanted)
        await self._remember_modes(SymbolModes(symbol, wanted, None, self.account.position_mode))
        self._verified[symbol] = wanted

    async def _remember_modes(self, modes: SymbolModes) -> None:
        await self._floor.db.run(lambda unit: symbols.save_verified(unit, self.account, modes))

    async def _verify_position_mode(self) -> None:
        """Which legs orders name depends on it: read before the account's first futures order."""
        if self.account.position_mode is not None:
            return
        mode = await self.venue.position_mode()
        account = self.account
        await self._floor.db.run(lambda unit: accounts.set_position_mode(unit, account.id, mode))
        self.account = replace(account, position_mode=mode)
        self._floor.accounts[account.id] = self.account

    # Sending.

    async def send(self, order: Order, committed_s: float) -> None:
        """Send one committed order, book what came of it, and wait until its fills are in the books."""
        assert order.epoch is not None, "an order is committed under the epoch of a lease"
        sent_at: datetime | None = None
        outcome: PlaceOutcome | Denied | None = too_late(
            self._floor, self.account.id, order.epoch, committed_s
        )
        if outcome is None:
            sent_at = self._floor.clock.now()
            outcome = await self.venue.place(request_of(order))
        if isinstance(outcome, Rejected) and outcome.doubts_key:
            self.key.doubt()
        watch = self._floor.watched[order.id] = OrderWatch(order)
        try:
            booked = await self._floor.bookkeeper.submit(SendSettled(order, outcome, sent_at))
            if isinstance(outcome, Unknown):
                self.lookups.wake()
            elif isinstance(outcome, Acknowledged) and booked.gap:
                await self._await_fills(watch, outcome.report)
        finally:
            del self._floor.watched[order.id]
        if booked.order is not None and booked.order.cancel_wanted:
            self.cancels.wake()

    async def amend(self, order: Order) -> None:
        """Ask the venue once for a change that is written down, and book what came of it."""
        assert order.amend is not None, "a change is written down before it is asked for"
        outcome: PlaceOutcome | Denied = Denied("too_late", "This server no longer trades the account.")
        lease = self._floor.ownership.lease_of(self.account.id)
        if lease is not None and self._floor.ownership.may_send(self.account.id, lease.epoch):
            wanted = replace(order, price=order.amend.price, quantity=order.amend.quantity)
            outcome = await self.venue.amend(ref_of(order), request_of(wanted))
        await self._floor.bookkeeper.submit(AmendSettled(order, outcome))
        if isinstance(outcome, Unknown):
            self.lookups.wake()

    def amend_soon(self, order: Order) -> None:
        self._act(self.amend(order))

    async def _await_fills(self, watch: OrderWatch, report: OrderReport) -> None:
        """The venue has filled more than is booked: the stream brings it in a moment, or it is fetched."""
        for _ in range(GAP_ATTEMPTS):
            watch.changed.clear()
            if watch.order.filled_quantity >= report.filled_quantity:
                return
            try:
                await asyncio.wait_for(watch.changed.wait(), STREAMED_FILL_WAIT_S)
                continue
            except TimeoutError:
                pass
            try:
                if not (await take_report(self._floor, self.venue, self.account.id, report)).gap:
                    return
            except ReadFailed as failure:
                log.warning("fills_not_read", order_id=watch.order.id, reason=failure.detail)
        self.rounds.look_soon()

    # Listening and fetching.

    async def _stream(self) -> None:
        async with aclosing(self.venue.stream()) as events:  # type: ignore[type-var]
            async for event in events:
                await self._hear(event)

    async def _hear(self, event: object) -> None:
        match event:
            case StreamChange(state, reason, feed):
                was_up = self._feeds.get(feed, False)
                self._feeds[feed] = state is StreamState.CONNECTED
                log.info("stream", account_id=self.account.id, state=state, reason=reason)
                if self._feeds[feed]:
                    self.rounds.connected()
                elif was_up:
                    self._act(self._look_when_deaf())
            case OrderReport():
                booked = await self._floor.bookkeeper.enqueue(OrderSeen(self.account.id, event))
                booked.add_done_callback(lambda done: self._check_gap(done, event))
            case FillReport():
                seen = FillsSeen(self.account.id, (event,), FillSource.STREAM)
                booked = await self._floor.bookkeeper.enqueue(seen)
                booked.add_done_callback(self._check_owner)
            case BalanceReport():
                await self._floor.db.run(lambda unit: balances.save(unit, self.account, [event]))
            case PositionReport():
                pass  # positions are folds over fills; the venue's own are compared at reconciliation

    async def _look_when_deaf(self) -> None:
        """A stream that does not come back soon ends the long pause that it allowed."""
        await self._floor.clock.sleep(pace.UNREAD_EVERY / timedelta(seconds=1))
        if not self.is_streaming:
            self.rounds.look_soon()
            self.key.doubt()

    def _check_gap(self, booked: "asyncio.Future[Booked]", report: OrderReport) -> None:
        """A streamed report that names more than the books hold: give the fill a moment, then fetch it."""
        if booked.cancelled() or booked.exception() is not None:
            self.rounds.look_soon()
            return
        if booked.result().gap:
            self._act(self._await_streamed_fill(report))

    def _check_owner(self, booked: "asyncio.Future[Booked]") -> None:
        """A streamed fill of an order of ours that the books do not have: its record says whose it is."""
        if booked.cancelled() or booked.exception() is not None:
            self.rounds.look_soon()
        elif booked.result().unowned:
            self._act(self._take_unowned(booked.result().unowned))

    async def _take_unowned(self, fills: tuple[FillReport, ...]) -> None:
        try:
            await self.backfill.take_unowned(fills)
        except ReadFailed as failure:
            log.warning("order_not_read", account_id=self.account.id, reason=failure.detail)
            self.rounds.look_soon()

    async def _await_streamed_fill(self, report: OrderReport) -> None:
        await self._floor.clock.sleep(STREAMED_FILL_WAIT_S)
        try:
            await take_report(self._floor, self.venue, self.account.id, report)
        except ReadFailed:
            self.rounds.look_soon()

    def _act(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(act)
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)
