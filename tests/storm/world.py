"""The world of one seed: exchanges, people's accounts and strategies, prices, and the server processes."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from fillbook.accounts import service as accounts
from fillbook.accounts.core import Account, Credentials, Environment, KeyPermissions, PositionMode
from fillbook.accounts.service import TestedKey
from fillbook.accounts.vault import Vault
from fillbook.identity import service as identity
from fillbook.identity.core import Principal, Role, TokenScope
from fillbook.kernel.money import floor_to
from fillbook.kernel.scope import Scope
from fillbook.market.core import MarketType, VenueName
from fillbook.storage.unit import Database
from fillbook.strategies import links
from fillbook.strategies import service as strategies
from fillbook.venues.sim.core.book import Depth
from fillbook.venues.sim.core.listings import Listing, listings_for
from fillbook.venues.sim.direct.line import CallRecord
from fillbook.venues.sim.direct.site import SimSite
from storm.loop import Outside, VirtualClock, VirtualTimeLoop
from storm.process import Process
from storm.sql import Connections, Disk, copy_as_it_is, is_of_the_disk
from storm.story import Story

CLOCK_SET_BY = timedelta(seconds=3)
"""By how much the wall clock may be set, each time."""
MASTER_KEY = "M" * 43 + "="
BASES = ("BTC", "ETH")
ACTS = frozenset({"place", "cancel", "cancel_all", "amend"})


@dataclass(frozen=True)
class Strategy:
    id: int
    key: str
    group_name: str
    market_type: MarketType
    user_id: int


@dataclass
class World:
    loop: VirtualTimeLoop
    rng: random.Random
    folder: Path
    template: Path
    sites: dict[VenueName, SimSite] = field(default_factory=dict)
    accounts: list[Account] = field(default_factory=list)
    strategies: list[Strategy] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    user_ids: list[int] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    crashes: int = 0

    def __post_init__(self) -> None:
        self.clock = VirtualClock(self.loop)
        self.outside = Outside(self.loop)
        self.story = Story(self.loop.time)
        self.vault = Vault([MASTER_KEY])
        self._generation = 0
        self._witness: sqlite3.Connection | None = None
        self._latency = random.Random(self.rng.getrandbits(64))
        self.loop.is_expected = is_of_the_disk
        self.disk = Disk(random.Random(self.rng.getrandbits(64)))
        self.path = self.folder / "0.db"
        copy_as_it_is(self.template, self.path)

    # Exchanges

    def open_site(self, name: VenueName) -> SimSite:
        rng = self.rng
        depth = Depth(
            levels=6,
            step_ticks=rng.choice([1, 50, 400]),
            level_notional=Decimal(rng.choice([400, 3000, 1_000_000])),
        )
        site = SimSite(
            name,
            VirtualClock(self.loop),
            listings=list(_listings(name)),
            depth=depth,
            later=self.outside.later,
            latency_s=lambda: 0.005 + self._latency.expovariate(25),
        )
        site.manner = _narrowed(site.manner, rng.choice([2, 5, 50]))
        site.line.on_call = self._watch_call
        site.line.on_answer = self._watch_answer
        self.sites[name] = site
        return site

    def _watch_call(self, record: CallRecord) -> None:
        """Every request passes here as it leaves: one that creates an order must have its row by now."""
        if record.faults or record.name in ACTS:
            faults = f" [{', '.join(record.faults)}]" if record.faults else ""
            self.story.tell("call", f"{_short(record.api_key)} {record.name} {record.subject}{faults}")
        for kind in record.faults:
            self.story.counts[f"fault {kind}"] += 1
        if record.name != "place":
            return
        client_id = record.subject.split(" ")[1]
        self.requests[client_id] += 1
        if self.requests[client_id] > 1:
            self.violations.append(f"the order {client_id} was sent {self.requests[client_id]} times")
        self.violations += self._check_fencing(client_id)

    def _check_fencing(self, client_id: str) -> Iterator[str]:
        """An order leaves after its row is committed (1), in time, and under the lease that is in force."""
        found = self.rows(
            "SELECT orders.epoch, orders.send_by, leases.epoch FROM orders LEFT JOIN leases"
            " ON resource = 'account:' || account_id WHERE client_order_id = ?",
            client_id,
        )
        if not found:
            yield f"the order {client_id} left before its row was committed"
            return
        ((epoch, send_by, epoch_in_force),) = found
        if epoch != epoch_in_force:
            yield f"the order {client_id} left under the epoch {epoch}, when {epoch_in_force} was in force"
        if datetime.fromisoformat(send_by) + CLOCK_SET_BY < self.clock.now():
            yield f"the order {client_id} left after {send_by}"

    def _watch_answer(self, record: CallRecord) -> None:
        if record.name in ACTS:
            told = f"{_short(record.api_key)} {record.name} {record.subject}: {record.answer}"
            self.story.tell("venue", told)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """What is committed now, seen from outside."""
        if self._witness is None:
            self._witness = sqlite3.connect(self.path)
        return self._witness.execute(sql, values).fetchall()

    # Processes

    def start_process(self, *, owns_directory: bool) -> Process:
        name = f"p{len(self.processes) + 1}"
        process = Process(self, name, self.path, owns_directory=owns_directory)
        self.processes.append(process)
        self.story.tell("process", f"{name} starts{'' if owns_directory else ', not alone'}")
        process.start()
        return process

    def process_died(self, process: Process) -> None:
        """Keep what the process leaves. Only where no other lives does the database move to a copy."""
        self.crashes += 1
        others = [one for one in self.processes if not one.life.is_dead]
        self.story.tell("crash", f"{process.name} after {process.life.steps} steps")
        if not others:
            self._generation += 1
            copy = self.folder / f"{self._generation}.db"
            copy_as_it_is(self.path, copy)
            self.path = copy
            if self._witness is not None:
                self._witness.close()
                self._witness = None
        process.hang_up()

    def up(self) -> list[Process]:
        return [process for process in self.processes if process.is_up]

    # People

    async def settle_in(
        self, db: Database, *, people: int, venues: int, accounts: int, strategies: int
    ) -> None:
        """People, accounts with their counterparts at the exchanges, strategies and their links."""
        for name in ("alice", "bob")[:people]:
            await self._add_person(db, name)
        chosen = self.rng.sample(list(VenueName), venues)
        for venue in chosen:
            self.open_site(venue)
        for number in range(accounts):
            venue = chosen[number % venues]
            self.accounts.append(await self._add_account(db, venue, f"{venue}{number}"))
        for _ in range(strategies):
            await self._add_strategy(db)

    async def _add_person(self, db: Database, name: str) -> None:
        async def add(unit: Any) -> int:
            user = await identity.create_user(
                unit, email=f"{name}@example.com", username=name, password=None, role=Role.USER
            )
            return user.id

        self.user_ids.append(await db.run(add))

    async def _add_account(self, db: Database, venue: VenueName, name: str) -> Account:
        rng, site = self.rng, self.sites[venue]
        credentials = Credentials(
            f"key-{name}".ljust(40, "x"), f"secret-{name}".ljust(40, "x"), "pass-phrase"
        )
        self.secrets += [credentials.api_key, credentials.secret]
        at_venue = site.exchange.open_account(credentials.api_key, credentials.secret)
        funds = Decimal(rng.choice([600, 5000, 20000]))
        for market_type in MarketType:
            site.exchange.deposit(at_venue, market_type, "USDT", funds)
        if rng.random() < 0.35:
            at_venue.position_mode = PositionMode.HEDGE
        key = TestedKey(credentials, KeyPermissions(True, True, True, False, None))
        user_id = rng.choice(self.user_ids)
        return await db.run(
            lambda unit: accounts.create_account(
                unit,
                user_id,
                name=name,
                exchange=venue,
                environment=Environment.DEMO,
                key=key,
                vault=self.vault,
                rng=rng,
            )
        )

    async def _add_strategy(self, db: Database) -> None:
        rng = self.rng
        user_id = rng.choice(sorted({account.user_id for account in self.accounts}))
        mine = [account for account in self.accounts if account.user_id == user_id]
        market_type = MarketType.FUTURES if rng.random() < 0.7 else MarketType.SPOT
        number = len(self.strategies) + 1
        made, key = await db.run(
            lambda unit: strategies.create_strategy(
                unit,
                user_id,
                name=f"s{number}",
                group_name=f"g{number}",
                market_type=market_type,
                max_positions=5,
                params={},
                rng=rng,
            )
        )
        self.secrets.append(key)
        leverage = Decimal(rng.choice([1, 2, 5, 20]) if market_type is MarketType.FUTURES else 1)
        for account in rng.sample(mine, rng.randint(1, len(mine))):
            capital = Decimal(rng.choice([300, 1000, 3000]))
            await db.run(lambda u, a=account, c=capital: self._link(u, user_id, made.id, a, leverage, c))
        self.strategies.append(Strategy(made.id, key, made.group_name, market_type, user_id))

    async def _link(
        self, unit: Any, user_id: int, strategy_id: int, account: Account, leverage: Decimal, capital: Decimal
    ) -> None:
        mine = Scope.of(user_id)
        await links.link_account(unit, mine, strategy_id, account.id, leverage=leverage)
        await links.set_capital(unit, mine, strategy_id, account.id, capital)

    def principal(self, user_id: int) -> Principal:
        scopes = frozenset({TokenScope.READ, TokenScope.TRADE})
        return Principal(user_id=user_id, username="x", role=Role.USER, scopes=scopes, token_id=1)

    def at_venue(self, account: Account) -> Any:
        return self.sites[account.exchange].exchange.accounts[key_of(account)]

    def database(self) -> Database:
        """Of our own, outside of all processes."""
        return Connections(self.path).database(self.clock)

    # Prices

    def move_price(self, site: SimSite, symbol: str, part: float) -> None:
        market = site.exchange.markets[symbol]
        tick = market.listing.instrument.tick
        price = floor_to(market.price * (Decimal(1) + Decimal(str(round(part, 5)))), tick)
        site.exchange.set_price(symbol, max(price, tick))


def key_of(account: Account) -> str:
    return f"key-{account.name}".ljust(40, "x")


def _short(api_key: str) -> str:
    return api_key.removeprefix("key-").rstrip("x")


def _listings(name: VenueName) -> Iterator[Listing]:
    for listing in listings_for(name):
        if listing.instrument.base in BASES and listing.instrument.quote == "USDT":
            yield listing


def _narrowed(manner: Any, fills_page: int) -> Any:
    return replace(manner, fills_page=fills_page)
