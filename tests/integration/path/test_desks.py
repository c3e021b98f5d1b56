"""A desk that is not open, or that fails, loses no order and holds up no other account."""

from typing import Any

import pytest

from fillbook.fleet.leases import account_resource, acquire
from fillbook.orders.core.order import OrderRequest
from fillbook.signals.tables import signal_deliveries
from fillbook.trading.tenure import Tenure
from fillbook.venues.ccxt.binance.venue import BinanceVenue
from support.world import World

BUY = {"order_type": "MARKET", "side": "buy"}


async def test_an_order_of_which_nobody_can_say_whether_it_left_is_of_unknown_fate(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)

    async def fail(venue: BinanceVenue, request: OrderRequest) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(BinanceVenue, "place", fail)
    await world.accept(strategy, **BUY, qty_per=20)
    await world.until(lambda: _looked_up(world))
    (order,) = await world.orders()
    assert (order.status, order.reserved) == ("PENDING_NEW", 180)


async def _looked_up(world: World) -> bool:
    return any(order.unknown_since and order.lookups for order in await world.orders())


async def test_nothing_is_written_down_for_an_account_whose_lease_another_server_took(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two renewals, while memory still says that the account is ours."""

    async def not_yet(tenure: Tenure, begun_s: float) -> None:
        return None

    monkeypatch.setattr(Tenure, "_renew", not_yet)
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **BUY, qty_per=20)
    await world.quiet()
    resource = account_resource(account.id)
    await world.db.run(lambda unit: acquire(unit, resource, "another:1", 60, take_over=True))
    given_up: list[int] = []
    assert world.engine is not None
    world.engine.dispatcher.on_unplanned = given_up.append
    await world.accept(strategy, **BUY, qty_per=21)
    await world.until(lambda: given_up)
    assert len(await world.orders()) == len(world.venue_account(account).orders) == 1
    (_, waiting) = await world.rows(signal_deliveries)
    assert waiting.state == "new"


async def test_a_cancel_for_an_account_that_is_switched_off_holds_up_nobody(world: World) -> None:
    off, on = await world.account("off"), await world.account("on")
    strategy = await world.strategy(off, on, leverage=2)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=20)
    await world.quiet()
    await world.set_active(off, False)
    await world.accept(strategy, order_type="CANCEL_ALL_ORDER")
    await world.until(lambda: _statuses(world, on.id, {"CANCELED"}))
    await world.alert(strategy, **BUY, qty_per=20)
    await world.until(lambda: _statuses(world, on.id, {"CANCELED", "FILLED"}))
    await world.set_active(off, True)
    await world.until(lambda: _statuses(world, off.id, {"CANCELED"}))
    await world.quiet()


async def test_an_alert_waits_while_the_desk_of_its_account_is_not_open_yet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the quiet time after another server's lease was taken over."""
    ready = await world.account("ready")
    monkeypatch.setattr(Tenure, "_quiet_until", lambda self, lease, begun_s: begun_s + 3600)
    waiting = await world.account("waiting")
    strategy = await world.strategy(ready, waiting)
    await world.accept(
        strategy,
        orders=[
            {**BUY, "qty_per": 20},
            {"order_type": "LIMIT", "side": "buy", "price": 50000, "qty_per": 20},
        ],
    )
    await world.until(lambda: _statuses(world, ready.id, {"FILLED", "NEW"}))
    assert await world.orders(account_id=waiting.id) == []
    assert world.engine is not None
    world.engine.tenure._free_at.clear()
    await world.engine.tenure.turn()
    await world.until(lambda: _statuses(world, waiting.id, {"FILLED", "NEW"}))
    await world.quiet()


async def _statuses(world: World, account_id: int, wanted: set[str]) -> bool:
    return {order.status for order in await world.orders(account_id=account_id)} == wanted
