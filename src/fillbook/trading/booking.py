"""The one door through which facts enter the books: a batch of them, in one transaction.

Orders are found by our own id, by client id, or by a venue's id; fills are booked once and folded; then each
order follows its fills and reports, capital is moved, the order log is told, cursors advance, events are
written. Whatever the status of an order, its fills are booked.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from fillbook.accounts import cursors
from fillbook.fleet.events import EventSignal, NewEvent, append_events
from fillbook.kernel.money import exact
from fillbook.ledger.core.books import MANUAL, Owner
from fillbook.ledger.core.fill import Fill, FillSource
from fillbook.ledger.core.revision import Cause, Superseded
from fillbook.ledger.service.booking import BookedFills, FillToBook, Ledger, OwnerTerms
from fillbook.orders.core.order import Book, Order, OrderStatus
from fillbook.orders.core.order import Owner as OrderOwner
from fillbook.orders.core.outcomes import Acknowledged, Rejected, Unknown
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.orders.store import cancels, results, rows
from fillbook.orders.store.results import LegResult
from fillbook.risk.core import Denied
from fillbook.storage.unit import Unit
from fillbook.strategies.terms import CapitalChange, change_capital
from fillbook.trading.adoption import adopt
from fillbook.trading.core import settle
from fillbook.trading.core.adoption import named_by_us
from fillbook.trading.facts import (
    AmendSettled,
    Booked,
    Fact,
    FillsSeen,
    LookedUp,
    OrderSeen,
    SendSettled,
    Vanished,
)
from fillbook.trading.floor import Floor
from fillbook.trading.named_orders import NamedOrders, venue_ids_of
from fillbook.trading.store import finish_deliveries, finish_signals

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    """One transaction in the making. Results are by the facts' places in the batch."""

    orders: NamedOrders
    fills: list[tuple[int, FillToBook]] = field(default_factory=list)
    reports: list[tuple[int, int, OrderReport]] = field(default_factory=list)
    touched: dict[int, int] = field(default_factory=dict)
    unowned: dict[int, tuple[FillReport, ...]] = field(default_factory=dict)


