"""A database that is lost altogether is rebuilt from the exchanges: the same books, to the last digit."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.accounts.core import Account
from fillbook.accounts.tables import sync_cursors
from fillbook.app.alone import AccountTraded
from fillbook.identity.tables import installation
from fillbook.kernel.scope import EVERYONE
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderType
from fillbook.orders.core.reports import FillsPage
from fillbook.strategies import links
from fillbook.strategies.tables import settings_history, strategies, strategy_accounts, strategy_capital
from fillbook.trading import rebuild as trading_rebuild
from fillbook.trading.booking import Booking
from fillbook.trading.desk_port import ManualOrder
from fillbook.trading.tables import reconcile_findings, reconcile_runs
from fillbook.venues.ccxt import limits
from fillbook.venues.sim.core.vocabulary import NewOrder
from fillbook.venues.sim.direct.venue import SimVenue
from support.memory import Memory
from support.rebuilding import losing, rebuild
from support.world import PERP, Strategy, World, key_of

SPOT = "BTC/USDT"
BUY = {"order_type": "MARKET", "side": "buy"}
CLOSE = {"order_type": "MARKET", "qty_per": -100}

Lose = Callable[[], Awaitable[None]]


@pytest.fixture
async def lose(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Lose]:
    name = "world_anywhere" if "world_anywhere" in request.fixturenames else "world"
    async with losing(request.getfixturevalue(name), sqlite_template, tmp_path) as lose:
        yield lose


def place(world: World, account: Account, side: Side, quantity: str, **more: Any) -> None:
    """An order by hand at the exchange."""
    order_type = OrderType.LIMIT if "price" in more else OrderType.MARKET
    new = NewOrder(more.pop("symbol", PERP), side, order_type, Decimal(quantity), **more)
    world.exchange.place(world.venue_account(account), new)


async def trade_a_while(world: World) -> tuple[Account, Strategy, Strategy]:
    """Two strategies and a person on one account, another account, spot and futures; something of everything."""
    account, other = await world.account("one"), await world.account("two")
    await world.until(lambda: _is_streaming(world, account))
    first = await world.strategy(account, other, leverage=5)
    second = await world.strategy(account, leverage=5)
    spot = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(first, **BUY, qty_per=20)
    await world.alert(second, order_type="MARKET", side="sell", qty_per=35)
    await world.alert(spot, **BUY, qty_per=40)
    await world.quiet()  # what nobody here ordered is divided by what is booked when it comes
    place(world, account, Side.BUY, "0.013")
    await world.quiet()
    world.exchange.fund(PERP, Decimal("0.0001"))
    world.exchange.set_price(PERP, Decimal(61000))
    await world.alert(first, order_type="LIMIT", side="buy", price=60990, qty_per=10)
    world.exchange.set_price(PERP, Decimal(60980))
    await world.alert(second, **CLOSE)
    await world.alert(spot, order_type="MARKET", qty_per=-50)
    await world.quiet()
    await world.alert(first, order_type="STOP_MARKET", side="sell", stop_price=60000, qty_per=5)
    await world.quiet()
    world.exchange.set_price(PERP, Decimal(59990))
    await world.quiet()
    await world.alert(second, order_type="LIMIT", side="buy", price=50000, qty_per=10)
    await world.alert(second, order_type="CANCEL_ALL_ORDER")
    await world.alert(second, order_type="LIMIT", side="buy", price=51000, qty_per=15)
    await world.desk.place_manual_order(
        world.principal(),
        ManualOrder(account.id, PERP, Side.SELL, OrderType.MARKET, Decimal("0.004")),
    )
    await world.quiet()
    (held,) = await world.positions(account_id=other.id)
    await world.desk.close_position(world.principal(), held.id)
    thin = await world.account("thin", usdt="300")
    await world.until(lambda: _is_streaming(world, thin))
    risky = await world.strategy(thin, leverage=20, capital="200")
    await world.alert(risky, **BUY, qty_per=90)
    await world.quiet()
    world.exchange.set_price(PERP, Decimal(55000))
    await world.quiet()
    assert {trade.exit_reason for trade in await world.trades()} >= {
        "liquidation",
        "signal_reverse",
        "manual",
    }
    return account, first, second


def _is_streaming(world: World, account: Account) -> bool:
    return world.engine is not None and world.engine.runners[account.id].is_streaming


async def test_the_rebuilt_books_are_the_lost_ones_to_the_last_digit(
    world_anywhere: World, lose: Lose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROUTINE_PERCENT", 90)  # who shares the address with nobody need not wait
    world = world_anywhere
    await trade_a_while(world)
    for account in await world.accounts():
        assert world.engine is not None
        for _ in range(2):  # the second reading also finds what came shortly before the account was entered
            assert await world.engine.runners[account.id].backfill.read_entries() == []
    before = await Memory.read(world.db)
    await lose()
    results = await rebuild(world, wire=True)
    assert [result.is_whole for result in results] == [True, True, True]
    assert (await Memory.read(world.db)).differences(before) == []
    assert await world.faults() == []
    for account in await world.accounts():
        assert await world.disagreements(account) == []


async def test_a_rebuilt_database_is_traded_on_as_if_nothing_had_happened(
    world_anywhere: World, lose: Lose
) -> None:
    world = world_anywhere
    account, _first, second = await trade_a_while(world)
    await lose()
    await rebuild(world)
    await world.start()
    await world.quiet()
    orders = len(await world.orders())
    await world.alert(second, **BUY, qty_per=10)
    await world.alert(second, **CLOSE)
    await world.quiet()
    assert len(await world.orders()) == orders + 2
    held = [row for row in await world.positions(account_id=account.id, strategy_id=second.id) if row.is_open]
    assert held == []


async def test_a_rebuild_that_was_killed_at_any_step_is_run_again(
    world: World, lose: Lose, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trade_a_while(world)
    await lose()
    await rebuild(world)
    at_once = await Memory.read(world.db)
    monkeypatch.setattr(trading_rebuild, "FILLS_AT_ONCE", 2)
    await lose()
    kills = 0
    for step in count(1):
        monkeypatch.setattr(Booking, "book", _killed_at(step, Booking.book))
        try:
            await rebuild(world)
        except Killed:
            kills += 1
            monkeypatch.undo()
            monkeypatch.setattr(trading_rebuild, "FILLS_AT_ONCE", 2)
            continue
        break
    assert kills > 8
    assert (await Memory.read(world.db)).differences(at_once) == []
    assert await world.faults() == []


class Killed(BaseException):
    """Not an error that anybody handles."""


def _killed_at(step: int, book: Any) -> Any:
    calls = count(1)

    async def killed(self: Booking, facts: Any) -> Any:
        if next(calls) == step:
            raise Killed
        return await book(self, facts)

    return killed


async def test_an_order_has_the_leverage_that_its_link_had_then(world: World, lose: Lose) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    for leverage in (5, 3):
        changed = Decimal(leverage)
        await world.db.run(
            lambda unit, changed=changed: links.update_link(
                unit, EVERYONE, strategy.id, account.id, expected_version=None, leverage=changed
            )
        )
        await world.alert(strategy, **BUY, qty_per=20 + leverage)
        await world.alert(strategy, order_type="MARKET", side="sell", qty_per=-95 - leverage)
        await world.quiet()
    before = await Memory.read(world.db)
    await lose()
    await rebuild(world)
    assert {trade.leverage for trade in await world.trades()} == {5, 3}
    assert (await Memory.read(world.db)).trades == before.trades


async def test_nothing_is_doubled_by_a_second_rebuild(world: World, lose: Lose) -> None:
    await trade_a_while(world)
    await lose()
    await rebuild(world)
    once = await Memory.read(world.db)
    assert all(result.is_whole for result in await rebuild(world))
    assert (await Memory.read(world.db)).differences(once) == []


async def test_orders_of_strategies_that_are_lost_too_come_back_to_new_ones_that_are_off(
    world: World, lose: Lose
) -> None:
    """Only the accounts were entered again; the codes stand in the orders' ids."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.desk.place_manual_order(
        world.principal(), ManualOrder(account.id, PERP, Side.BUY, OrderType.MARKET, Decimal("0.004"))
    )
    await world.alert(strategy, **BUY, qty_per=20)
    await world.quiet()
    (code,) = [row.code6 for row in await world.rows(strategies)]
    before = await Memory.read(world.db)
    await lose()
    async with world.db.unit() as unit:
        for table in (settings_history, strategy_capital, strategy_accounts, strategies):
            await unit.execute(sa.delete(table))
        await unit.execute(sa.update(installation).values(installation_id="new1"))
    (result,) = await rebuild(world, installations=("test",))
    (made,) = await world.rows(strategies)
    assert (made.name, made.code6, made.is_active, made.user_id) == (
        f"recovered-{code}",
        code,
        False,
        account.user_id,
    )
    (link,) = await world.links()
    assert (link.is_active, link.leverage) == (False, 5)
    assert {"strategy_recovered"} <= {f.case for one in result.symbols for f in one.findings}
    after = await Memory.read(world.db)
    assert (after.trades, after.strategy_positions) == (before.trades, before.strategy_positions)


