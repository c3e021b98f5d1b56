"""ccxt as our transport: one configured exchange per (site, egress), one shallow copy of it per account.

A copy shares everything but the key, which costs 3 microseconds and a few kilobytes where a new instance costs
3 ms and a quarter of a megabyte. Unified calls, markets, its rate limiter and its retries stay unused.
"""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from fillbook.accounts.core import Credentials
from fillbook.kernel.clock import Clock, to_ms
from fillbook.venues.ccxt.calls import CallFailed, Endpoint, describe_failure
from fillbook.venues.ccxt.library import errors

REQUEST_TIMEOUT_S = 10
RECEIVE_WINDOW_MS = 5_000

# At DEBUG ccxt writes signed addresses and key headers into the log.
_silent = logging.getLogger("fillbook.venues.ccxt.wire")
_silent.setLevel(logging.INFO)

Observer = Callable[[str, int, Mapping[str, str]], None]
Params = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Refusal = tuple[Any, Any]
"""A venue's own code and sentence in an answer; None where it has none."""


def plain_refusal(answer: Any) -> Refusal:
    """`code` and `msg` of an answer, or of its first row."""
    row = answer[0] if isinstance(answer, list) and answer else answer
    return (row.get("code"), row.get("msg")) if isinstance(row, dict) else (None, None)


def stand_in(urls: Any, base_url: str) -> Any:
    """The same tree of addresses with scheme and host of `base_url` (ws/wss where they were WebSockets)."""
    if isinstance(urls, dict):
        return {name: stand_in(value, base_url) for name, value in urls.items()}
    base = urlsplit(base_url)
    scheme = base.scheme
    if urls.startswith("ws"):
        scheme = "wss" if base.scheme == "https" else "ws"
    old = urlsplit(urls)
    query = f"?{old.query}" if old.query else ""
    return f"{scheme}://{base.netloc}{old.path}{query}"


def transport_class(
    base: Any, real_address: Callable[[str], str], refusal_in: Callable[[Any], Refusal] = plain_refusal
) -> Any:
    """A subclass of a ccxt exchange that marks its exceptions with the venue's code and sentence.

    `real_address` turns a stand-in address back into the production one, by which ccxt picks its error tables.
    """

    class Transport(base):  # type: ignore[misc]
        fillbook_clock: Clock
        fillbook_observe: Observer

        def milliseconds(self) -> int:
            return to_ms(self.fillbook_clock.now())

        def get_exceptions_by_url(self, url: str, kind: str) -> Any:
            return super().get_exceptions_by_url(real_address(url), kind)

        def on_rest_response(
            self, status: int, reason: str, url: str, method: str, headers: Any, body: str, *rest: Any
        ) -> Any:
            self.fillbook_observe(url, status, headers)
            return super().on_rest_response(status, reason, url, method, headers, body, *rest)

        def handle_errors(
            self,
            status: int,
            reason: str,
            url: str,
            method: str,
            headers: Any,
            body: Any,
            answer: Any,
            *rest: Any,
        ) -> Any:
            try:
                return super().handle_errors(status, reason, url, method, headers, body, answer, *rest)
            except errors.BaseError as error:
                code, message = refusal_in(answer)
                error.venue_code = f"http_{status}" if code is None else str(code)
                error.venue_message = message or f"HTTP {status}"
                raise

        def handle_http_status_code(self, status: int, reason: str, url: str, method: str, body: Any) -> Any:
            try:
                return super().handle_http_status_code(status, reason, url, method, body)
            except errors.BaseError as error:
                error.venue_code = f"http_{status}"
                error.venue_message = f"HTTP {status} {reason}"
                raise

        def __del__(self) -> None:
            """The session is the site's, so there is nothing to release."""

    return Transport


def configure(
    transport: Any,
    session: aiohttp.ClientSession,
    ssl_context: Any,
    clock: Clock,
    observe: Observer,
    proxy: str | None,
    options: Mapping[str, Any],
) -> Any:
    """The exchange that the accounts of one egress copy."""
    exchange = transport(
        {
            "session": session,
            "enableRateLimit": False,
            "maxRetriesOnFailure": 0,
            "timeout": REQUEST_TIMEOUT_S * 1000,
            "options": {"recvWindow": RECEIVE_WINDOW_MS, "timeDifference": 0, **options},
        }
    )
    exchange.enableLastHttpResponse = False
    exchange.enableLastResponseHeaders = False
    exchange.logger = _silent
    exchange.ssl_context = ssl_context
    exchange.aiohttp_proxy = proxy
    exchange.fillbook_clock = clock
    exchange.fillbook_observe = observe
    return exchange


class VenueClient:
    """Signed and public requests in the name of one account (or of none)."""

    def __init__(self, exchange: Any, credentials: Credentials | None) -> None:
        self._exchange = copy.copy(exchange)
        self._secrets: tuple[str, ...] = ()
        if credentials is not None:
            self._exchange.apiKey = credentials.api_key
            self._exchange.secret = credentials.secret
            self._exchange.password = credentials.passphrase
            secrets = (credentials.api_key, credentials.secret, credentials.passphrase)
            self._secrets = tuple(secret for secret in secrets if secret)

    @property
    def exchange(self) -> Any:
        """ccxt's instance, for its signing functions only."""
        return self._exchange

    @property
    def secrets(self) -> tuple[str, ...]:
        return self._secrets

    async def send(self, endpoint: Endpoint, params: Params) -> Any:
        """The decoded answer. Raises `CallFailed`, with nothing of ccxt's own message attached."""
        # ccxt may write into what it is given.
        own = dict(params) if isinstance(params, Mapping) else [dict(row) for row in params]
        try:
            return await self._exchange.request(endpoint.path, endpoint.api.split("."), endpoint.method, own)
        except errors.BaseError as error:
            failure = describe_failure(error, self._secrets)
        except RuntimeError as error:
            if "closed" not in str(error).lower():
                raise
            failure = CallFailed(
                errors.ExchangeClosedByUser, "closed", "the connection is closed", sent=False
            )
        raise failure
