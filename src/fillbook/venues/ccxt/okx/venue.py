"""One account's way to OKX, spot and linear swaps: the parts put together as trading's port wants them."""

from collections.abc import AsyncIterator

from fillbook.accounts.core import Account, Credentials
from fillbook.market.core import VenueName
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.okx.acts import Acts
from fillbook.venues.ccxt.okx.endpoints import PROFILE
from fillbook.venues.ccxt.okx.feeds import BUSINESS, PRIVATE, Feed
from fillbook.venues.ccxt.okx.link import OkxLink
from fillbook.venues.ccxt.okx.market import Quotes
from fillbook.venues.ccxt.okx.wallet import Wallet
from fillbook.venues.ccxt.site import Site


class OkxVenue(Acts, Wallet, Quotes):
    """Satisfies `trading.ports.Venue`. The symbol decides the market type: a `:` means a swap."""

    name = VenueName.OKX
    profile = PROFILE

    _link: OkxLink

    def __init__(self, site: Site, account: Account, credentials: Credentials) -> None:
        self._link = OkxLink(site, account, credentials)

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Private events of every market of the account. Two feeds, each of which connects by itself."""
        return self._link.private_events(
            [Feed(self._link, "private", PRIVATE), Feed(self._link, "business", BUSINESS)]
        )

    async def close(self) -> None:
        """The site's sessions stay open for the other accounts; its owner closes them."""
