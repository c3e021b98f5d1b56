"""The simulated exchange in this process, an unmodified ccxt client that takes it for Bybit, and bare sockets."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.pro as ccxt
import orjson
import pytest

from fillbook.market.core import MarketType, VenueName
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.server import SimServer, start

KEY, SECRET = "key", "secret"


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    server = await start({VenueName.BYBIT: 0})
    yield server
    await server.close()


@pytest.fixture
def host(sim: SimServer) -> str:
    return f"127.0.0.1:{sim.port(VenueName.BYBIT)}"


@pytest.fixture
def exchange(sim: SimServer) -> Exchange:
    """The core, with an account whose one wallet has a million and ten bitcoins."""
    core = sim.exchange(VenueName.BYBIT)
    account = core.open_account(KEY, SECRET)
    core.deposit(account, MarketType.SPOT, "USDT", Decimal(1_000_000))
    core.deposit(account, MarketType.SPOT, "BTC", Decimal(10))
    return core


def moved(urls: Any, host: str) -> Any:
    """The same addresses at another host."""
    if isinstance(urls, dict):
        return {name: moved(url, host) for name, url in urls.items()}
    scheme, _, rest = urls.partition("://")
    path = "/" + rest.partition("/")[2] if "/" in rest else ""
    return f"{'ws' if scheme.startswith('ws') else 'http'}://{host}{path}"


@pytest.fixture
async def make_client(host: str, exchange: Exchange) -> AsyncIterator[Callable[..., Any]]:
    made = []

    def make(**changes: Any) -> Any:
        terms = {"apiKey": KEY, "secret": SECRET, "enableRateLimit": False}
        client = ccxt.bybit(terms | {"options": {"fetchMarkets": {"types": ["spot", "linear"]}}} | changes)
        client.has["fetchCurrencies"] = False
        client.urls["api"] = moved(client.urls["api"], host)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()


@pytest.fixture
async def client(make_client: Callable[..., Any]) -> Any:
    client = make_client()
    await client.load_markets()
    return client


class Socket:
    """A bare WebSocket of a client of our own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, operation: str, *arguments: str, **more: Any) -> dict[str, Any]:
        """Send a request; returns its answer, whatever comes in between."""
        await self._socket.send_json({"op": operation, "args": list(arguments), **more})
        return await self.until(lambda message: "topic" not in message)

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while True:
                message: dict[str, Any] = orjson.loads(await self._socket.receive_str())
                if wanted(message):
                    return message

    async def topic(self, name: str, **wanted: Any) -> dict[str, Any]:
        """The first message of a topic whose first row has these values."""

        def is_wanted(message: dict[str, Any]) -> bool:
            if message.get("topic") != name:
                return False
            row = message["data"][0] if isinstance(message["data"], list) else message["data"]
            return all(row.get(key) == value for key, value in wanted.items())

        return await self.until(is_wanted)

    async def login(self, key: str = KEY, secret: str = SECRET, expires: str = "99999999999999") -> Any:
        signed = hmac.new(secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
        return await self.say("auth", key, expires, signed)


@pytest.fixture
async def connect(host: str, exchange: Exchange) -> AsyncIterator[Callable[[str], Awaitable[Socket]]]:
    """Opens bare sockets by path."""
    async with aiohttp.ClientSession() as session:

        async def open_socket(path: str) -> Socket:
            return Socket(await session.ws_connect(f"ws://{host}/v5/{path}"))

        yield open_socket


@pytest.fixture
async def private(connect: Callable[[str], Awaitable[Socket]]) -> Socket:
    """Logged in and subscribed to everything private."""
    socket = await connect("private")
    assert (await socket.login())["success"]
    assert (await socket.say("subscribe", "order", "execution", "position", "wallet"))["success"]
    return socket
