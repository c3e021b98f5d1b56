"""Losing a world's database, and filling a new one from its configuration and its exchange."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from conftest import empty
from fillbook.accounts.core import Environment
from fillbook.app.config.document import from_bytes, to_bytes
from fillbook.app.config.service import export_config, import_config
from fillbook.app.rebuild import AccountResult, Rebuilder
from fillbook.identity.tables import installation
from fillbook.storage.unit import Database
from fillbook.trading.rebuild import RebuildAsked
from fillbook.venues.ccxt.venues import CcxtVenues
from fillbook.venues.sim.direct.site import SimSite
from support.world import World


@asynccontextmanager
async def losing(world: World, template: Path, folder: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Gives what exports the configuration, throws the database away, and imports it into an empty one."""
    opened: list[Database] = []

    async def lose() -> None:
        await world.stop()
        known = [{"id": 1, "installation_id": "test"}]
        await world.db.run(lambda unit: unit.insert_if_new(installation, known))
        async with world.db.read() as unit:
            document = to_bytes(await export_config(unit, world.vault))
        if world.db.engine.dialect.name == "sqlite":
            path = folder / f"rebuilt{len(opened)}.db"
            shutil.copy(template, path)
            opened.append(world.db)
            world.db = Database.connect(f"sqlite:///{path}", world.clock)
        else:
            await empty(world.db)
        await world.db.run(lambda unit: import_config(unit, from_bytes(document), world.vault))

    yield lose
    for database in opened:
        await database.close()


async def rebuild(
    world: World, *, installations: tuple[str, ...] = (), wire: bool = False, **asked: Any
) -> list[AccountResult]:
    """By the way that trading goes; or straight to the same exchange, which then keeps no budget of requests."""
    urls = {(world.venue, environment): world.server.url(world.venue) for environment in Environment}
    venues = CcxtVenues(world.clock, world.rng, urls)
    site = SimSite(world.venue, world.clock, exchange=world.exchange)
    rebuilder = Rebuilder(
        world.db,
        world.clock,
        world.rng,
        world.vault,
        venues.open if wire else site.open,
        owns_directory=False,
        installations=installations,
    )
    try:
        asked.setdefault("since", world.clock.now() - timedelta(days=1))
        return await rebuilder.run(await rebuilder.accounts(), RebuildAsked(**asked))
    finally:
        await venues.close()
