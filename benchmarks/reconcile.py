"""A thousand quiet accounts: what one look at an account costs beside the reads of the venue that it makes, and how
old the oldest look gets when all of them share one address and the venue's published weights.

The first part is measured on the wire against the simulated exchange; the second runs in virtual time.
"""

import asyncio
import copy
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import ccxt.async_support as ccxt

from benchmarks.books import Books, open_books
from benchmarks.databases import Place, new_database
from benchmarks.desk import Key, key_of, open_exchange_accounts
from benchmarks.figures import median, print_table
from benchmarks.plan import Plan
from benchmarks.processes import Process, simulated_exchange
from fillbook.accounts.core import Account, Credentials, Environment, PositionMode, TradingState
from fillbook.kernel.clock import SystemClock
from fillbook.market.core import MarketType, Side, VenueName
from fillbook.orders.core.order import OrderRequest, OrderType
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.floor import Floor
from fillbook.trading.reconciliation.ages import Ages
from fillbook.trading.reconciliation.reconciler import Reconciler
from fillbook.trading.reconciliation.rounds import Rounds
from fillbook.trading.reconciliation.run import Outcome
from fillbook.trading.reconciliation.turns import Turns
from fillbook.trading.runner import AccountRunner
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.client import stand_in
from fillbook.venues.ccxt.limits import Pool, RequestBudget
from fillbook.venues.ccxt.venues import CcxtVenues

ACCOUNTS = 1000
SYMBOL = "BTC/USDT:USDT"
ACCOUNTS_PER_ADDRESS = 10
VIRTUAL_HOURS = 12
FUTURES_WEIGHT = 2_400

Look = Callable[[int], Awaitable[object]]


def run(plan: Plan) -> None:
    count = plan.count(ACCOUNTS)
    for kind in plan.databases:
        with new_database(kind) as place, simulated_exchange() as exchange:
            rows = asyncio.run(_measure(place, exchange, count))
        print_table(
            f"One look at each of {count} quiet accounts with a position, {kind}",
            ("who", "requests", "CPU ms per account", "beyond ccxt ms"),
            rows,
        )
    print_table(
        f"Accounts on one address, {VIRTUAL_HOURS} virtual hours, Binance futures' weights",
        ("accounts", "oldest look, minutes", "oldest whole look, minutes", "weight per minute", "of 2,400"),
        [_pace(number) for number in sorted({10, 100, count})],
    )


async def _measure(place: Place, exchange: Process, count: int) -> list[Sequence[object]]:
    keys = [key_of(number) for number in range(count)]
    await open_exchange_accounts(exchange, count)
    books = await open_books(place.url, count)
    async with _runners(books, exchange.url, keys) as runners, _bare(exchange.url, keys) as bare:

        async def request(number: int) -> object:
            return await bare[number].request("positionRisk", ["fapiPrivateV3"], "GET", {})

        async def adapter(number: int) -> object:
            return await runners[number].venue.positions()

        async def look(number: int) -> Outcome:
            outcome = await runners[number].reconciler.run(Cause.ROUTINE, Depth.QUIET)
            assert outcome == Outcome(), f"a quiet account is quiet: {outcome}"
            return outcome

        acts = (
            ("ccxt request alone", request),
            ("our adapter's positions", adapter),
            ("Fillbook's quiet look", look),
        )
        taken_ms = await _cpu_ms([act for _, act in acts], count)
        rows: list[Sequence[object]] = [
            (name, 1, cpu_ms, cpu_ms - taken_ms[0]) for (name, _), cpu_ms in zip(acts, taken_ms, strict=True)
        ]
    await books.database.close()
    return rows


async def _cpu_ms(acts: Sequence[Look], count: int) -> list[float]:
    """CPU of this process per account, the median of a second round: looks come again and again, and the first of each
    reads the books. The acts take turns, so that all meet the same noise."""
    taken_ms: list[list[float]] = [[] for _ in acts]
    for number in (*range(count), *range(count)):
        for act, taken in zip(acts, taken_ms, strict=True):
            begun_s = time.process_time()
            await act(number)
            taken.append((time.process_time() - begun_s) * 1000)
    return [median(taken[-count:]) for taken in taken_ms]


