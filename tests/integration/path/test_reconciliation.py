"""What was lost is found again at the venue: the cases of the published repair routine, A to D and 1 to 4, by name."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from fillbook.accounts.core import Account
from fillbook.accounts.tables import sync_cursors
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderType
from fillbook.signals.tables import signals
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.tables import reconcile_findings, reconcile_runs
from fillbook.venues.sim.core.vocabulary import NewOrder
from support.losses import (
    back_up,
    forget_cursors,
    forget_fills,
    forget_labels,
    forget_orders,
    forget_signals,
    put_back,
)
from support.world import PERP, World

BUY = {"order_type": "MARKET", "side": "buy", "qty_per": 20}
REST = {"order_type": "LIMIT", "side": "buy", "price": 59000, "qty_per": 20}
CLOSE = {"order_type": "MARKET", "side": "sell", "qty_per": -100}


async def a_world_with(world: World, *alerts: dict[str, Any]) -> tuple[Account, Any]:
    """An account that has traded these alerts, and nothing running."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    for alert in alerts:
        await world.alert(strategy, **alert)
    await world.quiet()
    await world.stop()
    return account, strategy


async def reconcile(world: World, account: Account, depth: Depth = Depth.WHOLE) -> list[Any]:
    """Start, look at the whole account, and say what was found."""
    if world.engine is None:
        await world.start()
    assert world.engine is not None
    await world.engine.runners[account.id].reconciler.run(Cause.ASKED, depth)
    return await world.rows(reconcile_findings)


def told(findings: list[Any]) -> set[tuple[str, bool]]:
    return {(row.finding_case, row.is_repaired) for row in findings}


async def assert_nothing_left(world: World, account: Account) -> None:
    """A second run finds nothing, and the books are the venue's."""
    before = len(await world.rows(reconcile_findings))
    assert world.engine is not None
    outcome = await world.engine.runners[account.id].reconciler.run(Cause.ASKED, Depth.WHOLE)
    assert (outcome.findings, outcome.unread, outcome.is_unresolved) == ((), (), False)
    assert len(await world.rows(reconcile_findings)) == before
    await world.quiet()
    assert {row.reconcile_status for row in await world.net_positions()} <= {"ok"}


async def test_case_a_a_signals_order_without_a_row_gets_it_back_with_its_strategy_and_its_signal(
    world_anywhere: World,
) -> None:
    world = world_anywhere
    account, _ = await a_world_with(world, REST)
    (before,) = await world.orders()
    await forget_orders(world, account)
    findings = await reconcile(world, account)
    assert ("a_order_missing", True) in told(findings)
    (order,) = await world.orders()
    for name in ("client_order_id", "strategy_account_id", "signal_id", "leg", "owner", "reserved", "status"):
        assert getattr(order, name) == getattr(before, name), name
    await assert_nothing_left(world, account)


async def test_case_b_and_2_an_orders_missing_fills_are_read_back_and_the_position_follows(
    world: World,
) -> None:
    account, _ = await a_world_with(world, BUY)
    before = [(row.venue_fill_id, row.price, row.quantity) for row in await world.fills()]
    await forget_fills(world, account)
    findings = await reconcile(world, account)
    assert ("b_fills_missing", True) in told(findings)
    assert [(row.venue_fill_id, row.price, row.quantity) for row in await world.fills()] == before
    (order,) = await world.orders()
    (book,) = await world.positions()
    assert order.status == "FILLED" and book.is_open and book.strategy_account_id is not None
    await assert_nothing_left(world, account)


async def test_case_c_and_1_a_position_without_any_record_gets_its_orders_fills_and_strategy_back(
    world: World,
) -> None:
    account, _ = await a_world_with(world, BUY)
    (before,) = await world.orders()
    await forget_fills(world, account)
    await forget_orders(world, account)
    await forget_cursors(world, account)
    findings = await reconcile(world, account)
    assert told(findings) >= {("c_position_unrecorded", True), ("a_order_missing", True)}
    (order,) = await world.orders()
    assert (order.client_order_id, order.signal_id) == (before.client_order_id, before.signal_id)
    (book,) = await world.positions()
    assert book.is_open and book.strategy_account_id == before.strategy_account_id
    assert PERP in {cursor.symbol for cursor in await world.cursors(account)}
    await assert_nothing_left(world, account)


