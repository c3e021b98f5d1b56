"""Failures that cost people money elsewhere, each tried here: what other programs lose, and what nobody may do.

`docs/concepts/known-failures.md` says where each was seen, and which tests of other files hold the rest.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.accounts.core import Account
from fillbook.ledger.tables import fill_keys
from fillbook.market.core import Side
from fillbook.orders.core.cancel_queue import CancelStatus
from fillbook.orders.core.order import OrderType, TimeInForce
from fillbook.orders.tables import cancel_queue, orders
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.core.settle import NEVER_PLACED
from fillbook.trading.desk_port import ManualOrder
from support.world import BINANCE, PERP, World

ORDER = {"path": "/fapi/v1/order$", "method": "POST"}
CANCEL = {"path": "/fapi/v1/order$", "method": "DELETE"}
BUY = {"order_type": "MARKET", "side": "buy", "qty_per": 20}
RESTING = {"order_type": "LIMIT", "side": "buy", "price": 50000, "qty_per": 20}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests time out soon."""
    monkeypatch.setattr("fillbook.venues.ccxt.client.REQUEST_TIMEOUT_S", 1)


def at_venue(world: World, account: Account) -> list[Any]:
    return list(world.venue_account(account).orders.values())


async def status_is(world: World, *statuses: str) -> bool:
    return {order.status for order in await world.orders()} == set(statuses)


async def all_unknown(world: World) -> bool:
    found = await world.orders()
    return bool(found) and all(order.unknown_since is not None for order in found)


def show_all(world: World) -> None:
    """Nothing is hidden any more."""
    for order in world.exchange.orders.values():
        order.hidden_until_ms = 0


async def soon(world: World, condition: Callable[[], Any]) -> None:
    """Wait until something holds, while what waits for its next look-up or cancel does not have to wait."""

    async def holds() -> bool:
        held = condition()
        if asyncio.iscoroutine(held):
            held = await held
        if not held:
            await make_due(world)
        return bool(held)

    await world.until(holds)


async def make_due(world: World) -> None:
    """What waits for its next look-up or cancel is due now."""
    now = world.clock.now()
    await world.db.run(lambda unit: unit.execute(sa.update(cancel_queue).values(next_retry_at=None)))
    await world.db.run(
        lambda unit: unit.execute(
            sa.update(orders).where(orders.c.next_lookup_at.is_not(None)).values(next_lookup_at=now)
        )
    )
    assert world.engine is not None
    for runner in world.engine.runners.values():
        runner.cancels.wake()
        runner.lookups.wake()


# The three probes.


