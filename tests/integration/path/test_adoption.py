"""Orders that the exchange has and this database never wrote down, as after a copy from yesterday."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Account
from fillbook.ledger.core.fill import FillSource
from fillbook.market.core import Side
from fillbook.orders.core.client_ids import MANUAL_CODE, Origin, make_client_order_id
from fillbook.orders.core.order import Book, OrderRef, OrderType
from fillbook.strategies.tables import strategies, strategy_capital
from fillbook.trading.facts import FillsSeen
from fillbook.trading.gaps import take_report
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.world import PERP, Strategy, World


async def name_of(
    world: World, strategy: Strategy | None, origin: Origin = Origin.STRATEGY, installation: str = "test"
) -> str:
    code = MANUAL_CODE
    if strategy is not None:
        (row,) = await world.rows(strategies, id=strategy.id)
        code = row.code6
    return str(make_client_order_id(installation, origin, code, "0000", world.rng))


def place(world: World, account: Account, name: str | None, side: Side, quantity: str, **more: Any) -> None:
    order_type = OrderType.LIMIT if "price" in more else OrderType.MARKET
    new = NewOrder(PERP, side, order_type, Decimal(quantity), client_order_id=name, **more)
    world.exchange.place(world.venue_account(account), new)


async def test_what_was_ordered_in_a_lost_past_comes_back_to_its_strategy(world_anywhere: World) -> None:
    world = world_anywhere
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    await world.stop()
    for number in range(2):
        place(world, account, await name_of(world, strategy), Side.BUY, "0.01")
        place(world, account, f"web-{number}", Side.BUY, "0.003")
    place(world, account, await name_of(world, None, Origin.MANUAL), Side.BUY, "0.002")
    place(world, account, await name_of(world, strategy, installation="othr"), Side.BUY, "0.004")
    place(world, account, await name_of(world, strategy), Side.BUY, "0.02", price=Decimal(50000))
    await world.start()
    assert world.engine is not None
    assert await world.engine.runners[account.id].reconciler.sweep() == []
    await world.quiet()
    first, *_ = await world.fills()
    held = {row.owner_key.partition(":")[0]: row.quantity for row in await world.positions()}
    assert held == {
        "link": first.quantity + Decimal("0.02"),
        "external": Decimal("0.01"),
        "manual": Decimal("0.002"),
    }
    (capital,) = await world.rows(strategy_capital)
    assert capital.reserved_capital == 500


async def test_a_person_who_closes_a_strategys_position_says_so_in_the_orders_id(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    (position,) = await world.positions()
    await world.desk.close_position(world.principal(), position.id)
    await world.quiet()
    _, close = await world.orders()
    (row,) = await world.rows(strategies)
    assert close.client_order_id[6:13] == f"m{row.code6}"
    assert (close.origin, close.strategy_id) == ("manual", strategy.id)


async def test_an_order_of_others_may_take_the_name_of_one_that_is_over(world: World) -> None:
    account = await world.account("acc")
    await world.until(lambda: world.engine is not None and world.engine.runners[account.id].is_streaming)
    at_venue = world.venue_account(account)
    for turn, price in enumerate((50000, 49000), start=1):
        place(world, account, "tp1", Side.BUY, "0.01", price=Decimal(price))
        await world.until(lambda turn=turn: _are(world, ["CANCELED"] * (turn - 1) + ["NEW"]))
        (order,) = at_venue.open_orders.values()
        world.exchange.cancel(at_venue, order)
        await world.until(lambda turn=turn: _are(world, ["CANCELED"] * turn))
    assert [row.price for row in await world.orders()] == [50000, 49000]
    assert await world.faults() == []


async def _are(world: World, statuses: list[str]) -> bool:
    return [order.status for order in await world.orders()] == statuses


async def test_a_fill_that_was_booked_before_anybody_knew_its_order_is_given_to_it(world: World) -> None:
    """The order of ours gets its strategy back with it, and the order of others its fills."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    assert world.engine is not None
    runner = world.engine.runners[account.id]
    first, *_ = await world.fills()
    world.fault("mute_stream", n=0)
    place(world, account, await name_of(world, strategy), Side.BUY, "0.01")
    place(world, account, "web-1", Side.BUY, "0.003")
    for order in list(world.venue_account(account).orders.values())[1:]:
        page = await runner.venue.fills_of_order(PERP, str(order.order_id))
        unnamed = tuple(replace(fill, client_order_id=None) for fill in page.fills)
        await world.engine.floor.bookkeeper.submit(
            FillsSeen(account.id, unnamed, FillSource.STREAM, adopt=True)
        )
    assert {row.owner_key for row in await world.positions() if row.quantity} > {"external"}
    world.calm()
    assert await runner.reconciler.sweep() == []
    for order in list(world.venue_account(account).orders.values())[1:]:
        report = await runner.venue.find_order(OrderRef(PERP, "", str(order.order_id), Book.NORMAL))
        assert report is not None
        await take_report(world.engine.floor, runner.venue, account.id, report)
    await world.quiet()
    held = {row.owner_key.partition(":")[0]: row.quantity for row in await world.positions()}
    assert held == {"link": first.quantity + Decimal("0.01"), "external": Decimal("0.003")}
    assert {row.status for row in await world.orders()} == {"FILLED"}
