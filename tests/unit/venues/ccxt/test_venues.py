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


def test_every_venue_has_an_adapter():
    assert set(ADAPTERS) == set(VenueName)


def test_a_paper_account_without_a_paper_exchange_is_told_how_to_start_one(clock):
    with pytest.raises(InvalidInput, match="fillbook sim"):
        CcxtVenues(clock, random.Random(1)).open(replace(ACCOUNT, environment=Environment.PAPER), KEYS)


def test_an_account_without_market_types_is_refused(clock):
    with pytest.raises(ValueError, match="no market type"):
        CcxtVenues(clock, random.Random(1)).open(replace(ACCOUNT, market_types=()), KEYS)
