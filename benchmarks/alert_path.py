"""From an alert's arrival to its answer, and to the last order's request on the wire.

Server, simulated exchange and this load generator are three processes. Alerts come one at a time (each round
waits until the books are quiet) for 1, 10 and 100 accounts, then at a steady rate. The moment on the wire is
the exchange's own record of the request, to the millisecond, on the same machine's clock; the floors are read
from the same record. Times include what the exchange needs to take requests in, for us and the floors alike.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import sqlalchemy as sa
import uvloop

from benchmarks.databases import Place, new_database
from benchmarks.desk import Desk, alert_body, key_of, make_token, open_exchange_accounts, set_up_desk
from benchmarks.figures import median, percentile, print_table
from benchmarks.floors import Floor, bare_floor, ccxt_floor
from benchmarks.plan import Plan
from benchmarks.processes import Process, fillbook_server, quiet, settle, simulated_exchange
from fillbook.kernel.clock import SystemClock
from fillbook.orders.tables import orders
from fillbook.storage.unit import Database

ACCOUNTS = (1, 10, 100)
ROUNDS = {1: 100, 10: 60, 100: 40}
WARM_UP_ROUNDS = 6
STEADY_PER_S = 50
STEADY_S = 20
STEADY_ACCOUNTS = 10
_ORDER_PATH = "/fapi/v1/order"


@dataclass(frozen=True, slots=True)
class Round:
    """One alert (or one go of a floor), in seconds of the wall clock. `accepted_at` is None for a floor."""

    begun_at: float
    accepted_at: float | None
    signal_id: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds per round to the last request; CPU per order, of whoever sent it, until all was settled."""

    to_answer_ms: Sequence[float]
    to_wire_ms: Sequence[float]
    cpu_ms_per_order: float


def run(plan: Plan) -> None:
    for kind in plan.databases:
        rows: list[Sequence[object]] = []
        for accounts in ACCOUNTS:
            rows += _one_at_a_time(plan, kind, accounts)
        print_table(
            f"One alert at a time, {kind}",
            (
                "accounts",
                "who",
                "answer p50 ms",
                "p99",
                "wire p50 ms",
                "p99",
                "to ccxt",
                "CPU ms per order",
                "to ccxt",
            ),
            rows,
        )
        _steady(plan, kind)


def _one_at_a_time(plan: Plan, kind: str, accounts: int) -> list[Sequence[object]]:
    rounds = plan.count(ROUNDS[accounts])
    with ExitStack() as stack:
        place = stack.enter_context(new_database(kind))
        exchange = stack.enter_context(simulated_exchange())
        uvloop.run(open_exchange_accounts(exchange, accounts))
        keys = [key_of(number) for number in range(accounts)]

        async def bare() -> Measured:
            async with bare_floor(place, exchange.url, keys) as floor:
                return await _measure_floor(floor, exchange, rounds, accounts)

        async def alone() -> Measured:
            async with ccxt_floor(exchange.url, keys) as floor:
                return await _measure_floor(floor, exchange, rounds, accounts)

        bare_measured, ccxt_measured = uvloop.run(bare()), uvloop.run(alone())
        token = make_token(place, exchange)
        server = stack.enter_context(fillbook_server(place, exchange.url))
        desk = uvloop.run(set_up_desk(server, token, accounts, 1))
        ours = uvloop.run(_measure_server(place, server, exchange, desk, rounds, accounts))
    return [
        _row(accounts, "bare aiohttp, one commit", bare_measured, ccxt_measured),
        _row(accounts, "ccxt alone", ccxt_measured, ccxt_measured),
        _row(accounts, "Fillbook", ours, ccxt_measured),
    ]


def _row(accounts: int, who: str, measured: Measured, ccxt: Measured) -> Sequence[object]:
    answers = measured.to_answer_ms
    wire = median(measured.to_wire_ms)
    return (
        accounts,
        who,
        percentile(answers, 50) if answers else "",
        percentile(answers, 99) if answers else "",
        wire,
        percentile(measured.to_wire_ms, 99),
        wire / median(ccxt.to_wire_ms),
        measured.cpu_ms_per_order,
        measured.cpu_ms_per_order / ccxt.cpu_ms_per_order,
    )


async def _measure_floor(floor: Floor, exchange: Process, rounds: int, accounts: int) -> Measured:
    async def send(number: int) -> Round:
        begun_at = time.time()
        await floor.send_all(number)
        return Round(begun_at, None)

    return await _rounds(send, time.process_time, exchange, rounds, accounts, partial(settle, 0.02))


async def _measure_server(
    place: Place, server: Process, exchange: Process, desk: Desk, rounds: int, accounts: int
) -> Measured:
    async with aiohttp.ClientSession() as session:

        async def send(number: int) -> Round:
            return await send_alert(session, desk, desk.webhook_keys[0], number)

        await settle(1.0)
        return await _rounds(send, server.cpu_s, exchange, rounds, accounts, partial(quiet, server))


async def send_alert(session: aiohttp.ClientSession, desk: Desk, webhook_key: str, number: int) -> Round:
    body = alert_body(webhook_key, number)
    begun_at = time.time()
    async with session.post(f"{desk.url}/api/webhook", json=body) as answer:
        accepted = await answer.json()
        if answer.status != 200 or accepted["status"] != "accepted":
            raise RuntimeError(f"the alert was not accepted: {accepted}")
    return Round(begun_at, time.time(), accepted["signal_id"])


