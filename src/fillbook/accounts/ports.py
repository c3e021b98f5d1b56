"""What accounts need of the outside: somebody who asks a venue what a key may do."""

from typing import Protocol

from fillbook.accounts.core import Credentials, Environment, KeyPermissions
from fillbook.market.core import VenueName


class AccountsChanged(Protocol):
    """A hint after a change that whoever trades should look at the accounts again; polling is the truth."""

    def __call__(self) -> None: ...


def tell_nobody() -> None:
    """For a process that does not trade."""


class CheckVenue(Protocol):
    def __call__(self, exchange: VenueName, environment: Environment) -> None:
        """Raises a `FillbookError` when accounts of this kind cannot be traded by this server."""


def any_venue(exchange: VenueName, environment: Environment) -> None:
    """For a process that does not trade: it keeps what it is given."""


class OpenBusiness(Protocol):
    async def __call__(self, account_id: int) -> str | None:
        """What an account still has open (orders, positions), for a person; None: nothing."""


async def no_business(account_id: int) -> str | None:
    """For a process without trading."""
    return None


class KeyProbe(Protocol):
    async def permissions(
        self, exchange: VenueName, environment: Environment, credentials: Credentials, egress: str | None
    ) -> KeyPermissions:
        """Ask the venue. Raises `market.errors.CredentialsRefused`, or `ReadFailed` when it cannot say."""
