"""The life of an order: one table of transitions, and the one function that follows the facts through it.

Reports may be late, repeated or out of order, so a status never goes back because of one. The filled quantity
comes from booked fills alone; a venue that counts more only says that fills are missing.
"""

from decimal import Decimal
from types import MappingProxyType

from fillbook.kernel.money import ZERO, exact
from fillbook.orders.core.order import OrderStatus

_S = OrderStatus
_ENDS = (_S.FILLED, _S.CANCELED, _S.REJECTED, _S.EXPIRED)

STATUS_TRANSITIONS = MappingProxyType(
    {
        # Committed; perhaps sent. EXPIRED at once: an IOC or FOK that found nothing. FILLED at once: a market
        # order. PENDING_CANCEL at once: a cancel by client id while nobody knows whether the order arrived.
        _S.PENDING_NEW: frozenset({_S.NEW, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL, *_ENDS}),
        # REJECTED after NEW: a conditional order that its trigger found without margin; Bybit rejects late.
        _S.NEW: frozenset({_S.PARTIALLY_FILLED, _S.PENDING_CANCEL, *_ENDS}),
        # REJECTED with fills: Bybit reports it for an order whose rest was refused. Never back to NEW.
        _S.PARTIALLY_FILLED: frozenset({_S.PENDING_CANCEL, *_ENDS}),
        # Back to life only when the cancel itself failed (`status_after_failed_cancel`), never by a report:
        # a live report may be older than the cancel.
        _S.PENDING_CANCEL: frozenset({_S.NEW, _S.PARTIALLY_FILLED, *_ENDS}),
        # The whole quantity is booked: nothing can be truer.
        _S.FILLED: frozenset(),
        # A fill of before the cancel may arrive after it; it is booked, and if it was the last, the order was
        # in truth filled.
        _S.CANCELED: frozenset({_S.FILLED}),
        # Back to life only where it was ended as vanished, without a record of the venue's: it is there after all.
        _S.EXPIRED: frozenset(
            {_S.NEW, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL, _S.FILLED, _S.CANCELED, _S.REJECTED}
        ),
        # Back to life only where the venue had never shown the order (`never_placed`, or a refusal that proves
        # wrong): it did arrive, and is adopted in whatever state the venue has it.
        _S.REJECTED: frozenset(
            {_S.NEW, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL, _S.FILLED, _S.CANCELED, _S.EXPIRED}
        ),
    }
)

_FINAL = frozenset(_ENDS)


def next_status(
    current: OrderStatus,
    reported: OrderStatus | None,
    filled: Decimal,
    quantity: Decimal,
    *,
    reported_filled: Decimal | None = None,
    known_at_venue: bool = True,
) -> OrderStatus:
    """The status after a report, or after a fill (`reported` None).

    `filled` is the sum of booked fills, `quantity` what was ordered, `reported_filled` the venue's own count.
    `known_at_venue`: the venue had shown the order before this report, so that a live report may be an old one.
    It is False for `never_placed`, `vanished` and a refusal in the answer: if such an order shows up, it is alive.

    A reported FILLED counts when all that the venue filled is booked (it may be less than was ordered, where a
    venue rounds); until then the order stays live, so that it is looked at and backfilled. Report again after
    the backfill.
    """
    status = _next_status(current, reported, filled, quantity, reported_filled, known_at_venue)
    assert status is current or status in STATUS_TRANSITIONS[current], f"{current} -> {status}"
    return status


def _next_status(
    current: OrderStatus,
    reported: OrderStatus | None,
    filled: Decimal,
    quantity: Decimal,
    reported_filled: Decimal | None,
    known_at_venue: bool,
) -> OrderStatus:
    if current is _S.FILLED or filled >= quantity:
        return _S.FILLED
    is_all_booked = filled > 0 and reported_filled is not None and filled >= reported_filled
    if reported is _S.FILLED and is_all_booked:
        return _S.FILLED
    if current in (_S.REJECTED, _S.EXPIRED) and not known_at_venue:
        return _adopted(current, reported, filled)
    if current in _FINAL:
        return current
    if reported in (_S.CANCELED, _S.REJECTED, _S.EXPIRED):
        return reported
    if current is _S.PENDING_CANCEL or reported is _S.PENDING_CANCEL:
        return _S.PENDING_CANCEL
    if filled or reported in (_S.PARTIALLY_FILLED, _S.FILLED) or current is _S.PARTIALLY_FILLED:
        return _S.PARTIALLY_FILLED
    return _S.NEW if reported is _S.NEW else current


def _adopted(current: OrderStatus, reported: OrderStatus | None, filled: Decimal) -> OrderStatus:
    """Where an order that was thought never placed, or gone, stands once the venue shows it or a fill of it."""
    match reported:
        case _S.CANCELED | _S.EXPIRED | _S.REJECTED | _S.PENDING_CANCEL:
            return reported
        case _S.FILLED | _S.PARTIALLY_FILLED:
            return _S.PARTIALLY_FILLED
        case _S.NEW:
            return _S.PARTIALLY_FILLED if filled else _S.NEW
        case _:
            return _S.PARTIALLY_FILLED if filled and current is _S.REJECTED else current


def status_after_failed_cancel(filled: Decimal) -> OrderStatus:
    """The live status to which an order returns when its cancel has run out of retries."""
    return _S.PARTIALLY_FILLED if filled else _S.NEW


@exact
def missing_quantity(filled: Decimal, reported_filled: Decimal | None) -> Decimal:
    """Base units that the venue has filled and nobody has booked: to be backfilled, never invented."""
    return max((reported_filled or ZERO) - filled, ZERO)
