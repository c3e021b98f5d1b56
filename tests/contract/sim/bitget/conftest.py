"""The simulated exchange in this process, and an unmodified ccxt client that takes it for Bitget."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import ccxt.pro as ccxt
import pytest

from fillbook.market.core import MarketType, VenueName
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.server import SimServer, start

KEY, SECRET, PASSPHRASE = "key", "sl:1/a b#é", "open sesame"


def moved(urls: Any, host: str) -> Any:
    if isinstance(urls, dict):
        return {name: moved(url, host) for name, url in urls.items()}
    scheme, rest = urls.split("://", 1)
    path = "/" + rest.split("/", 1)[1] if "/" in rest else ""
    return ("ws" if scheme.startswith("ws") else "http") + f"://{host}{path}"


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    server = await start({VenueName.BITGET: 0})
    yield server
    await server.close()


@pytest.fixture
def exchange(sim: SimServer) -> Exchange:
    """The core, with an account that holds both wallets."""
    core = sim.exchange(VenueName.BITGET)
    account = core.open_account(KEY, SECRET, passphrase=PASSPHRASE)
    for market_type in MarketType:
        core.deposit(account, market_type, "USDT", Decimal(1_000_000))
    core.deposit(account, MarketType.SPOT, "BTC", Decimal(10))
    return core


@pytest.fixture
async def make_client(sim: SimServer, exchange: Exchange) -> AsyncIterator[Callable[..., Any]]:
    made = []

    def make(**changes: Any) -> Any:
        terms = {"apiKey": KEY, "secret": SECRET, "password": PASSPHRASE, "enableRateLimit": False}
        client = ccxt.bitget(terms | {"options": {"uta": False}} | changes)
        client.has["fetchCurrencies"] = False
        client.urls["api"] = moved(client.urls["api"], f"127.0.0.1:{sim.port(VenueName.BITGET)}")
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()


@pytest.fixture
async def client(make_client: Callable[..., Any]) -> Any:
    made = make_client()
    await made.load_markets()
    return made


class Tap:
    """Every raw message of a client's sockets, as it comes."""

    def __init__(self, client: Any) -> None:
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        original = client.handle_message

        def tapped(socket: Any, message: Any) -> Any:
            self.messages.put_nowait(message)
            return original(socket, message)

        client.handle_message = tapped

    async def row(self, channel: str, wanted: Callable[[dict[str, Any]], bool] = lambda row: True) -> Any:
        """The next row of a channel that is wanted."""
        async with asyncio.timeout(5):
            while True:
                message = await self.messages.get()
                if not isinstance(message, dict) or message.get("arg", {}).get("channel") != channel:
                    continue
                for row in message.get("data", ()):
                    if wanted(row):
                        return row


@pytest.fixture
async def tap(client: Any) -> AsyncIterator[Tap]:
    """A client that listens to all private channels of both products."""
    messages = Tap(client)
    watching = [
        asyncio.create_task(watch)
        for watch in (
            client.watch_orders(),
            client.watch_orders(params={"type": "swap"}),
            client.watch_orders(params={"trigger": True}),
            client.watch_orders(params={"type": "swap", "trigger": True}),
            client.watch_my_trades(params={"type": "swap"}),
            client.watch_my_trades(),
            client.watch_positions(),
            client.watch_balance(),
            client.watch_balance({"type": "swap"}),
        )
    ]
    subscribed = 0
    async with asyncio.timeout(5):
        while subscribed < len(watching):
            message = await messages.messages.get()
            subscribed += isinstance(message, dict) and message.get("event") == "subscribe"
    yield messages
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
