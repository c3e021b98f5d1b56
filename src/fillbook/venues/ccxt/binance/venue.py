"""One account's way to Binance, spot and USD-M futures: the parts put together as trading's port wants them."""

from collections.abc import AsyncIterator

from fillbook.accounts.core import Account, Credentials
from fillbook.market.core import MarketType, VenueName
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.binance.acts import Acts
from fillbook.venues.ccxt.binance.endpoints import PROFILE
from fillbook.venues.ccxt.binance.feeds import FuturesFeed, SpotFeed
from fillbook.venues.ccxt.binance.link import BinanceLink
from fillbook.venues.ccxt.binance.market import Quotes
from fillbook.venues.ccxt.binance.wallet import Wallet
from fillbook.venues.ccxt.site import Site
from fillbook.venues.ccxt.websocket import Dialogue


class BinanceVenue(Acts, Wallet, Quotes):
    """Satisfies `trading.ports.Venue`. The symbol decides the market type: a `:` means futures."""

    name = VenueName.BINANCE
    profile = PROFILE

    _link: BinanceLink

    def __init__(self, site: Site, account: Account, credentials: Credentials) -> None:
        self._link = BinanceLink(site, account, credentials)
        self._environment = account.environment

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Private events of every market type of the account; `reason` of a change names the market type.

        Each market type connects by itself: after its `CONNECTED`, its orders, fills and balances are to be
        fetched.
        """
        feeds: list[Dialogue[StreamEvent]] = []
        if MarketType.SPOT in self._link.market_types:
            feeds.append(SpotFeed(self._link))
        if MarketType.FUTURES in self._link.market_types:
            feeds.append(FuturesFeed(self._link))
        return self._link.private_events(feeds)

    async def close(self) -> None:
        """The site's sessions stay open for the other accounts; its owner closes them."""
