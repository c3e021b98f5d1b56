"""What became of a request that may have created, changed or cancelled an order.

The types are here; the literal table that maps a venue's answers onto them is `OUTCOME_TABLE` beside each
venue's adapter data. A venue's refusal is `Rejected`; anything that does not prove either way is `Unknown`.
"""

from dataclasses import dataclass

from fillbook.orders.core.reports import FillReport, OrderReport


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The venue has the order. `fills` are those that its answer already names."""

    report: OrderReport
    fills: tuple[FillReport, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue proves that nothing was placed, changed or cancelled.

    `for_now`: it did not look at the request (too many of them, a clock that differs), so that its refusal says
    nothing about the order. `doubts_key`: it may be the account's key that the venue refuses.
    """

    code: str
    message: str
    for_now: bool = False
    doubts_key: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say yet. The order is looked up, never sent again."""

    code: str
    message: str


PlaceOutcome = Acknowledged | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class CancelAccepted:
    """The venue says that it cancelled the order."""

    exchange_order_id: str | None


CancelOutcome = CancelAccepted | Rejected | Unknown