class Booking:
    """`installations`: whose client order ids are ours, this one's first of all. `events` None: nobody listens, and
    no events are written."""

    def __init__(
        self, floor: Floor, ledger: Ledger, events: EventSignal | None, installations: Collection[str]
    ) -> None:
        self._floor = floor
        self._ledger = ledger
        self._events = events
        self._installations = installations

    async def book(self, facts: Sequence[Fact]) -> Sequence[Booked]:
        """Book a batch of facts in one transaction; what each came to, in their order."""
        return await self._floor.db.run(lambda unit: self._book(unit, facts))

    async def _book(self, unit: Unit, facts: Sequence[Fact]) -> Sequence[Booked]:
        batch = _Batch(await self._load(unit, facts))
        unknown = batch.orders.unknown_of(facts)
        adopted = await adopt(unit, self._floor.accounts, self._installations, unknown)
        for one, order in zip(unknown, adopted, strict=True):
            batch.orders.add_adopted(order, one.report)
        for place, fact in enumerate(facts):
            self._take(batch, place, fact, unit.now)
        wanted = [fill for _, fill in batch.fills]
        booked = await self._ledger.book(unit, wanted, self._floor.instrument_of, self._floor.rates_of)
        await self._follow_fills(unit, batch, booked)
        gaps = self._follow_reports(batch, unit.now)
        await self._save(unit, batch, booked, facts)
        amended = _amended(booked, batch.fills)
        fresh = _fresh(booked, batch.fills)
        return [
            Booked(
                order=batch.orders.by_id.get(batch.touched[place]) if place in batch.touched else None,
                gap=batch.touched.get(place) in gaps,
                unowned=batch.unowned.get(place, ()),
                amended=tuple(amended.get(place, ())),
                fresh=tuple(fresh.get(place, ())),
            )
            for place in range(len(facts))
        ]

    async def _load(self, unit: Unit, facts: Sequence[Fact]) -> NamedOrders:
        """Every order that the facts may speak of."""
        ids: set[int] = set()
        clients: set[rows.ClientId] = set()
        for fact in facts:
            match fact:
                case SendSettled(order=order) | AmendSettled(order=order):
                    ids.add(order.id)
                case LookedUp(order=order) | Vanished(order=order):
                    ids.add(order.id)
                case OrderSeen(account_id, report):
                    clients.add((account_id, report.client_order_id or ""))
                case FillsSeen(account_id, fills):
                    clients |= {(account_id, fill.client_order_id or "") for fill in fills}
        orders = NamedOrders()
        for order in await rows.locked(unit, ids):
            orders.add(order)
        for order in await rows.by_client_ids(
            unit, {key for key in clients - orders.by_client.keys() if key[1]}
        ):
            orders.add(order)
        # A venue's id is asked for only where our own has not named the order.
        venue_ids = {venue_id for fact in facts for venue_id in _ids_to_ask_for(fact, orders.ours())}
        for venue_id, order in await rows.by_venue_ids(unit, venue_ids):
            orders.add(order)
            orders.by_venue[venue_id] = order.id
        return orders

    def _take(self, batch: _Batch, place: int, fact: Fact, now: datetime) -> None:
        match fact:
            case SendSettled():
                self._take_outcome(batch, place, fact, now)
            case AmendSettled(order=Order(id=order_id), outcome=Acknowledged(report)):
                self._take_report(batch, place, order_id, report)
            case AmendSettled(order=Order(id=order_id), outcome=Rejected() | Unknown() | Denied() as outcome):
                batch.touched[place] = order_id
                batch.orders.put(settle.with_amend_outcome(batch.orders.by_id[order_id], outcome, now))
            case OrderSeen(account_id, report):
                order = batch.orders.find(
                    account_id, report.client_order_id, *venue_ids_of(account_id, report)
                )
                assert order is not None, "it is adopted before"
                self._take_report(batch, place, order.id, report)
            case FillsSeen():
                self._take_fills(batch, place, fact)
            case LookedUp(order, clean, at):
                batch.touched[place] = order.id
                current = batch.orders.by_id[order.id]
                if current.next_lookup_at is not None:
                    batch.orders.put(settle.with_look_up(current, clean, at))
            case Vanished(order):
                current = batch.orders.by_id[order.id]
                # A fact that came in the meantime is truer than what was concluded before it.
                if current == order:
                    batch.orders.put(settle.with_vanished(current, now))

    def _take_outcome(self, batch: _Batch, place: int, fact: SendSettled, now: datetime) -> None:
        order = batch.orders.by_id[fact.order.id]
        batch.touched[place] = order.id
        if fact.sent_at is not None:
            order = _with_sent_at(order, fact.sent_at)
        batch.orders.put(order)
        match fact.outcome:
            case Acknowledged(report, fills):
                self._take_report(batch, place, order.id, report)
                terms = _terms_of(order)
                batch.fills += [
                    (place, self._to_book(fact.account_id, fill, FillSource.RESPONSE, order.id, terms))
                    for fill in fills
                ]
            case Rejected(code, message):
                batch.orders.put(settle.with_rejection(order, code, message, now))
            case Denied(code, reason):
                batch.orders.put(settle.with_rejection(order, code, reason, now))
            case Unknown(code, message):
                batch.orders.put(settle.with_unknown_fate(order, code, message, now))

    def _take_report(self, batch: _Batch, place: int, order_id: int, report: OrderReport) -> None:
        batch.touched[place] = order_id
        batch.reports.append((place, order_id, report))
        account_id = batch.orders.by_id[order_id].account_id
        for venue_id in venue_ids_of(account_id, report):
            batch.orders.know(venue_id, order_id)

    def _take_fills(self, batch: _Batch, place: int, fact: FillsSeen) -> None:
        unowned = []
        # A page has many fills of few orders: what they have in common is found once.
        of_order: dict[tuple[str, str, str | None], tuple[Order | None, OwnerTerms | None]] = {}
        for fill in fact.fills:
            name = (fill.symbol, fill.exchange_order_id, fill.client_order_id)
            if name not in of_order:
                of_order[name] = self._order_of(batch, place, fact.account_id, fill)
            order, terms = of_order[name]
            if order is None and not fact.adopt and self._may_be_ours(fill):
                # Whether the order is ours, and whose, shows in the order's record.
                unowned.append(fill)
                continue
            order_id = None if order is None else order.id
            wanted = self._to_book(fact.account_id, fill, fact.source, order_id, terms)
            batch.fills.append((place, wanted))
        if unowned:
            batch.unowned[place] = tuple(unowned)

    def _order_of(
        self, batch: _Batch, place: int, account_id: int, fill: FillReport
    ) -> tuple[Order | None, OwnerTerms | None]:
        """The order that a fill belongs to, and on which terms; None where no order of ours asked for it."""
        venue_id = (account_id, fill.symbol, Book.NORMAL, fill.exchange_order_id)
        order = batch.orders.find(account_id, fill.client_order_id, venue_id)
        if order is None:
            return None, None
        batch.touched[place] = order.id
        batch.orders.know(venue_id, order.id)
        return order, _terms_of(order)

    def _may_be_ours(self, fill: FillReport) -> bool:
        name = fill.client_order_id
        return name is None or named_by_us(name, self._installations) is not None

    def _to_book(
        self,
        account_id: int,
        fill: FillReport,
        source: FillSource,
        order_id: int | None,
        terms: OwnerTerms | None,
    ) -> FillToBook:
        account = self._floor.accounts[account_id]
        return FillToBook(account_id, account.user_id, account.environment, fill, source, order_id, terms)

    async def _follow_fills(self, unit: Unit, batch: _Batch, booked: BookedFills) -> None:
        """Add up each order's fills anew: those that count from now on, less those that no longer do."""
        counting = _by_order(one.fill for one in booked.fills)
        superseded = _by_order(one.fill for one in booked.superseded)
        for found in await rows.by_ids(unit, superseded.keys() - batch.orders.by_id.keys()):
            batch.orders.add(found)
        for order_id in {**counting, **superseded}:
            # An order that is archived leaves its fills where they are.
            if order_id in batch.orders.by_id:
                fills, gone = counting.get(order_id, ()), superseded.get(order_id, ())
                batch.orders.put(settle.with_fills(batch.orders.by_id[order_id], fills, gone))

    def _follow_reports(self, batch: _Batch, now: datetime) -> set[int]:
        """Apply what venues reported, after the fills; the orders that still lack fills."""
        gaps: set[int] = set()
        for _, order_id, report in batch.reports:
            order = settle.with_report(batch.orders.by_id[order_id], report, now)
            batch.orders.put(order)
            if settle.has_gap(order, report):
                gaps.add(order_id)
        return gaps

    async def _save(self, unit: Unit, batch: _Batch, booked: BookedFills, facts: Sequence[Fact]) -> None:
        changed = [
            _settled(order, batch.orders.before[order.id], unit.now) for order in batch.orders.changed()
        ]
        for order in changed:
            batch.orders.put(order)
        await rows.save_orders(unit, changed)
        await rows.save_sizing(
            unit, [order for order in changed if order.sizing != batch.orders.before[order.id].sizing]
        )
        await _record_cancels(unit, batch, changed)
        await rows.insert_venue_ids(unit, batch.orders.new_venue_ids.items())
        await change_capital(unit, _capital_changes(batch.orders, changed, booked))
        await self._record_results(unit, batch.orders, changed)
        await cursors.advance(unit, _cursor_rows(self._floor, facts, batch.unowned))
        if self._events is not None:
            await append_events(unit, _events(self._floor, changed, booked), self._events)
        unit.after_commit(lambda: self._floor.bookings.update(fact.account_id for fact in facts))
        unit.after_commit(lambda: self._tell(booked, changed))

    async def _record_results(self, unit: Unit, orders: NamedOrders, changed: Sequence[Order]) -> None:
        told = [order for order in changed if order.signal_id is not None and _fate_changed(orders, order)]
        if not told:
            return
        log_ids = await results.log_ids(unit, {order.signal_id for order in told if order.signal_id})
        ended = await results.record_results(
            unit,
            [
                _result(order, log_ids[(order.signal_id, order.leg)])
                for order in told
                if order.signal_id is not None and (order.signal_id, order.leg) in log_ids
            ],
        )
        await finish_deliveries(unit, {signal_id for signal_id, _ in log_ids})
        await finish_signals(
            unit, {signal_id for (signal_id, _), log_id in log_ids.items() if log_id in ended}
        )

    def _tell(self, booked: BookedFills, changed: Sequence[Order]) -> None:
        for order in changed:
            watch = self._floor.watched.get(order.id)
            if watch is not None:
                watch.order = order
                watch.changed.set()
        calls = any(order.follow_up or order.parent_order_id is not None for order in changed)
        if calls or any((f.fill.account_id, f.fill.symbol) in self._floor.followed for f in booked.fills):
            self._floor.follow_bell.ring()
        for one in booked.superseded:
            if one.cause is not Cause.EXPLAINED:
                log.warning("fill_amended", fill_id=one.fill.id, by_id=one.by_id, cause=one.cause)
        for signal_id in {order.signal_id for order in changed if order.signal_id is not None}:
            self._floor.signal_moved(signal_id)


