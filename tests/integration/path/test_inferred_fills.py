"""What the venue holds and none of its records explains: inferred once, told, and gone when the real fills come."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import Account
from fillbook.accounts.tables import sync_cursors
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderType
from fillbook.trading.core.reconcile import orders, positions
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.reconciliation import run
from fillbook.trading.tables import reconcile_findings
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.world import PERP, World

BUY = {"order_type": "MARKET", "side": "buy", "qty_per": 20}
REST = {"order_type": "LIMIT", "side": "buy", "price": 59000, "qty_per": 20}


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A venue's minute to show its fills is over at once."""
    for module in (orders, positions, run):
        monkeypatch.setattr(module, "INFER_AFTER", timedelta(0))
    yield


async def traded(world: World, alert: dict[str, Any]) -> Account:
    """An account that has traded an alert, and nothing running."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, **alert)
    await world.quiet()
    await world.stop()
    return account


def hide_newest_fills(world: World, account: Account, known: int) -> list[Any]:
    """The venue loses its record of the fills after the first `known`; what they did stays done."""
    at_venue = world.venue_account(account)
    hidden = at_venue.fills[known:]
    del at_venue.fills[known:]
    assert hidden, "there is something to hide"
    return list(hidden)


async def reconcile(world: World, account: Account) -> list[Any]:
    if world.engine is None:
        await world.start()
    assert world.engine is not None
    await world.engine.runners[account.id].reconciler.run(Cause.ASKED, Depth.WHOLE)
    return await world.rows(reconcile_findings)


async def standing(world: World, source: str) -> list[Any]:
    return [row for row in await world.fills(source=source) if row.superseded_by_id is None]


async def closed_without_a_record(world: World) -> tuple[Account, list[Any]]:
    account = await traded(world, BUY)
    world.exchange.set_price(PERP, Decimal(61000))
    close = NewOrder(PERP, Side.SELL, OrderType.MARKET, Decimal("0.006"))
    world.exchange.place(world.venue_account(account), close)
    return account, hide_newest_fills(world, account, 1)


async def test_a_close_that_no_record_shows_is_inferred_at_the_mark_and_said_to_be(world: World) -> None:
    account, _ = await closed_without_a_record(world)
    findings = await reconcile(world, account)
    (finding,) = [row for row in findings if row.finding_case == "d_close_missing"]
    assert (finding.is_repaired, finding.repair) == (True, "infer_fill")
    assert "an estimate" in finding.cause and finding.before["books"] == "0.006"
    (inferred,) = await standing(world, "inferred")
    assert (inferred.side, inferred.quantity) == ("sell", Decimal("0.006"))
    assert abs(inferred.price - 61000) < 100
    (book,) = await world.positions()
    (trade,) = await world.trades()
    assert not book.is_open and trade.closed_at is not None
    await reconcile(world, account)
    assert len(await world.fills()) == 2
    assert await world.faults() == []


async def test_the_real_close_takes_the_inferred_ones_place_when_it_shows_up(world_anywhere: World) -> None:
    world = world_anywhere
    account, hidden = await closed_without_a_record(world)
    await reconcile(world, account)
    world.venue_account(account).fills.extend(hidden)
    findings = await reconcile(world, account)
    assert "take_back" in {row.repair for row in findings}
    assert await standing(world, "inferred") == []
    (real,) = [row for row in await world.fills(side="sell") if row.superseded_by_id is None]
    assert real.price == hidden[0].price
    assert not any(book.is_open for book in await world.positions())
    (trade,) = [row for row in await world.trades() if row.owner_key != "external"]
    assert trade.exit_price == real.price
    assert await world.faults() == []
    assert {row.is_repaired for row in findings} == {True}


async def test_an_orders_gap_is_inferred_from_its_cost_and_superseded_by_its_real_fills(
    world: World,
) -> None:
    account = await traded(world, REST)
    world.exchange.set_price(PERP, Decimal(58000))
    hidden = hide_newest_fills(world, account, 0)
    findings = await reconcile(world, account)
    (finding,) = [row for row in findings if row.repair == "infer_fill"]
    assert finding.finding_case == "filled_differs" and finding.is_repaired
    (inferred,) = await standing(world, "inferred")
    (order,) = await world.orders()
    assert (order.status, order.filled_quantity) == ("FILLED", inferred.quantity)
    assert inferred.price == hidden[0].price
    (book,) = await world.positions()
    assert book.strategy_account_id is not None and book.is_open
    assert await world.faults() == []
    world.venue_account(account).fills.extend(hidden)
    await world.db.run(lambda unit: unit.execute(sync_cursors.delete()))
    assert world.engine is not None
    backfill = world.engine.runners[account.id].backfill
    await backfill.read_again(PERP, world.clock.now() - timedelta(hours=1))
    assert await standing(world, "inferred") == []
    (order,) = await world.orders()
    assert (order.status, order.filled_quantity) == ("FILLED", hidden[0].quantity)
    assert await world.faults() == []