async def _rounds(
    send: Callable[[int], Awaitable[Round]],
    cpu_s: Callable[[], float],
    exchange: Process,
    rounds: int,
    accounts: int,
    pause: Callable[[], Awaitable[None]],
) -> Measured:
    for number in range(WARM_UP_ROUNDS):
        begun_at = (await send(number)).begun_at
        await await_orders(exchange, begun_at, accounts)
        await pause()
    cpu_before = cpu_s()
    done = []
    for number in range(WARM_UP_ROUNDS, WARM_UP_ROUNDS + rounds):
        done.append(await send(number))
        await pause()
    cpu = cpu_s() - cpu_before
    arrivals = [at for at, _ in await order_arrivals(exchange) if at >= done[0].begun_at - 0.001]
    to_wire = []
    for one, following in zip(done, [*done[1:], None], strict=True):
        until = following.begun_at if following else float("inf")
        mine = [at for at in arrivals if one.begun_at - 0.001 <= at < until - 0.001]
        if len(mine) != accounts:
            raise RuntimeError(
                f"{accounts} orders were expected of an alert, {len(mine)} reached the exchange"
            )
        to_wire.append((max(mine) - one.begun_at) * 1000)
    answers = [(one.accepted_at - one.begun_at) * 1000 for one in done if one.accepted_at is not None]
    return Measured(answers, to_wire, cpu * 1000 / (rounds * accounts))


async def await_orders(exchange: Process, since: float, count: int) -> None:
    """Wait until that many orders have arrived: before the first, leverage is set and rules are read."""
    for _ in range(600):
        if sum(at >= since - 0.001 for at, _ in await order_arrivals(exchange)) >= count:
            return
        await settle(0.1)
    raise RuntimeError("the orders of an alert did not reach the exchange within a minute")


async def order_arrivals(exchange: Process) -> list[tuple[float, str]]:
    """When each order's request was taken in (the middle of its millisecond), and its client order id."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{exchange.url}/_sim/requests") as answer,
    ):
        requests: Iterable[dict[str, Any]] = await answer.json()
    return [
        (request["at_ms"] / 1000 + 0.0005, request["params"].get("newClientOrderId", ""))
        for request in requests
        if request["method"] == "POST" and request["path"] == _ORDER_PATH
    ]


def _steady(plan: Plan, kind: str) -> None:
    """Alerts at a steady rate, each for one account of ten strategies in turn; late answers hold none up."""
    with ExitStack() as stack:
        place = stack.enter_context(new_database(kind))
        exchange = stack.enter_context(simulated_exchange())
        uvloop.run(open_exchange_accounts(exchange, STEADY_ACCOUNTS))
        token = make_token(place, exchange)
        server = stack.enter_context(fillbook_server(place, exchange.url))
        desk = uvloop.run(set_up_desk(server, token, STEADY_ACCOUNTS, STEADY_ACCOUNTS))
        row = uvloop.run(_measure_steady(place, server, exchange, desk, plan.count(STEADY_S) * STEADY_PER_S))
    heads = (
        "answer p50 ms",
        "p99",
        "wire p50 ms",
        "p99",
        "orders of alerts",
        "CPU ms per alert",
        "cores used",
    )
    print_table(f"{STEADY_PER_S} alerts a second, one account each, {kind}", heads, [row])


async def _measure_steady(
    place: Place, server: Process, exchange: Process, desk: Desk, alerts: int
) -> Sequence[object]:
    async with aiohttp.ClientSession() as session:

        async def send(number: int) -> Round:
            key = desk.webhook_keys[number % len(desk.webhook_keys)]
            return await send_alert(session, desk, key, number // len(desk.webhook_keys))

        await settle(1.0)
        warm = WARM_UP_ROUNDS * len(desk.webhook_keys)
        for number in range(warm):
            begun_at = (await send(number)).begun_at
            await await_orders(exchange, begun_at, 1)
        await settle(1.0)
        cpu_before, begun = server.cpu_s(), time.perf_counter()
        tasks = []
        for number in range(alerts):
            await asyncio.sleep(max(0.0, begun + number / STEADY_PER_S - time.perf_counter()))
            tasks.append(asyncio.create_task(send(warm + number)))
        done = await asyncio.gather(*tasks)
        lasted_s = time.perf_counter() - begun
        await settle(1.0)
        cpu = server.cpu_s() - cpu_before
    signals = await _signals_of_orders(place)
    arrived = {
        signals[client_id]: at for at, client_id in await order_arrivals(exchange) if client_id in signals
    }
    answers = [(one.accepted_at - one.begun_at) * 1000 for one in done if one.accepted_at is not None]
    wire = [(arrived[one.signal_id] - one.begun_at) * 1000 for one in done if one.signal_id in arrived]
    return (
        *(percentile(answers, percent) for percent in (50, 99)),
        *(percentile(wire, percent) for percent in (50, 99)),
        f"{len(wire)} of {alerts}",
        cpu * 1000 / alerts,
        cpu / lasted_s,
    )


async def _signals_of_orders(place: Place) -> dict[str, int]:
    database = Database.connect(place.url, SystemClock())
    async with database.read() as unit:
        found = await unit.all(sa.select(orders.c.client_order_id, orders.c.signal_id))
    await database.close()
    return {row.client_order_id: row.signal_id for row in found}
