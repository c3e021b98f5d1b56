"""A second server on one database says so, answers, and does not trade."""

from support.process import Process, free_port


async def test_a_second_server_takes_alerts_in_and_leaves_the_trading_to_the_first(process: Process) -> None:
    world = process.world
    account = await world.account("acc")
    strategy = await world.strategy(account)
    await process.start()
    second = Process(world, process.data_dir, free_port(), log_name="second.log")
    try:
        await second.start()
        assert (await process.readiness())["trades"] is True
        readiness = await second.readiness()
        assert readiness["trades"] is False
        assert "Another Fillbook" in readiness["reason"] and "does not trade" in readiness["reason"]
        alert = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT"}
        await second.alert(**alert, order_type="MARKET", side="buy", qty_per=50)
        await world.until(lambda: len(world.venue_account(account).fills) == 1)
        await world.quiet()
        assert len(world.venue_account(account).orders) == 1
    finally:
        second.stop()
