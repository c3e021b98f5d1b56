"""Each real adapter against the simulated exchange, over the wire, as an account of its own; and the simulated
exchange without a wire, which must answer alike.

Every test of this folder runs for every venue in `WIRES`, and for every venue without a wire unless it is marked
`wire`; those that take `symbol` run on spot and futures. What differs between venues comes from `WIRES` and from
`TRAITS`.
"""

import random
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any, cast

import pytest

from fillbook.accounts.core import Account, Credentials, Environment, PositionMode, TradingState
from fillbook.kernel.clock import Clock, SystemClock
from fillbook.market.core import MarketType, Side, VenueName, market_type_of
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderType
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.venues.ccxt.venues import CcxtVenues
from fillbook.venues.sim import server as sim
from fillbook.venues.sim.direct.manners import MANNERS
from fillbook.venues.sim.direct.site import SimSite
from fillbook.venues.sim.policies import POLICIES
from support.wires import WIRES, Place, WireFacts

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
        self.wire = WIRES[name]
        self.traits = TRAITS[name]
        self.venues = CcxtVenues(clock, random.Random(7), {(name, environment): server.url(name)})
        self.venue: Any = self.open(self.credentials())

    @property
    def exchange(self) -> Any:
        return self.server.exchange(self.name)

    @property
    def account(self) -> Any:
        return self.exchange.account(KEY)

    def credentials(self, api_key: str = KEY, secret: str = SECRET) -> Credentials:
        return Credentials(api_key, secret, self.wire.passphrase)

    def fault(self, kind: str, at: Place | None = None, **details: Any) -> None:
        place = {} if at is None else {"method": at[0], "path": at[1]}
        self.server.gateway(self.name).add_fault({"kind": kind, **place, **details})

    def refuse_the_clock(self, at: Place) -> str:
        """The next request there is told that its timestamp is wrong; returns the code."""
        status, code, message = self.wire.clock_refusal
        self.fault("refuse", at, status=status, code=code, msg=message)
        return code

    def requests(self) -> list[Any]:
        return list(self.server.gateway(self.name).requests)

    def asked(self, at: Place) -> list[Any]:
        """The requests that went there."""
        return [one for one in self.requests() if one.method == at[0] and re.search(at[1], one.path)]

    def ref(self, request: OrderRequest) -> OrderRef:
        """A request's order by our id, in the book where this venue keeps it."""
        book = self.traits.book_of(market_type_of(request.symbol), request.order_type)
        return OrderRef(request.symbol, request.client_order_id, None, book)

    def trigger(self, request: OrderRequest) -> None:
        """Move the price a little beyond a stop's trigger."""
        assert request.stop_price is not None
        beyond = Decimal(500) if request.trigger_rises else Decimal(-500)
        self.exchange.set_price(request.symbol, request.stop_price + beyond)

    async def found(self, request: OrderRequest) -> OrderReport:
        """What the venue's record says of a request: an answer to an act may name no more than ids."""
        report = await self.venue.find_order(self.ref(request))
        assert report is not None
        return cast(OrderReport, report)

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

    async def close(self) -> None:
        await self.venue.close()
        await self.venues.close()
        await self.server.close()


class WirelessDesk(Desk):
    """The simulated exchange in this process: the same questions, and the port's methods in place of requests."""

    def __init__(self, name: VenueName) -> None:
        self.name = name
        self.site = SimSite(name, SystemClock())
        self.traits = TRAITS[name]
        self.wire = WireFacts(
            place=("ACT", "^place "),
            find=("READ", "^find_order "),
            cancel=("ACT", "^cancel "),
            amend=("ACT", "^amend "),
            balances=("READ", "^balances "),
            instruments=("READ", "^instruments "),
            clock=("READ", "^server_time "),
            clock_refusal=(400, "outside_window", "The request's time is outside of the receive window."),
            leverage_refusal="leverage_range",
            feeds=frozenset(MANNERS[name].feeds or ("spot", "futures")),
            page_sizes=(),
            answers_with_fills=True,
            reads_on_by_id=True,
            shares_one_wallet=POLICIES[name].has_unified_wallet,
        )
        self.environment = Environment.PAPER
        self.venue = self.open(self.credentials())

    @property
    def exchange(self) -> Any:
        return self.site.exchange

    def fault(self, kind: str, at: Place | None = None, **details: Any) -> None:
        place = {} if at is None else {"method": at[0], "path": at[1]}
        self.site.fault(kind, **place, **details)

    def requests(self) -> list[Any]:
        return list(self.site.line.calls)

    def open(self, credentials: Credentials, **changes: Any) -> Any:
        return self.site.open(replace(ACCOUNT, exchange=self.name, **changes), credentials)

    async def close(self) -> None:
        await self.venue.close()


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


def stop(symbol: str, **changes: Any) -> OrderRequest:
    """A stop that waits: on futures a buy above the price, on spot a sell below it (not every venue's spot buys
    at market by quantity)."""
    buys = market_type_of(symbol) is MarketType.FUTURES
    terms: dict[str, Any] = {
        "order_type": OrderType.STOP_MARKET,
        "side": Side.BUY if buys else Side.SELL,
        "stop_price": Decimal(65_000 if buys else 55_000),
    }
    if changes.get("order_type") is OrderType.STOP_LIMIT:
        terms["price"] = Decimal(66_000 if buys else 54_000)
    return order(symbol, **(terms | changes))


@pytest.fixture
def new_stop() -> Callable[..., OrderRequest]:
    return stop


@pytest.fixture
def new_order() -> Callable[..., OrderRequest]:
    return order


@pytest.fixture(params=[*WIRES, *(f"{name}-without-wire" for name in VenueName)])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    name, _, is_wireless = request.param.partition("-")
    if is_wireless and request.node.get_closest_marker("wire"):
        pytest.skip("about the wire")
    venue = VenueName(name)
    if is_wireless:
        desk: Desk = WirelessDesk(venue)
    else:
        desk = Desk(await sim.start({venue: 0}), venue, SystemClock(), Environment.PAPER)
    exchange = desk.exchange
    account = exchange.open_account(KEY, SECRET, passphrase=desk.wire.passphrase)
    exchange.deposit(account, MarketType.SPOT, "USDT", Decimal(100_000))
    exchange.deposit(account, MarketType.SPOT, "BTC", Decimal(1))
    exchange.deposit(account, MarketType.FUTURES, "USDT", Decimal(100_000))
    yield desk
    await desk.close()


@pytest.fixture(params=[SPOT, PERP], ids=["spot", "futures"])
def symbol(request: pytest.FixtureRequest) -> str:
    return str(request.param)
