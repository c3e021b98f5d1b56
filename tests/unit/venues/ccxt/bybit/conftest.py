"""A line to a scripted Bybit: what it holds, and its rules on asking for it."""

import random
from decimal import Decimal

import pytest

from fillbook.accounts.core import (
    Account,
    Credentials,
    Environment,
    PositionMode,
    TradingState,
)
from fillbook.kernel.clock import to_ms
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.venues.ccxt.bybit.endpoints import PROFILE
from fillbook.venues.ccxt.bybit.link import BybitLink
from fillbook.venues.ccxt.site import Listing, Site

ACCOUNT = Account(
    id=1,
    uid="acc",
    user_id=1,
    name="test",
    exchange=VenueName.BYBIT,
    environment=Environment.PAPER,
    market_types=(MarketType.SPOT, MarketType.FUTURES),
    position_mode=PositionMode.ONE_WAY,
    trading_state=TradingState.ACTIVE,
    trading_state_reason=None,
    is_active=True,
)


def listings(market_type):
    is_spot = market_type is MarketType.SPOT
    rows = []
    for base in ("BTC", "ETH", "APEX"):
        symbol = f"{base}/USDT" if is_spot else f"{base}/USDT:USDT"
        instrument = Instrument(
            VenueName.BYBIT, symbol, market_type, base, "USDT", "USDT", Decimal("0.1"), Decimal("0.001")
        )
        rows.append(Listing(instrument, f"{base}USDT"))
    return rows


class ScriptedLink(BybitLink):
    """`answers` by path: an answer, an error, or what makes one of the parameters. `asked` is what was sent."""

    def __init__(self, site):
        super().__init__(site, ACCOUNT, Credentials("the-key", "the-secret"))
        self.answers = {}
        self.asked = []

    async def load_listings(self, market_type):
        return listings(market_type)

    async def _send(self, endpoint, params):
        self.asked.append((endpoint.path.removeprefix("v5/"), dict(params)))
        answer = self.answers.get(endpoint.path.removeprefix("v5/"), {"list": []})
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, Exception):
            raise answer
        return {"retCode": 0, "result": answer, "time": to_ms(self.site.clock.now())}

    def asked_for(self, path):
        return [params for asked, params in self.asked if asked == path]


@pytest.fixture
async def link(clock):
    site = Site(PROFILE, Environment.PAPER, "http://127.0.0.1:9", clock, random.Random(1))
    site.take_clock_check()
    yield ScriptedLink(site)
    await site.close()
