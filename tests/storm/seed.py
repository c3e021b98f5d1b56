"""One seed: a world, a storm over it, calm, and the checks. The same seed is the same run, to the last row."""

import asyncio
import gc
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from fillbook.storage import migrate
from fillbook.trading import dispatcher as dispatcher_module
from fillbook.trading import engine as engine_module
from fillbook.trading import intake as intake_module
from fillbook.trading import marks as marks_module
from fillbook.trading.core.reconcile.pace import Cause, Depth
from storm import weather
from storm.acts import Acts
from storm.checks import fills_differ, findings
from storm.loop import VirtualTimeLoop
from storm.world import World

ACTS = 24
CALM_S = 20.0
CHECK_EVERY_S = 15.0
CALM_LIMIT_S = 1500.0
FILLS_WITHIN_S = 100.0
"""Streams are back and reads work again: by then every fill must have been fetched."""
START_UP_S = 3.0

# Worlds that are over are kept: what is collected runs its `finally` blocks.
_graveyard: list[Any] = []


@dataclass
class Result:
    seed: int
    found: list[str]
    hash: str
    seconds: float
    virtual_s: float
    counts: Counter[str] = field(default_factory=Counter)
    story: tuple[str, ...] = ()


def make_template(folder: Path) -> Path:
    """A migrated database without rows."""
    path = folder / "template.db"
    asyncio.run(migrate.upgrade(f"sqlite:///{path}"))
    return path


Scenario = Callable[[World], Awaitable[list[str]]]
"""Lives a world from its first moment to its last, and says what is wrong then."""


def run_seed(seed: int, template: Path, *, acts: int = ACTS) -> Result:
    return run_world(seed, template, lambda world: _storm(world, acts))


def run_world(seed: int, template: Path, scenario: Scenario) -> Result:
    began = time.process_time()
    rng = random.Random(seed)
    loop = VirtualTimeLoop(random.Random(rng.getrandbits(64)), jitter=rng.choice([0.0, 0.2, 0.7]))
    folder = Path(tempfile.mkdtemp(prefix="storm-", dir=template.parent))
    gc.disable()
    try:
        asyncio.set_event_loop(loop)
        world = World(loop, rng, folder, template)
        structlog.configure(processors=[world.story.log], cache_logger_on_first_use=False)
        _graveyard.append(world)
        found = loop.run_until_complete(_live(world, scenario))
        return Result(
            seed,
            found,
            world.story.hash,
            time.process_time() - began,
            loop.time() - 1000.0,
            _counts(world),
            tuple(world.story.lines),
        )
    finally:
        asyncio.set_event_loop(None)
        structlog.reset_defaults()
        shutil.rmtree(folder, ignore_errors=True)


async def _live(world: World, scenario: Scenario) -> list[str]:
    found = await scenario(world)
    for table in ("orders", "fills", "positions", "cancel_queue", "trades"):
        world.story.update_hash(str(world.rows(f"SELECT * FROM {table} ORDER BY id")))  # noqa: S608
    return found


async def _storm(world: World, count: int) -> list[str]:
    rng = world.rng
    setup = world.database()
    await world.settle_in(
        setup,
        people=rng.choice([1, 2]),
        venues=rng.choice([1, 2, 3]),
        accounts=rng.choice([2, 3, 4]),
        strategies=rng.choice([2, 3, 4]),
    )
    await setup.close()
    world.start_process(owns_directory=rng.random() < 0.6)
    await asyncio.sleep(START_UP_S)
    for site in world.sites.values():
        weather.brew(rng, site)
    acts = Acts(world)
    walk = asyncio.create_task(acts.walk_prices())
    keep = asyncio.create_task(keep_one_alive(world))
    await acts.run(count)
    await asyncio.sleep(rng.uniform(0, 20))
    walk.cancel()
    found = await calm(world)
    keep.cancel()
    return found


async def keep_one_alive(world: World) -> None:
    """Whoever was killed is started again, as a supervisor does."""
    while True:
        await asyncio.sleep(world.rng.uniform(0.2, 4.0))
        living = [process for process in world.processes if not process.life.is_dead]
        if not living:
            world.start_process(owns_directory=world.rng.random() < 0.6)


