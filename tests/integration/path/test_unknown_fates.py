"""What the network hides is looked up in the venue's own record, and nothing is ever sent twice."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.market.core import Side
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import OrderType
from fillbook.orders.store import rows
from fillbook.orders.tables import orders
from fillbook.trading.booking import Booking
from fillbook.trading.core.reconcile import pace
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.core.settle import NEVER_PLACED
from fillbook.trading.facts import SendSettled
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.world import PERP, World

ORDER = {"path": "/fapi/v1/order", "method": "POST"}


async def test_an_order_whose_answer_was_lost_is_found_and_adopted(world_anywhere: World) -> None:
    world = world_anywhere
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("accept_then_drop", **ORDER)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    (log,) = outcome.logs
    assert log.row["status"] == "COMPLETED"
    await world.quiet()
    assert len(world.venue_account(account).orders) == 1
    (order,) = await world.orders()
    assert (order.status, order.unknown_since) == ("FILLED", None)


async def test_an_order_that_never_arrived_stays_in_flight_while_nobody_can_say(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("drop_before_accept", **ORDER)
    accepted = await world.accept(strategy, order_type="MARKET", side="buy", qty_per=80)
    await world.until(lambda: _looked_up(world))
    (log,) = (await world.intake.wait_for_outcome(accepted)).logs
    assert (log.row["status"], log.row["unknown"]) == ("PROCESSING", 1)
    denied = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    (log,) = denied.logs
    assert log.execution_results[f"account_{account.id}"]["error_code"] == "insufficient_capital"
    assert world.venue_account(account).orders == {}


async def _looked_up(world: World) -> bool:
    return any(order.lookups >= 1 for order in await world.orders())


async def test_an_answer_that_is_no_json_proves_nothing_and_the_order_is_adopted(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("garbage", **ORDER)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    assert outcome.logs[0].row["status"] == "COMPLETED"
    await world.quiet()
    assert len(world.venue_account(account).orders) == 1


async def test_a_look_up_that_fails_is_no_proof(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("accept_then_drop", **ORDER)
    world.fault("refuse", path="/fapi/v1/order", method="GET", status=500, code=-1000, msg="no", n=2)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    assert outcome.logs[0].row["status"] in ("COMPLETED", "PROCESSING")
    await world.quiet()
    (order,) = await world.orders()
    assert order.status == "FILLED" and order.error_code != NEVER_PLACED


async def test_fills_that_the_stream_withholds_are_fetched(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    world.fault("hide_fills", n=0)
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-100)
    await world.quiet()
    assert {row.source for row in await world.fills()} >= {"rest"}


async def test_messages_that_come_twice_are_booked_once(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("duplicate", n=0)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-100)
    await world.quiet()
    assert len(await world.fills()) == len(world.venue_account(account).fills)


async def test_what_filled_while_the_stream_was_cut_is_fetched_at_the_reconnection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "UNREAD_EVERY", timedelta(hours=1))
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=59000, qty_per=20)
    world.fault("mute_stream", n=0)
    world.exchange.set_price(PERP, Decimal(58000))
    world.calm()
    world.fault("disconnect")
    await world.quiet()
    (order,) = await world.orders()
    assert order.status == "FILLED"


async def test_what_filled_while_nothing_ran_is_booked_at_the_start(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=59000, qty_per=20)
    await world.stop()
    world.exchange.set_price(PERP, Decimal(58000))
    await world.start()
    await world.quiet()
    (book,) = await world.positions()
    assert book.is_open and book.quantity == Decimal("0.003")


async def test_a_fill_after_the_cancel_is_booked(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=59000, qty_per=50)
    world.fault("late_fill", path="/fapi/v1/order", method="DELETE", fraction="0.5", seconds=0.5)
    await world.alert(strategy, order_type="CANCEL_ALL_ORDER")
    await world.until(lambda: _has_fills(world))
    await world.quiet()
    (order,) = await world.orders()
    assert order.filled_quantity > 0


async def _has_fills(world: World) -> bool:
    return bool(await world.fills())


async def test_an_order_whose_answer_could_not_be_written_down_is_looked_up_without_a_restart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away for a moment, just when the answer comes, and when it is to be left to look-ups."""
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    world.fault("mute_stream", n=0)
    failures: list[str] = []

    def failing_once(name: str, original: Any) -> Any:
        async def attempt(*arguments: Any, **options: Any) -> Any:
            if name not in failures and (name != "book" or isinstance(arguments[1][0], SendSettled)):
                failures.append(name)
                raise ConnectionError("the database is gone")
            return await original(*arguments, **options)

        return attempt

    monkeypatch.setattr(Booking, "book", failing_once("book", Booking.book))
    monkeypatch.setattr(rows, "mark_unresolved", failing_once("mark", rows.mark_unresolved))
    accepted = await world.accept(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=20)
    await world.until(lambda: failures == ["book", "mark"])
    order = (await world.orders())[-1]
    assert (order.status, order.unknown_since) == ("PENDING_NEW", None)
    long_ago = world.clock.now() - timedelta(minutes=1)
    await world.db.run(lambda unit: unit.execute(sa.update(orders).values(send_by=long_ago)))
    assert world.engine is not None
    world.engine.runners[account.id].lookups.wake()
    (log,) = (await world.intake.wait_for_outcome(accepted)).logs
    assert log.row["status"] == "COMPLETED"
    await world.quiet()
    assert len(world.venue_account(account).orders) == 2


