"""Each real adapter against the simulated exchange, over the wire, as an account of its own.

Every test of this folder runs for every venue in `VENUES`; those that take `symbol` run on spot and futures.
"""

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from fillbook.accounts.core import Account, Credentials, Environment, PositionMode, TradingState
from fillbook.kernel.clock import Clock, SystemClock
from fillbook.market.core import MarketType, Side, VenueName
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderType
from fillbook.venues.ccxt.venues import CcxtVenues
from fillbook.venues.sim import server as sim

VENUES = [VenueName.BINANCE]
SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
KEY, SECRET = "k" * 64, "s" * 64
ACCOUNT = Account(
    id=1,
    uid="acc",
    user_id=1,
    name="test",
    exchange=VenueName.BINANCE,
    environment=Environment.PAPER,
    market_types=(MarketType.SPOT, MarketType.FUTURES),
    position_mode=PositionMode.ONE_WAY,
    trading_state=TradingState.ACTIVE,
    trading_state_reason=None,
    is_active=True,
)


class Desk:
    """One account's venue, the exchange behind it, and faults on demand."""

    def __init__(
        self, server: sim.SimServer, name: VenueName, clock: Clock, environment: Environment
    ) -> None:
        self.server = server
        self.name = name
        self.environment = environment
        self.venues = CcxtVenues(clock, random.Random(7), {(name, environment): server.url(name)})
        self.venue: Any = self.open(Credentials(KEY, SECRET))

    @property
    def exchange(self) -> Any:
        return self.server.exchange(self.name)

    @property
    def account(self) -> Any:
        return self.exchange.account(KEY)

    def fault(self, kind: str, **details: Any) -> None:
        self.server.gateway(self.name).add_fault({"kind": kind, **details})

    def requests(self) -> list[Any]:
        return list(self.server.gateway(self.name).requests)

    def open(self, credentials: Credentials, **changes: Any) -> Any:
        terms = {"exchange": self.name, "environment": self.environment, **changes}
        return self.venues.open(replace(ACCOUNT, **terms), credentials)

    def elsewhere(self, clock: Clock, environment: Environment = Environment.PAPER) -> "Desk":
        """The same account from another machine, with a clock of its own."""
        return Desk(self.server, self.name, clock, environment)

    async def rest(self, symbol: str, **changes: Any) -> OrderRef:
        """A limit order far below the price that rests in the book."""
        request = order(symbol, **changes)
        outcome = await self.venue.place(request)
        return OrderRef(symbol, request.client_order_id, outcome.report.exchange_order_id, Book.NORMAL)


_numbers = count(1)


def order(symbol: str, **changes: Any) -> OrderRequest:
    """A resting limit buy, unless told otherwise."""
    terms: dict[str, Any] = {
        "client_order_id": f"fbtest{next(_numbers):08d}",
        "symbol": symbol,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Decimal("0.01"),
    }
    if changes.get("order_type", OrderType.LIMIT) is OrderType.LIMIT:
        terms["price"] = Decimal(50_000)
    return OrderRequest(**(terms | changes))


@pytest.fixture
def new_order() -> Callable[..., OrderRequest]:
    return order


@pytest.fixture(params=VENUES)
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    server = await sim.start({request.param: 0})
    exchange = server.exchange(request.param)
    account = exchange.open_account(KEY, SECRET)
    exchange.deposit(account, MarketType.SPOT, "USDT", Decimal(100_000))
    exchange.deposit(account, MarketType.SPOT, "BTC", Decimal(1))
    exchange.deposit(account, MarketType.FUTURES, "USDT", Decimal(100_000))
    desk = Desk(server, request.param, SystemClock(), Environment.PAPER)
    yield desk
    await desk.venue.close()
    await desk.venues.close()
    await server.close()


@pytest.fixture(params=[SPOT, PERP], ids=["spot", "futures"])
def symbol(request: pytest.FixtureRequest) -> str:
    return str(request.param)
