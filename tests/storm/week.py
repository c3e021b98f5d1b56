"""A week of trading for twenty accounts at four exchanges: bursts of acts with faults, and a quiet check each day.

What is polled while nothing happens is asked for less often than in life, so that a week takes minutes.
"""

import asyncio
from datetime import timedelta
from pathlib import Path

from fillbook.trading import cancels, following, intake, lookups, marks, tenure
from fillbook.trading import engine as engine_module
from fillbook.trading.core.reconcile import pace
from fillbook.trading.reconciliation import asked
from storm import weather
from storm.acts import Acts
from storm.seed import Result, calm, keep_one_alive, run_world
from storm.world import World

DAYS = 7
BURSTS_A_DAY = 12
ACTS_A_BURST = 15
HOUR_S = 3600.0
WALK_PAUSE_S = 60.0
FILLS_WITHIN_S = 900.0
"""Leases live for minutes here, and an heir waits until they are over."""
LEFT_OPEN = (
    "SELECT id, finding_case, subject, cause FROM reconcile_findings WHERE cause IS NULL OR cause = ''"
    " OR (is_repaired = 0 AND finding_case <> 'balance_below_positions')"
)
"""What is without a cause, or was not repaired. Coins that their owner sold at the exchange are only told."""


def run_week(seed: int, template: Path, days: int = DAYS) -> Result:
    _slow_down_polling()
    return run_world(seed, template, lambda world: _live_through(world, days))


async def _live_through(world: World, days: int) -> list[str]:
    setup = world.database()
    await world.settle_in(setup, people=2, venues=4, accounts=20, strategies=8)
    await setup.close()
    world.start_process(owns_directory=True)
    acts = Acts(world)
    walk = asyncio.create_task(acts.walk_prices(WALK_PAUSE_S))
    keep = asyncio.create_task(keep_one_alive(world))
    found: list[str] = []
    for day in range(days):
        for _ in range(BURSTS_A_DAY):
            await asyncio.sleep(world.rng.uniform(0.5, 1.5) * 24 * HOUR_S / BURSTS_A_DAY)
            for site in world.sites.values():
                site.calm()
                weather.brew(world.rng, site)
            await acts.run(ACTS_A_BURST)
        found = await calm(world, FILLS_WITHIN_S)
        world.story.tell("day", f"{day + 1} ends: {len(found)} differences")
        if found:
            break
    walk.cancel()
    keep.cancel()
    return found + [f"finding {row} is left open" for row in world.rows(LEFT_OPEN)]


def _slow_down_polling() -> None:
    engine_module.SEQUENCER_POLL_S = 600.0  # type: ignore[misc]
    engine_module.NUMBERING_PAUSE_S = 10.0  # type: ignore[misc]
    engine_module.LEASE_TTL_S = tenure.LEASE_TTL_S = 300.0  # type: ignore[misc]
    engine_module.LEASE_TTL = timedelta(seconds=300)  # type: ignore[misc]
    tenure.RENEW_EVERY_S = 60.0  # type: ignore[misc]
    marks.EVERY_S = 3600.0  # type: ignore[misc]
    intake.POLL_S = 30.0  # type: ignore[misc]
    following.POLL_S = 60.0  # type: ignore[misc]
    asked.POLL_S = 600.0  # type: ignore[misc]
    lookups.IDLE_S = cancels.IDLE_S = 600.0  # type: ignore[misc]
    pace.QUIET_EVERY = timedelta(minutes=30)  # type: ignore[misc]
    pace.WHOLE_EVERY = timedelta(hours=3)  # type: ignore[misc]