@pytest.mark.usefixtures("impatient")
async def test_an_entry_whose_reply_timed_out_is_on_record_and_adopted(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("delay", seconds=30, after=True, **ORDER)
    accepted = await world.accept(strategy, **BUY)
    await world.until(lambda: len(at_venue(world, account)) == 1)
    (order,) = await world.orders()
    assert order.client_order_id == at_venue(world, account)[0].client_order_id
    (log,) = (await world.intake.wait_for_outcome(accepted)).logs
    assert log.row["status"] == "COMPLETED"
    await world.quiet()
    assert len(at_venue(world, account)) == 1
    assert await status_is(world, "FILLED")


async def test_an_entry_whose_reply_timed_out_is_adopted_after_a_restart(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("mute_stream", n=0)
    world.fault("accept_then_drop", **ORDER)
    world.fault("hide_lookups", seconds=600, **ORDER)
    await world.accept(strategy, **BUY)
    await world.until(lambda: all_unknown(world))
    await world.stop()
    show_all(world)
    world.calm()
    await world.start()
    await soon(world, lambda: status_is(world, "FILLED"))
    await world.quiet()
    assert len(at_venue(world, account)) == 1


async def test_an_order_at_rest_outlives_a_restart_during_which_look_ups_deny_it(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **RESTING)
    await world.quiet()
    (resting,) = at_venue(world, account)
    await world.stop()
    world.fault("hide_orders", seconds=600)
    await world.start()
    assert world.engine is not None
    await world.engine.runners[account.id].reconciler.run(Cause.REPEAT, Depth.CATCH_UP)
    (order,) = await world.orders()
    assert (order.status, order.reserved) == ("NEW", 200) and resting.is_open
    world.fault("refuse", n=0, **CANCEL, status=400, code=-2011, msg="Unknown order sent.")
    await world.desk.cancel_order(world.principal(), order.id)
    for _ in range(3):
        sent = _cancels_sent(world)
        await soon(world, lambda sent=sent: _cancels_sent(world) > sent)  # type: ignore[misc]
    assert await status_is(world, "PENDING_CANCEL") and resting.is_open
    show_all(world)
    world.calm()
    await soon(world, lambda: status_is(world, "CANCELED"))
    assert not resting.is_open
    await world.quiet()


def _cancels_sent(world: World) -> int:
    return sum(request.method == "DELETE" for request in world.server.gateway(BINANCE).requests)


async def test_three_entries_whose_replies_are_lost_make_one_order_where_one_position_is_allowed(
    world: World,
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, max_positions=1)
    world.fault("mute_stream", n=0)
    world.fault("accept_then_drop", n=0, **ORDER)
    world.fault("hide_lookups", n=0, seconds=600, **ORDER)
    await world.accept(strategy, **BUY)
    await world.until(lambda: all_unknown(world))
    for symbol in ("ETHUSDT", "SOLUSDT"):
        (log,) = (await world.alert(strategy, **BUY, symbol=symbol)).logs
        result = log.execution_results[f"account_{account.id}"]
        assert (result["success"], result["error_code"]) == (False, "max_positions")
    assert len(at_venue(world, account)) == len(await world.orders()) == 1
    show_all(world)
    world.calm()
    await soon(world, lambda: status_is(world, "FILLED"))
    await world.quiet()
    assert len(at_venue(world, account)) == 1


# What happens to an order that counts as ended, or as more than it was.


async def test_a_fill_after_a_refusal_that_proves_wrong_is_booked(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("mute_stream", n=0)
    world.fault("accept_then_refuse", status=400, code=-2019, msg="Margin is insufficient.", **ORDER)
    await world.alert(strategy, **RESTING)
    assert await status_is(world, "REJECTED")
    world.calm()
    world.exchange.set_price(PERP, Decimal(49000))
    await world.until(lambda: status_is(world, "FILLED"))
    await world.quiet()
    (book,) = await world.positions(is_open=True)
    assert book.strategy_account_id is not None and book.quantity == Decimal("0.004")


async def test_a_fill_after_an_expiry_is_booked(world: World) -> None:
    account = await world.account("acc")
    await world.desk.place_manual_order(
        world.principal(),
        ManualOrder(
            account.id,
            PERP,
            Side.BUY,
            OrderType.LIMIT,
            Decimal("0.01"),
            price=Decimal(50000),
            time_in_force=TimeInForce.IOC,
        ),
    )
    await world.until(lambda: status_is(world, "EXPIRED"))
    (order,) = at_venue(world, account)
    world.fault("fill", order_id=order.order_id, quantity="0.004")
    await world.quiet()
    (row,) = await world.orders()
    assert (row.status, row.filled_quantity) == ("EXPIRED", Decimal("0.004"))
    world.fault("fill", order_id=order.order_id, quantity="0.006")
    await world.until(lambda: status_is(world, "FILLED"))
    await world.quiet()
    (book,) = await world.positions(is_open=True)
    assert book.quantity == Decimal("0.01")


async def test_what_is_filled_beyond_an_orders_size_is_booked(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **RESTING)
    await world.quiet()
    (order,) = at_venue(world, account)
    world.fault("fill", order_id=order.order_id, quantity="0.009")
    await world.until(lambda: status_is(world, "FILLED"))
    await world.quiet()
    (row,) = await world.orders()
    assert (row.quantity, row.filled_quantity, row.reserved) == (Decimal("0.004"), Decimal("0.009"), 0)
    (book,) = await world.positions(is_open=True)
    assert book.quantity == Decimal("0.009")
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-100)
    await world.quiet()
    assert await world.positions(is_open=True) == []


async def test_the_database_takes_one_fill_for_an_account_symbol_order_and_venue_id(
    world_anywhere: World,
) -> None:
    world = world_anywhere
    strategy = await world.strategy(await world.account("acc"))
    await world.alert(strategy, **BUY)
    await world.quiet()
    async with world.db.read() as unit:
        (row,) = await unit.all(sa.select(fill_keys))
    again = {**row._mapping, "fill_id": row.fill_id + 1}
    with pytest.raises(sa.exc.IntegrityError):
        await world.db.run(lambda unit: unit.insert_many(fill_keys, [again]))


# What cannot be found is watched, not forgotten.


async def test_an_order_that_was_given_up_as_never_placed_is_watched_and_adopted_when_it_shows(
    world: World,
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("mute_stream", n=0)
    world.fault("accept_then_drop", **ORDER)
    world.fault("hide_lookups", seconds=600, **ORDER)
    await world.accept(strategy, **RESTING)
    await world.until(lambda: all_unknown(world))
    long_ago = world.clock.now() - timedelta(minutes=5)
    await world.db.run(lambda unit: unit.execute(sa.update(orders).values(unknown_since=long_ago, lookups=3)))
    await soon(world, lambda: status_is(world, "REJECTED"))
    (order,) = await world.orders()
    assert order.error_code == NEVER_PLACED and order.watch_until is not None
    show_all(world)
    await soon(world, lambda: status_is(world, "NEW"))
    (order,) = await world.orders()
    assert (order.error_code, order.reserved) == (None, 200)
    await world.desk.cancel_order(world.principal(), order.id)
    await world.until(lambda: status_is(world, "CANCELED"))
    await world.quiet()


# The lessons of the users' earlier system.


async def test_a_cancel_that_meets_an_unknown_order_and_a_dead_look_up_stays_queued(world: World) -> None:
    """-2011 says nothing, and the look-up after it fails: the row is kept, uncounted, and tried later."""
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **RESTING)
    await world.quiet()
    (resting,) = at_venue(world, account)
    (order,) = await world.orders()
    world.fault("refuse", n=0, **CANCEL, status=400, code=-2011, msg="Unknown order sent.")
    world.fault("error_page", n=0, method="GET", path="/fapi/v1/order$", status=502)
    await world.desk.cancel_order(world.principal(), order.id)
    for _ in range(3):
        sent = _cancels_sent(world)
        await soon(world, lambda sent=sent: _cancels_sent(world) > sent)  # type: ignore[misc]
    (item,) = await world.rows(cancel_queue)
    assert item.retry_count == 0 and item.status in (CancelStatus.PENDING, CancelStatus.PROCESSING)
    assert resting.is_open
    world.calm()
    await soon(world, lambda: status_is(world, "CANCELED"))
    await world.quiet()


async def test_two_alerts_for_one_symbol_at_once_are_decided_one_after_the_other(world: World) -> None:
    """Two closes that arrive together close once; the other symbol does not wait for them."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, **BUY)
    await world.alert(strategy, **BUY, symbol="ETHUSDT")
    await world.quiet()
    world.fault("delay", seconds=1, **ORDER)
    close = {"order_type": "MARKET", "side": "sell", "qty_per": -100}
    first = await world.accept(strategy, **close, comment="one")
    second = await world.accept(strategy, **close, comment="two")
    await world.until(lambda: _requests_to_sell(world) == 1)
    other = await world.alert(strategy, **close, symbol="ETHUSDT")
    assert other.logs[0].row["status"] == "COMPLETED"
    codes = [
        (await world.intake.wait_for_outcome(one))
        .logs[0]
        .execution_results[f"account_{account.id}"]
        .get("error_code")
        for one in (first, second)
    ]
    assert codes == [None, "no_position"]
    await world.quiet()
    assert await world.positions(is_open=True) == []


def _requests_to_sell(world: World) -> int:
    return sum(
        request.method == "POST" and request.params.get("side") == "SELL"
        for request in world.server.gateway(BINANCE).requests
    )


async def test_a_fill_that_was_told_wrongly_is_corrected_by_the_record(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.until(lambda: world.engine is not None and world.engine.runners[account.id].is_streaming)
    world.fault("refuse", n=0, path="userTrades", status=500, msg="Internal error")
    world.fault("correct_fill", fee="0.9")
    await world.alert(strategy, **BUY)
    await world.until(lambda: status_is(world, "FILLED"))
    (told,) = await world.fills()
    assert told.fee == Decimal("0.9") and world.engine is not None
    world.calm()
    await world.engine.runners[account.id].reconciler.run(Cause.REPEAT, Depth.CATCH_UP)
    await world.quiet()
    assert len(await world.fills()) == 2
