"""The real path in one process: engine, intake and ccxt adapters against the simulated exchange over the wire."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from fillbook.accounts import service as accounts
from fillbook.accounts.core import Account, Credentials, Environment, KeyPermissions
from fillbook.accounts.service import TestedKey
from fillbook.accounts.tables import sync_cursors
from fillbook.accounts.vault import Vault
from fillbook.fleet.events import EventSignal
from fillbook.identity import service as identity
from fillbook.identity.core import Principal, Role, TokenScope
from fillbook.kernel.clock import SystemClock
from fillbook.kernel.ids import RowIds
from fillbook.kernel.scope import EVERYONE, Scope
from fillbook.ledger.tables import fills, positions, strategy_positions, trades
from fillbook.market import service as market
from fillbook.market.core import MarketType, VenueName
from fillbook.orders.tables import orders
from fillbook.signals.service import Accepted, Intake, RawAlert, WaitedFor
from fillbook.signals.waiting import OutcomeBell
from fillbook.storage.unit import Database
from fillbook.strategies import links
from fillbook.strategies import service as strategies
from fillbook.strategies.tables import strategy_accounts
from fillbook.trading.desk import EngineDesk
from fillbook.trading.engine import Engine
from fillbook.venues.ccxt.venues import CcxtVenues
from fillbook.venues.sim import server as sim
from support.audit import Audit
from support.wires import WIRES, WireFacts

BINANCE = VenueName.BINANCE
PERP = "BTC/USDT:USDT"
SPOT = "BTC/USDT"
MASTER_KEY = "M" * 43 + "="


@dataclass
class Strategy:
    id: int
    key: str
    group_name: str


@dataclass
class World:
    """`engine` may be stopped or killed, and started again on the same database."""

    db: Database
    server: sim.SimServer
    clock: SystemClock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=lambda: random.Random(11))
    bell: OutcomeBell = field(default_factory=OutcomeBell)
    vault: Vault = field(default_factory=lambda: Vault([MASTER_KEY]))
    user_id: int = 0
    starts: int = 0
    venue: VenueName = BINANCE
    engine: Engine | None = None
    venues: CcxtVenues | None = None

    @property
    def exchange(self) -> Any:
        return self.server.exchange(self.venue)

    @property
    def wire(self) -> WireFacts:
        return WIRES[self.venue]

    def key(self, account: Account) -> str:
        return key_of(account.name)

    def venue_account(self, account: Account) -> Any:
        return self.exchange.account(key_of(account.name))

    def fault(self, kind: str, **details: Any) -> None:
        self.server.gateway(self.venue).add_fault({"kind": kind, **details})

    def calm(self) -> None:
        self.server.gateway(self.venue).faults.clear()

    async def start(self, *, owns_directory: bool = True, holder: str | None = None) -> Engine:
        """A new engine on the database, as a new process would make one."""
        self.starts += 1
        urls = {(self.venue, environment): self.server.url(self.venue) for environment in Environment}
        self.venues = CcxtVenues(self.clock, self.rng, urls)
        self.engine = Engine(
            self.db,
            self.clock,
            self.rng,
            self.vault,
            self.venues.open,
            holder=holder or f"test:{self.starts}",
            installation="test",
            owns_directory=owns_directory,
            signal_moved=self.bell.ring,
            events=EventSignal(),
        )
        await self.engine.start()
        return self.engine

    async def stop(self) -> None:
        if self.engine is not None:
            await self.engine.stop()
            self.engine = None
        if self.venues is not None:
            await self.venues.close()
            self.venues = None

    async def user(self, username: str = "alice") -> int:
        async def make(unit: Any) -> int:
            user = await identity.create_user(
                unit, email=f"{username}@example.com", username=username, password=None, role=Role.USER
            )
            return user.id

        return await self.db.run(make)

    def principal(self, user_id: int | None = None) -> Principal:
        return Principal(
            user_id=user_id or self.user_id,
            username="alice",
            role=Role.USER,
            scopes=frozenset({TokenScope.READ, TokenScope.TRADE}),
            token_id=1,
        )

    @property
    def desk(self) -> EngineDesk:
        assert self.engine is not None
        return EngineDesk(self.db, self.clock, self.engine)

    async def account(self, name: str, usdt: str = "10000", **balances: str) -> Account:
        """An account of ours and its counterpart at the exchange, which the engine has taken over."""
        account = await self.account_at_venue(name, usdt, **balances)
        if self.engine is not None:
            await self.engine.tenure.turn()
        return account

    async def account_at_venue(
        self,
        name: str,
        usdt: str = "10000",
        *,
        environment: Environment = Environment.DEMO,
        **balances: str,
    ) -> Account:
        """An account of ours and its counterpart at the exchange; the engine finds it at its next turn."""
        at_venue = self.exchange.open_account(key_of(name), secret_of(name), passphrase=self.wire.passphrase)
        for market_type in MarketType:
            self.exchange.deposit(at_venue, market_type, "USDT", Decimal(usdt))
            for asset, amount in balances.items():
                self.exchange.deposit(at_venue, market_type, asset, Decimal(amount))
        return await self.account_row(name, environment)

    async def account_row(self, name: str, environment: Environment = Environment.DEMO) -> Account:
        credentials = Credentials(key_of(name), secret_of(name), self.wire.passphrase)
        key = TestedKey(credentials, KeyPermissions(True, True, True, False, None))
        return await self.db.run(
            lambda unit: accounts.create_account(
                unit,
                self.user_id,
                name=name,
                exchange=self.venue,
                environment=environment,
                key=key,
                vault=self.vault,
                rng=self.rng,
            )
        )

    def credentials(self, account: Account) -> Credentials:
        return Credentials(key_of(account.name), secret_of(account.name), self.wire.passphrase)

    async def links(self) -> list[Any]:
        return await self.rows(strategy_accounts)

    async def strategy(
        self, *linked: Account, market: MarketType = MarketType.FUTURES, capital: str = "1000", **terms: Any
    ) -> Strategy:
        """A webhook strategy, linked to accounts on equal terms, with capital."""
        number = self.rng.randrange(10**9)
        params = terms.pop("params", {})
        max_positions = terms.pop("max_positions", 5)
        made, key = await self.db.run(
            lambda unit: strategies.create_strategy(
                unit,
                self.user_id,
                name=f"s{number}",
                group_name=f"g{number}",
                market_type=market,
                max_positions=max_positions,
                params=params,
                rng=self.rng,
            )
        )
        for account in linked:
            await self.link(made.id, account, capital, **terms)
        return Strategy(made.id, key, made.group_name)

    async def link(self, strategy_id: int, account: Account, capital: str, **terms: Any) -> None:
        mine = Scope.of(self.user_id)

        async def make(unit: Any) -> None:
            given = {name: Decimal(str(v)) if name != "max_symbols" else v for name, v in terms.items()}
            await links.link_account(unit, mine, strategy_id, account.id, **given)
            await links.set_capital(unit, mine, strategy_id, account.id, Decimal(capital))

        await self.db.run(make)

    async def set_active(self, account: Account, is_active: bool) -> None:
        mine = Scope.of(self.user_id)
        changes = {"is_active": is_active}
        await self.db.run(
            lambda unit: accounts.update_account(unit, mine, account.id, expected_version=None, **changes)
        )
        if self.engine is not None:
            await self.engine.tenure.turn()

    async def accept(self, strategy: Strategy, **alert: Any) -> Accepted:
        """Deliver an alert, as HTTP would."""
        body = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT", **alert}
        raw = json.dumps(body).encode()
        return await self.intake.accept(RawAlert(raw, len(raw), "127.0.0.1"))

    async def alert(self, strategy: Strategy, **alert: Any) -> WaitedFor:
        """Deliver an alert and wait for its order logs."""
        return await self.intake.wait_for_outcome(await self.accept(strategy, **alert))

    @property
    def intake(self) -> Intake:
        wake = self.engine.wake if self.engine is not None else (lambda *_: None)
        return Intake(self.db, self.clock, RowIds(self.clock, self.rng), wake, self.bell)

    async def rows(self, table: sa.Table, **where: Any) -> list[Any]:
        async with self.db.read() as unit:
            select = sa.select(table).order_by(table.c.id)
            for name, value in where.items():
                select = select.where(table.c[name] == value)
            return list(await unit.all(select))

    async def orders(self, **where: Any) -> list[Any]:
        return await self.rows(orders, **where)

    async def fills(self, **where: Any) -> list[Any]:
        return await self.rows(fills, **where)

    async def positions(self, **where: Any) -> list[Any]:
        return await self.rows(strategy_positions, **where)

    async def net_positions(self, **where: Any) -> list[Any]:
        return await self.rows(positions, **where)

    async def trades(self, **where: Any) -> list[Any]:
        return await self.rows(trades, **where)

    async def cursors(self, account: Account) -> list[Any]:
        async with self.db.read() as unit:
            return list(
                await unit.all(sa.select(sync_cursors).where(sync_cursors.c.account_id == account.id))
            )

    async def accounts(self) -> list[Account]:
        async with self.db.read() as unit:
            return await accounts.list_accounts(unit, EVERYONE)

    async def until(self, condition: Callable[[], Any], timeout_s: float = 15.0) -> None:
        """Wait until something holds; fails when it does not in time."""
        async with asyncio.timeout(timeout_s):
            while True:
                held = condition()
                if asyncio.iscoroutine(held):
                    held = await held
                if held:
                    return
                await asyncio.sleep(0.02)

    async def quiet(self) -> None:
        """Wait until nothing is under way: no open delivery, no order without an answer, no missing fill."""

        async def nothing_open() -> bool:
            for account in await self.accounts():
                if await self.disagreements(account):
                    return False
            return True

        await self.until(nothing_open)
        assert await self.faults() == []

    async def faults(self) -> list[str]:
        """What in the database is not what the fills fold to."""
        instruments = {}
        async with self.db.read() as unit:
            for environment in Environment:
                instruments |= await market.instruments_in_force(unit, self.venue, environment)
        return (await Audit.read(self.db, instruments)).faults()

    async def disagreements(self, account: Account) -> list[str]:
        """What differs between our books of an account and the exchange's own."""
        found: list[str] = []
        at_venue = self.venue_account(account)
        theirs = {
            (
                fill.symbol,
                self.wire.order_id(at_venue.orders[fill.order_id]),
                self.wire.fill_id(fill),
            ): (fill.price, fill.quantity, fill.fee)
            for fill in at_venue.fills
        }
        ours = {
            (row.symbol, row.exchange_order_id, row.venue_fill_id): (row.price, row.quantity, row.fee)
            for row in await self.fills(account_id=account.id)
            if row.superseded_by_id is None
        }
        found += [
            f"fill {key}: exchange {theirs.get(key)}, books {ours.get(key)}"
            for key in theirs.keys() | ours.keys()
            if theirs.get(key) != ours.get(key)
        ]
        net = {
            row.symbol: row.quantity
            for row in await self.net_positions(account_id=account.id)
            if row.quantity
        }
        held = {symbol: quantity for symbol, quantity in venue_positions(at_venue).items() if quantity}
        if {s: q for s, q in net.items() if ":" in s} != held:
            found.append(f"positions: exchange {held}, books {net}")
        live = {str(order.client_order_id) for order in at_venue.orders.values() if order.is_open}
        known = {
            row.client_order_id
            for row in await self.orders(account_id=account.id)
            if row.status in ("NEW", "PARTIALLY_FILLED", "PENDING_CANCEL")
        }
        if live != known:
            found.append(f"open orders: exchange {live}, books {known}")
        return found


def venue_positions(at_venue: Any) -> dict[str, Decimal]:
    held: dict[str, Decimal] = {}
    for position in at_venue.positions.values():
        held[position.symbol] = held.get(position.symbol, Decimal(0)) + position.quantity
    return held


def key_of(name: str) -> str:
    return f"key-of-{name}".ljust(40, "x")


def secret_of(name: str) -> str:
    return f"secret-of-{name}".ljust(40, "x")


@asynccontextmanager
async def open_world(url: str, *, trades: bool = True, venue: VenueName = BINANCE) -> AsyncIterator[World]:
    """A simulated exchange and (if it `trades`) an engine on an empty, migrated database."""
    clock = SystemClock()
    server = await sim.start({venue: 0})
    db = Database.connect(url, clock)
    world = World(db, server, clock, venue=venue)
    try:
        world.user_id = await world.user()
        if trades:
            await world.start()
        yield world
    finally:
        await world.stop()
        await server.close()
        await db.close()
