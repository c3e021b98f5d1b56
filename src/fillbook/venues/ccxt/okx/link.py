"""One account's line to OKX: its envelopes and pages, clock, instruments, refusals, and margin modes.

OKX keeps no margin mode of a symbol: each order names its own. What we name is what the symbol's position has,
else what was set here, else cross margin.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from fillbook.accounts.core import Account, Credentials, MarginMode
from fillbook.market.core import Instrument, MarketType
from fillbook.market.errors import ReadFailed
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.failures import Failures
from fillbook.venues.ccxt.link import Link
from fillbook.venues.ccxt.okx import endpoints as at
from fillbook.venues.ccxt.okx.answers import rows_of
from fillbook.venues.ccxt.okx.instruments import is_linear, spot_listings, swap_listings
from fillbook.venues.ccxt.okx.words import INSTRUMENT_TYPES, MARGIN_MODES, MARKET_TYPES
from fillbook.venues.ccxt.site import Listing, Site
from fillbook.venues.ccxt.values import UNREADABLE, amount
from fillbook.venues.ccxt.windows import MOST_REQUESTS

FAILURES = Failures(
    title="OKX",
    credential_codes=frozenset(
        {
            "50030",
            "50101",
            "50103",
            "50104",
            "50105",
            "50106",
            "50110",
            "50111",
            "50113",
            "50114",
            "50119",
            "50120",
        }
    ),
    clock_codes=frozenset({"50102"}),
    # Our timestamp was not understood: nothing is wrong with the key.
    other_codes=frozenset({"50107", "50112"}),
    # Too many requests; too many orders of the account.
    pauses_s={"50011": 2.0, "50061": 2.0},
)
PAGE = 100
Row = dict[str, Any]


class OkxLink(Link):
    failures = FAILURES

    def __init__(self, site: Site, account: Account | None, credentials: Credentials | None) -> None:
        super().__init__(site, account, credentials)
        self._margin_modes: dict[str, MarginMode] = {}
        self._chosen_modes: dict[str, MarginMode] = {}

    async def read_clock_ms(self, market_type: MarketType) -> int:
        (row,) = rows_of(await self.client.send(at.TIME, {}))
        return int(row["ts"])

    async def load_listings(self, market_type: MarketType) -> list[Listing]:
        rows = await self.rows(at.INSTRUMENTS, {"instType": INSTRUMENT_TYPES[market_type]})
        return spot_listings(rows) if market_type is MarketType.SPOT else swap_listings(rows)

    def sign(self, text: str) -> str:
        """The signature of a text as ccxt makes it for requests."""
        exchange = self.client.exchange
        signature: str = exchange.hmac(
            exchange.encode(text), exchange.encode(exchange.secret), hashlib.sha256, "base64"
        )
        return signature

    # Answers

    async def rows(self, endpoint: Endpoint, params: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of a read. Raises `ReadFailed`."""
        try:
            return rows_of(await self.read(endpoint, params))
        except TypeError as error:
            raise FAILURES.unreadable(error, endpoint.path) from None

    async def pages(self, endpoint: Endpoint, params: Mapping[str, Any], key: str) -> list[Row]:
        """Every row of a list, newest first. Raises `ReadFailed`, also when there are too many pages."""
        rows = await self.pages_up_to(endpoint, params, key, MOST_REQUESTS)
        if rows is None:
            raise ReadFailed("There is too much to read at once: ask for a later time.")
        return rows

    async def pages_up_to(
        self, endpoint: Endpoint, params: Mapping[str, Any], key: str, most: int
    ) -> list[Row] | None:
        """As `pages`, but None when there are more than so many. Pages go on behind the last row's id, so that
        rows which share a millisecond are not lost between two; only a page that is not full is the last."""
        rows: list[Row] = []
        paged = {**params, "limit": str(PAGE)}
        for _ in range(most):
            page = await self.rows(endpoint, paged)
            rows += page
            if len(page) < PAGE:
                return rows
            try:
                behind = page[-1][key]
            except UNREADABLE as error:
                raise FAILURES.unreadable(error, endpoint.path) from None
            if behind == paged.get("after"):
                raise ReadFailed("OKX's pages do not end: it names the same last row again.")
            paged = {**paged, "after": behind}
        return None

    # Instruments

    async def instrument_of(self, row: Mapping[str, Any]) -> Instrument | None:
        """The instrument that a row is about; None when it is of a product that we do not trade.

        Raises `ReadFailed`, or `UNREADABLE`.
        """
        venue_id, market_type = row["instId"], MARKET_TYPES.get(row["instType"])
        if market_type is None or market_type not in self.market_types or not is_linear(venue_id):
            return None
        symbol = await self.symbol(venue_id, market_type)
        return (await self.catalogue(market_type)).instruments[symbol]

    async def readable_listing(self, symbol: str) -> Listing:
        """A symbol's listing, for reads: an unknown symbol is `ReadFailed`."""
        await self.readable_id(symbol)
        return await self.listing(symbol)

    # Margin modes

    async def margin_mode(self, symbol: str, *, for_act: bool = False) -> MarginMode:
        """What a symbol's next order is to name. Raises `ReadFailed` while nothing says.

        For an act it is asked at once or not at all: an order must not wait for the budget of reads.
        """
        if symbol not in self._margin_modes:
            params = {"instId": await self.readable_id(symbol)}
            if for_act:
                positions = await self._rows_for_act(at.POSITIONS_NOW, params)
            else:
                positions = await self.rows(at.POSITIONS_NOW, params)
            self._learn(symbol, positions)
        return self._margin_modes[symbol]

    def forget_margin_mode(self, symbol: str) -> None:
        """It is read anew: perhaps a person has changed it at the venue."""
        self._margin_modes.pop(symbol, None)

    async def _rows_for_act(self, endpoint: Endpoint, params: Mapping[str, Any]) -> list[Row]:
        try:
            return rows_of(await self.act(endpoint, params))
        except CallFailed as failure:
            error = FAILURES.read_failure(failure)
        except TypeError as unreadable:
            error = FAILURES.unreadable(unreadable, endpoint.path)
        raise error

    def keep_margin_mode(self, symbol: str, mode: MarginMode) -> None:
        """What orders name from now on, as long as no position has another. It is kept in memory only."""
        self._chosen_modes[symbol] = self._margin_modes[symbol] = mode

    def _learn(self, symbol: str, positions: Sequence[Row]) -> None:
        try:
            held = [MARGIN_MODES[row["mgnMode"]] for row in positions if amount(row["pos"])]
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, f"the margin mode of {symbol}") from None
        chosen = self._chosen_modes.get(symbol, MarginMode.CROSS)
        self._margin_modes[symbol] = held[0] if held else chosen
