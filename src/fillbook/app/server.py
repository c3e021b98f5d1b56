"""The server of one process: the only place that knows both ports and adapters.

`Server.start` is the whole start: the data directory's lock, the schema, the keys, the leases, then the web
application. What it cannot have (a lock that another server holds) makes it a server that answers and does not
trade, and that says so.
"""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from fillbook.accounts.ports import AccountsChanged, CheckVenue, KeyProbe, OpenBusiness
from fillbook.accounts.vault import Vault, load_master_keys
from fillbook.app.logging import SecretRedactor
from fillbook.app.probe import VenueProbe
from fillbook.app.settings import Settings
from fillbook.app.web.application import create_app
from fillbook.app.web.health import TradingReport, TradingStatus
from fillbook.fleet.directory_lock import DirectoryInUse, DirectoryLock
from fillbook.fleet.events import EventSignal
from fillbook.identity.service import installation_id
from fillbook.kernel.clock import Clock, SystemClock
from fillbook.kernel.ids import RowIds
from fillbook.signals.service import Intake
from fillbook.signals.waiting import OutcomeBell
from fillbook.storage import migrate
from fillbook.storage.database import normalise_url
from fillbook.storage.unit import Database
from fillbook.trading.desk import EngineDesk, OpenOrdersAndPositions
from fillbook.trading.desk_port import TradingDesk
from fillbook.trading.engine import Engine
from fillbook.trading.reconciliation.ages import Ages
from fillbook.trading.reconciliation.asking import RunsAsked
from fillbook.venues.ccxt.venues import CcxtVenues

SHUTDOWN_S = 5

log = structlog.get_logger(__name__)


