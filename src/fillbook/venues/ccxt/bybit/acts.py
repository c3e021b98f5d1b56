"""Placing, cancelling and amending orders at Bybit. Nothing here raises for what the venue or network does.

Bybit acknowledges that a request has arrived; what became of the order its record tells, a moment later. A cancelled
task leaves the order's fate unknown: `CancelledError` passes through, and whoever cancelled must treat the order as
unknown, for the request may have arrived.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from fillbook.market.core import MarketType, VenueName, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, TimeInForce
from fillbook.orders.core.outcomes import (
    Acknowledged,
    CancelAccepted,
    CancelOutcome,
    PlaceOutcome,
    Rejected,
    Unknown,
)
from fillbook.venues.ccxt.accepted import accepted_report
from fillbook.venues.ccxt.bybit import endpoints as at
from fillbook.venues.ccxt.bybit import requests
from fillbook.venues.ccxt.bybit.link import BybitLink
from fillbook.venues.ccxt.bybit.lookups import Lookups
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.outcomes import UNREADABLE_ANSWER, outcome_of
from fillbook.venues.ccxt.values import UNREADABLE, moment

RECORD_PATIENCE_S = 3.0
_AMEND_UNSEEN = Unknown("amend_unseen", "Bybit took the change, but does not show the order yet.")
_NO_SUCH_ORDER = frozenset({"110001", "170213"})


class Acts(Lookups):
    """The acts of one account."""

    _link: BybitLink

    async def place(self, request: OrderRequest) -> PlaceOutcome:
        listing = await self._link.sendable(request.symbol)
        if isinstance(listing, Rejected):
            return listing
        try:
            params = requests.place(request, listing.venue_id)
        except ValueError as error:
            return Rejected("unsupported", str(error))
        outcome = await self._send(at.PLACE, params, request)
        if isinstance(outcome, Acknowledged):
            self._link.note_leg(request.symbol, request.position_side)
            if _ends_at_once(request):
                return await self._recorded(outcome) or outcome
        return outcome

    async def _recorded(self, accepted: Acknowledged) -> Acknowledged | None:
        """The order as its record has it now; None while that cannot be read, and nobody is kept waiting for it."""
        report = accepted.report
        ref = OrderRef(report.symbol, report.client_order_id or "", report.exchange_order_id, Book.NORMAL)
        try:
            async with asyncio.timeout(RECORD_PATIENCE_S):
                found = await self.find_live_order(ref)
        except (ReadFailed, TimeoutError):
            return None
        return None if found is None else Acknowledged(found)

    async def amend(self, ref: OrderRef, request: OrderRequest) -> PlaceOutcome:
        """In place: the order keeps both its ids."""
        listing = await self._link.sendable(request.symbol)
        if isinstance(listing, Rejected):
            return listing
        try:
            params = requests.amend(ref, request, listing.venue_id)
        except ValueError as error:
            return Rejected("unsupported", str(error))
        outcome = await self._send(at.AMEND, params, request)
        if not isinstance(outcome, Acknowledged):
            return outcome
        # The answer names neither terms nor fills: only the record does.
        return await self._recorded(outcome) or _AMEND_UNSEEN

    async def _send(
        self, endpoint: Endpoint, params: Mapping[str, Any], request: OrderRequest
    ) -> PlaceOutcome:
        try:
            answer = await self._link.act(endpoint, params)
        except CallFailed as failure:
            return outcome_of(VenueName.BYBIT, failure)
        order_id = _order_id(answer)
        if order_id is None:
            return UNREADABLE_ANSWER
        try:
            return Acknowledged(
                accepted_report(request, order_id, Book.NORMAL, moment(answer["time"]), answer)
            )
        except UNREADABLE:
            return UNREADABLE_ANSWER

    async def cancel(self, ref: OrderRef) -> CancelOutcome:
        """On spot each kind of order is asked for in turn: which one it is, its trigger may have changed."""
        listing = await self._link.sendable(ref.symbol)
        if isinstance(listing, Rejected):
            return listing
        params = requests.name(ref, listing.venue_id)
        outcome: CancelOutcome = UNREADABLE_ANSWER
        for kind in _filters(ref.symbol):
            outcome = await self._cancel_one(params | kind)
            if not (isinstance(outcome, Rejected) and outcome.code in _NO_SUCH_ORDER):
                return outcome
        return outcome

    async def _cancel_one(self, params: Mapping[str, Any]) -> CancelOutcome:
        try:
            answer = await self._link.act(at.CANCEL, params)
        except CallFailed as failure:
            return outcome_of(VenueName.BYBIT, failure)
        order_id = _order_id(answer)
        return UNREADABLE_ANSWER if order_id is None else CancelAccepted(order_id)

    async def cancel_all(self, symbol: str, book: Book) -> CancelOutcome:
        """Stops are among the ordinary orders, so the conditional book is always empty."""
        if book is Book.CONDITIONAL:
            return CancelAccepted(None)
        listing = await self._link.sendable(symbol)
        if isinstance(listing, Rejected):
            return listing
        params = requests.subject(symbol, listing.venue_id)
        worst: CancelOutcome = CancelAccepted(None)
        for kind in _filters(symbol):
            try:
                answer = await self._link.act(at.CANCEL_ALL, params | kind)
            except CallFailed as failure:
                outcome: CancelOutcome = outcome_of(VenueName.BYBIT, failure)
            else:
                outcome = CancelAccepted(None) if isinstance(answer, dict) else UNREADABLE_ANSWER
            if isinstance(worst, CancelAccepted) or isinstance(outcome, Unknown):
                worst = outcome
        return worst


def _filters(symbol: str) -> list[dict[str, str]]:
    if market_type_of(symbol) is not MarketType.SPOT:
        return [{}]
    return [{"orderFilter": kind} for kind in requests.SPOT_FILTERS]


def _ends_at_once(request: OrderRequest) -> bool:
    """Whether the order fills or ends as soon as it arrives, so that its record is worth a look."""
    if request.order_type.has_stop_price:
        return False
    return not request.order_type.has_price or request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)


def _order_id(answer: Any) -> str | None:
    """The id in an answer without an error. One that names no order proves nothing."""
    result = answer.get("result") if isinstance(answer, dict) else None
    found = result.get("orderId") if isinstance(result, dict) else None
    return found if isinstance(found, str) and found else None
