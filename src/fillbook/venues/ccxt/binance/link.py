"""One account's line to Binance: budgets before each request, errors as ours after it, symbols both ways."""

import hashlib
from collections.abc import Mapping
from decimal import InvalidOperation
from typing import Any, TypeVar

from aiohttp import ClientSession

from fillbook.accounts.core import Account, Credentials
from fillbook.kernel.clock import to_ms
from fillbook.market.core import MarketType, market_type_of
from fillbook.market.errors import CredentialsRefused, ReadFailed
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.instruments import futures_listings, spot_listings
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.client import VenueClient
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.limits import BudgetSpent
from fillbook.venues.ccxt.site import CATALOGUE_MIN_AGE_S, Catalogue, Listing, Site
from fillbook.venues.ccxt.websocket import Dialogue, LiveSocket, Outbox

E = TypeVar("E")

UNREADABLE = (KeyError, ValueError, TypeError, IndexError, InvalidOperation)
"""What a parser raises for an answer of another shape than documented."""

_CREDENTIAL_CODES = frozenset({"-1022", "-2008", "-2014", "-2015"})
_CLOCK_CODE = "-1021"
NOT_FOUND_CODES = frozenset({"-2013"})


def is_credential_failure(failure: CallFailed) -> bool:
    """Whether the venue refuses the key itself; -1125 (a dead listen key) shares ccxt's class but is not that."""
    if failure.code == "-1125":
        return False
    return failure.code in _CREDENTIAL_CODES or issubclass(failure.kind, errors.AuthenticationError)


def read_failure(failure: CallFailed) -> ReadFailed:
    """The error that a reader of the venue gets."""
    if is_credential_failure(failure):
        return CredentialsRefused(
            f"Binance refuses this API key ({failure.code}: {failure.message}). "
            "Check that it exists, may be used from this address, and has the permission."
        )
    return ReadFailed(
        f"Binance could not be read ({failure.code}: {failure.message}). "
        "Nothing is known from this; it is tried again."
    )


def unreadable(error: Exception, what: str) -> ReadFailed:
    return ReadFailed(
        f"Binance's answer about {what} could not be understood ({type(error).__name__}). "
        "If this stays, this version does not know the venue's newest format: update Fillbook."
    )


class UnknownSymbol(Exception):
    """Binance lists no such symbol."""


