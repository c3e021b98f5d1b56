"""Asks a venue what a key may do, before the key is kept."""

from fillbook.accounts.core import (
    Account,
    Credentials,
    Environment,
    KeyPermissions,
    TradingState,
)
from fillbook.market.core import MarketType, VenueName
from fillbook.venues.ccxt.venues import CcxtVenues


class VenueProbe:
    """Implements `accounts.ports.KeyProbe` through the venues' own adapters."""

    def __init__(self, venues: CcxtVenues) -> None:
        self._venues = venues

    async def permissions(
        self, exchange: VenueName, environment: Environment, credentials: Credentials, egress: str | None
    ) -> KeyPermissions:
        venue = self._venues.open(_unsaved(exchange, environment, egress), credentials)
        try:
            return await venue.key_permissions()
        finally:
            await venue.close()


def _unsaved(exchange: VenueName, environment: Environment, egress: str | None) -> Account:
    """An account that exists only for the question."""
    return Account(
        id=0,
        uid="",
        user_id=0,
        name="",
        exchange=exchange,
        environment=environment,
        market_types=(MarketType.SPOT, MarketType.FUTURES),
        position_mode=None,
        trading_state=TradingState.HALTED,
        trading_state_reason=None,
        is_active=False,
        egress=egress,
    )
