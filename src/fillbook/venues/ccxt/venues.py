"""Opens an account's way to its venue; accounts of one venue and environment share a site."""

import random
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fillbook.accounts.core import Account, Credentials, Environment
from fillbook.kernel.clock import Clock
from fillbook.kernel.errors import InvalidInput
from fillbook.market.core import VenueName

if TYPE_CHECKING:
    from fillbook.venues.ccxt.binance.venue import BinanceVenue
    from fillbook.venues.ccxt.bitget.venue import BitgetVenue
    from fillbook.venues.ccxt.bybit.venue import BybitVenue
    from fillbook.venues.ccxt.okx.venue import OkxVenue
    from fillbook.venues.ccxt.site import Site

    CcxtVenue = BinanceVenue | BybitVenue | OkxVenue | BitgetVenue


class VenueNotSupported(InvalidInput):
    code = "venue_not_supported"


SiteKey = tuple[VenueName, Environment]

ADAPTERS: Mapping[VenueName, str] = MappingProxyType(
    {
        VenueName.BINANCE: "fillbook.venues.ccxt.binance.venue:BinanceVenue",
        VenueName.BYBIT: "fillbook.venues.ccxt.bybit.venue:BybitVenue",
        VenueName.OKX: "fillbook.venues.ccxt.okx.venue:OkxVenue",
        VenueName.BITGET: "fillbook.venues.ccxt.bitget.venue:BitgetVenue",
    }
)
"""Where each venue's adapter is: a class made of (site, account, credentials), with its `profile`."""


class CcxtVenues:
    """All accounts' venues of one process. `base_urls` stand in for a venue's addresses, by venue and environment.

    A venue's adapter and ccxt itself are imported when its first account is opened.
    """

    def __init__(
        self, clock: Clock, rng: random.Random, base_urls: Mapping[SiteKey, str] | None = None
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._base_urls = dict(base_urls or {})
        self._sites: dict[SiteKey, Site] = {}

    def check(self, exchange: VenueName, environment: Environment) -> None:
        """Whether accounts of this kind can be traded here; raises `VenueNotSupported`, which says what can."""
        if environment is Environment.PAPER and (exchange, environment) not in self._base_urls:
            raise VenueNotSupported(
                "This server runs no paper exchange: start one with `fillbook sim` and name it in "
                'FILLBOOK_VENUE_URLS, as in {"binance:demo": "http://127.0.0.1:9001"}, then add a demo account.'
            )

    def open(self, account: Account, credentials: Credentials) -> "CcxtVenue":
        """Opens nothing yet: the first request connects. Raises `VenueNotSupported`."""
        self.check(account.exchange, account.environment)
        adapter = _adapter(account.exchange)
        key = (account.exchange, account.environment)
        if key not in self._sites:
            from fillbook.venues.ccxt.site import Site

            base_url = self._base_urls.get(key)
            self._sites[key] = Site(adapter.profile, account.environment, base_url, self._clock, self._rng)
        venue: CcxtVenue = adapter(self._sites[key], account, credentials)
        return venue

    async def close(self) -> None:
        """Closes the shared connections of every site."""
        sites = list(self._sites.values())
        self._sites.clear()
        for site in sites:
            await site.close()


def _adapter(exchange: VenueName) -> Any:
    module, _, name = ADAPTERS[exchange].partition(":")
    return getattr(import_module(module), name)
