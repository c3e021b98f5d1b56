"""A database that is lost altogether is rebuilt from the exchanges: the same books, to the last digit."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conftest import empty
from fillbook.accounts.core import Account, Environment
from fillbook.app.config.document import from_bytes, to_bytes
from fillbook.app.config.service import export_config, import_config
from fillbook.app.rebuild import AccountResult, Rebuilder
from fillbook.identity.tables import installation
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderType
from fillbook.storage.unit import Database
from fillbook.trading.desk_port import ManualOrder
from fillbook.trading.rebuild import RebuildAsked
from fillbook.venues.ccxt.venues import CcxtVenues
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.memory import Memory
from support.world import BINANCE, PERP, Strategy, World

SPOT = "BTC/USDT"
BUY = {"order_type": "MARKET", "side": "buy"}
CLOSE = {"order_type": "MARKET", "qty_per": -100}

Lose = Callable[[], Awaitable[None]]


@pytest.fixture
async def lose(world_anywhere: World, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Lose]:
    """Export the configuration, throw the database away, and import it into an empty one."""
    world = world_anywhere
    opened: list[Database] = []

    async def lose() -> None:
        await world.stop()
        await world.db.run(
            lambda unit: unit.insert_if_new(installation, [{"id": 1, "installation_id": "test"}])
        )
        async with world.db.read() as unit:
            document = to_bytes(await export_config(unit, world.vault))
        if world.db.engine.dialect.name == "sqlite":
            path = tmp_path / f"rebuilt{len(opened)}.db"
            shutil.copy(sqlite_template, path)
            opened.append(world.db)
            world.db = Database.connect(f"sqlite:///{path}", world.clock)
        else:
            await empty(world.db)
        await world.db.run(lambda unit: import_config(unit, from_bytes(document), world.vault))

    yield lose
    for database in opened:
        await database.close()


async def rebuild(world: World, *, installations: tuple[str, ...] = (), **asked: Any) -> list[AccountResult]:
    venues = CcxtVenues(world.clock, world.rng, {(BINANCE, Environment.DEMO): world.server.url(BINANCE)})
    rebuilder = Rebuilder(
        world.db,
        world.clock,
        world.rng,
        world.vault,
        venues.open,
        owns_directory=False,
        installations=installations,
    )
    try:
        asked.setdefault("since", world.clock.now() - timedelta(days=1))
        return await rebuilder.run(await rebuilder.accounts(), RebuildAsked(**asked))
    finally:
        await venues.close()


def place(world: World, account: Account, side: Side, quantity: str, **more: Any) -> None:
    """An order by hand at the exchange."""
    order_type = OrderType.LIMIT if "price" in more else OrderType.MARKET
    new = NewOrder(more.pop("symbol", PERP), side, order_type, Decimal(quantity), **more)
    world.exchange.place(world.venue_account(account), new)


async def trade_a_while(world: World) -> tuple[Account, Strategy, Strategy]:
    """Two strategies and a person on one account, another account, spot and futures; something of everything."""
    account, other = await world.account("one"), await world.account("two")
    await world.until(lambda: _is_streaming(world, account))
    first = await world.strategy(account, other, leverage=5)
    second = await world.strategy(account, leverage=5)
    spot = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(first, **BUY, qty_per=20)
    await world.alert(second, order_type="MARKET", side="sell", qty_per=35)
    await world.alert(spot, **BUY, qty_per=40)
    place(world, account, Side.BUY, "0.013")
    await world.quiet()
    world.exchange.fund(PERP, Decimal("0.0001"))
    world.exchange.set_price(PERP, Decimal(61000))
    await world.alert(first, order_type="LIMIT", side="buy", price=60990, qty_per=10)
    world.exchange.set_price(PERP, Decimal(60980))
    await world.alert(second, **CLOSE)
    await world.alert(spot, order_type="MARKET", qty_per=-50)
    await world.quiet()
    await world.alert(first, order_type="STOP_MARKET", side="sell", stop_price=60000, qty_per=5)
    await world.quiet()
    world.exchange.set_price(PERP, Decimal(59990))
    await world.quiet()
    await world.alert(second, order_type="LIMIT", side="buy", price=50000, qty_per=10)
    await world.alert(second, order_type="CANCEL_ALL_ORDER")
    await world.alert(second, order_type="LIMIT", side="buy", price=51000, qty_per=15)
    await world.desk.place_manual_order(
        world.principal(),
        ManualOrder(account.id, PERP, Side.SELL, OrderType.MARKET, Decimal("0.004")),
    )
    await world.quiet()
    return account, first, second


def _is_streaming(world: World, account: Account) -> bool:
    return world.engine is not None and world.engine.runners[account.id].is_streaming


async def test_the_rebuilt_books_are_the_lost_ones_to_the_last_digit(
    world_anywhere: World, lose: Lose
) -> None:
    world = world_anywhere
    await trade_a_while(world)
    for account in await world.accounts():
        assert world.engine is not None
        assert await world.engine.runners[account.id].backfill.read_entries() == []
    before = await Memory.read(world.db)
    await lose()
    results = await rebuild(world)
    assert all(result.is_whole for result in results)
    assert (await Memory.read(world.db)).differences(before) == []
    assert await world.faults() == []
