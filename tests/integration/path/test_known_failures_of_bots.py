"""What goes wrong with orders in other people's grid bots, tried through the path that every order takes.

`docs/concepts/known-failures.md` says where each was seen.
"""

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import Account
from fillbook.market.core import MarketType
from fillbook.trading.core.reconcile import pace
from support.world import BINANCE, PERP, SPOT, World

ORDER = {"path": "/order$", "method": "POST"}
BUY = {"order_type": "MARKET", "side": "buy", "qty_per": 20}
CLOSE = {"order_type": "MARKET", "side": "sell", "qty_per": -100}


def resting(price: int, qty_per: object = 10) -> dict[str, Any]:
    return {"order_type": "LIMIT", "side": "buy", "price": price, "qty_per": qty_per}


def at_venue(world: World, account: Account) -> list[Any]:
    return list(world.venue_account(account).orders.values())


def sent(world: World) -> Counter[str]:
    """How often each client order id left in a request to create an order."""
    return Counter(
        request.params["newClientOrderId"]
        for request in world.server.gateway(BINANCE).requests
        if request.method == "POST" and "newClientOrderId" in request.params
    )


async def statuses(world: World) -> list[str]:
    return sorted(order.status for order in await world.orders())


async def _has_statuses(world: World, *wanted: str) -> bool:
    return await statuses(world) == sorted(wanted)


async def test_placements_that_time_out_leave_one_order_each(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, **resting(49000))
    world.fault("accept_then_drop", n=5, **ORDER)
    outcome = await world.alert(strategy, orders=[resting(price) for price in range(50000, 55000, 1000)])
    assert {log.row["status"] for log in outcome.logs} == {"COMPLETED"}
    await world.quiet()
    prices = sorted(order.price for order in at_venue(world, account))
    assert prices == [Decimal(price) for price in range(49000, 55000, 1000)]
    assert set(sent(world).values()) == {1}


