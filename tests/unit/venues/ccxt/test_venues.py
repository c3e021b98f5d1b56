import random
from dataclasses import replace

import pytest

from fillbook.accounts.core import (
    Account,
    Credentials,
    Environment,
    PositionMode,
    TradingState,
)
from fillbook.kernel.errors import InvalidInput
from fillbook.market.core import MarketType, VenueName
from fillbook.venues.ccxt.venues import ADAPTERS, CcxtVenues

ACCOUNT = Account(
    id=1,
    uid="acc",
    user_id=1,
    name="test",
    exchange=VenueName.BINANCE,
    environment=Environment.LIVE,
    market_types=(MarketType.SPOT,),
    position_mode=PositionMode.ONE_WAY,
    trading_state=TradingState.ACTIVE,
    trading_state_reason=None,
    is_active=True,
)
KEYS = Credentials("k", "s", "p")


@pytest.mark.parametrize("exchange", list(ADAPTERS))
async def test_opening_an_account_connects_to_nothing(clock, exchange):
    venues = CcxtVenues(clock, random.Random(1))
    venue = venues.open(replace(ACCOUNT, exchange=exchange), KEYS)
    assert venue.name is exchange
    assert type(venue).profile.venue is exchange
    await venue.close()
    await venues.close()


@pytest.mark.parametrize("exchange", [name for name in VenueName if name not in ADAPTERS])
def test_a_venue_that_is_not_supported_says_so(clock, exchange):
    with pytest.raises(InvalidInput, match="not supported"):
        CcxtVenues(clock, random.Random(1)).open(replace(ACCOUNT, exchange=exchange), KEYS)


def test_an_account_without_market_types_is_refused(clock):
    with pytest.raises(ValueError, match="no market type"):
        CcxtVenues(clock, random.Random(1)).open(replace(ACCOUNT, market_types=()), KEYS)
