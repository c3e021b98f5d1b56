"""One account's line to Bitget: its clock, its lists of instruments, its refusals, its envelope, its signature."""

import hashlib
from typing import Any

from fillbook.accounts.core import MarginMode
from fillbook.market.core import MarketType
from fillbook.venues.ccxt.bitget import endpoints as at
from fillbook.venues.ccxt.bitget.instruments import futures_listings, spot_listings
from fillbook.venues.ccxt.bitget.words import MARGIN_MODES, POSITION_MODES, Raw
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.client import Params
from fillbook.venues.ccxt.failures import Failures
from fillbook.venues.ccxt.link import Link
from fillbook.venues.ccxt.site import Listing
from fillbook.venues.ccxt.values import UNREADABLE

FAILURES = Failures(
    title="Bitget",
    credential_codes=frozenset(
        {"40001", "40006", "40009", "40011", "40012", "40014", "40018", "40036", "40037", "40038", "40041"}
    ),
    clock_codes=frozenset({"40004", "40005", "40008"}),
    # A time-out by Bitget's words, a bad signature by ccxt's.
    other_codes=frozenset({"40010"}),
    # Told by account, whatever the status.
    pauses_s={"429": 2.0},
    # A banned address.
    bans_s={"403": 60.0},
)
FUTURES_PAGE = {"productType": at.PRODUCT_TYPE}


class BitgetLink(Link):
    failures = FAILURES

    def __init__(self, *terms: Any) -> None:
        super().__init__(*terms)
        self.margin_modes: dict[str, MarginMode] = {}
        """As they were last read, by symbol: every order must name its symbol's mode."""

    async def read_clock_ms(self, market_type: MarketType) -> int:
        return int((await self.client.send(at.TIME, {}))["data"]["serverTime"])

    async def load_listings(self, market_type: MarketType) -> list[Listing]:
        if market_type is MarketType.SPOT:
            return spot_listings(await self.page(at.SPOT_INSTRUMENTS))
        return futures_listings(await self.page(at.MIX_INSTRUMENTS, FUTURES_PAGE))

    async def page(self, endpoint: Endpoint, params: Params | None = None) -> Any:
        """What a read's envelope holds. Raises `ReadFailed`."""
        answer = await self.read(endpoint, params)
        try:
            return answer["data"]
        except UNREADABLE as error:
            raise self.failures.unreadable(error, endpoint.path) from None

    async def page_at_once(self, endpoint: Endpoint, params: Params | None = None) -> Any:
        """As `page`, for an act that depends on it: within the budget of acts, which hardly waits."""
        try:
            answer = await self.act(endpoint, params or {})
        except CallFailed as failure:
            error = self.failures.read_failure(failure)
        else:
            try:
                return answer["data"]
            except UNREADABLE as unreadable:
                error = self.failures.unreadable(unreadable, endpoint.path)
        raise error

    async def modes(self, symbol: str, venue_id: str, for_act: bool = False) -> tuple[Raw, MarginMode]:
        """The futures account as it stands for one symbol, and the symbol's margin mode. Raises `ReadFailed`."""
        page = self.page_at_once if for_act else self.page
        coin = symbol.rpartition(":")[2]
        row = await page(at.MIX_ACCOUNT, {**FUTURES_PAGE, "symbol": venue_id, "marginCoin": coin})
        try:
            mode = MARGIN_MODES[row["marginMode"]]
            POSITION_MODES[row["posMode"]]
        except UNREADABLE as error:
            raise self.failures.unreadable(error, f"the modes of {symbol}") from None
        self.margin_modes[symbol] = mode
        return row, mode

    def sign(self, text: str) -> str:
        """The signature of a text as ccxt makes it for requests."""
        exchange = self.client.exchange
        signature: str = exchange.hmac(
            exchange.encode(text), exchange.encode(exchange.secret), hashlib.sha256, "base64"
        )
        return signature
