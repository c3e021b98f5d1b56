"""Placing, cancelling and amending orders at OKX. Nothing here raises for what the venue or network does.

OKX answers that it has accepted a request, not that it has carried it out: what became of it, its record says. A
cancelled task leaves the order's fate unknown: `CancelledError` passes through.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fillbook.accounts.core import MarginMode
from fillbook.market.core import InexactQuantity, MarketType, VenueName, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef, OrderRequest, OrderType, TimeInForce
from fillbook.orders.core.outcomes import (
    Acknowledged,
    CancelAccepted,
    CancelOutcome,
    PlaceOutcome,
    Rejected,
    Unknown,
)
from fillbook.orders.core.reports import OrderReport
from fillbook.venues.ccxt.accepted import accepted_report
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.okx import endpoints as at
from fillbook.venues.ccxt.okx import requests
from fillbook.venues.ccxt.okx.answers import acted_rows, failure_of, only_row
from fillbook.venues.ccxt.okx.lookups import Lookups, waiting_rows
from fillbook.venues.ccxt.outcomes import UNREADABLE_ANSWER, outcome_of
from fillbook.venues.ccxt.triggered import cancel_with_what_came

PATIENCE_S = 3.0
"""How long an order may wait for what it depends on, and its outcome for the record of it."""
ENDED_CODES = frozenset({"51400", "51401", "51402", "51412"})
"""What a cancel meets that has nothing left to cancel. It closes no order: the order's record does."""
_MOST_AT_ONCE = {Book.NORMAL: 20, Book.CONDITIONAL: 10}