async def test_case_d_and_3_a_close_that_was_missed_is_booked_and_the_position_closed(world: World) -> None:
    account, _ = await a_world_with(world, BUY)
    (held,) = await world.positions()
    close = NewOrder(PERP, Side.SELL, OrderType.MARKET, held.quantity)
    world.exchange.place(world.venue_account(account), close)
    findings = await reconcile(world, account)
    assert ("d_close_missing", True) in told(findings)
    (book,) = await world.positions()
    (trade,) = await world.trades()
    assert not book.is_open and trade.closed_at is not None
    assert {row.source for row in await world.fills()} <= {"response", "stream", "rest"}
    await assert_nothing_left(world, account)


async def test_case_4_an_order_without_its_label_gets_strategy_and_signal_from_its_id(world: World) -> None:
    account, _ = await a_world_with(world, BUY)
    (before,) = await world.orders()
    await forget_labels(world, account)
    findings = await reconcile(world, account)
    assert ("case_4_label_missing", True) in told(findings)
    (order,) = await world.orders()
    for name in ("strategy_id", "strategy_account_id", "signal_id", "leg"):
        assert getattr(order, name) == getattr(before, name), name
    await assert_nothing_left(world, account)


async def test_case_4_a_signal_that_is_lost_too_is_restored_and_says_so(world: World) -> None:
    account, _ = await a_world_with(world, BUY)
    await forget_labels(world, account)
    await forget_signals(world)
    await reconcile(world, account)
    (order,) = await world.orders()
    (signal,) = await world.rows(signals)
    assert (order.signal_id, signal.restored, signal.signal_type) == (signal.id, True, "BUY")
    await assert_nothing_left(world, account)


async def test_a_restored_backup_is_told_and_everything_since_comes_back_to_its_strategies(
    world: World, tmp_path: Path
) -> None:
    account, strategy = await a_world_with(world, BUY)
    copy = tmp_path / "yesterday.db"
    back_up(world, copy)
    await world.start()
    await world.alert(strategy, **CLOSE)
    await world.alert(strategy, order_type="MARKET", side="sell", qty_per=30)
    await world.alert(strategy, **REST)
    await world.quiet()
    wanted = {
        (row.client_order_id, row.status, row.filled_quantity, row.strategy_account_id)
        for row in await world.orders()
    }
    books = {(row.owner_key, row.quantity, row.realized_pnl) for row in await world.positions()}
    await world.stop()
    await put_back(world, copy)
    findings = await reconcile(world, account)
    assert ("backup_restored", True) in told(findings)
    found = {
        (row.client_order_id, row.status, row.filled_quantity, row.strategy_account_id)
        for row in await world.orders()
    }
    assert found == wanted
    assert {(row.owner_key, row.quantity, row.realized_pnl) for row in await world.positions()} == books
    assert all(row.signal_id is not None for row in await world.orders())
    await assert_nothing_left(world, account)


async def test_a_restored_backup_without_an_open_order_is_told_by_the_orders_that_fills_lead_to(
    world: World, tmp_path: Path
) -> None:
    account, strategy = await a_world_with(world, BUY)
    copy = tmp_path / "yesterday.db"
    back_up(world, copy)
    await world.start()
    await world.alert(strategy, **CLOSE)
    await world.quiet()
    await world.stop()
    await put_back(world, copy)
    findings = await reconcile(world, account)
    assert told(findings) >= {("backup_restored", True), ("a_order_missing", True), ("d_close_missing", True)}
    (trade,) = await world.trades()
    assert trade.closed_at is not None
    await assert_nothing_left(world, account)


async def test_coins_that_were_bought_after_the_backup_come_back_to_their_strategy(
    world: World, tmp_path: Path
) -> None:
    """On spot no position tells of them, and nobody follows their market yet."""
    account = await world.account("acc")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(strategy, **BUY)
    await world.quiet()
    await world.stop()
    copy = tmp_path / "yesterday.db"
    back_up(world, copy)
    await world.start()
    await world.alert(strategy, **BUY, symbol="ETHUSDT")
    await world.quiet()
    wanted = {(row.symbol, row.quantity, row.strategy_account_id) for row in await world.positions()}
    assert len(wanted) == 2
    await world.stop()
    await put_back(world, copy)
    findings = await reconcile(world, account)
    assert told(findings) >= {("backup_restored", True), ("a_order_missing", True)}
    found = {(row.symbol, row.quantity, row.strategy_account_id) for row in await world.positions()}
    assert found == wanted
    await assert_nothing_left(world, account)


