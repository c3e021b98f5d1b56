"""Fills: those that the venue shows and the books lack. Each is booked, once; none is ever dropped."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from fillbook.accounts.core import SyncCursor
from fillbook.kernel.money import ZERO, exact, to_text
from fillbook.ledger.core.fill import FillReport
from fillbook.market.core import VenueName, market_type_of
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.trading.core.reconcile.cases import Case, Finding, RepairKind
from fillbook.trading.core.reconcile.orders import Step
from fillbook.trading.core.reconcile.repairs import BookFills, RestartCursor
from fillbook.trading.core.reconcile.snapshots import FillId, LocalSnapshot, VenueSnapshot


def plan_fills(local: LocalSnapshot, venue: VenueSnapshot) -> Step:
    """The fills that were read and are not booked, oldest first, however often and in whatever order they came."""
    step = Step()
    missing = missing_fills(venue.fills, local.fill_ids)
    if missing:
        step.add(None, BookFills(missing))
    orders = {(order.symbol, order.exchange_order_id): order.id for order in local.orders}
    by_order: dict[tuple[str, str], list[FillReport]] = {}
    for fill in missing:
        if fill.exchange_at < local.settled_by(venue.at):
            by_order.setdefault((fill.symbol, fill.exchange_order_id), []).append(fill)
    for (symbol, number), fills in by_order.items():
        step.add(_finding(symbol, number, orders.get((symbol, number)), fills))
    return step


def missing_fills(seen: Iterable[FillReport], known: frozenset[FillId]) -> tuple[FillReport, ...]:
    """Each fill that is not known, once, in canonical order."""
    fresh = {FillId.of(fill): fill for fill in seen if FillId.of(fill) not in known}
    return tuple(sorted(fresh.values(), key=lambda fill: fill.canonical_key))


def _finding(symbol: str, number: str, order_id: int | None, fills: list[FillReport]) -> Finding:
    return Finding(
        Case.FILLS_MISSING,
        f"venue order {number}" if order_id is None else f"order {order_id}",
        "The venue has fills of this order that the stream did not bring.",
        {"missing": str(len(fills))},
        {"booked": str(len(fills)), "quantity": to_text(_sum(fills))},
        RepairKind.READ_FILLS,
        symbol,
        order_id,
    )


@exact
def _sum(fills: Iterable[FillReport]) -> Decimal:
    return sum((fill.quantity for fill in fills), ZERO)


def plan_cursors(exchange: VenueName, cursors: Iterable[SyncCursor], now: datetime) -> Step:
    """Cursors that stand before what the venue still tells: the books are complete from later on."""
    step = Step()
    for cursor in cursors:
        kept = TRAITS[exchange].fills_kept.get(market_type_of(cursor.symbol))
        if kept is None or cursor.last_sync_at >= now - kept:
            continue
        finding = Finding(
            Case.HISTORY_INCOMPLETE,
            f"fills of {cursor.symbol}",
            f"Nothing was read since {cursor.last_sync_at:%Y-%m-%d %H:%M} UTC, and the venue tells of the last "
            f"{kept.days} days only: what filled in between is not in the books.",
            {"complete_since": _moment(cursor.complete_since)},
            {"complete_since": _moment(now - kept)},
            RepairKind.RESTART_CURSOR,
            cursor.symbol,
        )
        step.add(finding, RestartCursor(cursor.symbol, now - kept))
    return step


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")
