"""The server is killed with signal 9 between any two steps of the path, and started again.

Whatever the step: no order is at the exchange twice, no fill is lost, and the books agree with the exchange.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.crashing import NOWHERE, STEPS
from support.world import MASTER_KEY, World, open_world

TESTS = Path(__file__).parents[1]
READY_WITHIN_S = 20
NEVER_SENT = "planned"


@dataclass
class Process:
    """A server process on the world's database and exchange."""

    world: World
    data_dir: Path
    port: int
    running: "subprocess.Popen[bytes] | None" = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.data_dir / "server.log"

    async def start(self, step: str = NOWHERE) -> None:
        environment = os.environ | {
            "PYTHONPATH": str(TESTS),
            "FILLBOOK_DATA_DIR": str(self.data_dir),
            "FILLBOOK_MASTER_KEYS": MASTER_KEY,
            "FILLBOOK_VENUE_URLS": f'{{"binance:demo": "{self.world.server.url(self.world.server_venue)}"}}',
            "FILLBOOK_PORT": str(self.port),
        }
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time
                [sys.executable, "-m", "support.crashing", step], env=environment, stdout=log, stderr=log
            )
        await self.world.until(self._is_ready, READY_WITHIN_S)

    async def _is_ready(self) -> bool:
        assert self.running is not None
        assert self.running.poll() is None, self.log.read_text()
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{self.port}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def has_died(self) -> bool:
        return self.running is not None and self.running.poll() is not None

    def stop(self) -> None:
        if self.running is not None and self.running.poll() is None:
            self.running.terminate()
            self.running.wait(20)

    async def alert(self, **alert: object) -> None:
        """Deliver an alert; the server may die before it answers."""
        async with httpx.AsyncClient() as client:
            try:
                await client.post(f"http://127.0.0.1:{self.port}/api/webhook", json=alert)
            except httpx.TransportError:
                assert self.running is not None


@pytest.fixture
async def process(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Process]:
    shutil.copy(sqlite_template, tmp_path / "fillbook.db")
    async with open_world(f"sqlite:///{tmp_path / 'fillbook.db'}", trades=False) as world:
        process = Process(world, tmp_path, _free_port())
        yield process
        process.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize("step", [step for step in STEPS if step != NOWHERE])
async def test_a_kill_at_any_step_doubles_nothing_and_loses_nothing(process: Process, step: str) -> None:
    world = process.world
    accounts = [await world.account(f"acc{n}") for n in range(2)]
    strategy = await world.strategy(*accounts, leverage=2)
    await process.start(step)
    if step == "settled":
        world.fault("hide_fills", n=0)
    alert = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT"}
    await process.alert(**alert, order_type="MARKET", side="buy", qty_per=50)
    await world.until(lambda: process.has_died)
    world.calm()
    await process.start()
    # What was written down but never sent stays in flight until the look-ups have proved it; the rest fills.
    await world.until(
        lambda: _all(
            world, lambda order: order.status == "FILLED" or (step == NEVER_SENT and order.unknown_since)
        )
    )
    unsent = {order.account_id for order in await world.orders() if order.status != "FILLED"}
    assert bool(unsent) == (step == NEVER_SENT)
    for account in accounts:
        assert len(world.venue_account(account).orders) == (0 if account.id in unsent else 1)
    await world.quiet()
    fills = await world.fills()
    assert len(fills) == sum(len(world.venue_account(account).fills) for account in accounts)


async def _all(world: World, holds: Callable[[Any], Any]) -> bool:
    orders = await world.orders()
    return len(orders) == 2 and all(holds(order) for order in orders)
