"""Two servers on one database, by mistake: the second says so, answers, and does not trade."""

from pathlib import Path

from support.process import Process, free_port
from support.world import World


async def test_a_second_server_takes_alerts_in_and_leaves_the_trading_to_the_first(
    process_anywhere: Process, tmp_path: Path
) -> None:
    """On SQLite the lock of the data directory tells, on a server database the leases."""
    process, world = process_anywhere, process_anywhere.world
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await process.start()
    second = Process(
        world,
        process.data_dir if _is_embedded(world) else tmp_path / "elsewhere",
        free_port(),
        log_name="second.log",
        database_url=process.database_url,
    )
    second.data_dir.mkdir(exist_ok=True)
    try:
        await second.start()
        assert (await process.readiness())["trades"] is True
        readiness = await second.readiness()
        assert (readiness["ready"], readiness["trades"]) == (True, False)
        if _is_embedded(world):
            assert "Another Fillbook" in readiness["reason"] and "does not trade" in readiness["reason"]
        else:
            assert readiness["reason"].startswith("1 account is traded by another server (")
            assert readiness["reason"].endswith("this one leaves it alone.")
        alert = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT"}
        await second.alert(**alert, order_type="MARKET", side="buy", qty_per=50)
        await world.until(lambda: len(world.venue_account(account).fills) == 1)
        await world.quiet()
        assert len(world.venue_account(account).orders) == 1
    finally:
        second.stop()


async def test_the_second_server_takes_over_when_the_first_is_killed(
    process_anywhere: Process, tmp_path: Path
) -> None:
    """A lease that nobody renews ends; on SQLite a lock goes with its process, and a start takes it."""
    process, world = process_anywhere, process_anywhere.world
    process.is_hurried = True
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await process.start()
    heir = Process(
        world,
        process.data_dir if _is_embedded(world) else tmp_path / "elsewhere",
        free_port(),
        log_name="heir.log",
        database_url=process.database_url,
        is_hurried=True,
    )
    heir.data_dir.mkdir(exist_ok=True)
    alert = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT"}
    try:
        if not _is_embedded(world):
            await heir.start()
        await process.alert(**alert, order_type="LIMIT", side="buy", price=59000, qty_per=20)
        await world.until(lambda: len(world.venue_account(account).orders) == 1)
        world.fault("hide_fills", n=0)
        world.fault("accept_then_drop", method="POST", path="/order$")
        await process.alert(**alert, order_type="MARKET", side="buy", qty_per=20)
        await world.until(lambda: len(world.venue_account(account).orders) == 2)
        process.kill()
        world.calm()
        if _is_embedded(world):
            await heir.start()
        await heir.alert(**alert, order_type="MARKET", side="buy", qty_per=10)
        await world.until(lambda: len(world.venue_account(account).orders) == 3, 60)
        await world.quiet()
        assert (await heir.readiness())["trades"] is True
    finally:
        heir.stop()


def _is_embedded(world: World) -> bool:
    return world.db.engine.dialect.name == "sqlite"