class Server:
    """One process's services. `engine` is None when this process does not trade."""

    def __init__(self, settings: Settings, redactor: SecretRedactor, clock: Clock | None = None) -> None:
        self.settings = settings
        self._redactor = redactor
        self.clock = clock or SystemClock()
        self.rng = random.SystemRandom()
        self.database = Database.connect(settings.resolved_database_url, self.clock)
        self.engine: Engine | None = None
        self.events = EventSignal()
        self._bell = OutcomeBell()
        self._lock: DirectoryLock | None = None
        self._idle_reason: str | None = None
        self._venues = CcxtVenues(self.clock, self.rng, settings.base_urls)

    async def start(self, *, migrate_servers: bool = False) -> None:
        """Everything up to the point where requests may be answered. Raises a `FillbookError` that says what
        to do when the server cannot start at all."""
        url = normalise_url(self.settings.resolved_database_url)
        is_embedded = url.get_backend_name() == "sqlite"
        if is_embedded:
            self._take_directory(Path(url.database or "").parent)
        if is_embedded or migrate_servers:
            await self._upgrade(Path(url.database) if is_embedded and url.database else None)
        else:
            await migrate.require_head(self.database.engine)
        keys = load_master_keys(
            [key.get_secret_value() for key in self.settings.master_keys], self.settings.data_dir
        )
        self._redactor.hide(keys)
        self.vault = Vault(keys)
        installation = await self.database.run(lambda unit: installation_id(unit, self.rng))
        if is_embedded and self._lock is None:
            return
        self.engine = Engine(
            self.database,
            self.clock,
            self.rng,
            self.vault,
            self._venues.open,
            holder=f"{socket.gethostname()}:{os.getpid()}:{self.rng.getrandbits(32):08x}",
            installation=installation,
            owns_directory=self._lock is not None,
            signal_moved=self._bell.ring,
            events=self.events,
        )
        await self.engine.start()

    async def stop(self) -> None:
        if self.engine is not None:
            await self.engine.stop()
        await self._venues.close()
        await self.database.close()
        if self._lock is not None:
            self._lock.release()

    def application(self) -> FastAPI:
        """The web application around this process's services."""
        wake = self.engine.wake if self.engine is not None else _wake_nobody
        services: dict[Any, object] = {
            Database: self.database,
            Intake: Intake(
                self.database,
                self.clock,
                RowIds(self.clock, self.rng),
                wake,
                self._bell,
                events=self.events,
            ),
            Vault: self.vault,
            random.Random: self.rng,
            KeyProbe: VenueProbe(self._venues),
            TradingStatus: _Status(self),
            EventSignal: self.events,
            CheckVenue: self._venues.check,
            OpenBusiness: OpenOrdersAndPositions(self.database),
        }
        if self.engine is not None:
            services[AccountsChanged] = self.engine.tenure.wake
            services[TradingDesk] = EngineDesk(self.database, self.clock, self.engine)
            services[RunsAsked] = self.engine.asked_runs.wake
            services[Ages] = self.engine.floor.ages
        return create_app(services)

    def idle_reason(self) -> str | None:
        """Why this server does not trade, or what hinders it, for a person."""
        if self._idle_reason is not None:
            return self._idle_reason
        if self.engine is None:
            return None
        reasons = []
        held = self.engine.held_elsewhere
        if held:
            holders = ", ".join(sorted({lease.holder for lease in held}))
            reasons.append(
                f"1 account is traded by another server ({holders}): this one leaves it alone."
                if len(held) == 1
                else f"{len(held)} accounts are traded by another server ({holders}): this one leaves them alone."
            )
        desks = self.engine.runners.values()
        silent = sum(not desk.is_streaming for desk in desks)
        if silent:
            reasons.append(
                f"{silent} of {len(desks)} accounts hear nothing from their exchange now: what they miss is read as "
                "soon as it answers."
            )
        return " ".join(reasons) or None

    def _take_directory(self, directory: Path) -> None:
        lock = DirectoryLock(directory)
        try:
            lock.acquire()
        except DirectoryInUse as in_use:
            self._idle_reason = f"{in_use.detail} This server answers requests and does not trade."
            log.warning("not_trading", reason=self._idle_reason)
        else:
            self._lock = lock

    async def _upgrade(self, file: Path | None) -> None:
        """Bring the schema up to date; an embedded file that has data is copied first."""
        before = await migrate.current(self.database.engine)
        if before == migrate.head():
            return
        if file is not None and before is not None:
            copy = file.with_name(f"{file.stem}.before-{migrate.head()}{file.suffix}")
            if not copy.exists():
                await migrate.copy_sqlite(self.database.engine, copy)
            log.info("database_copied", copy=copy.name)
        await migrate.upgrade(self.database.engine)
        log.info("schema_upgraded", before=before, now=migrate.head())


class _Status:
    """Says whether this process trades; see `TradingStatus`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def report(self) -> TradingReport:
        reason = self._server.idle_reason()
        engine = self._server.engine
        trades = engine is not None and (reason is None or bool(engine.floor.ownership.leases()))
        return TradingReport(trades=trades, reason=reason)


@contextlib.asynccontextmanager
async def running(settings: Settings, redactor: SecretRedactor, **options: bool) -> AsyncIterator[Server]:
    """A started server, stopped at the end."""
    server = Server(settings, redactor)
    try:
        await server.start(**options)
        yield server
    finally:
        await server.stop()


async def serve(settings: Settings, redactor: SecretRedactor, *, migrate_servers: bool = False) -> None:
    """Serve until interrupted."""
    async with running(settings, redactor, migrate_servers=migrate_servers) as server:
        config = uvicorn.Config(
            server.application(),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=list(settings.trusted_proxies),
            # Event streams never end by themselves: do not wait for them.
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        web = uvicorn.Server(config)
        log.info("serving", host=settings.host, port=settings.port)
        await web.serve()


def run_loop(main: Any) -> None:
    """Run a coroutine on the fastest loop that the platform has."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
        return
    uvloop.run(main)


def _wake_nobody(signal_id: int, account_ids: object) -> None:
    """This process does not trade: whoever does polls."""
