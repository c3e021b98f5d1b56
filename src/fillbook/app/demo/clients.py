"""The two HTTP clients of the demo: of Fillbook's API, and of the simulated exchange's control paths."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from fillbook.kernel.errors import FillbookError
from fillbook.market.core import VenueName

Row = dict[str, Any]
PAGE = 500


class UnexpectedAnswer(FillbookError):
    """A request of the demo's own was not answered as it should be."""

    code = "demo_failed"
    status = 500


@dataclass(frozen=True, slots=True)
class AlertAnswer:
    """What the webhook said, and how long it took to say it."""

    status: int
    document: Row
    took_ms: float

    @property
    def is_accepted(self) -> bool:
        return self.document.get("status") == "accepted"


class FillbookClient:
    """The API as any client uses it: with a token, page by page."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Row:
        """Raises `UnexpectedAnswer` with the server's own sentence."""
        async with self._session.request(
            method, f"{self.url}/api/v1{path}", json=body, headers=self._headers
        ) as answer:
            document: Row = await answer.json(content_type=None)
        if answer.status >= 400:
            raise UnexpectedAnswer(f"{method} {path} answered {answer.status}: {document.get('detail')}")
        return document

    async def rows(self, path: str) -> list[Row]:
        """Every item of a list, oldest last."""
        found: list[Row] = []
        cursor: str | None = None
        joiner = "&" if "?" in path else "?"
        while True:
            after = f"&cursor={quote(cursor)}" if cursor else ""
            page = await self.call("GET", f"{path}{joiner}limit={PAGE}{after}")
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def send_alert(self, body: str) -> AlertAnswer:
        """Send an alert as TradingView does: text, without a token of the API; waits for its outcome."""
        began_s = time.perf_counter()
        async with self._session.post(
            f"{self.url}/api/webhook?wait=1", data=body.encode(), headers={"content-type": "text/plain"}
        ) as answer:
            document = await answer.json(content_type=None)
        return AlertAnswer(answer.status, document, (time.perf_counter() - began_s) * 1000)


class Exchanges:
    """All simulated exchanges of the demo."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[VenueName, str]) -> None:
        self._controls = {venue: ExchangeControl(session, url) for venue, url in urls.items()}

    def at(self, venue: VenueName) -> "ExchangeControl":
        return self._controls[venue]

    async def rows(self, path: str) -> list[Row]:
        """The rows of every exchange, one after the other."""
        return [row for control in self._controls.values() for row in await control.get(path)]

    async def balances(self) -> Row:
        """By the accounts' keys."""
        found: Row = {}
        for control in self._controls.values():
            found |= await control.get("balances")
        return found

    async def set_price(self, symbol: str, price: str) -> None:
        """The same price everywhere."""
        for control in self._controls.values():
            await control.post("price", {"symbol": symbol, "price": price})


class ExchangeControl:
    """The simulated exchange's own side: accounts, prices, faults, and what it knows to be true."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def get(self, path: str) -> Any:
        return await self._call("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._call("POST", path, body)

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        async with self._session.request(method, f"{self._url}/_sim/{path}", json=body) as answer:
            document = await answer.json(content_type=None)
        if answer.status >= 400:
            raise UnexpectedAnswer(f"The exchange answered {answer.status}: {document.get('detail')}")
        return document
