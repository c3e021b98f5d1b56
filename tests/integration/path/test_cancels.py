"""A cancel that is wanted ends in the venue's own record, or in an alarm that stays until it does."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from fillbook.orders.core.cancel_queue import MAX_RETRIES
from fillbook.orders.tables import cancel_queue, cancels
from support.world import BINANCE, World

CANCEL = {"path": "/fapi/v1/order", "method": "DELETE"}
LIMIT = {"order_type": "LIMIT", "side": "buy", "price": 50000, "qty_per": 20}


async def resting_order(world: World) -> Any:
    """A limit order at rest. Returns its order at the exchange."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, **LIMIT)
    await world.quiet()
    (order,) = world.venue_account(account).orders.values()
    return order


async def cancel(world: World) -> None:
    (order,) = await world.orders()
    await world.desk.cancel_order(world.principal(), order.id)


def cancels_sent(world: World) -> int:
    return sum(request.method == "DELETE" for request in world.server.gateway(BINANCE).requests)


async def make_due(world: World) -> None:
    """Let the time until the next attempt pass at once."""
    await world.db.run(lambda unit: unit.execute(sa.update(cancel_queue).values(next_retry_at=None)))
    assert world.engine is not None
    for runner in world.engine.runners.values():
        runner.cancels.wake()


async def _item(world: World) -> Any:
    (item,) = await world.rows(cancel_queue)
    return item


async def _has(world: World, **wanted: object) -> bool:
    item = await _item(world)
    return all(getattr(item, name) == value for name, value in wanted.items())


async def test_a_cancel_is_written_down_before_the_venue_is_asked(world: World) -> None:
    at_venue = await resting_order(world)
    world.fault("drop_before_accept", n=0, **CANCEL)
    await cancel(world)
    (order,) = await world.orders()
    assert (order.cancel_wanted, order.status) == (True, "PENDING_CANCEL")
    assert (await _item(world)).status == "PENDING"
    await world.until(lambda: cancels_sent(world) > 0)
    assert at_venue.is_open


async def test_a_cancel_without_an_answer_is_asked_again_and_not_counted(world: World) -> None:
    at_venue = await resting_order(world)
    world.fault("drop_before_accept", n=0, **CANCEL)
    await cancel(world)
    for _ in range(MAX_RETRIES + 1):
        sent = cancels_sent(world)
        await make_due(world)
        await world.until(lambda sent=sent: cancels_sent(world) > sent)  # type: ignore[misc]
        await world.until(lambda: _is_waiting(world))
        assert at_venue.is_open and await _has(world, status="PENDING", retry_count=0)
    world.calm()
    await make_due(world)
    await world.until(lambda: _has(world, status="SUCCESS"))
    assert not at_venue.is_open
    await world.quiet()
    assert len(await world.rows(cancels)) == 1


async def _is_waiting(world: World) -> bool:
    return (await _item(world)).next_retry_at is not None


async def test_a_cancel_whose_answer_was_lost_ends_in_the_venues_record(world: World) -> None:
    at_venue = await resting_order(world)
    world.fault("accept_then_drop", **CANCEL)
    await cancel(world)
    await world.until(lambda: _has(world, status="SUCCESS"))
    assert not at_venue.is_open
    (order,) = await world.orders()
    assert (order.status, order.reserved) == ("CANCELED", 0)


async def test_a_refused_cancel_closes_nothing_and_ends_in_an_alarm_with_the_order_alive(
    world: World,
) -> None:
    at_venue = await resting_order(world)
    world.fault("refuse", status=400, code=-2010, msg="Not now.", n=0, **CANCEL)
    await cancel(world)
    for count in range(1, MAX_RETRIES + 1):
        await world.until(lambda count=count: _has(world, retry_count=count))  # type: ignore[misc]
        (order,) = await world.orders()
        assert (order.status, order.reserved) == ("PENDING_CANCEL", 200) and at_venue.is_open
        await make_due(world)
    await world.until(lambda: _has(world, status="FAILED"))
    (order,) = await world.orders()
    assert (order.status, order.cancel_wanted, order.reserved) == ("NEW", True, 200)
    assert (await _item(world)).error_message == "Not now." and at_venue.is_open
    world.calm()
    assert world.engine is not None
    (runner,) = world.engine.runners.values()
    await runner.cancels.queue_again()
    await world.until(lambda: not at_venue.is_open)
    await world.quiet()


