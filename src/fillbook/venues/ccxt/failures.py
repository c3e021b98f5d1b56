"""What a failed call means to those who asked, in sentences that name the venue.

Each venue has one `Failures`: which of its codes refuse the key itself, and which say that our clock is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fillbook.market.errors import CredentialsRefused, ReadFailed, SettingRefused
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors


@dataclass(frozen=True, slots=True)
class Failures:
    """`title` is the venue's name in a sentence. `other_codes` share ccxt's class of refused keys but are not.

    `pauses_s` and `bans_s`: codes by which the venue wants to be left alone for so long by this account, or by this
    address, where its HTTP status does not say so.
    """

    title: str
    credential_codes: frozenset[str]
    clock_codes: frozenset[str]
    other_codes: frozenset[str] = frozenset()
    pauses_s: Mapping[str, float] = field(default_factory=dict)
    bans_s: Mapping[str, float] = field(default_factory=dict)

    def is_credential_failure(self, failure: CallFailed) -> bool:
        """Whether the venue refuses the key itself."""
        if failure.code in self.other_codes:
            return False
        return failure.code in self.credential_codes or issubclass(failure.kind, errors.AuthenticationError)

    def read_failure(self, failure: CallFailed) -> ReadFailed:
        """The error that a reader of the venue gets."""
        if self.is_credential_failure(failure):
            return CredentialsRefused(
                f"{self.title} refuses this API key ({failure.code}: {failure.message}). "
                "Check that it exists, may be used from this address, and has the permission."
            )
        return ReadFailed(
            f"{self.title} could not be read ({failure.code}: {failure.message}). "
            "Nothing is known from this; it is tried again."
        )

    def unreadable(self, error: Exception, what: str) -> ReadFailed:
        return ReadFailed(
            f"{self.title}'s answer about {what} could not be understood ({type(error).__name__}). "
            "If this stays, this version does not know the venue's newest format: update Fillbook."
        )

    def unlisted(self, symbol: str) -> ReadFailed:
        return ReadFailed(f"{self.title} lists no {symbol}: check the spelling of the symbol.")

    def setting_refused(self, failure: CallFailed) -> SettingRefused | ReadFailed:
        if self.is_credential_failure(failure):
            return self.read_failure(failure)
        return SettingRefused(
            f"{self.title} did not take the setting ({failure.code}: {failure.message}). "
            "Close positions and orders of the symbol if it says so, then try again."
        )

    def not_taken(self, wanted: str, found: object) -> SettingRefused:
        return SettingRefused(
            f"{self.title} was asked for {wanted} but shows {found}: set it on {self.title}, then try again."
        )
