"""The simulated exchange in this process, and unmodified ccxt clients that take it for Binance."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
import ccxt.pro as ccxt
import orjson
import pytest

from fillbook.market.core import VenueName
from fillbook.venues.sim.server import SimServer, start

KEY, SECRET = "key", "secret"


class Control:
    """The exchange's own control, over HTTP as a test of another process would use it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def post(self, page: str, **body: Any) -> Any:
        async with self._session.post(f"{self._url}/_sim/{page}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return orjson.loads(await answer.read())

    async def get(self, page: str, **query: str) -> Any:
        async with self._session.get(f"{self._url}/_sim/{page}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return orjson.loads(await answer.read())

    async def delete(self, page: str) -> None:
        async with self._session.delete(f"{self._url}/_sim/{page}") as answer:
            assert answer.status == 200


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    server = await start({VenueName.BINANCE: 0})
    yield server
    await server.close()


@pytest.fixture
async def control(sim: SimServer) -> AsyncIterator[Control]:
    async with aiohttp.ClientSession() as session:
        control = Control(session, sim.url(VenueName.BINANCE))
        balances = {"USDT": "1000000", "BTC": "10"}
        await control.post("accounts", api_key=KEY, api_secret=SECRET, balances=balances)
        yield control


def client_at(host: str, kind: type, **more: Any) -> Any:
    """A ccxt client pointed at a host. Only the choice of the error table is told that this is Binance."""

    class Local(kind):  # type: ignore[misc, valid-type]
        def get_exceptions_by_url(self, url: str, exceptions: str) -> Any:
            real = "https://fapi.binance.com/" if "/fapi/" in url else "https://api.binance.com/"
            return super().get_exceptions_by_url(real if url.startswith("http://") else url, exceptions)

    def moved(urls: dict[str, Any]) -> dict[str, Any]:
        return {name: moved(url) if isinstance(url, dict) else _moved(url) for name, url in urls.items()}

    def _moved(url: str) -> str:
        return ("ws" if url.startswith("ws") else "http") + f"://{host}/" + url.split("/", 3)[3]

    options = more.pop("options", None) or {
        "fetchCurrencies": False,
        "fetchMargins": False,
        "fetchMarkets": {"types": ["linear" if issubclass(kind, ccxt.binanceusdm) else "spot"]},
    }
    client = Local({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False, "options": options} | more)
    client.urls["api"] = moved(client.urls["api"])
    if "ws" in client.urls["api"]:  # without `/stream` in it ccxt takes spot books for futures ones
        client.urls["api"]["ws"]["spot"] = f"ws://{host}/stream/ws"
    return client


@pytest.fixture
def make_client(sim: SimServer, control: Control) -> Callable[..., Any]:
    """Makes a client of a ccxt class, for tests that need another than `spot` and `futures`."""
    return partial(client_at, f"127.0.0.1:{sim.port(VenueName.BINANCE)}")


@pytest.fixture
async def spot(make_client: Callable[..., Any]) -> AsyncIterator[Any]:
    client = make_client(ccxt.binance)
    await client.load_markets()
    yield client
    await client.close()


@pytest.fixture
async def futures(make_client: Callable[..., Any]) -> AsyncIterator[Any]:
    client = make_client(ccxt.binanceusdm)
    await client.load_markets()
    yield client
    await client.close()


class Tap:
    """Every raw message of a client's sockets, as it comes."""

    def __init__(self, client: Any) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        original = client.handle_message

        def tapped(socket: Any, message: Any) -> Any:
            if isinstance(message, dict):
                self.messages.put_nowait(message.get("event") or message)
            return original(socket, message)

        client.handle_message = tapped

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Messages up to and including the first wanted one."""
        seen: list[dict[str, Any]] = []
        async with asyncio.timeout(5):
            while not seen or not wanted(seen[-1]):
                seen.append(await self.messages.get())
        return seen


@pytest.fixture
async def listening(control: Control) -> Callable[[Any], Awaitable[Tap]]:
    """Open a client's private stream and wait until the exchange has it."""

    async def listen(client: Any) -> Tap:
        messages = Tap(client)
        client.options["watchPositions"] = {"fetchPositionsSnapshot": False}
        watching = asyncio.create_task(client.watch_orders())
        async with asyncio.timeout(5):
            while not (await control.get("streams"))[KEY]:
                continue
        watching.cancel()
        return messages

    return listen


@pytest.fixture
async def public(sim: SimServer, control: Control) -> Callable[..., Awaitable[dict[str, Any]]]:
    """The first message of a public stream, while the price moves and the client trades."""

    async def first(path: str, stream: str, client: Any, symbol: str) -> dict[str, Any]:
        url = f"ws://127.0.0.1:{sim.port(VenueName.BINANCE)}{path}"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            await socket.send_json({"method": "SUBSCRIBE", "params": [stream], "id": 1})
            assert await socket.receive_json() == {"result": None, "id": 1}
            await control.post("price", symbol=symbol, price="60010")
            await client.create_order(symbol, "market", "buy", 0.01)
            async with asyncio.timeout(5):
                message: dict[str, Any] = await socket.receive_json()
        return message

    return first
