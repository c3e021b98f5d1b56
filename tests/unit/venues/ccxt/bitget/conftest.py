"""A line to a scripted Bitget: what it holds, and its rules on asking for it."""

import random
from decimal import Decimal

import pytest

from fillbook.accounts.core import Account, Credentials, Environment, PositionMode, TradingState
from fillbook.kernel.clock import to_ms
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.venues.ccxt.bitget.endpoints import PROFILE
from fillbook.venues.ccxt.bitget.link import BitgetLink
from fillbook.venues.ccxt.bitget.venue import BitgetVenue
from fillbook.venues.ccxt.site import Listing, Site

ACCOUNT = Account(
    id=1,
    uid="acc",
    user_id=1,
    name="test",
    exchange=VenueName.BITGET,
    environment=Environment.PAPER,
    market_types=(MarketType.SPOT, MarketType.FUTURES),
    position_mode=PositionMode.ONE_WAY,
    trading_state=TradingState.ACTIVE,
    trading_state_reason=None,
    is_active=True,
)


class ScriptedLink(BitgetLink):
    """`answers` by path: an answer, an error, or what makes one of the parameters. `asked` is what was sent."""

    def __init__(self, site):
        super().__init__(site, ACCOUNT, Credentials("the-key", "the-secret", "the-passphrase"))
        now_ms = str(to_ms(site.clock.now()))
        ticker = [{"lastPr": "10", "askPr": "10.04", "bidPr": "9.9", "ts": now_ms}]
        self.answers = {
            "spot/market/tickers": ticker,
            "mix/market/ticker": ticker,
            "mix/account/account": {"marginMode": "crossed", "posMode": "one_way_mode"},
        }
        self.asked = []

    async def load_listings(self, market_type):
        is_spot = market_type is MarketType.SPOT
        rows = []
        for base in ("BTC", "ETH"):
            symbol = f"{base}/USDT" if is_spot else f"{base}/USDT:USDT"
            terms = (base, "USDT", "USDT", Decimal("0.1"), Decimal("0.001"))
            rows.append(Listing(Instrument(VenueName.BITGET, symbol, market_type, *terms), f"{base}USDT"))
        return rows

    async def _send(self, endpoint, params):
        path = endpoint.path.removeprefix("v2/")
        self.asked.append((path, dict(params)))
        answer = self.answers.get(path, [])
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, Exception):
            raise answer
        return {"code": "00000", "data": answer, "requestTime": to_ms(self.site.clock.now())}

    def asked_for(self, path):
        return [params for asked, params in self.asked if asked == path]


@pytest.fixture
async def link(clock):
    site = Site(PROFILE, Environment.PAPER, "http://127.0.0.1:9", clock, random.Random(1))
    site.take_clock_check()
    yield ScriptedLink(site)
    await site.close()


@pytest.fixture
def venue(link):
    venue = BitgetVenue(link.site, ACCOUNT, Credentials("the-key", "the-secret", "the-passphrase"))
    venue._link = link
    return venue