class Link:
    """Requests of one account. `account` and `credentials` may be absent for public reads only."""

    def __init__(self, site: Site, account: Account | None, credentials: Credentials | None) -> None:
        self.site = site
        self.egress = None if account is None else account.egress
        self.market_types = tuple(MarketType) if account is None else account.market_types
        self._credentials = credentials
        self._client: VenueClient | None = None

    @property
    def client(self) -> VenueClient:
        if self._client is None:
            self._client = self.site.client(self.egress, self._credentials)
        return self._client

    async def act(self, endpoint: Endpoint, params: Mapping[str, Any]) -> Any:
        """Send an act once. Raises `CallFailed`; with `sent=False` when the request budget forbade it."""
        try:
            self.site.budget(self.egress, endpoint.pool).take_for_act(endpoint.weight)
        except BudgetSpent as spent:
            message = f"Not sent: {spent}."
            raise CallFailed(errors.RateLimitExceeded, "rate_limited", message, sent=False) from None
        try:
            return await self.client.send(endpoint, params)
        except CallFailed as failure:
            if failure.code == _CLOCK_CODE:
                await self._correct_clock(endpoint)
            raise

    async def read(self, endpoint: Endpoint, params: Mapping[str, Any] | None = None) -> Any:
        """The decoded answer of a read. Raises `ReadFailed`."""
        try:
            return await self.try_read(endpoint, params)
        except CallFailed as failure:
            error = read_failure(failure)
        raise error

    async def try_read(self, endpoint: Endpoint, params: Mapping[str, Any] | None = None) -> Any:
        """As `read`, but raises `CallFailed` for those who must see the venue's code."""
        budget = self.site.budget(self.egress, endpoint.pool)
        try:
            await budget.take_for_read(endpoint.weight, endpoint.is_urgent)
        except BudgetSpent as spent:
            raise CallFailed(errors.RateLimitExceeded, "rate_limited", str(spent), sent=False) from None
        if self.site.take_clock_check():
            await self._correct_clock(endpoint)
        try:
            return await self.client.send(endpoint, params or {})
        except CallFailed as failure:
            if failure.code != _CLOCK_CODE or not await self._correct_clock(endpoint):
                raise
        return await self.client.send(endpoint, params or {})

    async def measure_clock(self, market_type: MarketType) -> int:
        """The venue's time in ms; our later signatures are corrected by the difference."""
        before = to_ms(self.site.clock.now())
        answer = await self.client.send(at.SERVER_TIME[market_type], {})
        after = to_ms(self.site.clock.now())
        venue_ms = int(answer["serverTime"])
        self.site.set_time_difference((before + after) // 2 - venue_ms)
        return venue_ms

    async def catalogue(self, market_type: MarketType, max_age_s: float | None = None) -> Catalogue:
        """The instruments of a market type, shared by all accounts. Raises `ReadFailed`."""

        async def load() -> list[Listing]:
            try:
                if market_type is MarketType.SPOT:
                    return spot_listings(
                        await self.read(at.SPOT_INSTRUMENTS, {"showPermissionSets": "false"})
                    )
                return futures_listings(await self.read(at.FUTURES_INSTRUMENTS))
            except UNREADABLE as error:
                raise unreadable(error, "its instruments") from None

        return await self.site.catalogue(market_type, load, max_age_s)

    async def venue_id(self, symbol: str) -> str:
        """Binance's id of our symbol. Raises `UnknownSymbol`, or `ReadFailed` while instruments are unknown."""
        market_type = market_type_of(symbol)
        known = (await self.catalogue(market_type)).venue_ids.get(symbol)
        if known is None:
            known = (await self.catalogue(market_type, CATALOGUE_MIN_AGE_S)).venue_ids.get(symbol)
        if known is None:
            raise UnknownSymbol(symbol)
        return known

    async def readable_id(self, symbol: str) -> str:
        """As `venue_id`, for reads: an unknown symbol is `ReadFailed`."""
        try:
            return await self.venue_id(symbol)
        except UnknownSymbol:
            raise ReadFailed(f"Binance lists no {symbol}: check the spelling of the symbol.") from None

    async def symbol(self, venue_id: str, market_type: MarketType) -> str:
        """Our symbol for Binance's id; a listing that is newer than our catalogue is fetched."""
        known = (await self.catalogue(market_type)).symbols.get(venue_id)
        if known is None:
            known = (await self.catalogue(market_type, CATALOGUE_MIN_AGE_S)).symbols.get(venue_id)
        if known is None:
            raise ReadFailed(f"Binance reports {venue_id}, which its list of instruments does not hold.")
        return known

    def live_socket(self, dialogue: Dialogue[E], outbox: Outbox[E]) -> LiveSocket[E]:
        """A socket of this account's egress."""
        proxy = self.egress if self.egress is not None and "://" in self.egress else None

        def session() -> ClientSession:
            return self.site.stream_session(self.egress)

        pace = self.site.connection_pace(self.egress)
        return LiveSocket(dialogue, outbox, session, self.site.clock, self.site.rng, pace, proxy)

    def sign(self, text: str) -> str:
        """The signature of a text as ccxt makes it for requests: HMAC, or RSA or Ed25519 for PEM secrets."""
        exchange, secret = self.client.exchange, self.client.exchange.secret
        if "PRIVATE KEY" not in secret:
            signature: str = exchange.hmac(exchange.encode(text), exchange.encode(secret), hashlib.sha256)
        elif len(secret) > 120:
            signature = exchange.rsa(text, secret, "sha256")
        else:
            signature = exchange.eddsa(exchange.encode(text), secret, "ed25519")
        return signature

    async def _correct_clock(self, endpoint: Endpoint) -> bool:
        """Measure the clock, so that timestamps are taken; False when even that failed."""
        market_type = MarketType.FUTURES if endpoint.pool == at.FUTURES else MarketType.SPOT
        try:
            await self.measure_clock(market_type)
        except (CallFailed, KeyError, ValueError, TypeError):
            return False
        return True
