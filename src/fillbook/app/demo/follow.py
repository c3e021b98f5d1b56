"""After the script: prices wander, and whatever alerts a person sends are shown as they come in.

On a terminal the last lines keep showing where the accounts stand at the present prices.
"""

import asyncio
import random
from collections.abc import Mapping
from decimal import Decimal

from rich.live import Live

from fillbook.app.demo.cast import FUTURES
from fillbook.app.demo.clients import Row
from fillbook.app.demo.screen import invitation, standings
from fillbook.app.demo.script import BTC_SWAP, ETH_COIN, ETH_SWAP
from fillbook.app.demo.show import Show
from fillbook.app.demo.stage import Stage
from fillbook.kernel.money import floor_to, parse_amount
from fillbook.market.core import VenueName

LOOK_EVERY_S = 1.0
STEP_BASIS_POINTS = 4
TICK = Decimal("0.1")


async def follow(show: Show, stage: Stage) -> None:
    """Until cancelled."""
    rng = random.Random(0)
    seen = {row["id"] for row in await show.api.rows("/webhook-logs")}
    show.screen.console.print(
        invitation(stage.server_url, stage.token, show.cast.strategies[FUTURES]), soft_wrap=True
    )
    with Live(console=show.screen.console, auto_refresh=False, transient=True) as live:
        while True:
            prices = await _move(show, rng)
            for message in reversed(await show.api.rows("/webhook-logs")):
                if message["id"] not in seen:
                    seen.add(message["id"])
                    await _show_message(show, message)
            await _show_rest(show)
            if show.screen.console.is_terminal:
                live.update(standings(show.cast, show.books, prices), refresh=True)
            await asyncio.sleep(LOOK_EVERY_S)


async def _move(show: Show, rng: random.Random) -> Mapping[str, Decimal]:
    """A small step of every price that somebody may hold; spot and perpetual move together."""
    now: dict[str, str] = await show.exchanges.at(VenueName.BINANCE).get("prices")
    step = Decimal(10_000 + rng.randint(-STEP_BASIS_POINTS, STEP_BASIS_POINTS)) / 10_000
    moved = {
        symbol: floor_to(parse_amount(now[symbol]) * step, TICK) for symbol in (BTC_SWAP, ETH_SWAP, ETH_COIN)
    }
    for symbol, price in moved.items():
        await show.exchanges.set_price(symbol, str(price))
    return moved


async def _show_message(show: Show, message: Row) -> None:
    """One message of somebody's, as the server wrote it down."""
    show.screen.message(message)
    signals = await show.api.rows(f"/signals?strategy_id={message['strategy_id']}")
    signal = next((one for one in signals if one["webhook_log_id"] == message["id"]), None)
    if signal is None or message["status"] != "accepted":
        return
    group = next(name for name, one in show.cast.strategies.items() if one.number == signal["strategy_id"])
    await show.await_outcome(signal["id"])
    story = await show.api.call("GET", f"/signals/{signal['id']}")
    await show.show_change(group, signal["symbol"], story["order_logs"], signal["id"])


async def _show_rest(show: Show) -> None:
    """What happened without a message: an order that waited was filled."""
    before = show.books
    await show.agree()
    known = {row["id"]: row["filled_quantity"] for row in before.orders}
    moved = [
        row
        for row in show.books.orders
        if known.get(row["id"], row["filled_quantity"]) != row["filled_quantity"]
    ]
    links = {link["id"]: link for link in show.books.links}
    groups = {strategy.number: name for name, strategy in show.cast.strategies.items()}
    for strategy_id, symbol in {
        (links[row["strategy_account_id"]]["strategy_id"], row["symbol"])
        for row in moved
        if row["strategy_account_id"] in links
    }:
        show.screen.step(">", "No alert: the price reached an order that waited", {})
        show.screen.accounts(show.cast, before, show.books, groups[strategy_id], symbol, [])
