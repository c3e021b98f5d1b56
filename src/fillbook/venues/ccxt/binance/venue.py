"""One account's way to Binance, spot and USD-M futures: the parts put together as trading's port wants them."""

from collections.abc import AsyncIterator

from fillbook.accounts.core import Account, Credentials
from fillbook.market.core import MarketType, VenueName
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.binance.acts import Acts
from fillbook.venues.ccxt.binance.feeds import FuturesFeed, SpotFeed
from fillbook.venues.ccxt.binance.link import Link
from fillbook.venues.ccxt.binance.lookups import Lookups
from fillbook.venues.ccxt.binance.market import Quotes
from fillbook.venues.ccxt.binance.wallet import Wallet
from fillbook.venues.ccxt.site import Site
from fillbook.venues.ccxt.websocket import EventQueue, merged


class BinanceVenue(Acts, Lookups, Wallet, Quotes):
    """Satisfies `trading.ports.Venue`. The symbol decides the market type: a `:` means futures."""

    name = VenueName.BINANCE

    def __init__(self, site: Site, account: Account, credentials: Credentials) -> None:
        if not account.market_types:
            raise ValueError(f"account {account.id} trades no market type")
        self._link = Link(site, account, credentials)
        self._environment = account.environment

    async def stream(self) -> AsyncIterator[StreamEvent]:
        """Private events of every market type of the account; `reason` of a change names the market type.

        Each market type connects by itself: after its `CONNECTED`, its orders, fills and balances are to be
        fetched.
        """
        queue: EventQueue[StreamEvent] = EventQueue()
        sockets = []
        if MarketType.SPOT in self._link.market_types:
            sockets.append(self._link.live_socket(SpotFeed(self._link), queue))
        if MarketType.FUTURES in self._link.market_types:
            sockets.append(self._link.live_socket(FuturesFeed(self._link), queue))
        events = merged(sockets, queue)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    async def close(self) -> None:
        """The site's sessions stay open for the other accounts; its owner closes them."""
