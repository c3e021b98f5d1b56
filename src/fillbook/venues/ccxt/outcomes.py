"""What an answer to an act means: one literal table, read from the top, the first row that matches decides.

Only a strict refusal proves that nothing happened. A duplicate client order id proves that such an order
exists, so it is unknown; rate limits and clock errors are refused before an order is made; ccxt's bare
`ExchangeError` is a code nobody knows or a body cut in half, so it is unknown like everything else.
"""

from dataclasses import dataclass
from enum import StrEnum

from fillbook.market.core import VenueName
from fillbook.orders.core.outcomes import Rejected, Unknown
from fillbook.venues.ccxt.calls import CallFailed
from fillbook.venues.ccxt.library import errors


class Fate(StrEnum):
    """`NOT_NOW`: refused at the door, without a look at what was asked."""

    NOT_DONE = "not_done"
    NOT_NOW = "not_now"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """Matches by every field that is set. `exactly` refuses subclasses of `kind`."""

    fate: Fate
    venue: VenueName | None = None
    code: str | None = None
    text: str = ""
    kind: type[Exception] | None = None
    exactly: bool = False

    def matches(self, venue: VenueName, failure: CallFailed) -> bool:
        if self.venue is not None and self.venue is not venue:
            return False
        if self.code is not None and self.code != failure.code:
            return False
        if self.text.lower() not in failure.message.lower():
            return False
        if self.kind is None:
            return True
        return failure.kind is self.kind if self.exactly else issubclass(failure.kind, self.kind)


_BINANCE, _BYBIT = VenueName.BINANCE, VenueName.BYBIT
_OKX, _BITGET = VenueName.OKX, VenueName.BITGET

