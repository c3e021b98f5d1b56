"""A position book as JSON and back, without loss: what the ledger keeps between two bookings.

Decimals are canonical text, times ISO 8601 in UTC. The columns of `positions` and `strategy_positions` repeat
parts of it for whoever reads; this is what the fold goes on from.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fillbook.kernel.money import to_text
from fillbook.ledger.core.fill import CanonicalKey
from fillbook.ledger.core.position import PositionBook
from fillbook.ledger.core.round_trip import ExitReason, OpenTrip, TradeSource, TripKey
from fillbook.market.core import Side

_BOOK_AMOUNTS = ("quantity", "cost", "capital_used", "realized_pnl", "fees", "dust_quantity", "dust_cost")
_TRIP_AMOUNTS = (
    "leverage",
    "entered_quantity",
    "entered_cost",
    "exited_quantity",
    "exited_value",
    "capital",
    "realized_pnl",
    "fees",
)


def book_to_json(book: PositionBook) -> dict[str, Any]:
    document: dict[str, Any] = {name: to_text(getattr(book, name)) for name in _BOOK_AMOUNTS}
    document["trip"] = _trip_to_json(book.trip)
    document["left_trip"] = _trip_to_json(book.left_trip)
    document["last_key"] = None if book.last_key is None else [_time(book.last_key[0]), *book.last_key[1:]]
    return document


def book_from_json(document: dict[str, Any]) -> PositionBook:
    return PositionBook(
        **{name: Decimal(document[name]) for name in _BOOK_AMOUNTS},
        trip=_trip_from_json(document["trip"]),
        left_trip=_trip_from_json(document["left_trip"]),
        last_key=_key_from_json(document["last_key"]),
    )


def _trip_to_json(trip: OpenTrip | None) -> dict[str, Any] | None:
    if trip is None:
        return None
    document: dict[str, Any] = {name: to_text(getattr(trip, name)) for name in _TRIP_AMOUNTS}
    document |= {
        "key": [trip.key.fill_id, trip.key.part_index],
        "side": trip.side,
        "trade_source": trip.trade_source,
        "opened_at": _time(trip.opened_at),
        "exit_reason": trip.exit_reason,
        "closed_at": None if trip.closed_at is None else _time(trip.closed_at),
    }
    return document


def _trip_from_json(document: dict[str, Any] | None) -> OpenTrip | None:
    if document is None:
        return None
    fill_id, part_index = document["key"]
    return OpenTrip(
        key=TripKey(fill_id, part_index),
        side=Side(document["side"]),
        trade_source=TradeSource(document["trade_source"]),
        opened_at=_moment(document["opened_at"]),
        exit_reason=None if document["exit_reason"] is None else ExitReason(document["exit_reason"]),
        closed_at=None if document["closed_at"] is None else _moment(document["closed_at"]),
        **{name: Decimal(document[name]) for name in _TRIP_AMOUNTS},
    )


def _key_from_json(document: list[Any] | None) -> CanonicalKey | None:
    if document is None:
        return None
    at, rank, number, text, order_id = document
    return (_moment(at), rank, number, text, order_id)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