async def test_a_fill_whose_order_the_venue_denies_waits_for_the_order_that_it_may_be_of(
    world: World,
) -> None:
    """Booked as external it would be lost to its order for good."""
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("mute_stream", n=0)
    world.fault("accept_then_drop", **ORDER)
    world.fault("hide_lookups", seconds=600, **ORDER)
    await world.accept(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.until(lambda: _looked_up_or_unknown(world))
    assert world.engine is not None
    runner = world.engine.runners[account.id]
    (at_venue,) = world.venue_account(account).orders.values()
    outcome = await runner.reconciler.run(Cause.REPEAT, Depth.CATCH_UP)
    assert any(str(at_venue.order_id) in reason for reason in outcome.unread)
    assert await world.fills() == [] and await world.positions() == []
    (order,) = await world.orders()
    assert order.lookups == 0, "a look-up beside a fill that nobody owns proves nothing"
    at_venue.hidden_until_ms = 0
    assert (await runner.reconciler.run(Cause.REPEAT, Depth.CATCH_UP)).unread == ()
    await world.quiet()
    (book,) = await world.positions()
    assert book.strategy_account_id is not None


async def _looked_up_or_unknown(world: World) -> bool:
    return any(order.unknown_since is not None for order in await world.orders())


async def test_a_fill_whose_order_the_venue_does_not_show_yet_waits_for_its_record(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.quiet()
    assert world.engine is not None
    runner = world.engine.runners[account.id]
    world.fault("mute_stream", n=0)
    new = NewOrder(PERP, Side.BUY, OrderType.MARKET, Decimal("0.01"), client_order_id="hand1")
    at_venue = world.exchange.place(world.venue_account(account), new)
    at_venue.hidden_until_ms = 2**62
    with pytest.raises(ReadFailed):
        await runner.backfill.read_on(PERP)
    assert str(at_venue.order_id) not in {row.exchange_order_id for row in await world.fills()}
    at_venue.hidden_until_ms = 0
    await runner.backfill.read_on(PERP)
    (fill,) = await world.fills(exchange_order_id=str(at_venue.order_id))
    (order,) = await world.orders(client_order_id="hand1")
    assert (fill.order_id, order.filled_quantity, order.status) == (order.id, fill.quantity, "FILLED")
    await world.quiet()
