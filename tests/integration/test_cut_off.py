"""The server's connections are cut and come back: to its database, and to the exchange.

Meanwhile it says what is wrong. Afterwards it trades on by itself: nothing is lost, nothing is sent twice.
"""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fillbook.fleet.tables import leases
from fillbook.storage.unit import Database
from support.accounting import all_is_accounted_for
from support.load import under_load
from support.process import Process, free_port
from support.relay import Relay, relayed
from support.world import PERP, Strategy, World, open_world

SEED = 31


@pytest.fixture(params=["postgresql", "mysql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The databases that are reached over a network."""
    return str(request.getfixturevalue("server_database")(request.param))


@pytest.fixture
async def database_relay(database_url: str) -> AsyncIterator[Relay]:
    url = sa.make_url(database_url)
    port = url.port or (5432 if url.get_backend_name() == "postgresql" else 3306)
    async with relayed(url.host or "127.0.0.1", port) as relay:
        yield relay


@pytest.fixture
async def behind_database_relay(
    database_url: str, database: Database, database_relay: Relay, tmp_path: Path
) -> AsyncIterator[Process]:
    through = sa.make_url(database_url).set(host="127.0.0.1", port=database_relay.own_port)
    async with open_world(database_url, trades=False) as world:
        url = through.render_as_string(hide_password=False)
        process = Process(world, tmp_path, free_port(), database_url=url, is_hurried=True)
        yield process
        process.stop()


async def set_up(world: World) -> list[Strategy]:
    accounts = [await world.account(f"acc{number}") for number in range(2)]
    return [await world.strategy(*accounts, leverage=5), await world.strategy(accounts[0], leverage=5)]


async def _leases_are_over(world: World) -> bool:
    async with world.db.read() as unit:
        return all(row.expires_at < unit.now for row in await unit.all(sa.select(leases)))


async def test_a_database_that_is_cut_off_and_comes_back_costs_nothing(
    behind_database_relay: Process, database_relay: Relay
) -> None:
    process, world = behind_database_relay, behind_database_relay.world
    strategies = await set_up(world)
    await process.start()
    async with under_load(process, strategies, SEED) as load:
        await load.advances(80)
        await database_relay.cut()
        readiness = await process.readiness()
        assert (readiness["ready"], readiness["trades"]) == (False, False)
        assert readiness["reason"].startswith("The database cannot be reached: no alert is taken in")
        status, problem = await send_alert(process, strategies[0])
        assert (status, problem["code"]) == (503, "database_unavailable")
        assert "An alert may be sent again" in problem["detail"]
        await world.until(lambda: _leases_are_over(world), 30)
        await database_relay.restore()
        await world.until(lambda: _is_well(process), 60)
        await load.advances(80)
    await all_is_accounted_for(process, load.accepted)


async def test_a_database_that_is_away_for_a_blink_costs_nothing(
    behind_database_relay: Process, database_relay: Relay
) -> None:
    """Too short for anything to notice but what was under way."""
    process, world = behind_database_relay, behind_database_relay.world
    strategies = await set_up(world)
    await process.start()
    async with under_load(process, strategies, SEED) as load:
        for _ in range(5):
            await load.advances(15)
            await database_relay.cut()
            await database_relay.restore()
        await load.advances(30)
    await all_is_accounted_for(process, load.accepted)


@pytest.fixture
async def exchange_relay(process: Process) -> AsyncIterator[Relay]:
    """What stands between `process` and its exchange."""
    exchange = httpx.URL(process.exchange_url)
    async with relayed(exchange.host, exchange.port or 80) as relay:
        process.venue_url = f"http://127.0.0.1:{relay.own_port}"
        yield relay


@pytest.mark.parametrize("is_half_open", [False, True], ids=["cut", "half-open"])
async def test_an_exchange_that_is_cut_off_and_comes_back_costs_nothing(
    process: Process, exchange_relay: Relay, is_half_open: bool
) -> None:
    world = process.world
    strategies = await set_up(world)
    await process.start()
    await world.until(lambda: _is_well(process), 30)
    async with under_load(process, strategies, SEED) as load:
        await load.advances(80)
        if is_half_open:
            exchange_relay.freeze()
        else:
            await exchange_relay.cut()
        await world.until(lambda: _hears_nothing(process), 60)
        world.exchange.set_price(PERP, world.exchange.markets[PERP].price * 2)  # what rests, fills unheard
        await exchange_relay.restore()
        await load.advances(80)
    await world.until(lambda: _is_well(process), 60)
    await all_is_accounted_for(process, load.accepted)


async def test_a_database_file_that_somebody_else_holds_costs_nothing(process: Process) -> None:
    """A person's own tool with a transaction that was left open, for longer than a writer waits at once."""
    world = process.world
    strategies = await set_up(world)
    await process.start()
    async with under_load(process, strategies, SEED) as load:
        await load.advances(60)
        file = world.db.engine.url.database
        assert file is not None
        with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(httpx.ReadTimeout):  # the alert waits with all the others
                await send_alert(process, strategies[0], timeout_s=12)
            assert (await process.readiness())["ready"] is True
            other.execute("ROLLBACK")
        await load.advances(60)
    await all_is_accounted_for(process, load.accepted)


async def send_alert(
    process: Process, strategy: Strategy, timeout_s: float = 30
) -> tuple[int, dict[str, Any]]:
    body = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT"}
    async with httpx.AsyncClient(timeout=timeout_s) as client:
        order = {"order_type": "MARKET", "side": "buy", "qty_per": 5}
        answer = await client.post(f"{process.url}/api/webhook", json=body | order)
        return answer.status_code, answer.json()


async def _is_well(process: Process) -> bool:
    readiness = await process.readiness()
    return bool(readiness["ready"] and readiness["trades"] and readiness["reason"] is None)


async def _hears_nothing(process: Process) -> bool:
    readiness = await process.readiness()
    return "2 of 2 accounts hear nothing from their exchange now" in (readiness["reason"] or "")
