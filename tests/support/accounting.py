"""Whether every order is accounted for: ours and the exchange's, row by row, after whatever happened.

An order of unknown fate that is truly not at the exchange may still wait for its proof: that takes 80 seconds
from its request on, and nothing is wrong until then.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.orders.tables import cancel_queue, orders, strategy_order_logs
from fillbook.signals.tables import signal_deliveries
from support.process import Process
from support.world import World

SETTLES_WITHIN_S = 90


async def all_is_accounted_for(process: Process, accepted: list[int]) -> None:
    """Wait until nothing is under way, and see that nothing is missing, doubled or orphaned.

    Orders of unknown fate come to their proofs meanwhile, and the databases of servers show each table at another
    moment: what is wrong is what stays wrong.
    """
    world, found = process.world, list[str]()

    async def nothing_is_open() -> bool:
        found[:] = await open_business(world, accepted) or await world.faults()
        return not found

    try:
        await world.until(nothing_is_open, SETTLES_WITHIN_S)
    except TimeoutError:
        pytest.fail(f"{found}\n{process.log.read_text()[-6000:]}")
    assert await miscounts(world) == []


async def open_business(world: World, accepted: list[int]) -> list[str]:
    """What is still under way, or has been lost on the way."""
    found = [text for account in await world.accounts() for text in await world.disagreements(account)]
    rows = {row.id: row for row in await world.rows(orders)}
    unproven = {row.id for row in rows.values() if row.status == "PENDING_NEW" and row.unknown_since}
    found += [
        f"order {row.id} has no answer and is not looked up"
        for row in rows.values()
        if row.status == "PENDING_NEW" and row.id not in unproven
    ]
    found += [
        f"cancel {row.id} of order {row.order_id} ({rows[row.order_id].status}) waits"
        for row in await world.rows(cancel_queue)
        if row.status in ("PENDING", "PROCESSING") and row.order_id not in unproven
    ]
    async with world.db.read() as unit:
        waiting = await unit.all(
            sa.select(signal_deliveries.c.id, signal_deliveries.c.state).where(
                signal_deliveries.c.state.in_(("new", "claimed"))
            )
        )
        logs = await unit.all(sa.select(strategy_order_logs))
    found += [f"delivery {row.id} is {row.state}" for row in waiting]
    logged = {row.signal_id for row in logs}
    found += [f"signal {number} was accepted and has no log" for number in accepted if number not in logged]
    found += [
        f"log {row.id} is {row.status} with {row.unknown} unknown"
        for row in logs
        if row.status == "PROCESSING" and not row.unknown
    ]
    return found


async def miscounts(world: World) -> list[str]:
    """What is at the exchange more than once, without a row of ours, or claimed by a row and not there."""
    sent = Counter(
        (request.api_key, name)
        for request in world.server.gateway(world.venue).requests
        if _creates(request.method, request.path) and (name := _named_by(request.params)) is not None
    )
    found = [f"{name} was sent {count} times" for (_, name), count in sent.items() if count > 1]
    rows = await world.rows(orders)
    for account in await world.accounts():
        at_venue = world.venue_account(account)
        there = Counter(
            order.client_order_id for order in at_venue.orders.values() if order.parent_id is None
        )
        ours = {row.client_order_id: row for row in rows if row.account_id == account.id}
        found += [f"{name} is at the exchange {count} times" for name, count in there.items() if count > 1]
        found += [f"{name} is at the exchange without a row" for name in there if name not in ours]
        found += [
            f"order {row.id} is {row.status} and not at the exchange"
            for name, row in ours.items()
            if name not in there and not (_was_never_placed(row))
        ]
    decisions = Counter((row.signal_id, row.account_id, row.leg) for row in rows if row.signal_id is not None)
    found += [f"{decision} became {count} orders" for decision, count in decisions.items() if count > 1]
    return found


def _creates(method: str, path: str) -> bool:
    """Whether a request that names an order creates it: a POST that neither cancels nor changes one."""
    return method == "POST" and re.search("cancel|amend|modify", path) is None


def _named_by(params: Mapping[str, str]) -> str | None:
    """The client order id in a request that creates an order, at any of the venues."""
    names = ("newClientOrderId", "clientAlgoId", "orderLinkId", "clOrdId", "algoClOrdId", "clientOid")
    return next((params[name] for name in names if params.get(name)), None)


def _was_never_placed(row: Any) -> bool:
    return bool(row.status == "REJECTED" or (row.status == "PENDING_NEW" and row.unknown_since))