async def _record_cancels(unit: Unit, batch: _Batch, changed: Sequence[Order]) -> None:
    """Keep the record of what was truly cancelled, by the venue's time."""
    told_at = {order_id: report.exchange_at for _, order_id, report in batch.reports}
    was_canceled = {order.id for order in changed if _was(batch, order) is OrderStatus.CANCELED}
    now_canceled = [
        replace(order, exchange_at=told_at.get(order.id, unit.now))
        for order in changed
        if order.status is OrderStatus.CANCELED and order.id not in was_canceled
    ]
    await cancels.record_cancels(unit, now_canceled)
    await cancels.forget_cancels(
        unit, [o.id for o in changed if o.id in was_canceled and o.status is not OrderStatus.CANCELED]
    )


def _was(batch: _Batch, order: Order) -> OrderStatus:
    return batch.orders.before[order.id].status


def _ids_to_ask_for(fact: Fact, known: Container[rows.ClientId]) -> Iterable[rows.VenueId]:
    """The venue's ids of what a fact reports, as far as the order is not known by ours."""
    match fact:
        case OrderSeen(account_id, report) if (account_id, report.client_order_id) not in known:
            yield from venue_ids_of(account_id, report)
        case FillsSeen(account_id, fills):
            for fill in fills:
                if (account_id, fill.client_order_id) not in known:
                    yield (account_id, fill.symbol, Book.NORMAL, fill.exchange_order_id)


