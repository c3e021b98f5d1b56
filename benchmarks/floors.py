"""What the alert path is held against: the same orders on the same wire, without the books.

`BareFloor` is one durable commit and then signed POSTs through aiohttp, nothing else. `CcxtFloor` is
`create_order` of ccxt, one instance per account as its manual has it, without any commit.
"""

import asyncio
import contextlib
import hashlib
import hmac
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import asyncpg
import ccxt.async_support as ccxt

from benchmarks.databases import Place
from benchmarks.desk import Key
from fillbook.venues.ccxt.client import stand_in

ORDER_QUANTITY = Decimal("0.02")
_CREATE = "CREATE TABLE bench_commits (id INTEGER PRIMARY KEY, body TEXT NOT NULL)"


class Floor(ABC):
    """Sends one order per account, all at once; `name` is for the table."""

    name: str

    @abstractmethod
    async def send_all(self, number: int) -> None:
        """Buy on even numbers, sell on odd ones, and wait for every answer."""


class BareFloor(Floor):
    name = "bare aiohttp after one commit"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        commit: Callable[[int], Awaitable[None]],
        url: str,
        keys: Sequence[Key],
    ) -> None:
        self._session, self._commit, self._url, self._keys = session, commit, url, keys

    async def send_all(self, number: int) -> None:
        await self._commit(number)
        await asyncio.gather(*(self._send(key, number) for key in self._keys))

    async def _send(self, key: Key, number: int) -> None:
        query = urlencode(
            {
                "symbol": "BTCUSDT",
                "side": _side(number).upper(),
                "type": "MARKET",
                "quantity": str(ORDER_QUANTITY),
                "newOrderRespType": "RESULT",
                "timestamp": time.time_ns() // 1_000_000,
                "recvWindow": 5000,
            }
        )
        signature = hmac.new(key.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        headers = {"X-MBX-APIKEY": key.api_key, "Content-Type": "application/x-www-form-urlencoded"}
        body = f"{query}&signature={signature}"
        async with self._session.post(f"{self._url}/fapi/v1/order", data=body, headers=headers) as answer:
            answer.raise_for_status()
            await answer.json()


class CcxtFloor(Floor):
    name = "ccxt create_order alone"

    def __init__(self, exchanges: Sequence[Any]) -> None:
        self._exchanges = exchanges

    async def send_all(self, number: int) -> None:
        await asyncio.gather(
            *(
                exchange.create_order("BTC/USDT:USDT", "market", _side(number), float(ORDER_QUANTITY))
                for exchange in self._exchanges
            )
        )


def _side(number: int) -> str:
    return "buy" if number % 2 == 0 else "sell"


@contextlib.asynccontextmanager
async def bare_floor(place: Place, url: str, keys: Sequence[Key]) -> AsyncIterator[BareFloor]:
    connector = aiohttp.TCPConnector(limit=256)
    async with aiohttp.ClientSession(connector=connector) as session, _committing(place) as commit:
        yield BareFloor(session, commit, url, keys)


@contextlib.asynccontextmanager
async def ccxt_floor(url: str, keys: Sequence[Key]) -> AsyncIterator[CcxtFloor]:
    exchanges: list[Any] = []
    try:
        for key in keys:
            exchange = ccxt.binance(
                {
                    "apiKey": key.api_key,
                    "secret": key.secret,
                    "enableRateLimit": False,
                    "options": {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}},
                }
            )
            exchange.urls["api"] = stand_in(exchange.urls["api"], url)
            exchange.has["fetchCurrencies"] = False
            if exchanges:
                exchange.set_markets_from_exchange(exchanges[0])
            else:
                await exchange.load_markets()
            exchanges.append(exchange)
        yield CcxtFloor(exchanges)
    finally:
        await asyncio.gather(*(exchange.close() for exchange in exchanges))


@contextlib.asynccontextmanager
async def _committing(place: Place) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """One row, on disk when the call returns, in a table that is gone afterwards."""
    if place.kind == "sqlite":
        path = place.directory / "floor.db"
        connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}").close()
        connection.execute(_CREATE)

        async def commit(number: int) -> None:
            connection.execute("INSERT INTO bench_commits (body) VALUES (?)", (f"alert {number}",))

        yield commit
        connection.close()
        return
    server = await asyncpg.connect(place.url.replace("+asyncpg", ""))
    await server.execute(_CREATE.replace("INTEGER PRIMARY KEY", "BIGSERIAL PRIMARY KEY"))

    async def commit_there(number: int) -> None:
        await server.execute("INSERT INTO bench_commits (body) VALUES ($1)", f"alert {number}")

    yield commit_there
    await server.execute("DROP TABLE bench_commits")
    await server.close()
