"""One account's line to Binance: its clocks, its lists of instruments, its refusals, its signature."""

import hashlib

from fillbook.market.core import MarketType
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance.instruments import futures_listings, spot_listings
from fillbook.venues.ccxt.calls import Endpoint
from fillbook.venues.ccxt.failures import Failures
from fillbook.venues.ccxt.link import Link
from fillbook.venues.ccxt.site import Listing

FAILURES = Failures(
    title="Binance",
    credential_codes=frozenset({"-1022", "-2008", "-2014", "-2015"}),
    clock_codes=frozenset({"-1021"}),
    # A dead listen key.
    other_codes=frozenset({"-1125"}),
)
NOT_FOUND_CODES = frozenset({"-2013"})


class BinanceLink(Link):
    failures = FAILURES

    def clock_of(self, endpoint: Endpoint) -> MarketType:
        return MarketType.FUTURES if endpoint.pool == at.FUTURES else MarketType.SPOT

    async def read_clock_ms(self, market_type: MarketType) -> int:
        answer = await self.client.send(at.SERVER_TIME[market_type], {})
        return int(answer["serverTime"])

    async def load_listings(self, market_type: MarketType) -> list[Listing]:
        if market_type is MarketType.SPOT:
            return spot_listings(await self.read(at.SPOT_INSTRUMENTS, {"showPermissionSets": "false"}))
        return futures_listings(await self.read(at.FUTURES_INSTRUMENTS))

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
