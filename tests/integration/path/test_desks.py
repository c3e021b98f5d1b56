"""A desk that is not open, or that fails, loses no order and holds up no other account."""

from typing import Any

import pytest

from fillbook.orders.core.order import OrderRequest
from fillbook.trading.tenure import Tenure
from fillbook.venues.ccxt.binance.venue import BinanceVenue
from support.world import World

BUY = {"order_type": "MARKET", "side": "buy"}


async def test_an_order_whose_answer_nobody_could_book_is_looked_up_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    place = BinanceVenue.place

    async def place_and_fail(venue: BinanceVenue, request: OrderRequest) -> Any:
        await place(venue, request)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(BinanceVenue, "place", place_and_fail)
    await world.alert(strategy, **BUY, qty_per=20)
    await world.until(lambda: _all_filled(world, 1))
    await world.quiet()
    assert len(world.venue_account(account).orders) == 1


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


async def _all_filled(world: World, count: int) -> bool:
    return [order.status for order in await world.orders()] == ["FILLED"] * count


async def _statuses(world: World, account_id: int, wanted: set[str]) -> bool:
    return {order.status for order in await world.orders(account_id=account_id)} == wanted