async def calm(world: World, fills_within_s: float = FILLS_WITHIN_S) -> list[str]:
    """Faults end, and time passes until nothing is wrong any more, or too much of it has."""
    world.story.tell("calm", "faults end")
    for site in world.sites.values():
        site.calm()
        site.fault("disconnect", seconds=1.0)
    world.disk.mend()
    for process in world.processes:
        process.life.ends_at_step = -1
        if process.life.is_paused:
            world.loop.resume(process.life)
    ends_at = world.loop.time() + CALM_LIMIT_S
    world.outside.later(fills_within_s, lambda: _judge_late_fills(world, fills_within_s))
    await asyncio.sleep(CALM_S)
    while True:
        await asyncio.sleep(CHECK_EVERY_S)
        if _is_unsettled(world) and world.loop.time() < ends_at:
            continue
        for process in world.up():
            for runner in list(process.engine.runners.values()):
                look = process.spawn(runner.reconciler.run(Cause.ASKED, Depth.WHOLE))
                await asyncio.wait({look}, timeout=CHECK_EVERY_S)
        await asyncio.sleep(CHECK_EVERY_S)
        found = await _check(world)
        if not found or world.loop.time() > ends_at:
            if found:
                _tell_orders(world)
            return found


def _judge_late_fills(world: World, seconds: float) -> None:
    world.violations += [f"{seconds:.0f} s after the storm: {late}" for late in fills_differ(world)]


def _is_unsettled(world: World) -> bool:
    """Whether something is plainly under way still, which is cheaper to ask than everything."""
    return bool(
        world.rows(
            "SELECT 1 FROM orders WHERE unknown_since IS NOT NULL AND watch_until IS NULL"
            " UNION ALL SELECT 1 FROM cancel_queue WHERE status IN ('PENDING', 'PROCESSING')"
            " UNION ALL SELECT 1 FROM signal_deliveries WHERE state IN ('new', 'claimed') LIMIT 1"
        )
    )


def _tell_orders(world: World) -> None:
    """The books' orders beside the exchange's, for whoever looks for the reason."""
    rows = world.rows(
        "SELECT id, account_id, client_order_id, exchange_order_id, book, symbol, side, order_type, quantity,"
        " filled_quantity, status, cancel_wanted, unknown_since, watch_until, error_code FROM orders ORDER BY id"
    )
    for row in rows:
        world.story.tell("books", " ".join(str(value) for value in row))
    for account in world.accounts:
        for order in world.at_venue(account).orders.values():
            world.story.tell(
                "exchange",
                f"{account.name} {order.order_id} {order.client_order_id} {order.book} {order.symbol} {order.side}"
                f" {order.order_type} {order.quantity} {order.filled} {order.status} {order.end_reason}"
                f" child {order.child_id}",
            )


async def _check(world: World) -> list[str]:
    db = world.database()
    try:
        return await findings(world, db)
    finally:
        await db.close()


def _counts(world: World) -> Counter[str]:
    counts = Counter(world.story.counts)
    counts["crashes"] = world.crashes
    for source, number in world.rows("SELECT source, COUNT(*) FROM fills GROUP BY source"):
        counts[f"fills by {source}"] = number
    for status, number in world.rows("SELECT status, COUNT(*) FROM orders GROUP BY status"):
        counts[f"orders {status}"] = number
    for case, repair, number in world.rows(
        "SELECT finding_case, repair, COUNT(*) FROM reconcile_findings WHERE is_repaired = 1 GROUP BY 1, 2"
    ):
        counts[f"repaired {case} by {repair}"] = number
    for owner, number in world.rows("SELECT owner, COUNT(*) FROM orders GROUP BY owner"):
        counts[f"orders {owner}"] = number
    return counts


def quieten() -> None:
    """Polling that decides nothing here is slowed, so that a virtual minute costs little."""
    engine_module.SEQUENCER_POLL_S = 10.0  # type: ignore[misc]
    engine_module.NUMBERING_PAUSE_S = 3.0  # type: ignore[misc]
    marks_module.EVERY_S = 30.0  # type: ignore[misc]
    intake_module.POLL_S = 4.0  # type: ignore[misc]
    dispatcher_module.CANCEL_POLL_S = 0.5  # type: ignore[misc]
