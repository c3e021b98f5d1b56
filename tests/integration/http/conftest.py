"""The whole HTTP application on a real SQLite file, with a desk that only writes down what it is asked."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI

from fillbook.accounts.core import Credentials, Environment, KeyPermissions
from fillbook.accounts.ports import KeyProbe
from fillbook.accounts.tables import accounts
from fillbook.accounts.vault import Vault
from fillbook.app.web.application import create_app
from fillbook.app.web.health import TradingReport, TradingStatus
from fillbook.identity.core import Principal, Role, TokenScope
from fillbook.identity.service import create_token, create_user
from fillbook.kernel.errors import NotFound
from fillbook.kernel.ids import RowIds
from fillbook.kernel.tokens import hash_token
from fillbook.market.core import VenueName
from fillbook.market.tables import instruments
from fillbook.orders.core.order import Order
from fillbook.signals.service import Intake
from fillbook.storage.unit import Database
from fillbook.strategies.tables import strategies, strategy_accounts
from fillbook.trading.desk_port import ManualOrder, TradingDesk

KEY = "whk-0123456789abcdefghij"
RNG_SEED = 11


@dataclass
class RecordingDesk:
    """Knows no orders: every act is noted and then finds nothing."""

    asked: list[Any] = field(default_factory=list)

    async def place_manual_order(self, principal: Principal, order: ManualOrder) -> Order:
        self.asked.append(order)
        raise NotFound("There is no such account.")

    async def cancel_order(self, principal: Principal, order_id: int) -> int:
        self.asked.append(order_id)
        raise NotFound("There is no such order.")

    async def close_position(self, principal: Principal, position_id: int) -> Order:
        self.asked.append(position_id)
        raise NotFound("There is no such position.")


@dataclass
class AnsweringProbe:
    """A venue that says of every key what the test wants it to say."""

    permissions_of_key: KeyPermissions

    async def permissions(
        self, exchange: VenueName, environment: Environment, credentials: Credentials, egress: str | None
    ) -> KeyPermissions:
        return self.permissions_of_key


class IdleTrading:
    async def report(self) -> TradingReport:
        return TradingReport(False, "Another server holds the data directory.")


@dataclass
class World:
    """A server with one trader, who has a futures strategy on two accounts, and a stranger."""

    app: FastAPI
    database: Database
    client: httpx.AsyncClient
    intake: Intake
    clock: Any
    wakes: list[tuple[int, tuple[int, ...]]]
    desk: RecordingDesk
    probe: AnsweringProbe
    trader_token: str
    stranger_token: str
    trader_id: int
    strategy_id: int
    account_ids: tuple[int, ...]

    def as_trader(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.trader_token}"}

    def as_stranger(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.stranger_token}"}


@pytest.fixture
async def world(sqlite_database: Database, clock: Any) -> AsyncIterator[World]:
    rng = random.Random(RNG_SEED)
    wakes: list[tuple[int, tuple[int, ...]]] = []
    intake = Intake(
        sqlite_database,
        clock,
        RowIds(clock, rng),
        wake=lambda signal_id, account_ids: wakes.append((signal_id, tuple(account_ids))),
        wait_limit_s=0.05,
    )
    desk, probe = RecordingDesk(), AnsweringProbe(KeyPermissions(True, True, True, False, None))
    app = create_app(
        {
            Database: sqlite_database,
            Intake: intake,
            TradingDesk: desk,
            TradingStatus: IdleTrading(),
            KeyProbe: probe,
            Vault: Vault([Fernet.generate_key().decode()]),
            random.Random: rng,
        }
    )
    trader_id, trader_token = await make_person(sqlite_database, "trader", rng)
    _, stranger_token = await make_person(sqlite_database, "stranger", rng)
    account_ids = await make_accounts(sqlite_database, trader_id)
    strategy_id = await make_strategy(sqlite_database, trader_id, account_ids)
    await make_instruments(sqlite_database, ("BTC/USDT:USDT", "ETH/USDT:USDT"))
    transport = httpx.ASGITransport(app=app, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://fillbook.test") as client:
        yield World(
            app,
            sqlite_database,
            client,
            intake,
            clock,
            wakes,
            desk,
            probe,
            trader_token,
            stranger_token,
            trader_id,
            strategy_id,
            account_ids,
        )


async def make_person(database: Database, name: str, rng: random.Random) -> tuple[int, str]:
    async with database.unit() as unit:
        user = await create_user(
            unit, email=f"{name}@example.org", username=name, password=None, role=Role.USER
        )
        scopes = (TokenScope.READ, TokenScope.TRADE)
        _, token = await create_token(unit, user, name="tests", scopes=scopes, rng=rng)
    return user.id, token


async def make_accounts(database: Database, user_id: int) -> tuple[int, ...]:
    async with database.unit() as unit:
        numbers = [
            await unit.insert(
                accounts,
                {
                    "uid": f"uid{place}",
                    "user_id": user_id,
                    "name": f"Binance {place}",
                    "exchange": "binance",
                    "environment": "paper",
                    "market_types": ["spot", "futures"],
                },
            )
            for place in (1, 2)
        ]
    return tuple(numbers)


async def make_strategy(database: Database, user_id: int, account_ids: tuple[int, ...]) -> int:
    async with database.unit() as unit:
        strategy_id = await unit.insert(
            strategies,
            {
                "code6": "abc123",
                "user_id": user_id,
                "name": "Trend",
                "group_name": "trend",
                "market_type": "futures",
                "webhook_key": hash_token(KEY),
                "webhook_key_prefix": KEY[:8],
                "params": {},
            },
        )
        for account_id in account_ids:
            await unit.insert(
                strategy_accounts,
                {
                    "strategy_id": strategy_id,
                    "account_id": account_id,
                    "user_id": user_id,
                    "environment": "paper",
                },
            )
    return strategy_id


async def make_instruments(database: Database, symbols: tuple[str, ...]) -> None:
    async with database.unit() as unit:
        for symbol in symbols:
            pair, _, settle = symbol.partition(":")
            base, _, quote = pair.partition("/")
            await unit.insert(
                instruments,
                {
                    "venue": "binance",
                    "symbol": symbol,
                    "market_type": "futures",
                    "base": base,
                    "quote": quote,
                    "settle": settle,
                    "tick": Decimal("0.1"),
                    "lot": Decimal("0.001"),
                    "valid_from": unit.now,
                },
            )


Send = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def send(world: World) -> Send:
    """Post an alert; keyword arguments change the fields of a plain market order."""

    async def post(**changes: Any) -> httpx.Response:
        fields = {
            "group_name": "trend",
            "token": KEY,
            "symbol": "BTC/USDT",
            "order_type": "MARKET",
            "side": "buy",
            "qty_per": 10,
        }
        body = {name: value for name, value in {**fields, **changes}.items() if value is not ...}
        return await world.client.post("/api/webhook", json=body)

    return post
