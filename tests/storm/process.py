"""One server process of the storm: the real services on a database file, until it is killed."""

import asyncio
import random
from collections.abc import Coroutine
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fillbook.accounts.core import Account, Credentials
from fillbook.fleet.events import EventSignal
from fillbook.kernel.ids import RowIds
from fillbook.signals.service import Intake
from fillbook.signals.waiting import OutcomeBell
from fillbook.trading.desk import EngineDesk
from fillbook.trading.engine import Engine
from storm.loop import PROCESS, Life
from storm.sql import Connections

if TYPE_CHECKING:
    from storm.world import World


class Process:
    """`owns_directory`: no other process works on the database file."""

    def __init__(self, world: "World", name: str, path: Path, *, owns_directory: bool) -> None:
        self.name = name
        self.life = Life(name)
        self.life.on_end = self.kill
        self.owns_directory = owns_directory
        self.is_started = False
        self._world = world
        self._context = copy_context()
        self._context.run(PROCESS.set, self.life)
        self._tasks: list[asyncio.Task[Any]] = []
        self._venues: list[Any] = []
        self.connections = Connections(path, world.disk)
        rng = random.Random(world.rng.getrandbits(64))
        clock = world.clock
        self.db = self.connections.database(clock, rng)
        bell, events = OutcomeBell(), EventSignal()
        self.engine = Engine(
            self.db,
            clock,
            rng,
            world.vault,
            self._open_venue,
            holder=name,
            installation="test",
            owns_directory=owns_directory,
            signal_moved=bell.ring,
            events=events,
        )
        self.intake = Intake(self.db, clock, RowIds(clock, rng), self.engine.wake, bell, events=events)
        self.desk = EngineDesk(self.db, clock, self.engine)

    @property
    def is_up(self) -> bool:
        return self.is_started and not self.life.is_dead and not self.life.is_paused

    def start(self) -> None:
        self.spawn(self._start())

    async def _start(self) -> None:
        """A start that fails ends the process, as it ends the real server; somebody starts it again."""
        try:
            await self.engine.start()
        except Exception as error:  # noqa: BLE001 - whatever it is, the process ends
            self._world.story.tell("process", f"{self.name} could not start: {type(error).__name__}")
            self.kill()
            return
        self.is_started = True

    async def stop(self) -> None:
        """A proper end: what was committed leaves and settles."""
        self.is_started = False
        try:
            await self.engine.stop()
            await self.db.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the process ends
            self._world.story.tell("process", f"{self.name} could not end in order: {type(error).__name__}")
            self.kill()
            return
        self.hang_up()
        self.life.is_dead = True

    def spawn(self, act: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(act, context=self._context.copy())
        self._tasks.append(task)
        return task

    def kill(self) -> None:
        """At once, and nothing of it runs again."""
        self.life.is_dead = True
        self._world.process_died(self)

    def hang_up(self) -> None:
        self.connections.cut()
        for venue in self._venues:
            venue.hang_up()

    def _open_venue(self, account: Account, credentials: Credentials) -> Any:
        venue = self._world.sites[account.exchange].open(account, credentials)
        self._venues.append(venue)
        return venue