async def test_a_fill_that_overtakes_the_answer_to_its_order_is_booked_once_and_answered_once(
    world: World,
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.until(lambda: world.engine is not None and world.engine.runners[account.id].is_streaming)
    world.fault("delay", seconds=1, after=True, **ORDER)
    accepted = await world.accept(strategy, **BUY)
    await world.until(lambda: _has_statuses(world, "FILLED"))
    requests = [one for one in world.server.gateway(BINANCE).requests if one.path == "/fapi/v1/order"]
    assert [one.status for one in requests if one.method == "POST"] == [0], "the answer is still on its way"
    await world.intake.wait_for_outcome(accepted)
    await world.alert(strategy, **CLOSE)
    await world.quiet()
    assert len(await world.fills()) == 2 and await world.positions(is_open=True) == []


async def test_a_restart_after_a_fill_places_nothing_again(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, orders=[resting(59000), resting(58000), resting(50000)])
    await world.quiet()
    await world.stop()
    world.exchange.set_price(PERP, Decimal(58500))
    before = sent(world)
    for _ in range(2):
        await world.start()
        await world.until(lambda: _has_statuses(world, "FILLED", "NEW", "NEW"))
        await world.quiet()
        await world.stop()
    assert sent(world) == before


async def test_what_rests_at_a_stop_is_known_after_the_start_and_can_be_cancelled(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    stop = {"order_type": "STOP_MARKET", "side": "sell", "stop_price": 40000, "qty_per": -100}
    await world.alert(strategy, orders=[BUY, resting(50000), resting(51000), stop])
    await world.quiet()
    world.fault("accept_then_drop", **ORDER)
    await world.accept(strategy, **resting(52000))
    await world.until(lambda: len(at_venue(world, account)) == 5)
    await world.stop()
    await world.start()
    await world.alert(strategy, order_type="CANCEL_ALL_ORDER")
    await world.until(lambda: _has_statuses(world, "FILLED", "CANCELED", "CANCELED", "CANCELED", "CANCELED"))
    await world.quiet()
    assert [order for order in at_venue(world, account) if order.is_open] == []


async def test_the_filled_part_of_a_cancelled_entry_is_held_and_can_be_closed(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **resting(50000, 50))
    await world.quiet()
    (entry,) = at_venue(world, account)
    world.fault("fill", order_id=entry.order_id, quantity="0.004")
    await world.until(lambda: _has_statuses(world, "PARTIALLY_FILLED"))
    await world.alert(strategy, order_type="CANCEL_ALL_ORDER")
    await world.until(lambda: _has_statuses(world, "CANCELED"))
    (book,) = await world.positions(is_open=True)
    assert book.quantity == Decimal("0.004")
    await world.alert(strategy, **CLOSE)
    await world.quiet()
    assert await world.positions(is_open=True) == []
    assert at_venue(world, account)[-1].filled == Decimal("0.004")


async def test_a_spot_sell_is_sized_by_what_the_fee_left_and_the_dust_joins_the_next_buy(
    world: World,
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    for _ in range(2):
        bought = await world.alert(strategy, **BUY, comment=str(world.rng.random()))
        assert bought.logs[0].row["status"] == "COMPLETED"
        await world.quiet()
        sold = await world.alert(strategy, **CLOSE, comment=str(world.rng.random()))
        assert sold.logs[0].row["status"] == "COMPLETED", "the exchange took the size"
        await world.quiet()
    buy, sell, *_ = at_venue(world, account)
    fee = buy.fills[0].fee
    assert fee > 0 and sell.quantity <= buy.quantity - fee
    (book,) = await world.positions()
    assert not book.is_open and book.dust_quantity == world.venue_account(account).purse("BTC").free > 0


async def test_a_counter_order_below_the_minimum_says_so_and_what_is_left_stays_in_the_books(
    world: World,
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(strategy, **{**BUY, "qty_per": 1})
    await world.quiet()
    outcome = await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-10)
    result = outcome.logs[0].execution_results[f"account_{account.id}"]
    assert (result["success"], result["error_code"]) == (False, "below_min_notional")
    (book,) = await world.positions()
    assert book.quantity + book.dust_quantity == world.venue_account(account).purse("BTC").free


async def test_many_orders_at_once_under_a_rate_limit_are_placed_or_named_and_none_twice(
    world: World,
) -> None:
    accounts = [await world.account(f"acc{number}") for number in range(3)]
    strategy = await world.strategy(*accounts, leverage=10)
    await world.alert(strategy, **resting(49000, 5))
    world.fault(
        "refuse", n=0, probability=0.3, seed=5, status=429, code=-1015, msg="Too many new orders.", **ORDER
    )
    outcome = await world.alert(strategy, orders=[resting(50000 + 100 * line, 5) for line in range(30)])
    world.calm()
    fates = Counter(
        (result["success"], result.get("error_code"))
        for log in outcome.logs
        for result in log.execution_results.values()
    )
    assert fates[(True, None)] > 0 and fates.total() == 90
    assert {code for success, code in fates if not success} <= {"-1015", "rate_limited"}
    await world.quiet()
    placed = sum(len(at_venue(world, account)) for account in accounts) - 3
    assert placed == fates[(True, None)]
    assert set(sent(world).values()) == {1}


async def test_a_stream_that_does_not_come_back_stalls_nothing_and_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fills are read at intervals meanwhile, and the account says that it hears nothing."""
    monkeypatch.setattr(pace, "QUIET_EVERY", timedelta(hours=1))
    monkeypatch.setattr(pace, "WHOLE_EVERY", timedelta(hours=1))
    monkeypatch.setattr(pace, "UNREAD_EVERY", timedelta(seconds=1))
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **resting(59000, 20))
    await world.quiet()
    assert await statuses(world) == ["NEW"] and world.engine is not None
    runner = world.engine.runners[account.id]
    await world.until(lambda: runner.is_streaming)
    looks = _looks(world)
    with contextlib.suppress(TimeoutError):  # a last look from before; then it relies on the stream
        await world.until(lambda: _looks(world) > looks, 3)
    world.fault("maintenance", for_s=600, path="listenKey")  # and no socket is let in
    await world.until(lambda: not runner.is_streaming)
    world.exchange.set_price(PERP, Decimal(58000))
    await world.until(lambda: _has_statuses(world, "FILLED"), 30)
    assert not runner.is_streaming
    world.calm()
    await world.until(lambda: runner.is_streaming, 30)
    await world.quiet()


def _looks(world: World) -> int:
    return sum(one.path == "/fapi/v3/account" for one in world.server.gateway(BINANCE).requests)


async def test_closes_that_arrive_together_sell_what_is_held_once(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(strategy, **BUY)
    await world.quiet()
    await asyncio.gather(*(world.alert(strategy, **CLOSE, comment=str(number)) for number in range(4)))
    await world.quiet()
    sells = [order for order in at_venue(world, account) if order.side == "sell"]
    assert len(sells) == 1
    assert world.exchange.markets[SPOT].symbol == sells[0].symbol
