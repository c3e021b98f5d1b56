"""One account's line to its venue: budgets before each request, errors as ours after it, symbols both ways.

What differs (how the clock is read, how instruments are loaded, what a code means) is the venue's own link.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar, TypeVar

from aiohttp import ClientSession

from fillbook.accounts.core import Account, Credentials
from fillbook.kernel.clock import to_ms
from fillbook.market.core import MarketType, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.outcomes import Rejected
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.client import Params, VenueClient
from fillbook.venues.ccxt.failures import Failures
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.limits import ACT_PATIENCE_S, BudgetSpent, RequestBudget
from fillbook.venues.ccxt.site import CATALOGUE_MIN_AGE_S, Catalogue, Listing, Site
from fillbook.venues.ccxt.values import UNREADABLE
from fillbook.venues.ccxt.websocket import Dialogue, EventQueue, LiveSocket, Outbox, merged

E = TypeVar("E")


class UnknownSymbol(Exception):
    """The venue lists no such symbol."""


class Link(ABC):
    """Requests of one account. `account` and `credentials` may be absent for public reads only."""

    failures: ClassVar[Failures]

    def __init__(self, site: Site, account: Account | None, credentials: Credentials | None) -> None:
        if account is not None and not account.market_types:
            raise ValueError(f"account {account.id} trades no market type")
        self.site = site
        self.egress = None if account is None else account.egress
        self.market_types = tuple(MarketType) if account is None else account.market_types
        self._credentials = credentials
        self._client: VenueClient | None = None

    @abstractmethod
    async def read_clock_ms(self, market_type: MarketType) -> int:
        """The venue's time in ms. Raises `CallFailed`, or `UNREADABLE`."""

    @abstractmethod
    async def load_listings(self, market_type: MarketType) -> list[Listing]:
        """Every instrument of a market type. Raises `ReadFailed`, or `UNREADABLE`."""

    def clock_of(self, endpoint: Endpoint) -> MarketType:
        """Whose clock a request is compared with, where the venue has one for each market."""
        return MarketType.SPOT

    @property
    def client(self) -> VenueClient:
        if self._client is None:
            self._client = self.site.client(self.egress, self._credentials)
        return self._client

    async def act(self, endpoint: Endpoint, params: Params) -> Any:
        """Send an act once. Raises `CallFailed`; with `sent=False` when the request budget forbade it.

        A budget that is counted by the second is waited for once: a burst of orders is no reason to refuse some.
        """
        try:
            for budget in self._budgets(endpoint):
                await self._take_for_act(budget, endpoint.weight)
        except BudgetSpent as spent:
            message = f"Not sent: {spent}."
            raise CallFailed(errors.RateLimitExceeded, "rate_limited", message, sent=False) from None
        try:
            return await self._send(endpoint, params)
        except CallFailed as failure:
            if failure.code in self.failures.clock_codes:
                await self._correct_clock(endpoint)
            raise

    async def _take_for_act(self, budget: RequestBudget, weight: int) -> None:
        try:
            budget.take_for_act(weight)
        except BudgetSpent as spent:
            if spent.retry_after_s > ACT_PATIENCE_S:
                raise
            await self.site.clock.sleep(spent.retry_after_s)
            budget.take_for_act(weight)

    async def read(self, endpoint: Endpoint, params: Params | None = None) -> Any:
        """The decoded answer of a read. Raises `ReadFailed`."""
        try:
            return await self.try_read(endpoint, params)
        except CallFailed as failure:
            error = self.failures.read_failure(failure)
        raise error

    async def try_read(self, endpoint: Endpoint, params: Params | None = None) -> Any:
        """As `read`, but raises `CallFailed` for those who must see the venue's code."""
        try:
            for budget in self._budgets(endpoint):
                await budget.take_for_read(endpoint.weight, endpoint.is_urgent)
        except BudgetSpent as spent:
            raise CallFailed(errors.RateLimitExceeded, "rate_limited", str(spent), sent=False) from None
        if self.site.take_clock_check():
            await self._correct_clock(endpoint)
        try:
            return await self._send(endpoint, params or {})
        except CallFailed as failure:
            if failure.code not in self.failures.clock_codes or not await self._correct_clock(endpoint):
                raise
        return await self._send(endpoint, params or {})

    async def _send(self, endpoint: Endpoint, params: Params) -> Any:
        try:
            return await self.client.send(endpoint, params)
        except CallFailed as failure:
            self._heed(endpoint, failure.code)
            raise

    def _heed(self, endpoint: Endpoint, code: str) -> None:
        """Leave the venue alone where its code asks for it: the account's budget is the first, the address' the
        last."""
        budgets = self._budgets(endpoint)
        if code in self.failures.pauses_s:
            budgets[0].pause(self.failures.pauses_s[code])
        if code in self.failures.bans_s:
            budgets[-1].pause(self.failures.bans_s[code])

    async def change_setting(
        self, endpoint: Endpoint, params: Params, unchanged: frozenset[str] = frozenset()
    ) -> Any:
        """The venue's answer; None where its code says that nothing needed to change.

        Raises `SettingRefused`, or `CredentialsRefused`.
        """
        try:
            return await self.act(endpoint, params)
        except CallFailed as failure:
            if failure.code in unchanged:
                return None
            error = self.failures.setting_refused(failure)
        raise error

    async def measure_clock(self, market_type: MarketType) -> int:
        """The venue's time in ms; our later signatures are corrected by the difference."""
        before = to_ms(self.site.clock.now())
        venue_ms = await self.read_clock_ms(market_type)
        after = to_ms(self.site.clock.now())
        self.site.set_time_difference((before + after) // 2 - venue_ms)
        return venue_ms

    async def catalogue(self, market_type: MarketType, max_age_s: float | None = None) -> Catalogue:
        """The instruments of a market type, shared by all accounts. Raises `ReadFailed`."""

        async def load() -> list[Listing]:
            try:
                return await self.load_listings(market_type)
            except UNREADABLE as error:
                raise self.failures.unreadable(error, "its instruments") from None

        return await self.site.catalogue(market_type, load, max_age_s)

    async def listing(self, symbol: str) -> Listing:
        """Our symbol's instrument and venue id. Raises `UnknownSymbol`, or `ReadFailed` while none are known."""
        market_type = market_type_of(symbol)
        known = (await self.catalogue(market_type)).listings.get(symbol)
        if known is None:
            known = (await self.catalogue(market_type, CATALOGUE_MIN_AGE_S)).listings.get(symbol)
        if known is None:
            raise UnknownSymbol(symbol)
        return known

    async def venue_id(self, symbol: str) -> str:
        """The venue's id of our symbol. Raises as `listing`."""
        return (await self.listing(symbol)).venue_id

    async def readable_id(self, symbol: str) -> str:
        """As `venue_id`, for reads: an unknown symbol is `ReadFailed`."""
        try:
            return await self.venue_id(symbol)
        except UnknownSymbol:
            raise self.failures.unlisted(symbol) from None

    async def sendable(self, symbol: str) -> Listing | Rejected:
        """A symbol's listing for an act, or why nothing can be sent without it."""
        try:
            return await self.listing(symbol)
        except UnknownSymbol:
            return Rejected("unknown_symbol", f"{self.failures.title} lists no {symbol}.")
        except ReadFailed as error:
            return Rejected("instruments_unreadable", f"Not sent: {error.detail}")

    async def symbol(self, venue_id: str, market_type: MarketType) -> str:
        """Our symbol for the venue's id; a listing that is newer than our catalogue is fetched."""
        known = (await self.catalogue(market_type)).symbols.get(venue_id)
        if known is None:
            known = (await self.catalogue(market_type, CATALOGUE_MIN_AGE_S)).symbols.get(venue_id)
        if known is None:
            title = self.failures.title
            raise ReadFailed(f"{title} reports {venue_id}, which its list of instruments does not hold.")
        return known

    def live_socket(self, dialogue: Dialogue[E], outbox: Outbox[E]) -> LiveSocket[E]:
        """A socket of this account's egress."""
        proxy = self.egress if self.egress is not None and "://" in self.egress else None

        def session() -> ClientSession:
            return self.site.stream_session(self.egress)

        pace = self.site.connection_pace(self.egress)
        return LiveSocket(dialogue, outbox, session, self.site.clock, self.site.rng, pace, proxy)

    async def private_events(self, feeds: Sequence[Dialogue[StreamEvent]]) -> AsyncIterator[StreamEvent]:
        """The events of all private feeds, until the iterator is closed. Each connects by itself."""
        queue: EventQueue[StreamEvent] = EventQueue()
        events = merged([self.live_socket(feed, queue) for feed in feeds], queue)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    def _budgets(self, endpoint: Endpoint) -> list[RequestBudget]:
        """The account's own first: a request that it holds back must not use up what all share."""
        budgets = []
        if endpoint.account_pool and self._credentials is not None:
            budgets.append(self.site.account_budget(self._credentials.api_key, endpoint.account_pool))
        if endpoint.pool:
            budgets.append(self.site.budget(self.egress, endpoint.pool))
        return budgets

    async def _correct_clock(self, endpoint: Endpoint) -> bool:
        """Measure the clock, so that timestamps are taken; False when even that failed."""
        try:
            await self.measure_clock(self.clock_of(endpoint))
        except (CallFailed, *UNREADABLE):
            return False
        return True
