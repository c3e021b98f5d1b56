"""What must hold whatever happens, on the whole path. Each test fails when its rule is broken on purpose;
`docs/concepts/invariants.md` says which rule was broken how, and which tests noticed.

 1  committed before sent      here; `test_kill.py`, step `planned`
 2  one order per decision     here; `test_alerts.py`: an alert delivered four times; `test_kill.py`
 3  a fill is booked once      here: self-trade; `test_unknown_fates.py`: messages that come twice
 4  filled = sum of fills      here; `World.quiet` after every test of this folder; `unit/trading/core/test_settle.py`
 5  books are folds            here; `World.quiet`; `contract/ledger/test_booking.py`
 6  a wanted cancel ends       `test_cancels.py`
 7  live orders are known      here; `test_accounts_and_people.py`: an order made at the exchange
 8  capital                    here; `World.quiet`; `unit/trading/core/test_plan_properties.py`
 9  one's own rows only        here; `contract/accounts`, `contract/strategies`; `integration/http`
10  secrets                    `test_secrets.py`
"""

import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.accounts.core import Account
from fillbook.ledger.core.fill import FillReport, FillSource
from fillbook.market.core import Side
from fillbook.orders.core.order import OrderRequest, OrderType
from fillbook.orders.tables import orders
from fillbook.storage.unit import Unit
from fillbook.strategies.tables import strategy_capital
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.desk_port import ManualOrder
from fillbook.trading.facts import FillsSeen
from fillbook.trading.tables import reconcile_findings, reconcile_runs
from fillbook.venues.ccxt.binance.venue import BinanceVenue
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.trading import a_fill_report
from support.web import bearer, open_web, token_of
from support.world import BINANCE, PERP, World

ORDER = {"path": "/fapi/v1/order", "method": "POST"}


def requests_to_create(world: World) -> list[str]:
    """The client order ids of every request to create an order that left, in any form, answered or not."""
    gateway = world.server.gateway(BINANCE)
    return [
        request.params["newClientOrderId"]
        for request in gateway.requests
        if request.method == "POST" and "newClientOrderId" in request.params
    ]


# 1: no request that can create an order leaves before its row is committed.


