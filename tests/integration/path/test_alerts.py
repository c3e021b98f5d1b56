"""From an alert to books that agree with the exchange, on real parts from end to end."""

import asyncio
from decimal import Decimal

import pytest

from fillbook.market.core import MarketType
from fillbook.trading.marks import Marks
from support.world import PERP, World, key_of


def results(outcome: object) -> dict[str, dict[str, object]]:
    (log,) = outcome.logs  # type: ignore[attr-defined]
    return log.execution_results


async def test_one_alert_becomes_one_order_on_every_account_and_every_fill_is_booked(
    world_anywhere: World,
) -> None:
    world = world_anywhere
    accounts = [await world.account(f"acc{n}") for n in range(3)]
    strategy = await world.strategy(*accounts, leverage=2)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    assert {r["success"] for r in results(outcome).values()} == {True}
    await world.quiet()
    assert [len(world.venue_account(a).orders) for a in accounts] == [1, 1, 1]
    assert [row.quantity for row in await world.positions(is_open=True)] == [Decimal("0.016")] * 3
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-100)
    await world.quiet()
    assert await world.positions(is_open=True) == []
    closed = await world.trades()
    assert len(closed) == 3 and all(trade.closed_at for trade in closed)


async def test_an_alert_delivered_four_times_makes_one_order_per_account(world: World) -> None:
    accounts = [await world.account(f"acc{n}") for n in range(2)]
    strategy = await world.strategy(*accounts)
    answers = await asyncio.gather(
        *(world.accept(strategy, order_type="MARKET", side="buy", qty_per=50) for _ in range(4))
    )
    assert sorted(answer.status for answer in answers) == ["accepted", "duplicate", "duplicate", "duplicate"]
    first = next(answer for answer in answers if answer.status == "accepted")
    assert {a.duplicate_of for a in answers if a is not first} == {first.signal_id}
    await world.intake.wait_for_outcome(first)
    await world.quiet()
    assert [len(world.venue_account(a).orders) for a in accounts] == [1, 1]


async def test_accounts_that_refuse_are_named_and_the_others_are_filled(world: World) -> None:
    good = [await world.account(f"good{n}") for n in range(9)]
    poor = await world.account("poor", usdt="1")
    strategy = await world.strategy(*good, poor, leverage=1)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    (log,) = outcome.logs
    assert log.row["status"] == "PARTIAL_FAILURE"
    assert (log.row["successful_accounts"], log.row["failed_accounts"]) == (9, 1)
    refused = log.execution_results[f"account_{poor.id}"]
    assert refused["success"] is False and refused["error_code"] == "-2019"
    await world.quiet()


async def test_partial_close_add_and_flip_leave_books_that_agree(world: World) -> None:
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
        assert results(outcome)[f"account_{account.id}"]["success"] is True, outcome
        world.exchange.set_price(PERP, world.exchange.markets[PERP].price + Decimal(100))
    await world.quiet()
    long, short = await world.trades()
    assert (long.side, short.side) == ("buy", "sell")
    wallet = world.venue_account(account).wallet["USDT"]
    assert Decimal(10000) + long.pnl + short.pnl == wallet


