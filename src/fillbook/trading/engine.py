"""Everything of trading that runs in one process: leases, a desk per account, the dispatcher, the bookkeeper.

Start and recovery are the same path: take the leases, treat every order without a booked answer as of unknown
fate, fetch, and go on with the deliveries that are still open.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from fillbook.accounts.core import Environment
from fillbook.accounts.vault import Vault
from fillbook.fleet.events import EventSignal, has_unnumbered, number_events
from fillbook.fleet.leases import HeldBy, Lease, acquire, renew, still_held
from fillbook.kernel.clock import Clock
from fillbook.kernel.ids import RowIds
from fillbook.ledger.service.booking import Ledger
from fillbook.market import service as market
from fillbook.market.core import Instrument
from fillbook.storage.unit import Database, Unit
from fillbook.trading.booking import Booking
from fillbook.trading.bookkeeper import Bookkeeper
from fillbook.trading.dispatcher import Dispatcher
from fillbook.trading.facts import Booked, Fact
from fillbook.trading.floor import Floor, InstrumentBoard, Ownership
from fillbook.trading.following import Following
from fillbook.trading.intake import DeliveryIntake
from fillbook.trading.marks import Marks
from fillbook.trading.prices import PriceBoard
from fillbook.trading.reconciliation.asked import AskedRuns
from fillbook.trading.runner import AccountRunner
from fillbook.trading.tenure import LEASE_TTL_S, OpenVenue, Tenure

SEQUENCER: Final = "sequencer"
SEQUENCER_POLL_S: Final = 0.5
NUMBERING_PAUSE_S: Final = 0.05
"""Between a commit and the numbering of its events: orders go first, and a burst is numbered at once."""

LEASE_TTL: Final = timedelta(seconds=LEASE_TTL_S)

log = structlog.get_logger(__name__)


class Engine:
    """Trades for the accounts whose leases it gets. `owns_directory`: no other process uses this database file."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        rng: random.Random,
        vault: Vault,
        open_venue: OpenVenue,
        *,
        holder: str,
        installation: str,
        owns_directory: bool,
        signal_moved: Callable[[int], None],
        events: EventSignal,
    ) -> None:
        self._db = db
        self._holder = holder
        self._owns_directory = owns_directory
        self._events = events
        bookkeeper = Bookkeeper(self._book)
        self.floor = Floor(
            db=db,
            clock=clock,
            bookkeeper=bookkeeper,
            prices=PriceBoard(clock),
            instruments=InstrumentBoard(clock, self._save_instruments),
            ownership=Ownership(clock),
            signal_moved=signal_moved,
            events=events,
            installations=frozenset({installation}),
        )
        self.runners: dict[int, AccountRunner] = {}
        self._booking = Booking(self.floor, Ledger(RowIds(clock, rng)), events, {installation})
        self.dispatcher = Dispatcher(self.floor, self.runners, holder, installation, rng)
        self.intake = DeliveryIntake(self.floor, self.dispatcher)
        self.dispatcher.on_unplanned = self.intake.forget
        self.following = Following(self.floor, self.dispatcher)
        self.tenure = Tenure(
            self.floor, vault, open_venue, holder, self.runners, owns_directory=owns_directory
        )
        self.asked_runs = AskedRuns(self.floor, self._begin_run)
        self._tasks: list[asyncio.Task[None]] = []
        self._sequencer: Lease | None = None

    async def start(self) -> None:
        """Take the leases and begin. Returns when the first turn of the leases is done."""
        await self.tenure.turn()
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "bookkeeper": self.floor.bookkeeper.run,
            "dispatcher": self.dispatcher.run,
            "intake": self.intake.run,
            "following": self.following.run,
            "tenure": self.tenure.run,
            "asked-runs": self.asked_runs.run,
            "ages": self.floor.ages.run,
            "sequencer": self._number_events,
            "marks": Marks(self.floor, self.runners).run,
        }
        self._tasks = [asyncio.create_task(self._keep(name, loop), name=name) for name, loop in loops.items()]

    async def stop(self) -> None:
        """Take nothing in any more, let what was committed leave and settle, give the leases back."""
        keeper, *others = self._tasks
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.dispatcher.stop()
        await self.tenure.stop()
        await self.floor.bookkeeper.drain()
        await self.floor.ages.save()
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await self.floor.prices.close()

    @property
    def held_elsewhere(self) -> Collection[HeldBy]:
        """The accounts' leases that another process holds."""
        return tuple(self.tenure.held_by.values())

    def wake(self, signal_id: int, account_ids: Collection[int]) -> None:
        """Deliveries wait: a hint."""
        self.intake.wake(signal_id)

    def _begin_run(self, account_id: int, run_id: int) -> None:
        runner = self.runners.get(account_id)
        if runner is not None:
            runner.rounds.ask(run_id)

    async def _keep(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """A loop that fails is logged and begins again: it has its truth in the database."""
        while True:
            try:
                await loop()
            except Exception as error:
                log.error("loop_failed", loop=name, error=type(error).__name__, exc_info=error)
                await self.floor.clock.sleep(1.0)

    async def _book(self, facts: Sequence[Fact]) -> Sequence[Booked]:
        return await self._booking.book(facts)

    async def _save_instruments(self, environment: Environment, instruments: Iterable[Instrument]) -> None:
        await self._db.run(lambda unit: market.save_instruments(unit, instruments, environment))

    async def _number_events(self) -> None:
        """The one sequencer, while this process holds its lease."""
        while True:
            await self._events.wait(SEQUENCER_POLL_S)
            await self.floor.clock.sleep(NUMBERING_PAUSE_S)
            while await self._has_unnumbered():
                if not await self._db.run(self._number_some):
                    break
                self._events.wake()
                await self.floor.clock.sleep(NUMBERING_PAUSE_S)

    async def _has_unnumbered(self) -> bool:
        """A look that locks nothing: mostly there is nothing to number."""
        async with self._db.read(brief=True) as unit:
            return await has_unnumbered(unit)

    async def _number_some(self, unit: Unit) -> int:
        if not await self._may_number(unit):
            return 0
        return await number_events(unit)

    async def _may_number(self, unit: Unit) -> bool:
        """Whether this process holds the sequencer's lease, which it takes, or renews, if it can."""
        held = [] if self._sequencer is None else await still_held(unit, [self._sequencer])
        if held and held[0].expires_at - unit.now < LEASE_TTL / 2:
            held = await renew(unit, held, LEASE_TTL_S)
        if not held:
            lease = await acquire(unit, SEQUENCER, self._holder, LEASE_TTL_S, take_over=self._owns_directory)
            held = [] if isinstance(lease, HeldBy) else [lease]
        self._sequencer = held[0] if held else None
        return bool(held)