async def test_the_row_of_an_order_is_committed_before_its_request_leaves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read by a connection of its own, which sees only what is committed."""
    place, seen = BinanceVenue.place, []

    async def look_and_place(venue: BinanceVenue, request: OrderRequest) -> Any:
        with sqlite3.connect(f"file:{world.db.engine.url.database}?mode=ro", uri=True) as other:
            row = other.execute(
                "SELECT status, send_by, epoch FROM orders WHERE client_order_id = ?",
                (request.client_order_id,),
            ).fetchone()
        seen.append(row)
        return await place(venue, request)

    monkeypatch.setattr(BinanceVenue, "place", look_and_place)
    account, second = await world.account("acc"), await world.account("second")
    strategy = await world.strategy(account, second, leverage=5)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.alert(strategy, orders=[_limit(50000), _limit(51000), _limit(52000)])
    await world.desk.place_manual_order(
        world.principal(), ManualOrder(account.id, PERP, Side.BUY, OrderType.MARKET, Decimal("0.01"))
    )
    await world.quiet()
    assert len(seen) == 9
    assert all(row is not None and row[0] == "PENDING_NEW" and row[1] and row[2] for row in seen)


def _limit(price: int) -> dict[str, object]:
    return {"order_type": "LIMIT", "side": "buy", "price": price, "qty_per": 10}


# 2: at most one order on the venue for each (signal, account, leg, attempt).


async def test_the_database_takes_one_order_for_a_signal_account_leg_and_attempt(
    world_anywhere: World,
) -> None:
    world = world_anywhere
    strategy = await world.strategy(await world.account("acc"))
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    (row,) = await world.orders()
    again = {**row._mapping, "client_order_id": "another", "exchange_order_id": "another"}
    del again["id"]
    with pytest.raises(sa.exc.IntegrityError):
        await world.db.run(lambda unit: unit.insert(orders, again))
    await world.db.run(lambda unit: unit.insert(orders, {**again, "attempt": 2}))


async def test_a_delivery_that_is_taken_in_again_makes_no_second_order(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault("delay", seconds=1, **ORDER)
    accepted = await world.accept(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.until(lambda: _any_order(world))
    await world.stop()
    await world.start()
    await world.intake.wait_for_outcome(accepted)
    await world.quiet()
    assert len(world.venue_account(account).orders) == len(await world.orders()) == 1


async def test_the_legs_that_an_interruption_left_over_are_planned_and_no_other(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=5)
    world.fault("delay", seconds=1, **ORDER)
    market = {"order_type": "MARKET", "side": "buy", "qty_per": 20}
    accepted = await world.accept(strategy, orders=[_limit(50000), market, _limit(51000)])
    await world.until(lambda: _order_count(world, 2))
    await world.stop()
    assert await _order_count(world, 2)
    await world.start()
    outcome = await world.intake.wait_for_outcome(accepted)
    assert {log.row["status"] for log in outcome.logs} == {"COMPLETED"}
    await world.quiet()
    assert len(world.venue_account(account).orders) == len(await world.orders()) == 4


async def _order_count(world: World, count: int) -> bool:
    return len(await world.orders()) == count


async def _any_order(world: World) -> bool:
    return bool(await world.orders())


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "accept_then_drop"},
        {"kind": "drop_before_accept"},
        {"kind": "garbage"},
        {"kind": "truncate"},
        {"kind": "accept_then_refuse", "status": 503, "code": -1000, "msg": "Unknown error"},
        {"kind": "refuse", "status": 503, "code": -1008, "msg": "Server is currently overloaded"},
        {"kind": "refuse", "status": 400, "code": -2019, "msg": "Margin is insufficient."},
        {"kind": "rate_limit", "retry_after_s": 1},
    ],
    ids=lambda fault: f"{fault['kind']}{fault.get('code', '')}",
)
async def test_a_request_to_create_an_order_leaves_once_whatever_is_answered(
    world: World, fault: dict[str, Any]
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    world.fault(**fault, **ORDER)
    accepted = await world.accept(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.until(lambda: _has_left_and_answered(world))
    assert set(Counter(requests_to_create(world)).values()) == {1}
    assert len(requests_to_create(world)) == 1
    assert len(world.venue_account(account).orders) <= 1
    await world.intake.wait_for_outcome(accepted)
    assert len(requests_to_create(world)) == 1


async def _has_left_and_answered(world: World) -> bool:
    """What was sent has an outcome in the books: known, refused, or of unknown fate and looked up once."""
    return any(order.status != "PENDING_NEW" or order.lookups for order in await world.orders())


# 3: a fill is booked exactly once.


async def test_both_sides_of_a_self_trade_are_booked_though_they_bear_one_id(world: World) -> None:
    account = await world.account("acc")
    for side in (Side.BUY, Side.SELL):
        await world.desk.place_manual_order(
            world.principal(),
            ManualOrder(account.id, PERP, side, OrderType.LIMIT, Decimal("0.01"), price=Decimal(60000)),
        )
        await world.until(lambda: _none_pending(world))
    await world.until(lambda: _fill_count(world, 2))
    await world.quiet()
    first, second = await world.fills()
    assert first.venue_fill_id == second.venue_fill_id
    assert {first.side, second.side} == {"buy", "sell"}
    assert first.exchange_order_id != second.exchange_order_id
    assert {order.status for order in await world.orders()} == {"FILLED"}


async def test_fills_that_every_source_reports_are_booked_once(world: World) -> None:
    """From the answer, the stream, the backfill and a second backfill that forgets where it was."""
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.quiet()
    assert world.engine is not None
    backfill = world.engine.runners[account.id].backfill
    for _ in range(2):
        await backfill.fetch_symbol(PERP, world.clock.now() - timedelta(hours=1), None)
    assert len(await world.fills()) == len(world.venue_account(account).fills) == 1
    await world.quiet()


async def _none_pending(world: World) -> bool:
    return all(order.status != "PENDING_NEW" for order in await world.orders())


async def _fill_count(world: World, count: int) -> bool:
    return len(await world.fills()) == count


# 4: an order's filled quantity is the sum of its fills; a gap is fetched, never invented.


async def test_an_order_is_not_over_before_its_fills_are_booked_and_no_fill_is_invented(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=59000, qty_per=20)
    await world.quiet()
    world.fault("hide_fills", n=0)
    world.fault("refuse", path="/fapi/v1/userTrades", status=500, code=-1000, msg="no", n=0)
    world.exchange.set_price(PERP, Decimal(58000))
    (resting,) = world.venue_account(account).orders.values()
    assert not resting.is_open and world.engine is not None
    reconciler = world.engine.runners[account.id].reconciler
    outcome = await reconciler.run(Cause.REPEAT, Depth.CATCH_UP)
    assert any("fills of" in part for part in outcome.unread)
    (order,) = await world.orders()
    assert (order.status, order.filled_quantity, order.cost) == ("PARTIALLY_FILLED", 0, 0)
    assert order.reserved > 0 and await world.fills() == []
    world.calm()
    assert (await reconciler.run(Cause.REPEAT, Depth.CATCH_UP)).unread == ()
    assert await _status(world, "FILLED")
    await world.quiet()


async def _status(world: World, status: str) -> bool:
    return {order.status for order in await world.orders()} == {status}


# 5: the books are the fold of the fills in canonical order.


async def test_a_fill_that_comes_late_is_folded_where_it_belongs(world: World) -> None:
    """The sell of the past meets the buy before it: the profit is of that sale, not of a later one."""
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    world.exchange.set_price(PERP, Decimal(61000))
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=30)
    await world.quiet()
    first, second = await world.fills()
    assert world.engine is not None
    late = replace(
        _as_report(second),
        venue_fill_id="1",
        exchange_order_id="late",
        client_order_id=None,
        side=Side.SELL,
        quantity=first.quantity,
        exchange_at=first.exchange_at + (second.exchange_at - first.exchange_at) / 2,
    )
    await world.engine.floor.bookkeeper.submit(FillsSeen(account.id, (late,), FillSource.REST, adopt=True))
    assert await world.faults() == []
    book = next(row for row in await world.positions() if row.strategy_account_id is not None)
    assert (book.quantity, book.cost) == (second.quantity, second.cost)
    assert sorted(trade.closed_at is None for trade in await world.trades()) == [False, True]


def _as_report(row: Any) -> FillReport:
    return a_fill_report(str(row.quantity), price=row.price, exchange_at=row.exchange_at)


# 7: every live order on the venue is known here.


async def test_an_order_that_was_placed_at_the_venue_while_nothing_ran_is_adopted_by_the_sweep(
    world: World,
) -> None:
    account = await world.account("acc")
    await world.until(lambda: _is_streaming(world, account))
    await world.stop()
    at_venue = world.venue_account(account)
    wanted = NewOrder(PERP, Side.BUY, OrderType.LIMIT, Decimal("0.02"), price=Decimal(50000))
    world.exchange.place(at_venue, wanted)
    await world.start()
    await world.until(lambda: _is_streaming(world, account))
    assert world.engine is not None
    assert await world.engine.runners[account.id].reconciler.sweep() == []
    (order,) = await world.orders()
    assert (order.owner, order.status, order.quantity) == ("external", "NEW", Decimal("0.02"))
    await world.quiet()


def _is_streaming(world: World, account: Account) -> bool:
    return world.engine is not None and world.engine.runners[account.id].is_streaming


# 8: used and reserved capital are sums, and no intent raises them above the total.


async def test_alerts_that_are_planned_together_never_promise_more_than_the_capital(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2, max_symbols=10)
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
    buy: dict[str, Any] = {"order_type": "MARKET", "side": "buy"}
    for symbol in symbols:  # rules and prices are known from here on
        await world.alert(strategy, **buy, qty_per="0.0001", symbol=symbol)
    monkeypatch.setattr(world.engine, "wake", lambda *_: None)  # the next look finds all of them
    accepted = [await world.accept(strategy, **buy, qty_per=40, symbol=symbol) for symbol in symbols]
    for one in accepted:
        await world.intake.wait_for_outcome(one)
    await world.quiet()
    (capital,) = await world.rows(strategy_capital)
    assert 0 < capital.used_capital + capital.reserved_capital <= capital.total_capital
    assert len([order for order in await world.orders() if order.status != "REJECTED"]) == 2


async def test_what_an_order_reserves_is_free_again_when_it_ends(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=60)
    (capital,) = await world.rows(strategy_capital)
    assert capital.reserved_capital == 600
    await world.alert(strategy, order_type="CANCEL_ALL_ORDER")
    await world.until(lambda: _status(world, "CANCELED"))
    world.fault("refuse", status=400, code=-2019, msg="Margin is insufficient.", **ORDER)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=61)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=100)
    await world.quiet()
    (capital,) = await world.rows(strategy_capital)
    assert (capital.used_capital, capital.reserved_capital) == (0, 1000)


# 9: nobody reads or changes another person's rows.


async def test_a_stranger_finds_nothing_at_any_page_where_the_owner_finds_something(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-100)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=30)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=20)
    await world.alert(strategy, order_type="CANCEL_ALL_ORDER")
    await world.quiet()
    await _write_a_finding(world, account)
    mine = bearer(await token_of(world, world.user_id))
    strangers = bearer(await token_of(world, await world.user("mallory")))
    async with open_web(world) as client:
        for path in PAGES:
            own = (await client.get(path, headers=mine)).json()["items"]
            theirs = (await client.get(path, headers=strangers)).json()["items"]
            assert own, f"{path} shows its owner nothing: the test would prove nothing"
            assert theirs == [], path
            if path in PAGES_WITHOUT_ONE:
                continue
            one = f"{path}/{own[0]['id']}"
            assert (await client.get(one, headers=mine)).status_code == 200, one
            assert (await client.get(one, headers=strangers)).status_code == 404, one
            for below in PAGES_BELOW.get(path, ()):
                answer = await client.get(f"{one}/{below}", headers=mine)
                assert answer.json()["items"], f"{one}/{below} shows its owner nothing"
                answer = await client.get(f"{one}/{below}", headers=strangers)
                assert answer.status_code == 404 or answer.json()["items"] == [], f"{one}/{below}"


async def _write_a_finding(world: World, account: Account) -> None:
    owner = {"account_id": account.id, "user_id": account.user_id, "environment": account.environment}

    async def write(unit: Unit) -> None:
        run = {**owner, "cause": "test", "started_at": unit.now}
        run_id = await unit.insert(reconcile_runs, run)
        finding = {**owner, "run_id": run_id, "finding_case": "test", "subject": "test"}
        await unit.insert(reconcile_findings, finding)

    await world.db.run(write)


PAGES = (
    "/api/v1/accounts",
    "/api/v1/strategies",
    "/api/v1/signals",
    "/api/v1/webhook-logs",
    "/api/v1/orders",
    "/api/v1/strategy-order-logs",
    "/api/v1/cancel-queue",
    "/api/v1/fills",
    "/api/v1/positions",
    "/api/v1/account-positions",
    "/api/v1/trades",
    "/api/v1/reconcile/runs",
    "/api/v1/reconcile/findings",
)
PAGES_WITHOUT_ONE = (
    "/api/v1/reconcile/runs",
    "/api/v1/reconcile/findings",
    "/api/v1/webhook-logs",
    "/api/v1/cancel-queue",
    "/api/v1/fills",
    "/api/v1/account-positions",
)
PAGES_BELOW = {
    "/api/v1/accounts": ("balances",),
    "/api/v1/strategies": ("accounts",),
    "/api/v1/positions": ("fills",),
    "/api/v1/trades": ("fills",),
}
