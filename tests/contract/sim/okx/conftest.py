"""The simulated exchange in this process, and an unmodified ccxt client that takes it for OKX."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.pro as ccxt
import pytest

from fillbook.market.core import MarketType, VenueName
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.server import SimServer, start

KEY, SECRET, PASSPHRASE = "key", "sl:1/a b#é", "open sesame"


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    server = await start({VenueName.OKX: 0})
    yield server
    await server.close()


@pytest.fixture
def host(sim: SimServer) -> str:
    return f"127.0.0.1:{sim.port(VenueName.OKX)}"


@pytest.fixture
def exchange(sim: SimServer) -> Exchange:
    """The core, with an account whose one wallet has a million and ten bitcoins."""
    core = sim.exchange(VenueName.OKX)
    account = core.open_account(KEY, SECRET, passphrase=PASSPHRASE)
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
        terms = {"apiKey": KEY, "secret": SECRET, "password": PASSPHRASE, "enableRateLimit": False}
        client = ccxt.okx(terms | {"options": {"fetchMarkets": {"types": ["spot", "swap"]}}} | changes)
        client.has["fetchCurrencies"] = False
        client.urls["api"] = moved(client.urls["api"], host)
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
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        original = client.handle_message

        def tapped(socket: Any, message: Any) -> Any:
            if isinstance(message, dict) and "data" in message:
                self.messages.put_nowait(message)
            return original(socket, message)

        client.handle_message = tapped

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Messages up to and including the first wanted one."""
        seen: list[dict[str, Any]] = []
        async with asyncio.timeout(5):
            while not seen or not wanted(seen[-1]):
                seen.append(await self.messages.get())
        return seen

    async def row(self, channel: str, **wanted: Any) -> dict[str, Any]:
        """The first row of a channel with these values."""

        def is_wanted(message: dict[str, Any]) -> bool:
            row = message["data"][0]
            return message["arg"]["channel"] == channel and all(row.get(k) == v for k, v in wanted.items())

        found: dict[str, Any] = (await self.until(is_wanted))[-1]["data"][0]
        return found


@pytest.fixture
async def listening(sim: SimServer) -> AsyncIterator[Callable[..., Awaitable[Tap]]]:
    """Watch private channels until the exchange has them; gives every message."""
    watching: list[asyncio.Task[Any]] = []

    async def listen(client: Any, *watches: Callable[[], Awaitable[Any]]) -> Tap:
        tap = Tap(client)
        for watch in watches or (client.watch_orders,):
            watching.append(asyncio.ensure_future(watch()))
        account = sim.exchange(VenueName.OKX).account(KEY)
        streams = sim.gateway(VenueName.OKX).wire
        async with asyncio.timeout(5):
            while len(streams.outlets(account.key)) == 0 or not streams.listeners(account.key):
                await client.fetch_time()
        return tap

    yield listen
    for task in watching:
        task.cancel()


@pytest.fixture
async def socket(host: str) -> AsyncIterator[Callable[[str], Awaitable[aiohttp.ClientWebSocketResponse]]]:
    """Opens bare sockets by path."""
    async with aiohttp.ClientSession() as session:

        async def connect(path: str) -> aiohttp.ClientWebSocketResponse:
            return await session.ws_connect(f"ws://{host}/ws/v5/{path}")

        yield connect
