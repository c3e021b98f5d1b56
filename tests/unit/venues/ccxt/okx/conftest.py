"""Messages as OKX sends them, an account, and the instruments that they are about."""

import random
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from fillbook.accounts.core import Account, Credentials, Environment, PositionMode, TradingState
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.venues.ccxt.okx.endpoints import PROFILE
from fillbook.venues.ccxt.okx.link import OkxLink
from fillbook.venues.ccxt.site import Catalogue, Listing, Site
from support import shapes

ACCOUNT = Account(
    id=1,
    uid="acc",
    user_id=1,
    name="test",
    exchange=VenueName.OKX,
    environment=Environment.PAPER,
    market_types=(MarketType.SPOT, MarketType.FUTURES),
    position_mode=PositionMode.ONE_WAY,
    trading_state=TradingState.ACTIVE,
    trading_state_reason=None,
    is_active=True,
)


def listed(base: str, market_type: MarketType, lot: str, size: str = "1") -> Listing:
    is_spot = market_type is MarketType.SPOT
    instrument = Instrument(
        venue=VenueName.OKX,
        symbol=f"{base}/USDT" if is_spot else f"{base}/USDT:USDT",
        market_type=market_type,
        base=base,
        quote="USDT",
        settle="USDT",
        tick=Decimal("0.1"),
        lot=Decimal(lot),
        contract_size=Decimal(size),
    )
    return Listing(instrument, f"{base}-USDT" if is_spot else f"{base}-USDT-SWAP")


LISTINGS = {
    MarketType.SPOT: [listed("BTC", MarketType.SPOT, "0.00001"), listed("ETH", MarketType.SPOT, "0.0001")],
    MarketType.FUTURES: [
        listed("BTC", MarketType.FUTURES, "0.0001", "0.01"),
        listed("ETH", MarketType.FUTURES, "0.001", "0.1"),
    ],
}


@pytest.fixture
def listing() -> Callable[[str], Listing]:
    """A listing by our symbol."""
    known = {row.instrument.symbol: row for rows in LISTINGS.values() for row in rows}
    return known.__getitem__


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    return lambda name: shapes.recorded("okx", name)


class OfflineLink(OkxLink):
    """The real link with instruments at hand; what is read (`script`) and acted (`answers`) comes from scripts."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.script: list[Any] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Any] = []
        self.sent: list[tuple[str, Any]] = []

    async def act(self, endpoint: Any, params: Any) -> Any:
        self.sent.append((endpoint.path, params))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def catalogue(self, market_type: MarketType, max_age_s: float | None = None) -> Catalogue:
        return Catalogue(LISTINGS[market_type])

    async def try_read(self, endpoint: Any, params: Any = None) -> Any:
        self.asked.append((endpoint.path, dict(params or {})))
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"code": "0", "msg": "", "data": answer}


@pytest.fixture
async def link(clock: Any) -> AsyncIterator[OfflineLink]:
    site = Site(PROFILE, Environment.PAPER, "http://127.0.0.1:9", clock, random.Random(1))
    yield OfflineLink(site, ACCOUNT, Credentials("the-key", "the-secret", "the-passphrase"))
    await site.close()
