"""Start the simulated exchange: one port per venue, each with an exchange of its own.

`start` is for tests, the demo and paper accounts (in the caller's loop); `run` blocks, for the command line.
"""

import asyncio
import contextlib
import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from fillbook.kernel.clock import Clock, SystemClock, to_ms
from fillbook.kernel.errors import Conflict
from fillbook.market.core import VenueName
from fillbook.venues.sim.core.book import Depth
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.listings import listings_for
from fillbook.venues.sim.faults import Faults
from fillbook.venues.sim.gateway import Gateway
from fillbook.venues.sim.policies import POLICIES
from fillbook.venues.sim.prices import CandleFile, drive
from fillbook.venues.sim.wire.binance.wire import BinanceWire
from fillbook.venues.sim.wire.bitget.wire import BitgetWire
from fillbook.venues.sim.wire.bybit.wire import BybitWire
from fillbook.venues.sim.wire.okx.wire import OkxWire
from fillbook.venues.sim.wire.ports import PassOn, Wire

_TICK_S = 5


WIRES: Mapping[VenueName, Callable[[Exchange, PassOn], Wire]] = {
    VenueName.BINANCE: BinanceWire,
    VenueName.BYBIT: BybitWire,
    VenueName.OKX: OkxWire,
    VenueName.BITGET: BitgetWire,
}


@dataclass(slots=True)
class _Served:
    gateway: Gateway
    runner: web.ServerRunner
    port: int


class SimServer:
    """The running servers. `exchange(venue)` is the core itself, for tests in the same process."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._served: dict[VenueName, _Served] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def port(self, venue: VenueName) -> int:
        return self._served[venue].port

    def url(self, venue: VenueName) -> str:
        return f"http://{self.host}:{self.port(venue)}"

    def exchange(self, venue: VenueName) -> Exchange:
        return self._served[venue].gateway.exchange

    def gateway(self, venue: VenueName) -> Gateway:
        return self._served[venue].gateway

    def keep(self, venue: VenueName, gateway: Gateway, runner: web.ServerRunner, port: int) -> None:
        self._served[venue] = _Served(gateway, runner, port)

    def spawn(self, task: asyncio.Task[None]) -> None:
        self._tasks.append(task)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for served in self._served.values():
            await served.gateway.close()
            await served.runner.cleanup()


async def start(
    venues: Mapping[VenueName, int],
    *,
    seed: int | None = None,
    candles: Path | None = None,
    speed: Decimal = Decimal(1),
    host: str = "127.0.0.1",
    clock: Clock | None = None,
    depth: Depth | None = None,
) -> SimServer:
    """Serve each venue at its port (0 picks a free one).

    Prices stand still unless `seed` asks for a random walk or `candles` for a replay, `speed` times as fast as
    they were.
    """
    clock = clock or SystemClock()
    server = SimServer(host)
    for venue, port in venues.items():
        faults = Faults(clock)
        exchange = make_exchange(venue, clock, depth, skew_ms=faults.skew_ms)
        gateway = Gateway(exchange, WIRES[venue](exchange, faults.pass_on), faults, clock)
        runner = web.ServerRunner(web.Server(gateway.handle), shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, host, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            await server.close()
            raise Conflict(
                f"Port {port} on {host} cannot be used: {error.strerror}. Choose another."
            ) from error
        server.spawn(asyncio.create_task(_keep_time(gateway)))
        server.keep(venue, gateway, runner, runner.addresses[0][1])
        if seed is not None or candles is not None:
            rng = random.Random(seed or 0)
            source = CandleFile.read(candles) if candles is not None else None
            server.spawn(asyncio.create_task(drive(exchange, clock, rng, source, speed)))
    return server


async def _keep_time(gateway: Gateway) -> None:
    """What happens by the clock alone. Sleeps on the loop: a clock that is moved by hand is not to be moved."""
    while True:
        await asyncio.sleep(_TICK_S)
        gateway.exchange.settle_due_funding()
        gateway.wire.tick()


def make_exchange(
    venue: VenueName, clock: Clock, depth: Depth | None = None, *, skew_ms: Callable[[], int] = lambda: 0
) -> Exchange:
    """A venue's core alone, for whoever needs no wire. `skew_ms` is how far its clock is ahead of ours."""
    return Exchange(
        listings_for(venue),
        now_ms=lambda: to_ms(clock.now()) + skew_ms(),
        policy=POLICIES[venue],
        depth=depth,
    )


def run(
    venues: Mapping[VenueName, int],
    *,
    seed: int | None = None,
    candles: Path | None = None,
    speed: Decimal = Decimal(1),
    host: str = "127.0.0.1",
    say: Callable[[str], None],
) -> None:
    """Serve until interrupted; `say` gets one line when every venue is ready."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(venues, seed=seed, candles=candles, speed=speed, host=host, say=say))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists (not on Windows): the load generator's counterpart must not be its limit."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(
    venues: Mapping[VenueName, int],
    *,
    seed: int | None,
    candles: Path | None,
    speed: Decimal,
    host: str,
    say: Callable[[str], None],
) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await start(venues, seed=seed, candles=candles, speed=speed, host=host)
    say("simulated exchange ready: " + ", ".join(f"{venue} {server.url(venue)}" for venue in venues))
    await stopped.wait()
    await server.close()
