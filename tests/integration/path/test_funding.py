"""Funding and deposits are ledger entries, never fills and never profit of a trade."""

from decimal import Decimal

from fillbook.ledger.tables import ledger_entries
from fillbook.market.core import MarketType
from support.world import PERP, World


async def test_funding_and_deposits_are_booked_once(world: World) -> None:
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=50)
    await world.quiet()
    world.exchange.fund(PERP, Decimal("0.0001"))
    world.exchange.deposit(world.venue_account(account), MarketType.FUTURES, "USDT", Decimal(50))
    assert world.engine is not None
    backfill = world.engine.runners[account.id].backfill
    assert await backfill.read_entries() == []
    assert await backfill.read_entries() == []
    entries = await world.rows(ledger_entries, kind="funding")
    assert [(row.asset, row.symbol) for row in entries] == [("USDT", PERP)]
    assert entries[0].amount < 0
    await world.quiet()
