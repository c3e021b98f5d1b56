"""A core with two funded accounts, no wire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from fillbook.market.core import MarketType, Side, VenueName
from fillbook.orders.core.order import OrderType, TimeInForce
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.book import Depth
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.listings import listings_for
from fillbook.venues.sim.core.vocabulary import Event, NewOrder, SimOrder

SPOT = "BTC/USDT"
PERP = "BTC/USDT:USDT"
START_MS = 1_700_000_000_000


@dataclass
class Floor:
    """The exchange, its clock, and what it told."""

    exchange: Exchange
    alice: Account
    bob: Account
    events: list[Event] = field(default_factory=list)

    def order(
        self, account: Account, side: Side, quantity: str, price: str | None = None, **more: Any
    ) -> SimOrder:
        """A limit order when a price is given, else a market order, on spot unless a symbol is given."""
        given = {"symbol": SPOT, "order_type": OrderType.LIMIT if price else OrderType.MARKET} | more
        return self.exchange.place(
            account,
            NewOrder(
                side=side,
                quantity=Decimal(quantity),
                price=Decimal(price) if price else None,
                **given,
            ),
        )

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def make_floor(depth: Depth | None = None, started_ms: int = START_MS) -> Floor:
    now = [started_ms]

    def now_ms() -> int:
        now[0] += 1
        return now[0]

    exchange = Exchange(listings_for(VenueName.BINANCE), now_ms=now_ms, depth=depth)
    accounts = [exchange.open_account(name, "secret") for name in ("alice", "bob")]
    for account in accounts:
        for market_type in MarketType:
            exchange.deposit(account, market_type, "USDT", Decimal(1_000_000))
        exchange.deposit(account, MarketType.SPOT, "BTC", Decimal(10))
    floor = Floor(exchange, *accounts)
    exchange.subscribe(floor.events.append)
    return floor


@pytest.fixture(scope="session")
def new_floor() -> Callable[..., Floor]:
    """Makes floors, for tests that need more than one."""
    return make_floor


@pytest.fixture
def floor() -> Floor:
    return make_floor()


@pytest.fixture
def thin_floor() -> Callable[[str], Floor]:
    """A floor whose market maker quotes one level of the given quantity and does not refill."""
    return lambda quantity: make_floor(Depth(levels=1, level_quantity=Decimal(quantity), refills=False))


@pytest.fixture
def post_only() -> dict[str, TimeInForce]:
    return {"time_in_force": TimeInForce.POST_ONLY}
