"""Takes rows away, as a crash in the middle, a bad disk or an old backup would, and leaves the rest consistent."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import Account
from fillbook.accounts.tables import sync_cursors
from fillbook.ledger.tables import fill_allocations, fill_keys, fills, positions, strategy_positions, trades
from fillbook.orders.tables import (
    cancel_queue,
    cancels,
    order_venue_ids,
    orders,
    strategy_order_logs,
    strategy_order_results,
)
from fillbook.signals.tables import signal_deliveries, signal_keys, signals
from fillbook.storage.unit import Database, Unit
from fillbook.strategies.tables import strategy_capital
from support.world import World


async def forget_fills(world: World, account: Account) -> None:
    """The fills of an account and all that they folded to; its orders stand as they were sent."""

    async def forget(unit: Unit) -> None:
        for table in (fill_allocations, trades, fills, fill_keys, strategy_positions, positions):
            await unit.execute(sa.delete(table).where(table.c.account_id == account.id))
        sent = {"filled_quantity": 0, "cost": 0, "average_price": None, "status": "NEW", "settled_at": None}
        await unit.execute(sa.update(orders).where(orders.c.account_id == account.id).values(**sent))
        await _free_capital(unit, account, used_capital=0)

    await world.db.run(forget)


async def forget_orders(world: World, account: Account) -> None:
    """The orders of an account. What a signal made of them stays, without their numbers."""

    async def forget(unit: Unit) -> None:
        gone = sa.select(orders.c.id).where(orders.c.account_id == account.id)
        for table in (cancels, cancel_queue, order_venue_ids):
            await unit.execute(sa.delete(table).where(table.c.order_id.in_(gone)))
        result = strategy_order_results
        await unit.execute(sa.update(result).where(result.c.account_id == account.id).values(order_id=None))
        await unit.execute(sa.update(fills).where(fills.c.account_id == account.id).values(order_id=None))
        await unit.execute(sa.delete(orders).where(orders.c.account_id == account.id))
        await _free_capital(unit, account, reserved_capital=0)

    await world.db.run(forget)


async def forget_cursors(world: World, account: Account) -> None:
    await world.db.run(
        lambda unit: unit.execute(sa.delete(sync_cursors).where(sync_cursors.c.account_id == account.id))
    )


async def forget_labels(world: World, account: Account) -> None:
    """Whose orders they were, and which signal asked for them."""
    nothing = {"strategy_id": None, "strategy_account_id": None, "signal_id": None}
    await world.db.run(
        lambda unit: unit.execute(
            sa.update(orders).where(orders.c.account_id == account.id).values(**nothing)
        )
    )


async def forget_signals(world: World) -> None:
    """Every signal, with what was delivered and logged of it."""

    async def forget(unit: Unit) -> None:
        for table in (strategy_order_results, strategy_order_logs, signal_keys, signal_deliveries, signals):
            await unit.execute(sa.delete(table))

    await world.db.run(forget)


async def _free_capital(unit: Unit, account: Account, **values: Any) -> None:
    await unit.execute(
        sa.update(strategy_capital).where(strategy_capital.c.account_id == account.id).values(**values)
    )


def back_up(world: World, copy: Path) -> None:
    """A copy of the database file, while nothing runs."""
    with sqlite3.connect(str(world.db.engine.url.database)) as file:
        file.execute("VACUUM INTO ?", (str(copy),))
    file.close()


async def put_back(world: World, copy: Path) -> None:
    """The copy in the place of the database; whatever came after it is lost."""
    file = Path(str(world.db.engine.url.database))
    url = world.db.engine.url.render_as_string(hide_password=False)
    await world.db.close()
    for name in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        name.unlink(missing_ok=True)
    shutil.copy(copy, file)
    world.db = Database.connect(url, world.clock)
