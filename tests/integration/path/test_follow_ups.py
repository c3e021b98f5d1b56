"""What orders call for once they have filled: protection, and the close of what filled too late."""

from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Account
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderType
from fillbook.trading.desk_port import ManualOrder
from support.world import PERP, World

ENTRY = {"order_type": "MARKET", "side": "buy", "qty_per": 50}
ORDER = {"path": "/fapi/v1/order", "method": "POST"}


async def protected(world: World, **prices: int) -> tuple[Account, Any]:
    """A long of a strategy, and the orders at the exchange that protect it."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, **ENTRY, **(prices or {"stop_loss": 58000, "take_profit": 63000}))
    await world.until(lambda: len(open_orders(world, account)) == (len(prices) or 2))
    await world.quiet()
    return account, strategy


def open_orders(world: World, account: Account) -> list[Any]:
    return [order for order in world.venue_account(account).orders.values() if order.is_open]


async def is_flat(world: World, account: Account) -> bool:
    return not open_orders(world, account) and not any(row.quantity for row in await world.net_positions())


async def test_a_filled_entry_is_protected_by_orders_of_our_own(world: World) -> None:
    account, _ = await protected(world)
    stop, profit = sorted(open_orders(world, account), key=lambda order: order.stop_price)
    assert (stop.order_type, stop.side, stop.stop_price) == (OrderType.STOP_MARKET, Side.SELL, 58000)
    assert (profit.order_type, profit.stop_price) == (OrderType.TAKE_PROFIT_MARKET, 63000)
    entry, *children = await world.orders()
    assert {child.parent_order_id for child in children} == {entry.id}
    assert stop.quantity == profit.quantity == entry.filled_quantity
    assert stop.reduce_only and profit.reduce_only


async def test_a_take_profit_that_fills_cancels_the_stop_through_the_queue(world: World) -> None:
    account, _ = await protected(world)
    world.exchange.set_price(PERP, Decimal(63100))
    await world.until(lambda: is_flat(world, account))
    await world.quiet()
    (trade,) = await world.trades()
    assert trade.exit_reason == "take_profit" and trade.pnl > 0
    (stop,) = [order for order in await world.orders() if order.leg == "sl"]
    assert (stop.status, stop.cancel_wanted) == ("CANCELED", True)
    await world.until(lambda: nothing_is_followed(world))


async def nothing_is_followed(world: World) -> bool:
    return not any(row.follow_up for row in await world.orders())


async def test_a_stop_that_fills_cancels_the_take_profit(world: World) -> None:
    account, _ = await protected(world)
    world.exchange.set_price(PERP, Decimal(57000))
    await world.until(lambda: is_flat(world, account))
    await world.quiet()
    (trade,) = await world.trades()
    assert trade.exit_reason == "stop_loss"


async def test_a_close_by_the_strategy_takes_the_protection_away(world: World) -> None:
    account, strategy = await protected(world)
    await world.alert(strategy, order_type="MARKET", qty_per=-100)
    await world.until(lambda: is_flat(world, account))
    await world.quiet()


async def test_half_a_close_leaves_half_protected(world: World) -> None:
    account, strategy = await protected(world)
    (book,) = await world.positions()
    await world.alert(strategy, order_type="MARKET", qty_per=-50)

    def halved() -> bool:
        return [order.quantity for order in open_orders(world, account)] == [book.quantity / 2] * 2

    await world.until(halved)
    await world.quiet()


async def test_protection_outlives_the_process(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(
        strategy, order_type="LIMIT", side="buy", price=59000, qty_per=50, stop_loss=57000, take_profit=62000
    )
    await world.quiet()
    await world.stop()
    world.exchange.set_price(PERP, Decimal(58900))
    await world.start()
    await world.until(lambda: len(open_orders(world, account)) == 2)
    await world.quiet()


async def test_a_stop_that_the_price_has_passed_closes_at_once(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=59000, qty_per=50, stop_loss=58500)
    await world.quiet()
    await world.stop()
    world.exchange.set_price(PERP, Decimal(58000))
    await world.start()
    await world.until(lambda: has_trades(world))
    await world.until(lambda: is_flat(world, account))
    await world.quiet()
    (trade,) = await world.trades()
    assert trade.exit_reason == "stop_loss"


async def has_trades(world: World) -> bool:
    return any(trade.closed_at is not None for trade in await world.trades())


async def test_protection_that_a_person_cancels_stays_cancelled(world: World) -> None:
    account, _ = await protected(world)
    (stop,) = [order for order in await world.orders() if order.leg == "sl"]
    await world.desk.cancel_order(world.principal(), stop.id)
    await world.until(lambda: len(open_orders(world, account)) == 1)
    assert world.engine is not None
    await world.engine.following.turn()
    await world.quiet()
    assert len(open_orders(world, account)) == 1
    assert len([order for order in await world.orders() if order.leg == "sl"]) == 1


async def test_a_close_on_spot_makes_room_first(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(strategy, **ENTRY, stop_loss=58000)
    await world.until(lambda: len(open_orders(world, account)) == 1)
    outcome = await world.alert(strategy, order_type="MARKET", qty_per=-100)
    assert outcome.logs[0].row["status"] == "COMPLETED"
    await world.quiet()
    assert open_orders(world, account) == []
    (trade,) = await world.trades()
    assert trade.closed_at is not None


async def test_a_manual_order_can_be_protected_too(world: World) -> None:
    account = await world.account("acc")
    order = ManualOrder(
        account_id=account.id,
        symbol=PERP,
        side=Side.SELL,
        order_type=OrderType.MARKET,
        quantity=Decimal("0.01"),
        stop_loss_price=Decimal(61000),
    )
    await world.desk.place_manual_order(world.principal(), order)
    await world.until(lambda: len(open_orders(world, account)) == 1)
    await world.quiet()


async def test_what_an_order_of_unknown_fate_fills_after_a_close_is_closed(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    world.fault("mute_stream", n=0)
    world.fault("accept_then_drop", **ORDER)
    world.fault("refuse", path="/fapi/v1/(order|userTrades)", method="GET", status=500, code=-1000, n=0)
    await world.accept(strategy, order_type="LIMIT", side="buy", price=59000, qty_per=50)
    await world.until(lambda: is_unknown(world))
    (at_venue,) = world.venue_account(account).orders.values()
    world.fault("drop_before_accept", path="/fapi/v1/order", method="DELETE", n=0)
    closed = await world.alert(strategy, order_type="MARKET", qty_per=-100)
    (result,) = closed.logs[0].execution_results.values()
    assert result["error_code"] == "not_yet_held"
    (order,) = await world.orders()
    assert order.close_on_late_fill and order.cancel_wanted
    world.exchange.set_price(PERP, Decimal(58900))
    assert not at_venue.is_open and at_venue.filled
    world.calm()
    await world.until(lambda: has_trades(world))
    await world.until(lambda: is_flat(world, account))
    await world.quiet()


async def is_unknown(world: World) -> bool:
    return any(order.unknown_since is not None for order in await world.orders())