def _by_order(fills: Iterable[Fill]) -> dict[int, list[Fill]]:
    found: dict[int, list[Fill]] = defaultdict(list)
    for fill in fills:
        if fill.order_id is not None:
            found[fill.order_id].append(fill)
    return found


def _fresh(booked: BookedFills, wanted: Iterable[tuple[int, FillToBook]]) -> dict[int, list[FillReport]]:
    """The reports of fills that are new in the books, by the places of the facts that brought them."""
    new = {id(one.wanted) for one in booked.fills}
    found: dict[int, list[FillReport]] = defaultdict(list)
    for place, one in wanted:
        if id(one) in new:
            found[place].append(one.report)
    return found


def _amended(booked: BookedFills, wanted: Iterable[tuple[int, FillToBook]]) -> dict[int, list[Superseded]]:
    """What the venue has corrected or taken back, by the places of the facts that said so."""
    amended = [one for one in booked.superseded if one.cause is not Cause.EXPLAINED]
    found: dict[int, list[Superseded]] = defaultdict(list)
    if amended:
        places = {fill.key: place for place, fill in wanted}
        for one in amended:
            found[places[one.fill.key]].append(one)
    return found


def _terms_of(order: Order) -> OwnerTerms | None:
    if order.owner is OrderOwner.EXTERNAL:
        return None
    owner: Owner = MANUAL
    if order.strategy_account_id is not None and order.strategy_id is not None:
        owner = Owner.of_link(order.strategy_account_id, order.strategy_id)
    return OwnerTerms(owner, order.leverage, order.exit_reason, order.trade_source)


