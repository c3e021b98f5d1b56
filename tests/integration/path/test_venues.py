"""The whole path on every venue: from an alert to books that agree with the exchange, whatever the wire."""

import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from fillbook.accounts.core import PositionMode
from fillbook.market.core import MarketType
from fillbook.orders.core.venue_traits import TRAITS
from support.wires import WIRES
from support.world import PERP, SPOT, World, open_world

LIMIT = {"order_type": "LIMIT", "side": "buy", "price": 50000, "qty_per": 50}


@pytest.fixture(params=list(WIRES))
async def world(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path
) -> AsyncIterator[World]:
    path = tmp_path / "fillbook.db"
    shutil.copy(sqlite_template, path)
    async with open_world(f"sqlite:///{path}", venue=request.param) as world:
        yield world


async def statuses(world: World, *wanted: str) -> bool:
    return {row.status for row in await world.orders()} == set(wanted)


async def test_opening_closing_in_parts_and_flipping(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    for alert in (
        {"side": "buy", "qty_per": 40},
        {"side": "buy", "qty_per": 40},
        {"side": "sell", "qty_per": -50},
        {"side": "sell", "qty_per": -100},
        {"side": "sell", "qty_per": 30},
        {"side": "buy", "qty_per": -100},
    ):
        outcome = await world.alert(strategy, order_type="MARKET", **alert)
        (log,) = outcome.logs
        assert log.row["status"] == "COMPLETED", log.execution_results
        await world.quiet()
        world.exchange.set_price(PERP, world.exchange.markets[PERP].price + Decimal(100))
    await world.quiet()
    long, short = await world.trades()
    assert (long.side, short.side) == ("buy", "sell")
    assert await world.positions(is_open=True) == []


async def test_opening_and_closing_a_leg_in_hedge_mode(world: World) -> None:
    account = await world.account_at_venue("acc")
    assert world.venues is not None and world.engine is not None
    await world.venues.open(account, world.credentials(account)).set_position_mode(PositionMode.HEDGE)
    await world.engine.tenure.turn()
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=40)
    await world.quiet()
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=-100)
    await world.quiet()
    (trade,) = await world.trades()
    assert {row.position_side for row in await world.fills()} == {"short"}
    assert trade.closed_at is not None


async def test_buying_and_selling_on_spot(world: World) -> None:
    account = await world.account("acc", BTC="1")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.quiet()
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-100)
    await world.quiet()
    (book,) = await world.positions()
    assert not book.is_open


@pytest.mark.parametrize("market", list(MarketType))
async def test_a_resting_order_is_amended_where_that_can_be_and_cancelled(
    world: World, market: MarketType
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, market=market)
    await world.alert(strategy, **LIMIT)
    await world.quiet()
    (order,) = await world.orders()
    if market in TRAITS[world.venue].amends:
        await world.desk.amend_order(world.principal(), order.id, Decimal(49_000), None)
        await world.until(lambda: _price_is(world, 49_000))
    await world.desk.cancel_order(world.principal(), order.id)
    await world.until(lambda: statuses(world, "CANCELED"))
    await world.quiet()
    assert len(world.venue_account(account).orders) == 1


async def _price_is(world: World, price: int) -> bool:
    (order,) = await world.orders()
    return order.price == price and order.amend is None


@pytest.mark.parametrize("market", list(MarketType))
async def test_a_stop_rests_triggers_and_closes(world: World, market: MarketType) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, market=market)
    symbol = SPOT if market is MarketType.SPOT else PERP
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.quiet()
    await world.alert(strategy, order_type="STOP_MARKET", side="sell", stop_price=55000, qty_per=-100)
    await world.until(lambda: statuses(world, "FILLED", "NEW"))
    world.exchange.set_price(symbol, Decimal(54_000))
    await world.until(lambda: statuses(world, "FILLED"))
    await world.quiet()
    assert await world.positions(is_open=True) == []


@pytest.mark.parametrize("kind", ["accept_then_drop", "garbage", "truncate"])
async def test_an_order_whose_answer_was_lost_is_adopted_and_never_sent_twice(
    world: World, kind: str
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    method, path = world.wire.place
    world.fault(kind, method=method, path=path)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    assert outcome.logs[0].row["status"] == "COMPLETED"
    await world.quiet()
    assert len(world.venue_account(account).orders) == 1


async def test_what_filled_while_nobody_listened_is_booked_after_a_restart(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **LIMIT)
    await world.quiet()
    await world.stop()
    world.exchange.set_price(PERP, Decimal(49_000))
    await world.start()
    await world.until(lambda: statuses(world, "FILLED"))
    await world.quiet()


async def test_fills_that_the_stream_withheld_are_fetched(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **LIMIT)
    await world.quiet()
    world.fault("mute_stream", n=0)
    world.exchange.set_price(PERP, Decimal(49_000))
    world.calm()
    world.fault("disconnect")
    await world.until(lambda: statuses(world, "FILLED"))
    await world.quiet()


async def test_a_liquidation_is_booked(world: World) -> None:
    account = await world.account("acc", usdt="1000")
    strategy = await world.strategy(account, leverage=50)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=90)
    assert outcome.logs[0].row["status"] == "COMPLETED", outcome.logs[0].execution_results
    world.exchange.set_price(PERP, Decimal(30_000))
    await world.quiet()
    assert {row.kind for row in await world.fills()} == {"trade", "liquidation"}
    assert await world.positions(is_open=True) == []


@pytest.mark.parametrize("kind", ["duplicate", "reorder", "hide_fills"])
async def test_a_stream_that_stutters_or_withholds_changes_nothing(world: World, kind: str) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, **LIMIT)
    await world.quiet()
    world.fault(kind, n=0)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    world.exchange.set_price(PERP, Decimal(49_000))
    world.calm()
    world.fault("disconnect")
    await world.quiet()
    assert await statuses(world, "FILLED")


async def test_an_order_that_fills_after_its_cancel_is_booked(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **LIMIT)
    await world.quiet()
    method, path = world.wire.cancel
    world.fault("late_fill", method=method, path=path, seconds=0.3, fraction="0.5")
    (order,) = await world.orders()
    await world.desk.cancel_order(world.principal(), order.id)
    await world.until(lambda: _has_fills(world))
    await world.quiet()
    assert await statuses(world, "CANCELED")


async def _has_fills(world: World) -> bool:
    return bool(await world.fills())


async def test_a_cancel_whose_answer_was_lost_ends_in_the_record(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **LIMIT)
    await world.quiet()
    method, path = world.wire.cancel
    world.fault("accept_then_drop", method=method, path=path, n=2)
    (order,) = await world.orders()
    await world.desk.cancel_order(world.principal(), order.id)
    await world.until(lambda: statuses(world, "CANCELED"))
    await world.quiet()