async def test_orders_of_an_installation_that_nobody_names_are_external(world: World, lose: Lose) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await world.alert(strategy, **BUY, qty_per=20)
    await world.quiet()
    await lose()
    async with world.db.unit() as unit:
        await unit.execute(sa.update(installation).values(installation_id="new1"))
    await rebuild(world)
    assert [row.owner_key for row in await world.positions()] == ["external"]


async def test_what_a_venue_does_not_tell_any_more_is_inferred_and_said(world: World, lose: Lose) -> None:
    """From a day on which a position was open: it was opened by somebody, for as much as the venue says."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, **BUY, qty_per=20)
    await world.quiet()
    (first,) = await world.fills()
    world.exchange.set_price(PERP, Decimal(61000))
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=5)
    await world.quiet()
    since = first.exchange_at + timedelta(milliseconds=1)
    await lose()
    (result,) = await rebuild(world, since=since)
    opening, second = await world.fills()
    assert (opening.source, opening.quantity, opening.price) == ("inferred", first.quantity, first.price)
    cases = {finding.case: finding for one in result.symbols for finding in one.findings}
    assert cases.keys() >= {"opening_inferred", "attribution_begins"}
    assert [row.owner_key for row in await world.positions()] == ["external"]
    assert await world.faults() == []
    (net,) = await world.net_positions()
    assert net.quantity == first.quantity - second.quantity


async def test_attribution_begins_where_the_position_was_flat(world: World, lose: Lose) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, **BUY, qty_per=20)
    await world.quiet()
    (first,) = await world.fills()
    for alert in (CLOSE, {**BUY, "qty_per": 10}):
        await world.alert(strategy, **alert)
        await world.quiet()
    before = await Memory.read(world.db)
    await lose()
    await rebuild(world, since=first.exchange_at + timedelta(milliseconds=1))
    after = await Memory.read(world.db)
    (open_trip,) = [trade for trade in await world.trades() if trade.closed_at is None]
    assert open_trip.strategy_id is not None
    assert [key for key in after.trades if dict(after.trades[key])["closed_at"] is None] == [
        key for key in before.trades if dict(before.trades[key])["closed_at"] is None
    ]
    assert await world.faults() == []


async def test_what_a_rebuild_found_is_kept_to_be_read(world: World, lose: Lose) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, **BUY, qty_per=20)
    await world.quiet()
    await lose()
    await rebuild(world)
    (run,) = await world.rows(reconcile_runs)
    findings = await world.rows(reconcile_findings)
    assert (run.cause, run.account_id, run.findings) == ("rebuild", account.id, len(findings))
    (summary,) = [one for one in findings if one.finding_case == "rebuilt"]
    assert (summary.symbol, summary.after["fills"], summary.is_repaired) == (PERP, 1, True)
    async with world.db.read() as unit:
        (cursor,) = [one for one in await unit.all(sa.select(sync_cursors)) if one.kind == "fills"]
    assert summary.after["complete_since"] == cursor.complete_since.isoformat()


async def test_nothing_is_rebuilt_under_a_server_that_trades(world: World) -> None:
    account = await world.account("acc")
    with pytest.raises(AccountTraded, match="acc"):
        await rebuild(world)
    assert await world.rows(reconcile_runs) == []
    await world.stop()
    assert [result.account.id for result in await rebuild(world)] == [account.id]


async def test_an_account_that_cannot_be_read_is_said_and_the_others_are_rebuilt(
    world: World, lose: Lose
) -> None:
    strategy = await world.strategy(*[await world.account(name) for name in ("one", "two")])
    await world.alert(strategy, **BUY, qty_per=20)
    await world.quiet()
    del world.exchange.accounts[key_of("one")]
    await lose()
    one, two = sorted(await rebuild(world), key=lambda result: result.account.name)
    assert (one.is_whole, two.is_whole) == (False, True)
    assert one.failure
    assert {run.account_id: run.unread != [] for run in await world.rows(reconcile_runs)} == {
        one.account.id: True,
        two.account.id: False,
    }
    assert {row.account_id for row in await world.fills()} == {two.account.id}


async def test_fees_in_a_third_coin_are_valued_at_todays_price_and_marked(
    world: World, lose: Lose, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, **BUY, qty_per=20)
    await world.quiet()
    await lose()
    read = SimVenue.fills_since

    async def in_bnb(venue: SimVenue, *where: Any) -> FillsPage:
        page = await read(venue, *where)
        charged = (replace(fill, fee=Decimal("0.002"), fee_asset="BNB") for fill in page.fills)
        return replace(page, fills=tuple(charged))

    monkeypatch.setattr(SimVenue, "fills_since", in_bnb)
    (result,) = await rebuild(world)
    price = world.exchange.markets["BNB/USDT"].price
    (fill,) = await world.fills()
    assert (fill.fee_rate_source, fill.fee_rate) == ("estimated", price)
    assert fill.fee_quote == Decimal("0.002") * price
    assert "fee_rate_estimated" in {f.case for one in result.symbols for f in one.findings}
    assert await world.faults() == []
