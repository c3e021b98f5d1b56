"""A symbol that its exchange ends: what was open on it ends too, and everything else goes on."""

from decimal import Decimal

import pytest

from fillbook.accounts.core import Account
from fillbook.ledger.core.fill import FillKind
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.desk_port import OrderDenied
from support.world import PERP, Strategy, World

ETH = "ETH/USDT:USDT"
BUY = {"order_type": "MARKET", "side": "buy", "qty_per": 20}
REST = {"order_type": "LIMIT", "side": "buy", "price": 2000, "qty_per": 20, "symbol": "ETHUSDT"}
STOP = {"order_type": "STOP_MARKET", "side": "sell", "stop_price": 1000, "qty_per": -100, "symbol": "ETHUSDT"}


@pytest.fixture
def always_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The venue's rules are read at every use, where they are kept for an hour else."""
    monkeypatch.setattr("fillbook.trading.floor.INSTRUMENTS_FRESH_S", 0.0)
    monkeypatch.setattr("fillbook.venues.ccxt.quotes.CATALOGUE_MAX_AGE_S", 0.0)


async def set_up(world: World) -> tuple[Account, Strategy]:
    """An account with positions in two symbols, and orders at rest in the one that will end."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=5)
    await world.alert(strategy, **BUY)
    for alert in ({**BUY, "symbol": "ETHUSDT"}, REST, STOP):
        await world.alert(strategy, **alert)
    await world.quiet()
    return account, strategy


async def result(world: World, strategy: Strategy, account: Account, **alert: object) -> dict[str, object]:
    (log,) = (await world.alert(strategy, **alert, comment=str(world.rng.random()))).logs
    found: dict[str, object] = log.execution_results[f"account_{account.id}"]
    return found


async def _holds_only(world: World, symbol: str) -> bool:
    return {row.symbol for row in await world.positions(is_open=True)} == {symbol}


@pytest.mark.usefixtures("always_anew")
async def test_what_is_open_on_a_delisted_symbol_ends_as_the_exchange_ended_it(world: World) -> None:
    await set_up(world)
    world.exchange.delist(ETH)
    await world.until(lambda: _holds_only(world, PERP))
    await world.quiet()
    assert sorted(row.status for row in await world.orders(symbol=ETH)) == [
        "CANCELED",
        "CANCELED",
        "FILLED",
        "FILLED",
    ]
    settled = (await world.fills(symbol=ETH))[-1]
    assert (settled.kind, settled.side) == (FillKind.SETTLEMENT, "sell")
    (trade,) = await world.trades(symbol=ETH)
    assert trade.closed_at is not None


@pytest.mark.usefixtures("always_anew")
async def test_a_delisted_symbol_takes_no_order_and_hinders_no_other(world: World) -> None:
    account, strategy = await set_up(world)
    world.exchange.delist(ETH)
    await world.until(lambda: _holds_only(world, PERP))
    await world.quiet()
    for _ in range(2):
        assert world.engine is not None
        refused = await result(world, strategy, account, **{**BUY, "symbol": "ETHUSDT"})
        assert (refused["error_code"], refused["error"]) == (
            "symbol_not_trading",
            f"{ETH} is not trading at binance now.",
        )
        outcome = await world.engine.runners[account.id].reconciler.run(Cause.ROUTINE, Depth.WHOLE)
        assert outcome.unread == ()
        assert (await result(world, strategy, account, **BUY))["success"] is True
        await world.quiet()
        await world.stop()
        await world.start()
    assert len(await world.orders(symbol=ETH)) == 4


async def test_what_ended_unheard_is_named_and_hinders_no_other_symbol(world: World) -> None:
    """The exchange tells nothing of the symbol any more: nobody invents what became of it."""
    account, strategy = await set_up(world)
    await world.stop()
    world.exchange.delist(ETH)
    await world.start()
    assert world.engine is not None
    runner = world.engine.runners[account.id]
    await world.until(lambda: runner.is_streaming)
    assert (await result(world, strategy, account, **BUY))["success"] is True
    assert (await result(world, strategy, account, order_type="MARKET", side="sell", qty_per=-100))["success"]
    outcome = await runner.reconciler.run(Cause.ROUTINE, Depth.WHOLE)
    assert outcome.unread != () and all(f"Binance lists no {ETH}" in reason for reason in outcome.unread)
    (left,) = await world.positions(is_open=True)
    assert left.symbol == ETH
    with pytest.raises(OrderDenied) as denied:
        await world.desk.close_position(world.principal(), left.id)
    assert denied.value.denial_code == "symbol_not_trading"
    net = {row.symbol: row.quantity for row in await world.net_positions(account_id=account.id)}
    assert net[PERP] == Decimal(0)