@asynccontextmanager
async def _runners(books: Books, url: str, keys: Sequence[Key]) -> AsyncIterator[list[AccountRunner]]:
    """Desks that do not run, of accounts that hold a position which the books have."""
    clock = SystemClock()
    venues = CcxtVenues(clock, random.Random(3), {(VenueName.BINANCE, Environment.DEMO): url})
    bookkeeper = asyncio.create_task(books.floor.bookkeeper.run())
    runners = []
    for number, (account_id, key) in enumerate(zip(books.account_ids, keys, strict=True)):
        # One address may not ask for all that a thousand accounts need within a minute.
        egress = f"127.0.0.{2 + number // ACCOUNTS_PER_ADDRESS}"
        account = replace(books.floor.accounts[account_id], egress=egress)
        venue = venues.open(account, Credentials(key.api_key, key.secret))
        runner = AccountRunner(account, venue, books.floor)
        await venue.place(
            OrderRequest(f"bench-{number}", SYMBOL, Side.BUY, OrderType.MARKET, Decimal("0.010"))
        )
        await runner.reconciler.run(Cause.ASKED, Depth.CATCH_UP)
        runners.append(runner)
    yield runners
    bookkeeper.cancel()
    await venues.close()


@asynccontextmanager
async def _bare(url: str, keys: Sequence[Key]) -> AsyncIterator[list[Any]]:
    """One ccxt instance, copied for each account: what an instance needs once is not what is measured."""
    async with aiohttp.ClientSession() as session:
        shared = ccxt.binance({"enableRateLimit": False, "session": session})
        shared.urls["api"] = stand_in(shared.urls["api"], url)
        shared.open()
        exchanges = []
        for key in keys:
            exchange = copy.copy(shared)
            exchange.apiKey, exchange.secret = key.api_key, key.secret
            exchanges.append(exchange)
        yield exchanges
        for exchange in (shared, *exchanges):
            exchange.session = None  # it is not theirs to close


# How often, when the weight is what it is.


class _VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes only when nothing else is left to do."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        ready, scheduled = cast(Any, self)._ready, cast(Any, self)._scheduled
        if not ready and scheduled:
            self._now_s = max(self._now_s, scheduled[0]._when)
        cast(Any, super())._run_once()


class _VirtualClock:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._loop.time())

    def elapsed_s(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Weighed:
    """Spends what a look spends at Binance futures for an account with one position and no live order."""

    def __init__(self, budget: RequestBudget) -> None:
        self._budget = budget
        self.spent = 0

    async def run(self, cause: Cause, depth: Depth, run_ids: object = ()) -> Outcome:
        weights = [at.FUTURES_POSITIONS.weight]
        if depth is not Depth.QUIET:
            # Its time, its balances, the fills of its symbol, and the positions once more afterwards.
            weights += [
                at.FUTURES_TIME.weight,
                at.FUTURES_ACCOUNT.weight,
                at.FUTURES_FILLS.weight,
                weights[0],
            ]
        if depth is Depth.WHOLE:
            weights += [at.FUTURES_OPEN_ORDERS.weight, at.ALGO_OPEN_ORDERS.weight]
        for weight in weights:
            await self._budget.take_for_read(weight)
            self.spent += weight
        return Outcome()


def _pace(count: int) -> Sequence[object]:
    loop = _VirtualLoop()
    try:
        return loop.run_until_complete(_let_pass(loop, count))
    finally:
        loop.close()


async def _let_pass(loop: asyncio.AbstractEventLoop, count: int) -> Sequence[object]:
    clock = _VirtualClock(loop)
    weighed = _Weighed(RequestBudget(clock, Pool(at.FUTURES, FUTURES_WEIGHT)))
    ages = Ages(cast(Any, None), clock)
    floor = cast(Floor, SimpleNamespace(clock=clock, turns=Turns(clock), ages=ages))
    reconciler = cast(Reconciler, weighed)
    tasks = [
        asyncio.create_task(Rounds(_account(number), reconciler, floor, lambda: True).run())
        for number in range(count)
    ]
    await asyncio.sleep(VIRTUAL_HOURS * 1800)
    oldest_s = oldest_whole_s = 0.0
    spent, minutes = weighed.spent, VIRTUAL_HOURS * 30
    for _ in range(minutes):
        await asyncio.sleep(60)
        oldest_s = max(oldest_s, *(age.looked_s for age in ages))
        oldest_whole_s = max(oldest_whole_s, *(age.whole_s for age in ages))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    per_minute = (weighed.spent - spent) / minutes
    share = f"{per_minute / FUTURES_WEIGHT:.0%}"
    return (count, oldest_s / 60, oldest_whole_s / 60, per_minute, share)


def _account(number: int) -> Account:
    return Account(
        id=number,
        uid=str(number),
        user_id=1,
        name=str(number),
        exchange=VenueName.BINANCE,
        environment=Environment.DEMO,
        market_types=(MarketType.FUTURES,),
        position_mode=PositionMode.ONE_WAY,
        trading_state=TradingState.ACTIVE,
        trading_state_reason=None,
        is_active=True,
    )
