"""One account's way to Bybit, spot and linear: the parts put together as trading's port wants them."""

from collections.abc import AsyncIterator

from fillbook.accounts.core import Account, Credentials
from fillbook.market.core import VenueName
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.bybit.acts import Acts
from fillbook.venues.ccxt.bybit.endpoints import PROFILE
from fillbook.venues.ccxt.bybit.feeds import PrivateFeed
from fillbook.venues.ccxt.bybit.link import BybitLink
from fillbook.venues.ccxt.bybit.market import Quotes
from fillbook.venues.ccxt.bybit.wallet import Wallet
from fillbook.venues.ccxt.site import Site


class BybitVenue(Acts, Wallet, Quotes):
    """Satisfies `trading.ports.Venue`. The symbol decides the market type: a `:` means linear futures."""

    name = VenueName.BYBIT
    profile = PROFILE
    _link: BybitLink

    def __init__(self, site: Site, account: Account, credentials: Credentials) -> None:
        self._link = BybitLink(site, account, credentials)
        self._environment = account.environment

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Private events of every market of the account, of one feed: after its `CONNECTED`, orders, fills and
        balances are to be fetched."""
        return self._link.private_events([PrivateFeed(self._link)])

    async def close(self) -> None:
        """The site's sessions stay open for the other accounts; its owner closes them."""
