"""What all accounts of one venue and environment share: addresses, clock offset, catalogues of instruments,
and per egress address the HTTP session and the request budgets.

A hundred accounts hold one connector, one TLS context and one set of instruments.
"""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import aiohttp
import certifi

from fillbook.accounts.core import Credentials, Environment
from fillbook.kernel.clock import Clock, to_ms
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.venues.ccxt.client import (
    Refusal,
    VenueClient,
    configure,
    plain_refusal,
    stand_in,
    transport_class,
)
from fillbook.venues.ccxt.limits import ConnectionPace, Pool, RequestBudget

CATALOGUE_MAX_AGE_S = 300
CLOCK_CHECK_EVERY_S = 3600
CATALOGUE_MIN_AGE_S = 30
_CONNECTIONS = 256
_NO_LIMIT = 0
_UNLIMITED = 10**9


def same_address(url: str) -> str:
    return url


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs from venue to venue before the first request."""

    venue: VenueName
    exchange_class: Any
    pool_of: Callable[[str], str]
    """The pool of the egress address that a request to this URL is charged to."""
    pools: tuple[Pool, ...]
    connections: int
    """New WebSocket connections that the venue takes from one address in `connections_span_s`."""
    connections_span_s: float
    stream_urls: Mapping[Environment, Mapping[str, str]]
    """By environment; those of PAPER are the paths that a stand-in serves."""
    options: Mapping[str, Any] = field(default_factory=dict)
    prepare_demo: Callable[[Any], None] | None = None
    """What turns ccxt's instance towards the venue's demo trading."""
    real_address: Callable[[str], str] = same_address
    """The production address that a stand-in's stands for, by which ccxt picks its error tables."""
    refusal_in: Callable[[Any], Refusal] = plain_refusal


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument and the venue's own id for it."""

    instrument: Instrument
    venue_id: str


class Catalogue:
    """The instruments of one market type, by our symbol and by the venue's id."""

    def __init__(self, listings: list[Listing]) -> None:
        self.listings: Mapping[str, Listing] = MappingProxyType(
            {row.instrument.symbol: row for row in listings}
        )
        self.instruments = {row.instrument.symbol: row.instrument for row in listings}
        self.venue_ids: Mapping[str, str] = MappingProxyType(
            {row.instrument.symbol: row.venue_id for row in listings}
        )
        self.symbols: Mapping[str, str] = MappingProxyType(
            {row.venue_id: row.instrument.symbol for row in listings}
        )


