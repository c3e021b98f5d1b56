"""What people do beside the alerts: by hand here, by hand at the exchange, on a second server."""

from decimal import Decimal

import pytest

from fillbook.kernel.errors import NotFound
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderType
from fillbook.trading.desk import OpenOrdersAndPositions, OrderHasEnded
from fillbook.trading.desk_port import ManualOrder, OrderDenied
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.world import BINANCE, PERP, World


async def test_a_manual_order_is_placed_cancelled_and_closed(world: World) -> None:
    account = await world.account("acc")
    me = world.principal()
    resting = await world.desk.place_manual_order(
        me, ManualOrder(account.id, PERP, Side.BUY, OrderType.LIMIT, Decimal("0.01"), price=Decimal(50000))
    )
    await world.until(lambda: _status(world, resting.id, "NEW"))
    await world.desk.cancel_order(me, resting.id)
    await world.until(lambda: _status(world, resting.id, "CANCELED"))
    with pytest.raises(OrderHasEnded):
        await world.desk.cancel_order(me, resting.id)
    await world.desk.place_manual_order(
        me, ManualOrder(account.id, PERP, Side.BUY, OrderType.MARKET, Decimal("0.01"))
    )
    await world.until(lambda: _open(world, 1))
    (book,) = await world.positions(is_open=True)
    await world.desk.close_position(me, book.id)
    await world.until(lambda: _open(world, 0))
    await world.quiet()
    (trade,) = await world.trades()
    assert (trade.trade_source, trade.exit_reason) == ("manual", "manual")


async def test_what_the_plan_refuses_of_a_manual_order_says_why(world: World) -> None:
    account = await world.account("acc")
    with pytest.raises(OrderDenied) as denied:
        await world.desk.place_manual_order(
            world.principal(), ManualOrder(account.id, PERP, Side.BUY, OrderType.MARKET, Decimal("0.0001"))
        )
    assert denied.value.denial_code == "quantity_rounds_to_zero"


async def test_another_persons_order_position_and_account_are_not_there(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    (book,) = await world.positions()
    (order,) = await world.orders()
    stranger = world.principal(await world.user("mallory"))
    with pytest.raises(NotFound):
        await world.desk.close_position(stranger, book.id)
    with pytest.raises(NotFound):
        await world.desk.cancel_order(stranger, order.id)
    with pytest.raises(NotFound):
        await world.desk.place_manual_order(
            stranger, ManualOrder(account.id, PERP, Side.BUY, OrderType.MARKET, Decimal("0.01"))
        )


async def test_an_order_made_at_the_exchange_is_booked_as_external(world: World) -> None:
    account = await world.account("acc")
    await world.until(lambda: world.engine is not None and world.engine.runners[account.id].is_streaming)
    at_venue = world.venue_account(account)
    world.exchange.place(at_venue, NewOrder(PERP, Side.BUY, OrderType.MARKET, Decimal("0.02")))
    await world.until(lambda: _open(world, 1))
    await world.quiet()
    (book,) = await world.positions()
    (order,) = await world.orders()
    assert book.owner_key == "external" and order.owner == "external"


async def test_a_close_made_at_the_exchange_reduces_the_strategies_that_hold_it(world: World) -> None:
    account = await world.account("acc")
    first = await world.strategy(account, leverage=2)
    second = await world.strategy(account, leverage=2)
    await world.alert(first, order_type="MARKET", side="buy", qty_per=60)
    await world.alert(second, order_type="MARKET", side="buy", qty_per=30)
    await world.quiet()
    at_venue = world.venue_account(account)
    world.exchange.place(
        at_venue, NewOrder(PERP, Side.SELL, OrderType.MARKET, Decimal("0.015"), reduce_only=True)
    )
    await world.until(lambda: _sells(world))
    await world.quiet()
    quantities = [book.quantity for book in await world.positions()]
    assert quantities == [Decimal("0.010"), Decimal("0.005")] or sum(quantities) == Decimal("0.014")


async def test_links_with_different_leverage_do_not_share_a_symbol(world: World) -> None:
    account = await world.account("acc")
    first = await world.strategy(account, leverage=2)
    second = await world.strategy(account, leverage=3)
    await world.alert(first, order_type="MARKET", side="buy", qty_per=60)
    await world.quiet()
    outcome = await world.alert(second, order_type="MARKET", side="buy", qty_per=30)
    (log,) = outcome.logs
    assert log.execution_results[f"account_{account.id}"]["error_code"] == "leverage_conflict"


async def test_a_second_engine_on_one_database_says_so_and_does_not_trade(world_anywhere: World) -> None:
    world = world_anywhere
    account = await world.account("acc")
    strategy = await world.strategy(account)
    first = world.engine
    assert first is not None
    second = await world.start(owns_directory=False, holder="second:2")
    assert second.runners == {}
    assert [lease.holder for lease in second.held_elsewhere] == ["test:1"]
    world.engine = first
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    assert len(world.venue_account(account).orders) == 1
    await second.stop()


async def test_an_order_under_a_lost_lease_does_not_leave(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    assert world.engine is not None
    ownership = world.engine.floor.ownership
    lease = ownership.lease_of(account.id)
    assert lease is not None
    ownership.hold(account.id, lease, world.clock.elapsed_s() + 1.0)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=21)
    (log,) = outcome.logs
    assert log.execution_results[f"account_{account.id}"]["error_code"] == "too_late"
    assert len(world.venue_account(account).orders) == 1


async def test_revoked_keys_are_named_and_nothing_is_sent(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    world.fault("refuse", status=401, code=-2015, msg="Invalid API-key, IP, or permissions for action.", n=0)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=21)
    (log,) = outcome.logs
    refused = log.execution_results[f"account_{account.id}"]
    assert refused["success"] is False and refused["error_code"] in ("-2015", "credentials_refused")
    world.calm()
    assert len(world.server.exchange(BINANCE).account(world.key(account)).orders) == 1


async def _status(world: World, order_id: int, status: str) -> bool:
    (order,) = await world.orders(id=order_id)
    return bool(order.status == status)


async def _open(world: World, count: int) -> bool:
    return len(await world.positions(is_open=True)) == count


async def _sells(world: World) -> bool:
    return any(fill.side == "sell" for fill in await world.fills())


async def test_an_account_with_open_business_says_so(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    open_business = OpenOrdersAndPositions(world.db)
    assert await open_business(account.id) is None
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=20)
    await world.quiet()
    assert await open_business(account.id) == "1 live orders and positions in 1 symbols"
