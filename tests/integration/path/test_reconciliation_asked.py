"""A run that somebody asks for: over HTTP, or by the command, beside a server and without one."""

from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import Environment
from fillbook.app.reconcile import Reconciliation, RunResult
from fillbook.kernel.errors import NotFound
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderType
from fillbook.trading.reconciliation.store import ask
from fillbook.trading.tables import reconcile_runs
from fillbook.venues.ccxt.venues import CcxtVenues
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.web import bearer, open_web, token_of
from support.world import BINANCE, PERP, World

BUY = {"order_type": "MARKET", "side": "buy", "qty_per": 20}


async def command(world: World, *names: str, owns_directory: bool = False) -> list[RunResult]:
    """What `fillbook reconcile` does once it has its settings."""
    venues = CcxtVenues(world.clock, world.rng, {(BINANCE, Environment.DEMO): world.server.url(BINANCE)})
    try:
        reconciliation = Reconciliation(
            world.db, world.clock, world.rng, world.vault, venues.open, owns_directory=owns_directory
        )
        return await reconciliation.run(await reconciliation.accounts(names))
    finally:
        await venues.close()


def close_at_the_venue(world: World, account: Any, quantity: str) -> None:
    new = NewOrder(PERP, Side.SELL, OrderType.MARKET, Decimal(quantity))
    world.exchange.place(world.venue_account(account), new)


async def test_a_person_asks_for_a_run_of_an_account_of_his_own_and_reads_what_it_found(
    world: World,
) -> None:
    account = await world.account("acc")
    stranger = await world.user("mallory")
    mine, other = bearer(await token_of(world, world.user_id)), bearer(await token_of(world, stranger))
    path = f"/api/v1/accounts/{account.id}/reconcile"
    async with open_web(world) as web:
        assert (await web.post(path, headers=other)).status_code == 404
        assert (await web.post("/api/v1/accounts/999/reconcile", headers=mine)).status_code == 404
        assert (await web.post(path)).status_code == 401
        asked = await web.post(path, headers=mine)
        assert asked.status_code == 202
        run = asked.json()
        assert (run["cause"], run["depth"], run["finished_at"]) == ("asked", "whole", None)

        async def ended() -> bool:
            (row,) = await world.rows(reconcile_runs, id=run["id"])
            return row.finished_at is not None

        await world.until(ended)
        listed = (await web.get(f"/api/v1/reconcile/runs?account_id={account.id}", headers=mine)).json()
        assert run["id"] in [item["id"] for item in listed["items"]]
        told = (await web.get("/metrics")).text
    assert f'fillbook_reconciliation_age_seconds{{account_id="{account.id}",depth="whole"}}' in told
    assert 'fillbook_reconciliation_worst_age_seconds{depth="any"}' in told


async def test_a_run_that_still_waits_is_not_asked_for_twice_and_one_switched_off_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await world.account("acc")
    assert world.engine is not None
    monkeypatch.setattr(world.engine.asked_runs, "_begin", lambda account_id, run_id: None)
    mine = bearer(await token_of(world, world.user_id))
    path = f"/api/v1/accounts/{account.id}/reconcile"
    async with open_web(world) as web:
        first, second = [(await web.post(path, headers=mine)).json() for _ in range(2)]
        assert first["id"] == second["id"]
        await world.set_active(account, False)
        refused = await web.post(path, headers=mine)
    assert (refused.status_code, refused.json()["code"]) == (409, "account_switched_off")


async def test_a_run_outlives_the_desk_that_was_to_do_it(world: World) -> None:
    account = await world.account("acc")
    assert world.engine is not None
    number = await world.db.run(lambda unit: ask(unit, account))
    world.engine.runners[account.id].rounds.ask(number)
    await world.set_active(account, False)
    await world.set_active(account, True)

    async def ended() -> bool:
        (row,) = await world.rows(reconcile_runs, id=number)
        return row.finished_at is not None

    await world.until(ended)


async def test_the_command_leaves_the_run_to_the_server_that_trades_the_account(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, **BUY)
    await world.quiet()
    (result,) = await command(world)
    assert result.is_whole and result.failure is None
    assert result.run is not None and result.run["cause"] == "asked"
    with pytest.raises(NotFound):
        await command(world, "nobody")


async def test_the_command_reconciles_by_itself_what_no_server_trades(world_anywhere: World) -> None:
    world = world_anywhere
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, **BUY)
    await world.quiet()
    await world.stop()
    close_at_the_venue(world, account, "0.006")
    is_file = world.db.engine.dialect.name == "sqlite"
    (result,) = await command(world, "acc", owns_directory=is_file)
    assert result.is_whole
    assert {row.finding_case for row in result.findings} >= {"d_close_missing"}
    (book,) = await world.positions()
    assert not book.is_open
    await world.start()
    await world.quiet()


async def test_the_command_says_what_could_not_be_read(world: World) -> None:
    await world.account("acc")
    off = await world.account("off")
    await world.set_active(off, False)
    await world.stop()
    world.fault("refuse", path="/fapi/v3/positionRisk", status=500, code=-1000, msg="no", n=0)
    read, refused = await command(world, "acc", "off", owns_directory=True)
    assert not read.is_whole and read.run is not None
    assert any("positions" in part for part in read.run["unread"])
    assert refused.failure is not None and not refused.is_whole