OUTCOME_TABLE: tuple[Row, ...] = (
    # The id exists already: ours from before, or one that met it. Looking up tells which.
    Row(Fate.UNKNOWN, _BINANCE, "-2010", "duplicate order"),
    Row(Fate.UNKNOWN, _BINANCE, "-4116"),
    Row(Fate.UNKNOWN, _BYBIT, "110072"),
    Row(Fate.UNKNOWN, _BYBIT, "170141"),
    Row(Fate.UNKNOWN, _BYBIT, "110030"),
    Row(Fate.UNKNOWN, _BYBIT, "10014"),
    Row(Fate.UNKNOWN, _OKX, "51016"),
    Row(Fate.UNKNOWN, _BITGET, "40786"),
    Row(Fate.UNKNOWN, _BITGET, "43118"),
    Row(Fate.UNKNOWN, _BITGET, "45034"),
    Row(Fate.UNKNOWN, _BITGET, "50060"),
    Row(Fate.UNKNOWN, _BITGET, "40500"),
    Row(Fate.UNKNOWN, _BITGET, "40708"),
    Row(Fate.UNKNOWN, kind=errors.DuplicateOrderId),
    # The venue says itself that it does not know, or was too busy to say.
    Row(Fate.UNKNOWN, _BINANCE, "-1000"),
    Row(Fate.UNKNOWN, _BINANCE, "-1001"),
    Row(Fate.UNKNOWN, _BINANCE, "-1006"),
    Row(Fate.UNKNOWN, _BINANCE, "-1007"),
    Row(Fate.UNKNOWN, _BINANCE, "-1008"),
    Row(Fate.UNKNOWN, _BYBIT, "10000"),
    Row(Fate.UNKNOWN, _BYBIT, "10016"),
    Row(Fate.UNKNOWN, _BYBIT, "10429"),
    Row(Fate.UNKNOWN, _BYBIT, "170007"),
    Row(Fate.UNKNOWN, _BYBIT, "170146"),
    Row(Fate.UNKNOWN, _BYBIT, "170147"),
    Row(Fate.UNKNOWN, _OKX, "50004"),
    Row(Fate.UNKNOWN, _OKX, "50013"),
    Row(Fate.UNKNOWN, _OKX, "50026"),
    Row(Fate.UNKNOWN, _OKX, "51149"),
    Row(Fate.UNKNOWN, _BITGET, "40010"),
    Row(Fate.UNKNOWN, _BITGET, "40015"),
    Row(Fate.UNKNOWN, _BITGET, "40725"),
    Row(Fate.UNKNOWN, _BITGET, "45001"),
    # A wrong parameter, but during its releases anything: the venue says so itself.
    Row(Fate.UNKNOWN, _BITGET, "40808"),
    # The order is being worked on at this moment; OKX says so of a cancel.
    Row(Fate.UNKNOWN, _BYBIT, "110079"),
    Row(Fate.UNKNOWN, _OKX, "51410"),
    # An amend that changes nothing may be the second copy of one that did (PUT is repeated by the transport).
    Row(Fate.UNKNOWN, _BINANCE, "-5027"),
    # Cancel-replace: the old order may be gone without a new one.
    Row(Fate.UNKNOWN, _BINANCE, "-2021", "cancel-replace"),
    Row(Fate.NOT_DONE, _BINANCE, "-2022", "cancel-replace"),
    # Refused at the door. Too many orders of an account is no invalid order, whatever ccxt's class says.
    Row(Fate.NOT_NOW, _BYBIT, "170005"),
    Row(Fate.NOT_NOW, _OKX, "50061"),
    # Frozen for a while by a liquidation, by deleveraging or by the settlement of funding.
    Row(Fate.NOT_NOW, _OKX, "50017"),
    Row(Fate.NOT_NOW, _OKX, "50018"),
    Row(Fate.NOT_NOW, _OKX, "50019"),
    Row(Fate.NOT_NOW, _OKX, "50020"),
    Row(Fate.NOT_NOW, _OKX, "50021"),
    Row(Fate.NOT_NOW, _OKX, "50022"),
    Row(Fate.NOT_NOW, _OKX, "50023"),
    Row(Fate.NOT_NOW, _OKX, "51032"),
    # A banned address.
    Row(Fate.NOT_NOW, _BYBIT, "10009"),
    Row(Fate.NOT_NOW, _BITGET, "403"),
    Row(Fate.NOT_NOW, kind=errors.RateLimitExceeded),
    Row(Fate.NOT_NOW, kind=errors.DDoSProtection),
    Row(Fate.NOT_NOW, kind=errors.InvalidNonce),
    # Nothing is traded at this time, or not this.
    Row(Fate.NOT_DONE, _BYBIT, "110063"),
    Row(Fate.NOT_DONE, _BYBIT, "110066"),
    # Strict refusals for which ccxt has no class: the key, reduce-only, and an amend of what has ended.
    Row(Fate.NOT_DONE, _OKX, "50119"),
    Row(Fate.NOT_DONE, _OKX, "50120"),
    Row(Fate.NOT_DONE, _OKX, "51023"),
    Row(Fate.NOT_DONE, _OKX, "51025"),
    Row(Fate.NOT_DONE, _OKX, "51033"),
    Row(Fate.NOT_DONE, _OKX, "51037"),
    Row(Fate.NOT_DONE, _OKX, "51038"),
    Row(Fate.NOT_DONE, _OKX, "51058"),
    Row(Fate.NOT_DONE, _OKX, "51148"),
    Row(Fate.NOT_DONE, _OKX, "51150"),
    Row(Fate.NOT_DONE, _OKX, "51169"),
    Row(Fate.NOT_DONE, _OKX, "51170"),
    Row(Fate.NOT_DONE, _OKX, "51206"),
    Row(Fate.NOT_DONE, _OKX, "51299"),
    Row(Fate.NOT_DONE, _OKX, "51412"),
    Row(Fate.NOT_DONE, _OKX, "51506"),
    Row(Fate.NOT_DONE, _OKX, "51508"),
    Row(Fate.NOT_DONE, _OKX, "51510"),
    Row(Fate.NOT_DONE, _OKX, "51511"),
    Row(Fate.NOT_DONE, _OKX, "51513"),
    # Refusals that ccxt knows no class for: too little money or position, limits of price and size, and orders
    # that have ended.
    Row(Fate.NOT_DONE, _BITGET, "40754"),
    Row(Fate.NOT_DONE, _BITGET, "40755"),
    Row(Fate.NOT_DONE, _BITGET, "40756"),
    Row(Fate.NOT_DONE, _BITGET, "40757"),
    Row(Fate.NOT_DONE, _BITGET, "22002"),
    Row(Fate.NOT_DONE, _BITGET, "22006"),
    Row(Fate.NOT_DONE, _BITGET, "22007"),
    Row(Fate.NOT_DONE, _BITGET, "22008"),
    Row(Fate.NOT_DONE, _BITGET, "22009"),
    Row(Fate.NOT_DONE, _BITGET, "22034"),
    Row(Fate.NOT_DONE, _BITGET, "22038"),
    Row(Fate.NOT_DONE, _BITGET, "22042"),
    Row(Fate.NOT_DONE, _BITGET, "25213"),
    Row(Fate.NOT_DONE, _BITGET, "43023"),
    Row(Fate.NOT_DONE, _BITGET, "43008"),
    Row(Fate.NOT_DONE, _BITGET, "43009"),
    Row(Fate.NOT_DONE, _BITGET, "43028"),
    Row(Fate.NOT_DONE, _BITGET, "43037"),
    Row(Fate.NOT_DONE, _BITGET, "43038"),
    Row(Fate.NOT_DONE, _BITGET, "43039"),
    Row(Fate.NOT_DONE, _BITGET, "43040"),
    Row(Fate.NOT_DONE, _BITGET, "45111"),
    Row(Fate.NOT_DONE, _BITGET, "45112"),
    Row(Fate.NOT_DONE, _BITGET, "45113"),
    Row(Fate.NOT_DONE, _BITGET, "45115"),
    Row(Fate.NOT_DONE, _BITGET, "22001"),
    Row(Fate.NOT_DONE, _BITGET, "25204"),
    Row(Fate.NOT_DONE, _BITGET, "43004"),
    # A code nobody knows, or half an answer.
    Row(Fate.UNKNOWN, kind=errors.ExchangeError, exactly=True),
    Row(Fate.NOT_DONE, kind=errors.ExchangeError),
)


UNREADABLE_ANSWER = Unknown("unreadable_answer", "The venue's answer could not be understood.")
"""An answer without an error that names no order proves nothing."""


_KEY_REFUSED = frozenset({(_BINANCE, "-2015"), (_OKX, "50119"), (_OKX, "50120")})
"""Refused keys of another class in ccxt, which takes -2015 for a ban once the key has worked."""


def outcome_of(venue: VenueName, failure: CallFailed) -> Rejected | Unknown:
    """The outcome of an act that failed so. What never left this process was not done."""
    is_of_key = issubclass(failure.kind, errors.AuthenticationError)
    doubts_key = is_of_key or (venue, failure.code) in _KEY_REFUSED
    if not failure.sent:
        return Rejected(failure.code, failure.message, for_now=True, doubts_key=doubts_key)
    for row in OUTCOME_TABLE:
        if row.matches(venue, failure):
            if row.fate is Fate.UNKNOWN:
                break
            return Rejected(
                failure.code, failure.message, for_now=row.fate is Fate.NOT_NOW, doubts_key=doubts_key
            )
    return Unknown(failure.code, failure.message)
