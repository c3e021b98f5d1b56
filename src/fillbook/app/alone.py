"""Work on accounts' books by a process that trades nothing: it holds their leases meanwhile, so that no server trades
on books that are half there, and has a floor of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fillbook.accounts.core import Account, Environment
from fillbook.fleet.events import EventSignal
from fillbook.fleet.leases import HeldBy, Lease, account_resource, acquire, release, renew
from fillbook.kernel.clock import Clock
from fillbook.kernel.errors import Conflict
from fillbook.ledger.service.booking import Ledger
from fillbook.market import service as market
from fillbook.market.core import Instrument
from fillbook.storage.unit import Database, Unit
from fillbook.trading.booking import Booking
from fillbook.trading.bookkeeper import Bookkeeper
from fillbook.trading.floor import Floor, InstrumentBoard, Ownership
from fillbook.trading.prices import PriceBoard

LEASE_TTL_S: Final = 60.0
RENEW_EVERY_S: Final = 15.0


class AccountTraded(Conflict):
    code = "account_traded"


class LeaseLostMeanwhile(Conflict):
    code = "lease_lost"


@dataclass(frozen=True, slots=True)
class Alone:
    """`owns_directory`: no other process uses this database file."""

    db: Database
    clock: Clock
    holder: str
    owns_directory: bool

    def floor(
        self,
        account: Account,
        ledger: Ledger,
        installations: Collection[str],
        events: EventSignal | None = None,
    ) -> tuple[Floor, Booking]:
        """A floor for one account, and its door to the books. `events` None: nothing is told."""
        floor = Floor(
            db=self.db,
            clock=self.clock,
            bookkeeper=Bookkeeper(lambda facts: booking.book(facts)),
            prices=PriceBoard(self.clock, follow=False),
            instruments=InstrumentBoard(self.clock, self._save_instruments),
            ownership=Ownership(self.clock),
            signal_moved=lambda signal_id: None,
            events=events or EventSignal(),
            installations=frozenset(installations),
            accounts={account.id: account},
        )
        booking = Booking(floor, ledger, events, installations)
        return floor, booking

    async def _save_instruments(self, environment: Environment, instruments: Iterable[Instrument]) -> None:
        await self.db.run(lambda unit: market.save_instruments(unit, instruments, environment))

    @contextlib.asynccontextmanager
    async def leases(self, wanted: Sequence[Account]) -> AsyncIterator[None]:
        """The leases of all of them, kept for as long as it takes. Raises `AccountTraded`."""
        held = await self.db.run(lambda unit: self._acquire(unit, wanted))
        worker = asyncio.current_task()
        keeper = asyncio.create_task(self._keep(held, worker))
        try:
            yield
        except asyncio.CancelledError:
            if keeper.done() and not keeper.cancelled() and keeper.exception() is not None:
                raise LeaseLostMeanwhile(
                    "A server took the accounts over meanwhile: stop it, then run this again; it goes on."
                ) from None
            raise
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await self.db.run(lambda unit: release(unit, held))

    async def _acquire(self, unit: Unit, wanted: Sequence[Account]) -> list[Lease]:
        held: list[Lease] = []
        for account in wanted:
            lease = await acquire(
                unit, account_resource(account.id), self.holder, LEASE_TTL_S, take_over=self.owns_directory
            )
            if isinstance(lease, HeldBy):
                raise AccountTraded(
                    f"The account {account.name} is traded by a server ({lease.holder}): stop it first. If it was "
                    "killed, wait 15 seconds."
                )
            held.append(lease)
        return held

    async def _keep(self, held: Sequence[Lease], worker: "asyncio.Task[object] | None") -> None:
        while True:
            await self.clock.sleep(RENEW_EVERY_S)
            kept = await self.db.run(lambda unit: renew(unit, held, LEASE_TTL_S))
            if len(kept) < len(held):
                if worker is not None:
                    worker.cancel()
                raise LeaseLostMeanwhile("the leases are lost")
