"""Watches what an account's key may still do, so that the account says it before the next order finds out.

The venue is asked when it has refused something for the key's sake, when a stream stays away, and once a day. What
it says is written to the account; a question without an answer concludes nothing.
"""

from dataclasses import replace
from typing import Final

import structlog

from fillbook.accounts import service as accounts
from fillbook.accounts.core import Account, KeyPermissions
from fillbook.kernel.bell import Bell
from fillbook.market.core import MarketType
from fillbook.market.errors import CredentialsRefused, ReadFailed
from fillbook.trading.floor import Floor
from fillbook.trading.ports import Venue

ROUTINE_S: Final = 24 * 3600.0
REFUSED_AGAIN_S: Final = 300.0
GAP_S: Final = 5.0
"""At least so long between two questions, however many orders are refused."""
NOTHING_ALLOWED: Final = KeyPermissions(False, False, False, None, None)

log = structlog.get_logger(__name__)


class KeyWatch:
    def __init__(self, account: Account, venue: Venue, floor: Floor) -> None:
        self._account_id = account.id
        self._venue = venue
        self._floor = floor
        self._bell = Bell()

    def doubt(self) -> None:
        """Something was refused, or is silent, and the key may be why."""
        self._bell.ring()

    async def run(self) -> None:
        while True:
            known = self._floor.accounts[self._account_id].permissions
            is_refused = known is not None and not known.can_read
            await self._bell.wait(REFUSED_AGAIN_S if is_refused else ROUTINE_S)
            await self.check()
            await self._floor.clock.sleep(GAP_S)

    async def check(self) -> None:
        """Ask now, and write down what has changed."""
        try:
            found = await self._venue.key_permissions()
        except CredentialsRefused as refusal:
            log.error("key_refused", account_id=self._account_id, reason=refusal.detail)
            found = NOTHING_ALLOWED
        except ReadFailed as failure:
            log.info("key_not_checked", account_id=self._account_id, reason=failure.detail)
            return
        account = self._floor.accounts[self._account_id]
        after = _merged(account, found)
        if after == account.permissions:
            return
        self._floor.accounts[account.id] = await self._floor.db.run(
            lambda unit: accounts.set_permissions(unit, account.id, after)
        )
        log.warning("key_permissions_changed", account_id=account.id)


def _merged(account: Account, found: KeyPermissions) -> KeyPermissions:
    """What was found of the account's own markets, and what was known of the rest and of what was not told."""
    known = account.permissions
    if known is None or not found.can_read:
        return found
    return replace(
        found,
        can_trade_spot=found.can_trade_spot if _trades(account, MarketType.SPOT) else known.can_trade_spot,
        can_trade_futures=(
            found.can_trade_futures if _trades(account, MarketType.FUTURES) else known.can_trade_futures
        ),
        can_withdraw=known.can_withdraw if found.can_withdraw is None else found.can_withdraw,
        ip_restricted=known.ip_restricted if found.ip_restricted is None else found.ip_restricted,
    )


def _trades(account: Account, market_type: MarketType) -> bool:
    return market_type in account.market_types