async def test_a_cancel_that_came_too_late_says_what_the_order_had_become(world: World) -> None:
    at_venue = await resting_order(world)
    world.fault("mute_stream", n=0)
    world.fault("delay", seconds=0.5, **CANCEL)
    await cancel(world)
    world.exchange.set_price(at_venue.symbol, at_venue.price - 1)
    await world.until(lambda: _has(world, status="FAILED"))
    assert (await _item(world)).error_message == "Order already filled"
    (order,) = await world.orders()
    assert order.status == "FILLED" and await world.rows(cancels) == []
    world.calm()
    await world.quiet()


async def test_a_wanted_cancel_outlives_the_process(world: World) -> None:
    at_venue = await resting_order(world)
    world.fault("drop_before_accept", n=0, **CANCEL)
    await cancel(world)
    await world.until(lambda: cancels_sent(world) > 0)
    await world.stop()
    world.calm()
    await world.start()
    await make_due(world)
    await world.until(lambda: _has(world, status="SUCCESS"))
    assert not at_venue.is_open
    await world.quiet()


async def test_a_cancel_that_meets_a_rate_limit_is_asked_again_and_not_counted(world: World) -> None:
    at_venue = await resting_order(world)
    world.fault("rate_limit", n=0, **CANCEL)
    await cancel(world)
    await world.until(lambda: cancels_sent(world) > 0)
    await world.until(lambda: _is_waiting(world))
    assert at_venue.is_open and await _has(world, status="PENDING", retry_count=0)
    world.calm()
    await make_due(world)
    await world.until(lambda: _has(world, status="SUCCESS"))
    await world.quiet()


async def test_a_cancel_of_an_order_of_unknown_fate_goes_by_our_own_id(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    world.fault("mute_stream", n=0)
    world.fault("accept_then_drop", path="/fapi/v1/order", method="POST")
    world.fault("refuse", path="/fapi/v1/order", method="GET", status=500, code=-1000, msg="no", n=0)
    await world.accept(strategy, **LIMIT)
    await world.until(lambda: _is_unknown(world))
    (at_venue,) = world.venue_account(account).orders.values()
    await cancel(world)
    await world.until(lambda: not at_venue.is_open)
    (order,) = await world.orders()
    assert order.status == "PENDING_NEW" and order.cancel_wanted, "no record could be read yet"
    world.calm()
    await world.until(lambda: _has(world, status="SUCCESS"))
    await world.quiet()
    (order,) = await world.orders()
    assert order.status == "CANCELED" and order.reserved == 0


async def _is_unknown(world: World) -> bool:
    return any(order.unknown_since is not None for order in await world.orders())


async def test_what_a_person_cancels_at_the_venue_is_recorded_as_cancelled_there(world: World) -> None:
    at_venue = await resting_order(world)
    world.exchange.cancel(world.exchange.account(at_venue.account), at_venue)
    await world.quiet()
    (record,) = await world.rows(cancels)
    assert record.reason == "at the venue"


async def test_a_cancel_that_the_last_fill_overtook_is_not_recorded(world: World) -> None:
    at_venue = await resting_order(world)
    await cancel(world)
    await world.until(lambda: _has(world, status="SUCCESS"))
    assert len(await world.rows(cancels)) == 1
    world.exchange.fill_late(at_venue, Decimal(1))
    await world.quiet()
    (order,) = await world.orders()
    assert order.status == "FILLED" and await world.rows(cancels) == []