async def test_a_batch_runs_market_first_and_one_failing_leg_does_not_stop_the_rest(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    outcome = await world.alert(
        strategy,
        orders=[
            {"order_type": "LIMIT", "side": "buy", "price": 50000, "qty_per": 20},
            {"order_type": "STOP_MARKET", "side": "sell", "stop_price": 45000, "qty_per": -100},
            {"order_type": "MARKET", "side": "buy", "qty_per": 20},
            {"order_type": "LIMIT", "side": "buy", "price": 40000, "qty_per": "0.0001"},
        ],
    )
    fates = {
        (log.row["order_type"], log.row["price"]): log.execution_results[f"account_{account.id}"].get(
            "error_code"
        )
        for log in outcome.logs
    }
    assert fates == {
        ("MARKET", None): None,
        ("LIMIT", Decimal(50000)): None,
        ("LIMIT", Decimal(40000)): "quantity_rounds_to_zero",
        ("STOP_MARKET", None): None,
    }
    assert {row.status for row in await world.orders()} == {"FILLED", "NEW"}


async def test_cancel_all_order_cancels_what_rests_and_only_that(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=20)
    await world.alert(strategy, order_type="LIMIT", side="sell", price=70000, qty_per=20)
    await world.alert(strategy, order_type="CANCEL_ALL_ORDER", side="buy")
    await world.until(lambda: _statuses(world, {"CANCELED", "NEW"}))
    await world.alert(strategy, order_type="CANCEL_ALL_ORDER")
    await world.until(lambda: _statuses(world, {"CANCELED"}))
    await world.quiet()


async def _statuses(world: World, wanted: set[str]) -> bool:
    return {row.status for row in await world.orders()} == wanted


async def test_spot_buys_with_capital_and_sells_only_what_it_holds(world: World) -> None:
    account = await world.account("acc", BTC="1")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    nothing = await world.alert(strategy, order_type="MARKET", side="sell", qty_per=50)
    assert results(nothing)[f"account_{account.id}"]["error_code"] == "no_position"
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-100)
    await world.quiet()
    (book,) = await world.positions()
    assert not book.is_open


