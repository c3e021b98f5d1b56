"""One account's way to Bitget, spot and USDT futures: the parts put together as trading's port wants them."""

from collections.abc import AsyncIterator

from fillbook.accounts.core import Account, Credentials
from fillbook.market.core import VenueName
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.bitget.acts import Acts
from fillbook.venues.ccxt.bitget.endpoints import PROFILE
from fillbook.venues.ccxt.bitget.feeds import AccountFeed
from fillbook.venues.ccxt.bitget.link import BitgetLink
from fillbook.venues.ccxt.bitget.market import Quotes
from fillbook.venues.ccxt.bitget.wallet import Wallet
from fillbook.venues.ccxt.site import Site


class BitgetVenue(Acts, Wallet, Quotes):
    """Satisfies `trading.ports.Venue`. The symbol decides the market type: a `:` means futures."""

    name = VenueName.BITGET
    profile = PROFILE

    _link: BitgetLink

    def __init__(self, site: Site, account: Account, credentials: Credentials) -> None:
        self._link = BitgetLink(site, account, credentials)
        self._environment = account.environment

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Private events of every market type of the account, by one socket."""
        return self._link.private_events([AccountFeed(self._link)])

    async def close(self) -> None:
        """The site's sessions stay open for the other accounts; its owner closes them."""