def _with_sent_at(order: Order, sent_at: datetime) -> Order:
    return replace(order, sent_at=sent_at)


def _settled(order: Order, before: Order, now: datetime) -> Order:
    if order.settled_at is None and before.status.is_live and not order.status.is_live:
        return replace(order, settled_at=now)
    return order


@exact
def _capital_changes(
    orders: NamedOrders, changed: Iterable[Order], booked: BookedFills
) -> list[CapitalChange]:
    changes = [
        CapitalChange(link, currency, used=used) for (link, currency), used in booked.capital_used.items()
    ]
    for order in changed:
        released = order.reserved - orders.before[order.id].reserved
        if order.strategy_account_id is not None and released:
            changes.append(CapitalChange(order.strategy_account_id, order.currency, reserved=released))
    return changes


def _fate_changed(orders: NamedOrders, order: Order) -> bool:
    before = orders.before[order.id]
    return (
        before.status is OrderStatus.PENDING_NEW
        or before.status is OrderStatus.REJECTED
        or order.unknown_since != before.unknown_since
        or (order.sent_at is not None and before.sent_at is None)
    )


def _result(order: Order, log_id: int) -> LegResult:
    is_pending = order.status is OrderStatus.PENDING_NEW
    ended_empty = order.status in (OrderStatus.REJECTED, OrderStatus.EXPIRED) and not order.filled_quantity
    success = None if is_pending else not ended_empty
    code = order.error_code
    message = order.error_message
    if ended_empty and code is None:
        code, message = "expired_unfilled", "The venue ended the order before anything was filled."
    failed = success is False
    return LegResult(
        log_id=log_id,
        account_id=order.account_id,
        user_id=order.user_id,
        environment=order.environment,
        success=success,
        order_id=order.id,
        error_code=code if failed else None,
        error=message if failed else None,
        sizing=order.sizing,
        sent_at=order.sent_at,
        settled_at=order.settled_at or order.acknowledged_at,
    )


def _cursor_rows(floor: Floor, facts: Iterable[Fact], unowned: Container[int]) -> list[cursors.CursorMove]:
    """A cursor never stands behind a fill that still waits for its order."""
    return [
        cursors.CursorMove(
            account=floor.accounts[fact.account_id],
            symbol=fact.cursor.symbol,
            last_trade_id=fact.cursor.last_trade_id,
            last_sync_at=fact.cursor.last_sync_at,
        )
        for place, fact in enumerate(facts)
        if isinstance(fact, FillsSeen) and fact.cursor is not None and place not in unowned
    ]


def _events(floor: Floor, changed: Iterable[Order], booked: BookedFills) -> list[NewEvent]:
    events = [
        NewEvent(order.user_id, "order.changed", {"order_id": order.id, "status": order.status})
        for order in changed
    ]
    of_order: dict[tuple[int, int | None], list[int]] = defaultdict(list)
    for one in booked.fills:
        of_order[(one.wanted.user_id, one.fill.order_id)].append(one.fill.id)
    events += [
        NewEvent(user_id, "fills.booked", {"order_id": order_id, "fill_ids": fill_ids})
        for (user_id, order_id), fill_ids in of_order.items()
    ]
    events += [
        NewEvent(
            floor.accounts[one.fill.account_id].user_id,
            "fill.superseded",
            {"fill_id": one.fill.id, "by_id": one.by_id, "cause": one.cause},
        )
        for one in booked.superseded
    ]
    return events
