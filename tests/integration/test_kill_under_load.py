"""The server is killed with signal 9 at moments that nobody chose, in the middle of its work, and started again.

On each database, with several accounts, with an exchange that misbehaves all the time. The seed chooses the
moments by what the exchange has seen, so that a slow machine meets the same ones.
"""

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from fillbook.market.core import MarketType, VenueName
from support.accounting import all_is_accounted_for
from support.load import under_load
from support.process import Process, free_port
from support.world import open_world

KILLS, KILLS_IN_FULL = 3, 20
SEED = 20


async def test_a_server_that_is_killed_under_load_loses_and_doubles_nothing(
    process_anywhere: Process,
) -> None:
    process_anywhere.is_hurried = True
    await _kill_again_and_again(process_anywhere, KILLS)


@pytest.mark.parametrize("venue", [venue for venue in VenueName if venue is not VenueName.BINANCE])
async def test_a_kill_under_load_loses_and_doubles_nothing_at_any_other_exchange(
    sqlite_template: Path, tmp_path: Path, venue: VenueName
) -> None:
    shutil.copy(sqlite_template, tmp_path / "fillbook.db")
    async with open_world(f"sqlite:///{tmp_path / 'fillbook.db'}", trades=False, venue=venue) as world:
        process = Process(world, tmp_path, free_port())
        try:
            await _kill_again_and_again(process, kills=1)
        finally:
            process.stop()


@pytest.mark.full
async def test_a_server_that_is_killed_twenty_times_loses_and_doubles_nothing(
    process_anywhere: Process,
) -> None:
    """With the leases of the real server."""
    await _kill_again_and_again(process_anywhere, KILLS_IN_FULL)


async def _kill_again_and_again(process: Process, kills: int) -> None:
    world, rng = process.world, random.Random(SEED)
    accounts = [await world.account(f"acc{number}") for number in range(3)]
    strategies = [
        await world.strategy(*accounts, leverage=5),
        await world.strategy(*accounts[:2], leverage=5),
        await world.strategy(*accounts[1:], market=MarketType.SPOT),
    ]
    await process.start()
    async with under_load(process, strategies, SEED) as load:
        for _ in range(kills):
            await load.advances(rng.randrange(60, 160))
            await asyncio.sleep(rng.random() / 50)  # somewhere between two requests
            process.kill()
            await process.start()
        await load.advances(60)
    await all_is_accounted_for(process, load.accepted)
    assert len(load.accepted) > 10 and len(await world.fills()) > 10
