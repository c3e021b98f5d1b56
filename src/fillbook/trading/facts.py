"""What was learned of an account, on its way into the books. Every fact enters through one door (`booking`).

A fact says what somebody saw or what an act came to; it never says what the books should hold.
"""

from dataclasses import dataclass, field
from datetime import datetime

from fillbook.ledger.core.fill import FillSource
from fillbook.ledger.core.revision import Superseded
from fillbook.orders.core.order import Order
from fillbook.orders.core.outcomes import PlaceOutcome
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.risk.core import Denied


@dataclass(frozen=True, slots=True)
class SendSettled:
    """An order left for the venue, or was held back at the last moment (`Denied`), and this came of it."""

    order: Order
    outcome: PlaceOutcome | Denied
    sent_at: datetime | None

    @property
    def account_id(self) -> int:
        return self.order.account_id


@dataclass(frozen=True, slots=True)
class AmendSettled:
    """A change of an order was asked of the venue, or held back (`Denied`), and this came of it."""

    order: Order
    outcome: PlaceOutcome | Denied

    @property
    def account_id(self) -> int:
        return self.order.account_id


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """The venue reported an order: by stream, by look-up, or in a list."""

    account_id: int
    report: OrderReport


@dataclass(frozen=True, slots=True)
class FillCursor:
    """Up to where the fills of a symbol were read without a gap."""

    symbol: str
    last_trade_id: str | None
    last_sync_at: datetime


@dataclass(frozen=True, slots=True)
class FillsSeen:
    """Fills of one account. With `adopt`, those whose order nobody knows are booked as external; without it
    they are given back, so that their order can be looked up first; the cursor then stays where it is.

    A fill of the source INFERRED stands for what the venue has filled up to its `cumulative_quantity` and nothing
    in the books explains when it is booked.
    """

    account_id: int
    fills: tuple[FillReport, ...]
    source: FillSource
    cursor: FillCursor | None = None
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A look-up of an order of unknown fate found nothing, or could not be made (`clean` is False)."""

    order: Order
    clean: bool
    at: datetime

    @property
    def account_id(self) -> int:
        return self.order.account_id


@dataclass(frozen=True, slots=True)
class Vanished:
    """No book of the venue has a live order any more, and it is certain that it will not come back."""

    order: Order

    @property
    def account_id(self) -> int:
        return self.order.account_id


Fact = SendSettled | AmendSettled | OrderSeen | FillsSeen | LookedUp | Vanished


@dataclass(frozen=True, slots=True)
class Booked:
    """What booking one fact came to.

    `order` is its order as it now stands. `gap` says that the venue reports more filled than we have fills
    for: they are to be fetched. `unowned` are fills that wait for their order to be looked up. `amended` are
    booked fills that the venue has corrected or taken back by this fact. `fresh` are its fills that were not in
    the books.
    """

    order: Order | None = None
    gap: bool = False
    unowned: tuple[FillReport, ...] = field(default=())
    amended: tuple[Superseded, ...] = ()
    fresh: tuple[FillReport, ...] = ()
