"""From the start of the process to `/health/ready`, and the memory of a server with a hundred accounts."""

from contextlib import ExitStack
from dataclasses import replace

import aiohttp
import uvloop

from benchmarks.alert_path import send_alert
from benchmarks.databases import new_database
from benchmarks.desk import make_token, open_exchange_accounts, set_up_desk
from benchmarks.figures import median, print_table
from benchmarks.plan import Plan
from benchmarks.processes import fillbook_server, settle, simulated_exchange

ACCOUNTS = 100
STARTS = 5
ALERTS = 10


def run(plan: Plan) -> None:
    rows = [_measure(plan, kind) for kind in plan.databases]
    heads = ("database", "start to ready, s (median)", "slowest", "RSS MB when ready", "RSS MB after alerts")
    print_table(f"Start and memory with {ACCOUNTS} accounts", heads, rows)


def _measure(plan: Plan, kind: str) -> tuple[object, ...]:
    with ExitStack() as stack:
        place = stack.enter_context(new_database(kind))
        exchange = stack.enter_context(simulated_exchange())
        uvloop.run(open_exchange_accounts(exchange, ACCOUNTS))
        token = make_token(place, exchange)
        with fillbook_server(place, exchange.url) as server:
            desk = uvloop.run(set_up_desk(server, token, ACCOUNTS, 1))
        ready_s = []
        for _ in range(plan.count(STARTS)):
            with fillbook_server(place, exchange.url) as server:
                ready_s.append(server.ready_s)
        with fillbook_server(place, exchange.url) as server:
            resident_mb = server.resident_mb()

            async def trade() -> None:
                async with aiohttp.ClientSession() as session:
                    for number in range(ALERTS):
                        await settle(2.0)
                        await send_alert(session, replace(desk, url=server.url), desk.webhook_keys[0], number)
                await settle(3.0)

            uvloop.run(trade())
            return (kind, median(ready_s), max(ready_s), resident_mb, server.resident_mb())
