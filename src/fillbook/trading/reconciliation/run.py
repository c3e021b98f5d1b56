"""One run over one account: it looks, repairs, and looks again until nothing is left to do.

The steps are those of `docs/concepts/reconciliation.md`: cursors, the venue's side, orders, fills, positions, missed
closes, labels; each cursor is saved with the fills that it stands for.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from fillbook.accounts import balances
from fillbook.accounts.core import Account
from fillbook.ledger.service.held import inferred_fills
from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.storage.unit import Unit
from fillbook.trading.backfill import Backfill
from fillbook.trading.cancels import CancelWorker
from fillbook.trading.core.reconcile import Finding, FindingKey, LocalSnapshot, Plan, differences, reconcile
from fillbook.trading.core.reconcile.cases import Case
from fillbook.trading.core.reconcile.fills import plan_fills
from fillbook.trading.core.reconcile.orders import INFER_AFTER
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.core.reconcile.positions import RESIDUAL, is_believed, may_infer
from fillbook.trading.core.reconcile.snapshots import Leg, Misses, Residual, Unread, VenueSnapshot
from fillbook.trading.floor import Floor, market_key
from fillbook.trading.ports import Venue
from fillbook.trading.reconciliation.books import Memory, read_books
from fillbook.trading.reconciliation.repairs import Repairs
from fillbook.trading.reconciliation.venue_side import VenueSide

LOOKS_LIMIT: Final = 8
SEARCHED_LIMIT: Final = 20
QUOTES: Final = frozenset({"USDT", "USDC"})
TOLD_ONCE: Final = frozenset({Case.OVERFILLED})
"""Cases in which everything is booked and nothing is left to do, though it stays as it is."""
_OF_POSITIONS: Final = frozenset({Case.POSITION_DIFFERS, Case.POSITION_UNRECORDED, Case.CLOSE_MISSING})
"""A difference that went by itself, without a fill that was missing, was on its way and is not told."""
_OF_LOST_ORDERS: Final = frozenset({Case.ORDER_MISSING, Case.EXTERNAL_ORDER, Case.BACKUP_RESTORED})
_CATCHING_UP: Final = frozenset({Cause.START, Cause.CONNECTION, Cause.ASKED})


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run works with."""

    account: Account
    venue: Venue
    floor: Floor
    backfill: Backfill
    cancels: CancelWorker
    memory: Memory


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `is_unresolved`: something is left that a look in a moment may settle."""

    findings: tuple[Finding, ...] = ()
    repaired: frozenset[FindingKey] = frozenset()
    unread: tuple[str, ...] = ()
    is_unresolved: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """Both sides at one moment, and what the planner makes of them."""

    local: LocalSnapshot
    venue: VenueSnapshot
    plan: Plan


class Run:
    def __init__(self, tools: Tools, cause: Cause, depth: Depth) -> None:
        self._tools = tools
        self._depth = depth
        is_catching_up = depth is not Depth.QUIET and cause in _CATCHING_UP
        self._since = tools.floor.clock.now() if is_catching_up else None
        self._side = VenueSide(tools.account, tools.venue, tools.floor)
        self._repairs = Repairs(tools.account, tools.floor, tools.backfill, tools.cancels, self._side)
        self._found: dict[FindingKey, Finding] = {}
        self._venue_ahead = timedelta(0)

    async def to_its_end(self) -> Outcome:
        self._tools.backfill.take_learned()
        look = first = await self._first_look()
        self._note(look)
        if look.plan.repairs or self._depth is not Depth.QUIET:
            for repair in look.plan.repairs:
                await self._repairs.do(repair)
            self._tools.memory.quiet = None
            if self._depth is not Depth.QUIET:
                await self._repairs.read_on(self._followed(look.local), look.venue.at)
            if self._depth is Depth.WHOLE and not self._tools.memory.has_searched:
                await self._search(look.local)
            look = await self._until_nothing_is_left(first)
            self._note_learned(first)
        return self._outcome(look)

    async def _until_nothing_is_left(self, first: _Look) -> _Look:
        look = await self._second_look(first)
        for _ in range(LOOKS_LIMIT):
            self._note(look)
            if not look.plan.repairs:
                break
            for repair in look.plan.repairs:
                await self._repairs.do(repair)
            look = await self._look_again()
        return look

    async def _first_look(self) -> _Look:
        """The venue's side as deep as this run goes; a quiet one reads the books once, and asks for no time."""
        side = self._side
        local = await self._quiet_books() if self._depth is Depth.QUIET else await self._read_books()
        await side.read_positions()
        await self._recall_exhausted(local)
        if self._depth is Depth.WHOLE:
            await side.read_books()
        await side.read_live(local.orders)
        await side.read_balances(self._wallets(local))
        if self._depth is Depth.QUIET:
            return self._compare(local, self._now())
        await self._keep_balances()
        self._venue_ahead = await self._venue_time() - self._tools.floor.clock.now()
        return self._compare(await self._whole_books(), self._now())

    async def _second_look(self, first: _Look) -> _Look:
        """Where nothing was repaired or booked, the positions of the first look still hold, and are not paid for
        again."""
        if not first.plan.repairs and not self._side.fills:
            look = self._compare(await self._whole_books(), self._now())
            if not look.plan.repairs and not differences(look.local, look.venue):
                return look
        return await self._look_again()

    async def _look_again(self) -> _Look:
        await self._side.read_positions()
        return self._compare(await self._whole_books(), self._now())

    def _now(self) -> datetime:
        """The venue's time."""
        return self._tools.floor.clock.now() + self._venue_ahead

    async def _whole_books(self) -> LocalSnapshot:
        """The books, and for what differs the fills that were inferred before."""
        local = await self._read_books()
        differing = differences(local, self._side.snapshot(local.at))
        if not differing:
            return local
        symbols = sorted({leg.symbol for leg in differing})
        async with self._tools.floor.db.read() as unit:
            inferred = await inferred_fills(unit, self._tools.account.id, symbols, RESIDUAL)
        residuals: dict[Leg, tuple[Residual, ...]] = {}
        for fill, since in inferred:
            leg = Leg(fill.symbol, fill.position_side)
            residuals[leg] = (*residuals.get(leg, ()), Residual(fill, since))
        return replace(local, residuals=residuals)

    def _compare(self, local: LocalSnapshot, at: datetime) -> _Look:
        venue = self._side.snapshot(at)
        look = _Look(local, venue, reconcile(local, venue))
        self._tools.memory.note_differences(differences(local, venue), self._side.exhausted, at)
        return look

    async def _read_books(self, *, is_brief: bool = False) -> LocalSnapshot:
        tools = self._tools
        async with tools.floor.db.read(brief=True) as unit:
            return await read_books(
                unit,
                tools.floor,
                tools.account,
                tools.memory,
                catching_up_since=self._since,
                is_brief=is_brief,
                reports=self._side.reports(),
                with_labels=self._depth is Depth.WHOLE,
            )

    async def _quiet_books(self) -> LocalSnapshot:
        """The books in brief; those of the last quiet look, where nothing was booked since."""
        tools, memory = self._tools, self._tools.memory
        bookings = tools.floor.bookings[tools.account.id]
        if memory.quiet is None or memory.quiet[0] != bookings:
            local = await self._read_books(is_brief=True)
            memory.quiet = (bookings, local)
        return replace(
            memory.quiet[1],
            at=tools.floor.clock.now(),
            misses=memory.misses,
            suspected=memory.suspected,
            differing_since=memory.differing_since,
        )

    async def _recall_exhausted(self, local: LocalSnapshot) -> None:
        """What all of the history has not explained a moment ago is not looked for again, until the venue has had its
        time; what it does not explain then, it never will."""
        side, memory = self._side, self._tools.memory
        differing = differences(local, side.snapshot(local.at)) if memory.exhausted else {}
        for leg, pair in differing.items():
            if leg not in memory.exhausted or memory.suspected.get(leg) != pair:
                continue
            since, read_at = memory.differing_since[leg], memory.exhausted[leg]
            if local.at - since < INFER_AFTER or read_at - since >= INFER_AFTER:
                side.fills_read.add(leg.symbol)
                side.exhausted.add(leg.symbol)
                await side.read_mark(leg.symbol)
            else:
                del memory.exhausted[leg]

    def _wallets(self, local: LocalSnapshot) -> list[MarketType]:
        """Whose balances are read: all, or (at a quiet look) only the one that positions stand on."""
        kinds = self._tools.account.market_types
        if self._depth is not Depth.QUIET:
            return list(kinds)
        return [kind for kind in kinds if kind is MarketType.SPOT and local.holdings]

    async def _keep_balances(self) -> None:
        reports = [
            one for part in self._side.balances.values() if not isinstance(part, Unread) for one in part
        ]

        async def keep(unit: Unit) -> None:
            await balances.save(unit, self._tools.account, reports)

        if reports:
            await self._tools.floor.db.run(keep)

    async def _venue_time(self) -> datetime:
        """The venue's own time; ours, which signatures are corrected by, where it does not tell."""
        try:
            return await self._tools.venue.server_time()
        except ReadFailed:
            return self._tools.floor.clock.now()

    def _followed(self, local: LocalSnapshot) -> list[str]:
        """Every symbol that is followed and was not read on yet."""
        side = self._side
        return [
            symbol
            for symbol in local.cursors
            if symbol not in side.fills_read and symbol not in side.unread_fills
        ]

    async def _search(self, local: LocalSnapshot) -> None:
        """Coins in the spot wallet of markets that nobody follows may be of orders that an older database has lost:
        their fills since its youngest order are read, once. (On futures the position shows.)"""
        wallet = self._side.balances.get(MarketType.SPOT)
        if local.newest_order_at is None or wallet is None or isinstance(wallet, Unread):
            return
        self._tools.memory.has_searched = True
        held = {report.asset for report in wallet if report.total}
        listed = self._tools.floor.instruments.symbols_of(market_key(self._tools.account), MarketType.SPOT)
        unfollowed = sorted(
            symbol
            for symbol in set(listed) - local.cursors.keys()
            if symbol.partition("/")[0] in held and symbol.partition("/")[2] in QUOTES
        )
        await self._repairs.read_since(unfollowed[:SEARCHED_LIMIT], local.newest_order_at)

    def _note(self, look: _Look) -> None:
        """What a later look says of a finding is more; what was there before is what the first one met."""
        for finding in look.plan.findings:
            first = self._found.get(finding.key, finding)
            self._found[finding.key] = replace(finding, before=first.before)

    def _note_learned(self, first: _Look) -> None:
        """Orders that the books did not know, and that their fills led to, are found as if a list had shown them."""
        learned = tuple(self._tools.backfill.take_learned())
        before = replace(first.local, positions={}, holdings={}, cursors={})
        for finding in reconcile(before, VenueSnapshot(first.venue.at, records=learned)).findings:
            if finding.case in _OF_LOST_ORDERS:
                self._found.setdefault(finding.key, finding)

    def _outcome(self, look: _Look) -> Outcome:
        remember_misses(self._tools.memory, look.local, look.venue)
        last = {finding.key for finding in look.plan.findings}
        booked = plan_fills(look.local, replace(look.venue, fills=tuple(self._side.fills))).findings
        explained = {finding.symbol for finding in booked} | self._repairs.inferred
        found = {
            key: finding
            for key, finding in self._found.items()
            if key in last or finding.case not in _OF_POSITIONS or finding.symbol in explained
        }
        for finding in booked:
            found.setdefault(finding.key, finding)
        repaired = frozenset(
            key for key, finding in found.items() if key not in last or finding.case in TOLD_ONCE
        )
        unread = (*look.venue.unread(), *self._side.others)
        return Outcome(tuple(found.values()), repaired, unread, _is_unresolved(look))


def _is_unresolved(look: _Look) -> bool:
    differing = differences(look.local, look.venue)
    return bool(
        look.plan.repairs
        or look.venue.not_found
        or look.venue.unexplained
        or any(
            not is_believed(look.local, look.venue, leg, pair) or not may_infer(look.local, look.venue, leg)
            for leg, pair in differing.items()
        )
    )


def remember_misses(memory: Memory, local: LocalSnapshot, venue: VenueSnapshot) -> None:
    """Count the clean look-ups that did not find an order; one that is found begins anew."""
    for order in local.orders:
        if order.id in venue.not_found:
            before = memory.misses.get(order.id)
            memory.misses[order.id] = Misses(
                1 if before is None else before.count + 1, venue.at if before is None else before.since
            )
        elif order.id not in venue.unread_orders:
            memory.misses.pop(order.id, None)
    live = {order.id for order in local.orders if order.status.is_live}
    for gone in memory.misses.keys() - live:
        del memory.misses[gone]