class Site:
    """One venue and environment. Made once, closed once; needs a running loop from its first use on."""

    def __init__(
        self,
        profile: Profile,
        environment: Environment,
        base_url: str | None,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        if environment is Environment.PAPER and base_url is None:
            raise ValueError("a paper account trades on the simulated exchange: give its base URL")
        self.profile = profile
        self.environment = environment
        self.clock = clock
        self.rng = rng
        self.stream_urls: Mapping[str, str] = (
            profile.stream_urls[environment]
            if base_url is None
            else stand_in(dict(profile.stream_urls[Environment.PAPER]), base_url)
        )
        self._base_url = base_url
        self._sessions: dict[str | None, aiohttp.ClientSession] = {}
        self._stream_sessions: dict[str | None, aiohttp.ClientSession] = {}
        self._paces: dict[str | None, ConnectionPace] = {}
        self._exchanges: dict[str | None, Any] = {}
        self._budgets: dict[tuple[str | None, str], RequestBudget] = {}
        self._account_budgets: dict[tuple[str, str], RequestBudget] = {}
        self._catalogues: dict[MarketType, tuple[float, Catalogue]] = {}
        self._loading: dict[MarketType, asyncio.Task[Catalogue]] = {}
        self._tls: ssl.SSLContext | None = None
        self._time_difference_ms = 0
        self._clock_checked_s = float("-inf")
        self._clock_measured_s = float("-inf")
        self._measuring = asyncio.Lock()

    def session(self, egress: str | None) -> aiohttp.ClientSession:
        """The one session for requests of an egress: a local address, a proxy's URL, or None."""
        return self._open_session(self._sessions, egress, _CONNECTIONS)

    def stream_session(self, egress: str | None) -> aiohttp.ClientSession:
        """The one for WebSockets: they stay, so they must not take the places of requests."""
        return self._open_session(self._stream_sessions, egress, _NO_LIMIT)

    def connection_pace(self, egress: str | None) -> ConnectionPace:
        if egress not in self._paces:
            most = _UNLIMITED if self.environment is Environment.PAPER else self.profile.connections
            self._paces[egress] = ConnectionPace(self.clock, most, self.profile.connections_span_s)
        return self._paces[egress]

    def budget(self, egress: str | None, pool: str) -> RequestBudget:
        """What all accounts of an egress address share."""
        key = (egress, pool)
        if key not in self._budgets:
            self._budgets[key] = self._new_budget(pool)
        return self._budgets[key]

    def account_budget(self, api_key: str, pool: str) -> RequestBudget:
        """What the venue counts by account, from whatever address."""
        key = (api_key, pool)
        if key not in self._account_budgets:
            self._account_budgets[key] = self._new_budget(pool)
        return self._account_budgets[key]

    def _new_budget(self, name: str) -> RequestBudget:
        pool = next(row for row in self.profile.pools if row.name == name)
        # The simulated exchange of paper accounts is ours and grants what is asked.
        if self.environment is Environment.PAPER:
            pool = replace(pool, limit=_UNLIMITED)
        return RequestBudget(self.clock, pool)

    def client(self, egress: str | None, credentials: Credentials | None) -> VenueClient:
        return VenueClient(self._exchange(egress), credentials)

    def set_time_difference(self, milliseconds: int) -> None:
        """How far our clock is ahead of the venue's; every later signature is corrected by it."""
        self._time_difference_ms = milliseconds
        self._clock_measured_s = self.clock.elapsed_s()
        for exchange in self._exchanges.values():
            exchange.options["timeDifference"] = milliseconds

    async def venue_ms(self, measure: Callable[[], Awaitable[int]], max_age_s: float) -> int:
        """The venue's time in ms: by our clock while that was measured a moment ago, else by `measure`.

        Accounts that ask together are answered by one measurement.
        """
        async with self._measuring:
            if self.clock.elapsed_s() - self._clock_measured_s > max_age_s:
                return await measure()
            return to_ms(self.clock.now()) - self._time_difference_ms

    def take_clock_check(self) -> bool:
        """Whether the caller is to measure the venue's clock now: one caller an hour is."""
        now_s = self.clock.elapsed_s()
        if now_s - self._clock_checked_s < CLOCK_CHECK_EVERY_S:
            return False
        self._clock_checked_s = now_s
        return True

    async def catalogue(
        self,
        market_type: MarketType,
        load: Callable[[], Awaitable[list[Listing]]],
        max_age_s: float | None = None,
    ) -> Catalogue:
        """The instruments of a market type, loaded by `load` when absent or older than `max_age_s`.

        One load serves all who wait for it, in success and in failure; a failed one leaves the older in place.
        """
        known = self._fresh(market_type, max_age_s)
        if known is not None:
            return known
        loading = self._loading.get(market_type)
        if loading is None:
            loading = asyncio.create_task(self._load(market_type, load))
            self._loading[market_type] = loading
        return await asyncio.shield(loading)

    async def close(self) -> None:
        loading = list(self._loading.values())
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)
        sessions = [*self._sessions.values(), *self._stream_sessions.values()]
        self._sessions.clear()
        self._stream_sessions.clear()
        self._exchanges.clear()
        for session in sessions:
            await session.close()

    async def _load(self, market_type: MarketType, load: Callable[[], Awaitable[list[Listing]]]) -> Catalogue:
        try:
            catalogue = Catalogue(await load())
            self._catalogues[market_type] = (self.clock.elapsed_s(), catalogue)
            return catalogue
        finally:
            del self._loading[market_type]

    def _fresh(self, market_type: MarketType, max_age_s: float | None) -> Catalogue | None:
        entry = self._catalogues.get(market_type)
        if entry is None:
            return None
        age_s = self.clock.elapsed_s() - entry[0]
        return entry[1] if max_age_s is None or age_s <= max_age_s else None

    def _open_session(
        self, sessions: dict[str | None, aiohttp.ClientSession], egress: str | None, limit: int
    ) -> aiohttp.ClientSession:
        if egress not in sessions:
            local = (egress, 0) if egress is not None and "://" not in egress else None
            connector = aiohttp.TCPConnector(limit=limit, ssl=self._tls_context(), local_addr=local)
            # A cookie of one account must never travel with another's request.
            cookies = aiohttp.DummyCookieJar()
            sessions[egress] = aiohttp.ClientSession(connector=connector, cookie_jar=cookies)
        return sessions[egress]

    def _exchange(self, egress: str | None) -> Any:
        if egress not in self._exchanges:
            transport = transport_class(
                self.profile.exchange_class, self.profile.real_address, self.profile.refusal_in
            )

            def observe(url: str, status: int, headers: Mapping[str, str]) -> None:
                self.budget(egress, self.profile.pool_of(url)).observe(status, headers)

            proxy = egress if egress is not None and "://" in egress else None
            exchange = configure(
                transport,
                self.session(egress),
                self._tls_context(),
                self.clock,
                observe,
                proxy,
                {**self.profile.options, "timeDifference": self._time_difference_ms},
            )
            if self.environment is Environment.DEMO and self.profile.prepare_demo is not None:
                self.profile.prepare_demo(exchange)
            if self._base_url is not None:
                exchange.urls["api"] = stand_in(exchange.urls["api"], self._base_url)
            self._exchanges[egress] = exchange
        return self._exchanges[egress]

    def _tls_context(self) -> Any:
        """One TLS context for all; none where a stand-in speaks plain HTTP."""
        if self._base_url is not None and self._base_url.startswith("http://"):
            return False
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=certifi.where())
        return self._tls
