"""The HTTP application of a world, as the server makes it, and people who may use it."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from fillbook.accounts.ports import KeyProbe
from fillbook.accounts.vault import Vault
from fillbook.app.probe import VenueProbe
from fillbook.app.web.application import create_app
from fillbook.app.web.health import TradingReport, TradingStatus
from fillbook.identity import service as identity
from fillbook.identity import store as people
from fillbook.identity.core import TokenScope
from fillbook.signals.service import Intake
from fillbook.storage.unit import Database
from fillbook.trading.desk_port import TradingDesk
from fillbook.trading.reconciliation.ages import Ages
from fillbook.trading.reconciliation.asking import RunsAsked
from support.world import World


class _Trading:
    async def report(self) -> TradingReport:
        return TradingReport(True, None)


@asynccontextmanager
async def open_web(world: World) -> AsyncIterator[httpx.AsyncClient]:
    assert world.venues is not None
    services: dict[Any, object] = {
        Database: world.db,
        Intake: world.intake,
        Vault: world.vault,
        random.Random: random.SystemRandom(),
        KeyProbe: VenueProbe(world.venues),
        TradingStatus: _Trading(),
        TradingDesk: world.desk,
    }
    if world.engine is not None:
        services |= {RunsAsked: world.engine.asked_runs.wake, Ages: world.engine.floor.ages}
    transport = httpx.ASGITransport(app=create_app(services), client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://fillbook.test") as client:
        yield client


async def token_of(world: World, user_id: int) -> str:
    """A new API token that may read and trade."""

    async def make(unit: Any) -> str:
        user = await people.user_by_id(unit, user_id)
        assert user is not None
        scopes = (TokenScope.READ, TokenScope.TRADE)
        _, token = await identity.create_token(
            unit, user, name="tests", scopes=scopes, rng=random.SystemRandom()
        )
        return token

    return await world.db.run(make)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
