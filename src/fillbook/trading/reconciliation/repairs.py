"""Doing what the planner asks for, each thing through the door that it always goes through.

A repair that reads leaves what it saw on the venue's side, so that the next look compares it.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from fillbook.accounts import cursors
from fillbook.accounts.core import Account
from fillbook.ledger.core.fill import FillAmendment, FillReport, FillSource
from fillbook.ledger.service import held
from fillbook.market.core import market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.client_ids import parse_client_order_id
from fillbook.orders.core.order import Owner
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.orders.store import known
from fillbook.signals.restoring import LostOrder, find_signal, restore_signal
from fillbook.storage.unit import Unit
from fillbook.trading.backfill import Backfill
from fillbook.trading.cancels import CancelWorker
from fillbook.trading.core.reconcile.labels import asks_for_signal
from fillbook.trading.core.reconcile.repairs import (
    BookFills,
    EndVanished,
    InferFill,
    LookUpOrder,
    MarkPosition,
    QueueCancel,
    ReadFills,
    ReadHistory,
    Relabel,
    Repair,
    RestartCursor,
    TakeBack,
    TakeRecord,
)
from fillbook.trading.core.reconcile.snapshots import Residual, Unread
from fillbook.trading.facts import FillsSeen, OrderSeen, Vanished
from fillbook.trading.floor import Floor
from fillbook.trading.gaps import take_report
from fillbook.trading.reconciliation.venue_side import VenueSide

LOOK_BACK_DAYS: Final = (1, 7, 30, 90, 180, 365, 730)
"""Further and further, until what differs is explained."""


class Repairs:
    """One run's repairs of one account."""

    def __init__(
        self, account: Account, floor: Floor, backfill: Backfill, cancels: CancelWorker, side: VenueSide
    ) -> None:
        self._account = account
        self._floor = floor
        self._backfill = backfill
        self._cancels = cancels
        self._side = side
        self.inferred: set[str] = set()
        """Symbols of fills that were inferred, or taken back."""

    async def do(self, repair: Repair) -> None:
        match repair:
            case TakeRecord(report):
                await self._take(report)
            case LookUpOrder(order):
                await self._side.look_up(order)
            case ReadFills(symbol):
                await self.read_on([symbol])
            case ReadHistory(symbol):
                await self._read_back(symbol)
            case BookFills(fills):
                await self._book(fills, FillSource.REST)
            case InferFill(fill, record):
                await self._infer(fill, record)
            case TakeBack(residual):
                await self._take_back(residual)
            case EndVanished(order):
                await self._floor.bookkeeper.submit(Vanished(order))
            case QueueCancel():
                await self._cancels.queue_again()
            case MarkPosition(leg, status):
                await self._floor.db.run(
                    lambda unit: held.set_status(unit, self._account.id, leg.symbol, leg.side, status)
                )
            case Relabel():
                await self._floor.db.run(lambda unit: self._relabel(unit, repair))
            case RestartCursor(symbol, since):
                await self._floor.db.run(lambda unit: cursors.restart(unit, self._account, symbol, since))

    async def read_on(self, symbols: Iterable[str], until: datetime | None = None) -> None:
        """Read fills on from their cursors, each symbol by itself; `until` is the venue's time, where it is known."""
        for symbol in symbols:
            try:
                self._side.fills += await self._backfill.read_on(symbol, until)
            except ReadFailed as failure:
                self._side.unread_fills[symbol] = Unread(failure.detail)
            else:
                self._side.fills_read.add(symbol)

    async def read_since(self, symbols: Iterable[str], since: datetime) -> None:
        """Read the fills of symbols that are not followed, and follow those that have some."""
        for symbol in symbols:
            try:
                found = await self._backfill.read_again(symbol, since)
            except ReadFailed as failure:
                self._side.unread_fills[symbol] = Unread(failure.detail)
                continue
            self._side.fills += found
            if found:
                await self._follow(symbol)

    async def _take(self, report: OrderReport) -> None:
        try:
            booked = await take_report(self._floor, self._side.venue, self._account.id, report)
        except ReadFailed as failure:
            self._side.unread_fills[report.symbol] = Unread(failure.detail)
            return
        if booked.gap and booked.order is not None:
            self._side.unexplained.add(booked.order.id)
        await self._follow(report.symbol)

    async def _follow(self, symbol: str) -> None:
        """From the first sight of a symbol on, its fills are followed."""
        await self._floor.db.run(lambda unit: cursors.begin(unit, [(self._account, symbol)]))

    async def _read_back(self, symbol: str) -> None:
        """Read a symbol's fills again, further and further back, until they explain what differs or the venue
        has told all that it keeps."""
        kept = TRAITS[self._account.exchange].fills_kept.get(market_type_of(symbol))
        now = self._floor.clock.now()
        limit = kept or timedelta(days=LOOK_BACK_DAYS[-1])
        spans = [timedelta(days=days) for days in LOOK_BACK_DAYS if timedelta(days=days) < limit]
        for span in (*spans, limit):
            # A moment inside the window, so that its edge does not pass while the request is under way.
            since = now - span + (timedelta(minutes=1) if span == kept else timedelta(0))
            try:
                self._side.fills += await self._backfill.read_again(symbol, since)
            except ReadFailed as failure:
                self._side.unread_fills[symbol] = Unread(failure.detail)
                return
            self._side.fills_read.add(symbol)
            if await self._is_explained(symbol):
                break
        else:
            self._side.exhausted.add(symbol)
            await self._side.read_mark(symbol)
        await self._follow(symbol)

    async def _is_explained(self, symbol: str) -> bool:
        """Whether the books now hold what the venue states, of the symbol's position and of its orders."""
        if self._side.unexplained:
            return False
        positions = self._side.positions
        if positions is None or isinstance(positions, Unread):
            return False
        there = {one.position_side: one.quantity for one in positions if one.symbol == symbol}
        async with self._floor.db.read() as unit:
            books = await held.held_futures(unit, self._account.id)
        here = {one.position_side: one.quantity for one in books if one.symbol == symbol and one.quantity}
        return here == there

    async def _book(self, fills: tuple[FillReport, ...], source: FillSource) -> None:
        await self._floor.bookkeeper.submit(FillsSeen(self._account.id, fills, source, adopt=True))

    async def _infer(self, fill: FillReport, record: OrderReport | None) -> None:
        """Book a fill that stands for what nothing explains, under an order of its own where it has none."""
        if record is not None:
            await self._floor.bookkeeper.submit(OrderSeen(self._account.id, record))
        await self._book((fill,), FillSource.INFERRED)
        self.inferred.add(fill.symbol)
        if record is not None:
            await self._floor.bookkeeper.submit(OrderSeen(self._account.id, record))

    async def _take_back(self, residual: Residual) -> None:
        every = (residual.fill, *residual.since)
        busted = (replace(fill, amendment=FillAmendment.BUSTED) for fill in every)
        await self._book(tuple(busted), FillSource.REST)
        again = (replace(fill, amendment=FillAmendment.CORRECTED) for fill in residual.since)
        await self._book(tuple(again), FillSource.REST)
        self.inferred.add(residual.fill.symbol)

    async def _relabel(self, unit: Unit, repair: Relabel) -> None:
        order, link = repair.order, repair.link
        values: dict[str, Any] = {
            "strategy_id": link.strategy_id,
            "strategy_account_id": link.strategy_account_id,
            "owner": Owner.OURS,
        }
        named = parse_client_order_id(order.client_order_id)
        assert named is not None, "only an order whose id names its strategy is relabelled"
        if order.signal_id is None and asks_for_signal(named):
            lost = LostOrder(
                order.user_id,
                order.account_id,
                link.strategy_id,
                order.symbol,
                order.side,
                named.leg,
                order.exchange_at or order.created_at,
                order.reduce_only,
                link.code,
            )
            found = await find_signal(unit, lost) or await restore_signal(
                unit, lost, "Restored from the order: its own signal is lost."
            )
            values |= {"signal_id": found.signal_id, "leg": found.leg}
            if found.log_id is not None:
                await known.name_result(unit, found.log_id, order.account_id, order.id)
        await known.relabel(unit, order.id, values)
