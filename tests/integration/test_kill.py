"""The server is killed with signal 9 between any two steps of the path, and started again.

Whatever the step: no order is at the exchange twice, no fill is lost, and the books agree with the exchange.
"""

from collections.abc import Callable
from typing import Any

import pytest

from support.crashing import NOWHERE, STEPS
from support.process import Process
from support.world import World

BEFORE_COMMIT = ("accepted", "planning")


@pytest.mark.parametrize("step", [step for step in STEPS if step != NOWHERE])
async def test_a_kill_at_any_step_doubles_nothing_and_loses_nothing(process: Process, step: str) -> None:
    await kill_at(process, step)


@pytest.mark.parametrize("step", ["planned", "sent"])
async def test_a_kill_around_the_request_is_made_good_at_every_venue(
    process_elsewhere: Process, step: str
) -> None:
    await kill_at(process_elsewhere, step)


async def kill_at(process: Process, step: str) -> None:
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
    by_id = {account.id: account for account in accounts}

    def is_resolved(order: Any) -> bool:
        """Filled; or of unknown fate and truly not there, until the look-ups have proved that."""
        at_venue = len(world.venue_account(by_id[order.account_id]).orders)
        return at_venue == (1 if order.status == "FILLED" else 0) and bool(
            order.status == "FILLED" or order.unknown_since
        )

    await world.until(lambda: _all(world, is_resolved))
    unsent = [order for order in await world.orders() if order.status != "FILLED"]
    # Killed before anything was written down, all is sent afterwards; once written down, nothing is sent again.
    assert not (unsent and step in BEFORE_COMMIT)
    assert not (step == "planned" and not unsent)
    await world.quiet()
    fills = await world.fills()
    assert len(fills) == sum(len(world.venue_account(account).fills) for account in accounts)


async def _all(world: World, holds: Callable[[Any], Any]) -> bool:
    orders = await world.orders()
    return len(orders) == 2 and all(holds(order) for order in orders)
