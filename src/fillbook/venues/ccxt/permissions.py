"""What a key may do, where a venue does not say: found by trying to read each wallet."""

from collections.abc import Awaitable, Callable, Iterable

from fillbook.accounts.core import KeyPermissions
from fillbook.market.core import MarketType
from fillbook.market.errors import CredentialsRefused


async def permissions_by_trial(
    market_types: Iterable[MarketType], read_wallet: Callable[[MarketType], Awaitable[object]]
) -> KeyPermissions:
    """A refusal means no; one of every wallet is raised. A wallet that could not be read raises `ReadFailed`."""
    can: dict[MarketType, bool] = dict.fromkeys(MarketType, False)
    refusal: CredentialsRefused | None = None
    for market_type in market_types:
        try:
            await read_wallet(market_type)
        except CredentialsRefused as error:
            refusal = error
        else:
            can[market_type] = True
    if refusal is not None and not any(can.values()):
        raise refusal
    return KeyPermissions(True, can[MarketType.SPOT], can[MarketType.FUTURES], None, None)