async def test_an_order_that_somebody_placed_at_the_exchange_is_listed_as_external(world: World) -> None:
    account, _ = await a_world_with(world, BUY)
    new = NewOrder(PERP, Side.BUY, OrderType.LIMIT, Decimal("0.01"), price=Decimal(50000))
    world.exchange.place(world.venue_account(account), new)
    findings = await reconcile(world, account)
    assert told(findings) == {("external_order", True)}
    (order,) = [row for row in await world.orders() if row.owner == "external"]
    assert order.status == "NEW"
    await assert_nothing_left(world, account)


async def test_a_history_that_the_venue_no_longer_keeps_is_said_and_the_books_say_since_when_they_are_whole(
    world: World,
) -> None:
    account, _ = await a_world_with(world, BUY)
    long_ago = world.clock.now() - timedelta(days=200)
    await world.db.run(
        lambda unit: unit.execute(
            sync_cursors.update().values(last_sync_at=long_ago, complete_since=long_ago, last_trade_id=None)
        )
    )
    findings = await reconcile(world, account)
    assert told(findings) == {("history_incomplete", True)}
    (cursor,) = [row for row in await world.cursors(account) if row.symbol == PERP]
    kept = timedelta(days=180)
    assert abs(world.clock.now() - kept - cursor.complete_since) < timedelta(minutes=5)
    assert cursor.last_sync_at > world.clock.now() - timedelta(minutes=5)
    await assert_nothing_left(world, account)


async def test_a_quiet_look_leaves_one_row_however_often_it_is_made(world_anywhere: World) -> None:
    world = world_anywhere
    account, _ = await a_world_with(world, BUY)
    await reconcile(world, account)
    assert world.engine is not None
    runner = world.engine.runners[account.id]
    before = [row for row in await world.rows(reconcile_runs) if row.cause != "quiet"]
    began = world.clock.now()
    for _ in range(3):
        await runner.reconciler.run(Cause.ROUTINE, Depth.QUIET)
        world.engine.floor.ages.note(account, Depth.QUIET, is_quiet=True)
        await world.engine.floor.ages.save()
    rows = await world.rows(reconcile_runs)
    assert [row for row in rows if row.cause != "quiet"] == before
    (latest,) = [row for row in rows if row.cause == "quiet"]
    assert latest.finished_at >= began and latest.findings == 0


async def test_a_wallet_below_the_positions_is_told_once_and_until_it_is_whole_again(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, market=MarketType.SPOT)
    await world.alert(strategy, **BUY)
    await world.quiet()
    at_venue = world.venue_account(account)
    held = at_venue.spot["BTC"].free
    world.exchange.deposit(at_venue, MarketType.SPOT, "BTC", -held)
    for _ in range(2):
        findings = await reconcile(world, account, Depth.QUIET)
    (finding,) = [row for row in findings if row.finding_case == "balance_below_positions"]
    assert not finding.is_repaired and finding.before["wallet"] == "0"
    world.exchange.deposit(at_venue, MarketType.SPOT, "BTC", held + 1)
    findings = await reconcile(world, account, Depth.QUIET)
    assert told(findings) == {("balance_below_positions", True)}


async def test_a_part_that_could_not_be_read_is_said_and_changes_nothing(world: World) -> None:
    account, _ = await a_world_with(world, BUY)
    close = NewOrder(PERP, Side.SELL, OrderType.MARKET, Decimal("0.006"))
    world.exchange.place(world.venue_account(account), close)
    for path in ("/fapi/v3/positionRisk", "/fapi/v1/userTrades"):
        world.fault("refuse", path=path, status=500, code=-1000, msg="no", n=0)
    findings = await reconcile(world, account)
    assert findings == []
    run = (await world.rows(reconcile_runs))[-1]
    assert any("positions" in part for part in run.unread)
    (book,) = await world.positions()
    assert book.is_open
    world.calm()
    assert ("d_close_missing", True) in told(await reconcile(world, account))
    await assert_nothing_left(world, account)
