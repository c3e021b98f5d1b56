"""Losses are found and repaired on every venue, whatever its wire."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fillbook.accounts.core import Account, PositionMode
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderType
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.tables import reconcile_findings
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.losses import back_up, forget_cursors, forget_fills, forget_orders, put_back
from support.wires import WIRES
from support.world import PERP, World, open_world

BUY = {"order_type": "MARKET", "side": "buy", "qty_per": 40}
REST = {"order_type": "LIMIT", "side": "buy", "price": 50000, "qty_per": 20}
STOP = {"order_type": "STOP_MARKET", "side": "sell", "stop_price": 40000, "qty_per": -100}
CLOSE = {"order_type": "MARKET", "side": "sell", "qty_per": -100}


@pytest.fixture(params=list(WIRES))
async def world(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path
) -> AsyncIterator[World]:
    path = tmp_path / "fillbook.db"
    shutil.copy(sqlite_template, path)
    async with open_world(f"sqlite:///{path}", venue=request.param) as world:
        yield world


async def a_world_with(world: World, *alerts: dict[str, Any]) -> tuple[Account, Any]:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    for alert in alerts:
        await world.alert(strategy, **alert)
    await world.quiet()
    await world.stop()
    return account, strategy


async def reconcile(world: World, account: Account) -> set[str]:
    """Look at the whole account twice: the second look finds nothing, and the books are the venue's."""
    if world.engine is None:
        await world.start()
    assert world.engine is not None
    reconciler = world.engine.runners[account.id].reconciler
    await reconciler.run(Cause.ASKED, Depth.WHOLE)
    outcome = await reconciler.run(Cause.ASKED, Depth.WHOLE)
    assert (outcome.findings, outcome.unread) == ((), ())
    await world.quiet()
    rows = await world.rows(reconcile_findings)
    assert all(row.is_repaired for row in rows)
    return {row.finding_case for row in rows}


async def everything(world: World) -> tuple[Any, Any]:
    orders = {
        (row.client_order_id, row.status, row.filled_quantity, row.strategy_account_id, row.signal_id)
        for row in await world.orders()
    }
    books = {(row.owner_key, row.quantity, row.cost, row.realized_pnl) for row in await world.positions()}
    return orders, books


async def test_a_quiet_account_has_nothing_to_tell(world: World) -> None:
    account, _ = await a_world_with(world, BUY, REST, STOP)
    assert await reconcile(world, account) == set()


async def test_orders_and_fills_that_were_lost_altogether_come_back(world: World) -> None:
    account, _ = await a_world_with(world, BUY, REST, STOP)
    before = await everything(world)
    await forget_fills(world, account)
    await forget_orders(world, account)
    await forget_cursors(world, account)
    assert await reconcile(world, account) >= {"a_order_missing", "c_position_unrecorded"}
    assert await everything(world) == before


async def test_a_close_by_hand_while_nothing_ran_closes_the_position_here(world: World) -> None:
    account, _ = await a_world_with(world, BUY)
    (held,) = await world.positions()
    close = NewOrder(PERP, Side.SELL, OrderType.MARKET, held.quantity)
    world.exchange.place(world.venue_account(account), close)
    assert await reconcile(world, account) >= {"d_close_missing"}
    assert await world.positions(is_open=True) == []


async def test_an_older_database_learns_what_came_after_it(world: World, tmp_path: Path) -> None:
    account, strategy = await a_world_with(world, BUY)
    copy = tmp_path / "yesterday.db"
    back_up(world, copy)
    await world.start()
    for alert in (CLOSE, {**BUY, "side": "sell", "qty_per": 30}, REST):
        await world.alert(strategy, **alert)
    await world.quiet()
    (_, books) = await everything(world)
    names = {row.client_order_id for row in await world.orders()}
    await world.stop()
    await put_back(world, copy)
    assert await reconcile(world, account) >= {"backup_restored", "a_order_missing"}
    assert (await everything(world))[1] == books
    assert {row.client_order_id for row in await world.orders()} == names


async def test_a_leg_of_a_hedge_that_was_lost_comes_back_as_that_leg(world: World) -> None:
    account = await world.account_at_venue("acc")
    assert world.venues is not None and world.engine is not None
    await world.venues.open(account, world.credentials(account)).set_position_mode(PositionMode.HEDGE)
    await world.engine.tenure.turn()
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, **BUY)
    await world.quiet()
    before = await everything(world)
    await world.stop()
    await forget_fills(world, account)
    await forget_orders(world, account)
    await forget_cursors(world, account)
    assert await reconcile(world, account) >= {"a_order_missing", "c_position_unrecorded"}
    assert await everything(world) == before
    (book,) = await world.positions()
    assert book.position_side == "long"