class Acts(Lookups):
    """The acts of one account."""

    async def place(self, request: OrderRequest) -> PlaceOutcome:
        listing = await self._link.sendable(request.symbol)
        if isinstance(listing, Rejected):
            return listing
        mode = await self._mode(request.symbol)
        if isinstance(mode, Rejected):
            return mode
        try:
            endpoint, params = requests.place(request, listing, mode)
        except InexactQuantity as error:
            return Rejected(error.code, error.detail)
        except ValueError as error:
            return Rejected("unsupported", str(error))
        key = "algoId" if endpoint is at.ALGO_PLACE else "ordId"
        book = Book.CONDITIONAL if endpoint is at.ALGO_PLACE else Book.NORMAL
        outcome = await self._accepted(endpoint, params, request, key, book)
        if isinstance(outcome, Rejected) and not outcome.for_now:
            self._link.forget_margin_mode(request.symbol)
        if not isinstance(outcome, Acknowledged) or not _ends_at_once(request):
            return outcome
        found = await self._recorded(outcome.report)
        return outcome if found is None else Acknowledged(found)

    async def amend(self, ref: OrderRef, request: OrderRequest) -> PlaceOutcome:
        """In place: the order keeps its ids. What it has filled its record says; the terms are those accepted,
        for the record may lag behind them."""
        listing = await self._link.sendable(request.symbol)
        if isinstance(listing, Rejected):
            return listing
        try:
            params = requests.amend(ref, request, listing)
        except InexactQuantity as error:
            return Rejected(error.code, error.detail)
        except ValueError as error:
            return Rejected("unsupported", str(error))
        outcome = await self._accepted(at.AMEND, params, request, "ordId", Book.NORMAL)
        if not isinstance(outcome, Acknowledged):
            return outcome
        found = await self._recorded(outcome.report)
        if found is None or not found.status.is_live:
            return outcome if found is None else Acknowledged(found)
        return Acknowledged(replace(found, price=request.price, quantity=request.quantity))

    async def cancel(self, ref: OrderRef) -> CancelOutcome:
        if ref.book is Book.NORMAL:
            return await self._cancel_one(ref)
        return await cancel_with_what_came(ref, self._cancel_one, self.find_order, ENDED_CODES)

    async def _cancel_one(self, ref: OrderRef) -> CancelOutcome:
        listing = await self._link.sendable(ref.symbol)
        if isinstance(listing, Rejected):
            return listing
        name = requests.name(ref, listing.venue_id)
        is_algo = ref.book is Book.CONDITIONAL
        endpoint: Endpoint = at.ALGO_CANCEL if is_algo else at.CANCEL
        params: Any = [name] if is_algo else name
        try:
            row = only_row(await self._link.act(endpoint, params), self._link.client)
        except CallFailed as failure:
            return outcome_of(VenueName.OKX, failure)
        if not isinstance(row, dict):
            return row
        order_id = row.get("algoId" if is_algo else "ordId")
        return CancelAccepted(str(order_id)) if order_id else UNREADABLE_ANSWER

    async def cancel_all(self, symbol: str, book: Book) -> CancelOutcome:
        """OKX has no such request for spot and swaps: what waits is listed, and cancelled some at a time."""
        listing = await self._link.sendable(symbol)
        if isinstance(listing, Rejected):
            return listing
        key = "algoId" if book is Book.CONDITIONAL else "ordId"
        try:
            waiting = await waiting_rows(self._link, market_type_of(symbol), book, listing.venue_id)
            names = [{"instId": listing.venue_id, key: row[key]} for row in waiting]
        except (ReadFailed, KeyError, TypeError) as error:
            return Rejected(
                "orders_unreadable", f"Not sent: what waits could not be read ({error}).", for_now=True
            )
        worst: Rejected | Unknown | None = None
        for start in range(0, len(names), _MOST_AT_ONCE[book]):
            worst = await self._cancel_some(names[start : start + _MOST_AT_ONCE[book]], book) or worst
        return worst or CancelAccepted(None)

    async def _cancel_some(self, names: list[dict[str, str]], book: Book) -> Rejected | Unknown | None:
        """What went wrong with one of them; None when all are cancelled or had ended."""
        endpoint = at.ALGO_CANCEL if book is Book.CONDITIONAL else at.CANCEL_MANY
        try:
            rows = acted_rows(await self._link.act(endpoint, names))
        except CallFailed as failure:
            return outcome_of(VenueName.OKX, failure)
        if len(rows) != len(names):
            return UNREADABLE_ANSWER
        failures = [failure_of(row, self._link.client) for row in rows]
        refused = [failure for failure in failures if failure is not None and failure.code not in ENDED_CODES]
        return outcome_of(VenueName.OKX, refused[0]) if refused else None

    async def _recorded(self, accepted: OrderReport) -> OrderReport | None:
        """The order as its record has it by now; None while that cannot be read."""
        ref = OrderRef(
            accepted.symbol, accepted.client_order_id or "", accepted.exchange_order_id, Book.NORMAL
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self.find_order(ref)
        except (ReadFailed, TimeoutError):
            return None

    async def _mode(self, symbol: str) -> MarginMode | Rejected:
        """The margin mode that an order of a symbol names; on spot it names none."""
        if market_type_of(symbol) is MarketType.SPOT:
            return MarginMode.CROSS
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._link.margin_mode(symbol, for_act=True)
        except ReadFailed as error:
            return Rejected("margin_mode_unreadable", f"Not sent: {error.detail}", for_now=True)
        except TimeoutError:
            text = "Not sent: the margin mode could not be read in time."
            return Rejected("margin_mode_unreadable", text, for_now=True)

    async def _accepted(
        self, endpoint: Endpoint, params: Mapping[str, Any], request: OrderRequest, key: str, book: Book
    ) -> PlaceOutcome:
        try:
            row = only_row(await self._link.act(endpoint, params), self._link.client)
        except CallFailed as failure:
            return outcome_of(VenueName.OKX, failure)
        if not isinstance(row, dict):
            return row
        if not row.get(key):
            return UNREADABLE_ANSWER
        now = self._link.site.clock.now()
        return Acknowledged(accepted_report(request, str(row[key]), book, now, row))


def _ends_at_once(request: OrderRequest) -> bool:
    """Whether the order has ended, or may have, by the time that OKX answers."""
    in_force = request.time_in_force or TimeInForce.GTC
    return request.order_type is OrderType.MARKET or (
        request.order_type is OrderType.LIMIT and in_force is not TimeInForce.GTC
    )
