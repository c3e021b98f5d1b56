"""One account's line to Bybit: its envelopes and pages, its clock, its instruments, and which legs it has.

Executions name no leg. Whether a symbol has two is learned from everything that says so (orders, positions, our own
requests) and asked for once where nothing did.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from fillbook.accounts.core import Account, Credentials, PositionSide
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import MarketType, Side
from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.bybit import endpoints as at
from fillbook.venues.ccxt.bybit.instruments import linear_listings, spot_listings
from fillbook.venues.ccxt.bybit.words import CATEGORIES, fill_kind_of, leg_of
from fillbook.venues.ccxt.calls import Endpoint
from fillbook.venues.ccxt.failures import Failures
from fillbook.venues.ccxt.link import Link
from fillbook.venues.ccxt.site import Listing, Site
from fillbook.venues.ccxt.values import UNREADABLE, amount
from fillbook.venues.ccxt.windows import MOST_REQUESTS

FAILURES = Failures(
    title="Bybit",
    credential_codes=frozenset({"10003", "10004", "10005", "10007", "10010", "33004"}),
    clock_codes=frozenset({"10002"}),
    # A banned address, whatever the key.
    other_codes=frozenset({"10009"}),
    # "Too many visits", of the account at one endpoint by the second; of the address.
    pauses_s={"10006": 2.0},
    bans_s={"10018": 5.0, "10009": 600.0},
)
_INSTRUMENTS_PAGE = 1000


class BybitLink(Link):
    failures = FAILURES

    def __init__(self, site: Site, account: Account | None, credentials: Credentials | None) -> None:
        super().__init__(site, account, credentials)
        self._hedged: dict[str, bool] = {}

    async def read_clock_ms(self, market_type: MarketType) -> int:
        return int((await self.client.send(at.TIME, {}))["time"])

    async def load_listings(self, market_type: MarketType) -> list[Listing]:
        params = {"category": CATEGORIES[market_type]}
        if market_type is MarketType.SPOT:
            return spot_listings(await self.pages(at.INSTRUMENTS, params))
        paged = params | {"limit": _INSTRUMENTS_PAGE}
        # What waits for its launch is listed only when it is asked for.
        trading = await self.pages(at.INSTRUMENTS, paged)
        return linear_listings([*trading, *await self.pages(at.INSTRUMENTS, paged | {"status": "PreLaunch"})])

    async def result(self, endpoint: Endpoint, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The `result` of an answer. Raises `ReadFailed`."""
        answer = await self.read(endpoint, params)
        result = answer.get("result") if isinstance(answer, dict) else None
        if not isinstance(result, dict):
            raise FAILURES.unreadable(TypeError(), "a result")
        return result

    async def pages(self, endpoint: Endpoint, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every row of a list, page by page. Raises `ReadFailed`, also when there are too many pages."""
        rows = await self.pages_up_to(endpoint, params, MOST_REQUESTS)
        if rows is None:
            raise ReadFailed("There is too much to read at once: ask for a later time.")
        return rows

    async def pages_up_to(
        self, endpoint: Endpoint, params: Mapping[str, Any], most: int
    ) -> list[dict[str, Any]] | None:
        """As `pages`, but None when there are more than so many. A cursor names a row, so that rows which share
        a millisecond are not lost between pages."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(most):
            result = await self.result(endpoint, {**params, "cursor": cursor} if cursor else params)
            page = result.get("list")
            if not isinstance(page, list):
                raise FAILURES.unreadable(TypeError(), "a list")
            rows += page
            following = result.get("nextPageCursor") or None
            if following is None or not page:
                return rows
            if following == cursor:
                raise ReadFailed("Bybit's pages do not end: it names the same next page again.")
            cursor = following
        return None

    def sign(self, text: str) -> str:
        """The signature of a text as ccxt makes it for requests: HMAC, or RSA for PEM secrets."""
        exchange, secret = self.client.exchange, self.client.exchange.secret
        if "PRIVATE KEY" in secret:
            signature: str = exchange.rsa(text, secret, "sha256")
        else:
            signature = exchange.hmac(exchange.encode(text), exchange.encode(secret), hashlib.sha256)
        return signature

    # Legs

    def note_leg(self, symbol: str, leg: PositionSide) -> None:
        """Something of this symbol named its leg: in one-way mode all do so by NET."""
        self._hedged[symbol] = leg is not PositionSide.NET

    def forget_legs(self) -> None:
        """The position mode may have changed."""
        self._hedged.clear()

    async def leg_of_fill(self, symbol: str, row: Mapping[str, Any]) -> PositionSide:
        """The leg that an execution moved: a closing one says how much it closed, and forced ones close."""
        if ":" not in symbol or not await self._is_hedged(symbol):
            return PositionSide.NET
        is_forced = fill_kind_of(row.get("execType")) is not FillKind.TRADE
        closes = is_forced or amount(row.get("closedSize")) > 0
        is_buy = Side(row["side"].lower()) is Side.BUY
        return PositionSide.LONG if is_buy is not closes else PositionSide.SHORT

    async def _is_hedged(self, symbol: str) -> bool:
        if symbol not in self._hedged:
            rows = await self.position_rows(symbol)
            try:
                self._hedged[symbol] = any(leg_of(row["positionIdx"]) is not PositionSide.NET for row in rows)
            except UNREADABLE as error:
                raise FAILURES.unreadable(error, f"the position mode of {symbol}") from None
        return self._hedged[symbol]

    async def position_rows(self, symbol: str) -> list[dict[str, Any]]:
        """Every leg of one symbol, empty ones too."""
        venue_id = await self.readable_id(symbol)
        params = {"category": CATEGORIES[MarketType.FUTURES], "symbol": venue_id}
        return await self.pages(at.SYMBOL_MODES, params)