@pytest.mark.parametrize(
    ("alert", "code"),
    [
        ({"order_type": "MARKET", "side": "sell", "qty_per": -100}, "no_position"),
        ({"order_type": "MARKET", "side": "buy", "qty_per": "0.01"}, "quantity_rounds_to_zero"),
        ({"order_type": "LIMIT", "side": "buy", "price": 5000, "qty_per": 1}, "below_min_notional"),
    ],
)
async def test_what_cannot_be_ordered_is_denied_with_its_reason(
    world: World, alert: dict[str, object], code: str
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    outcome = await world.alert(strategy, **alert)
    denied = results(outcome)[f"account_{account.id}"]
    assert denied["success"] is False and denied["error_code"] == code
    assert world.venue_account(account).orders == {}


async def test_capital_is_never_promised_twice(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=60)
    outcome = await world.alert(strategy, order_type="LIMIT", side="buy", price=49000, qty_per=60)
    assert results(outcome)[f"account_{account.id}"]["error_code"] == "insufficient_capital"


async def test_more_than_a_hundred_percent_goes_as_far_as_the_link_allows(world: World) -> None:
    account = await world.account("acc")
    capped = await world.strategy(account, leverage=1)
    await world.alert(capped, order_type="MARKET", side="buy", qty_per=150, symbol="ETHUSDT")
    await world.quiet()
    (order,) = await world.orders()
    assert any(step["label"] == "max_qty_per" for step in order.sizing)
    assert order.reserved == 0 and order.filled_quantity == order.quantity


async def test_a_slow_account_does_not_hold_up_another(world: World) -> None:
    slow, fast = await world.account("slow"), await world.account("fast")
    strategy = await world.strategy(slow, fast)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    world.fault("delay", seconds=3, path="/fapi/v1/order", method="POST", api_key=key_of(slow.name))
    accepted = await world.accept(strategy, order_type="MARKET", side="buy", qty_per=30)
    await world.until(lambda: len(world.venue_account(fast).orders) == 2, timeout_s=2)
    assert len(world.venue_account(slow).orders) == 1
    await world.intake.wait_for_outcome(accepted)
    await world.quiet()


async def test_an_inactive_account_is_told_in_the_order_log(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.set_active(account, False)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    assert results(outcome)[f"account_{account.id}"]["error_code"] == "account_inactive"


async def test_an_exchange_that_is_down_at_start_is_a_reason_and_not_a_crash(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.stop()
    world.fault("drop_before_accept", n=0)
    await world.start()
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    assert results(outcome)[f"account_{account.id}"]["error_code"] == "venue_unreadable"
    world.calm()
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=21)
    assert results(outcome)[f"account_{account.id}"]["success"] is True
    await world.quiet()


async def test_an_open_position_is_valued_at_the_latest_price(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=60)
    await world.quiet()
    world.exchange.set_price(PERP, Decimal(61000))
    assert world.engine is not None
    marks = Marks(world.engine.floor, world.engine.runners)

    async def is_marked() -> bool:
        await marks.turn()
        return bool((await world.positions())[0].current_price == Decimal(61000))

    await world.until(is_marked)
    (book,) = await world.positions()
    assert book.unrealized_pnl == Decimal("0.010") * 61000 - book.cost
    await world.quiet()


async def test_a_stop_that_waits_does_not_stand_in_the_way_of_a_close(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.quiet()
    await world.alert(strategy, order_type="STOP_MARKET", stop_price=50000, qty_per=-100)
    outcome = await world.alert(strategy, order_type="MARKET", qty_per=-100)
    assert results(outcome)[f"account_{account.id}"]["success"] is True
    await world.until(lambda: _is_flat(world))


async def _is_flat(world: World) -> bool:
    return await world.positions(is_open=True) == []


async def test_a_take_profit_and_a_stop_stand_side_by_side(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.quiet()
    bracket = [
        {"order_type": "LIMIT", "side": "sell", "price": 70000, "qty_per": -100},
        {"order_type": "STOP_MARKET", "stop_price": 50000, "qty_per": -100},
    ]
    outcome = await world.alert(strategy, orders=bracket)
    assert all(log.execution_results[f"account_{account.id}"]["success"] for log in outcome.logs)
    waiting = [(row.order_type, row.reduce_only) for row in await world.orders(status="NEW")]
    assert waiting == [("LIMIT", True), ("STOP_MARKET", True)]


async def test_a_new_stop_in_one_batch_with_the_end_of_the_old_one_is_placed(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.quiet()
    await world.alert(strategy, order_type="LIMIT", side="sell", price=70000, qty_per=-100)
    outcome = await world.alert(
        strategy,
        orders=[
            {"order_type": "CANCEL_ALL_ORDER"},
            {"order_type": "LIMIT", "side": "sell", "price": 65000, "qty_per": -100},
        ],
    )
    assert all(log.execution_results[f"account_{account.id}"]["success"] for log in outcome.logs)
    assert [row.price for row in await world.orders(status="NEW")] == [Decimal(65000)]


async def test_a_hundred_accounts_of_which_ten_refuse_make_ninety_orders_and_ten_reasons(
    world: World,
) -> None:
    rich = [await world.account_at_venue(f"rich{n}") for n in range(90)]
    poor = [await world.account_at_venue(f"poor{n}", usdt="1") for n in range(10)]
    strategy = await world.strategy(*rich, *poor)
    assert world.engine is not None
    await world.engine.tenure.turn()
    runners = world.engine.runners
    await world.until(lambda: all(runners[a.id].account.position_mode for a in (*rich, *poor)), timeout_s=60)
    outcome = await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    (log,) = outcome.logs
    assert (log.row["status"], log.row["successful_accounts"], log.row["failed_accounts"]) == (
        "PARTIAL_FAILURE",
        90,
        10,
    )
    refused = [result for result in log.execution_results.values() if not result["success"]]
    assert {result["error_code"] for result in refused} == {"-2019"} and all(r["error"] for r in refused)
    assert sum(len(world.venue_account(account).orders) for account in (*rich, *poor)) == 90


async def test_a_close_passes_although_no_price_can_be_read(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.quiet()
    await world.stop()
    await world.start()
    world.fault("refuse", path="/fapi/v1/ticker", status=503, code=-1001, msg="no", n=0)
    outcome = await world.alert(strategy, order_type="MARKET", qty_per=-100)
    assert results(outcome)[f"account_{account.id}"]["success"] is True
    world.calm()
    await world.until(lambda: _is_flat(world))
