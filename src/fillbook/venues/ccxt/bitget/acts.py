"""Placing and cancelling orders at Bitget. Nothing here raises for what the venue or network does.

A cancelled task leaves the order's fate unknown: `CancelledError` passes through, and whoever cancelled must
treat the order as unknown, for the request may have arrived. An answer names an order and no more.
"""

import asyncio
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode
from fillbook.market.core import MarketType, VenueName, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef, OrderRequest
from fillbook.orders.core.outcomes import (
    Acknowledged,
    CancelAccepted,
    CancelOutcome,
    PlaceOutcome,
    Rejected,
    Unknown,
)
from fillbook.venues.ccxt.accepted import accepted_report
from fillbook.venues.ccxt.bitget import requests
from fillbook.venues.ccxt.bitget.lookups import Lookups
from fillbook.venues.ccxt.bitget.market import read_price
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.outcomes import UNREADABLE_ANSWER, outcome_of
from fillbook.venues.ccxt.site import Listing
from fillbook.venues.ccxt.triggered import cancel_with_what_came
from fillbook.venues.ccxt.values import UNREADABLE, moment

PREPARATION_S = 3.0
"""How long an order may wait for what it depends on: it must not be sent much later than it was decided."""
ENDED_CODES = frozenset({"22001", "25204", "40109", "40768", "43001", "43004", "43025", "not_cancelled"})
"""What a cancel meets that has nothing left to cancel. It closes no order: the order's record does."""


class Acts(Lookups):
    """The acts of one account."""

    async def place(self, request: OrderRequest) -> PlaceOutcome:
        listing = await self._link.sendable(request.symbol)
        if isinstance(listing, Rejected):
            return listing
        try:
            requests.check(request)
        except ValueError as error:
            return Rejected("unsupported", str(error))
        prepared = await self._prepared(request, listing)
        if isinstance(prepared, Rejected):
            return prepared
        endpoint, params = prepared
        try:
            answer = await self._link.act(endpoint, params)
        except CallFailed as failure:
            outcome = outcome_of(VenueName.BITGET, failure)
            if isinstance(outcome, Rejected) and not outcome.for_now:
                # Perhaps because the margin mode was changed on the venue: it is read anew next time.
                self._link.margin_modes.pop(request.symbol, None)
            return outcome
        try:
            order_id = str(answer["data"]["orderId"] or "")
            at = moment(answer["requestTime"])
        except UNREADABLE:
            return UNREADABLE_ANSWER
        if not order_id:
            return UNREADABLE_ANSWER
        book = Book.CONDITIONAL if request.order_type.has_stop_price else Book.NORMAL
        return Acknowledged(accepted_report(request, order_id, book, at, answer))

    async def amend(self, ref: OrderRef, request: OrderRequest) -> PlaceOutcome:
        """Bitget would cancel the order and make another later, of an id that its answer does not tell."""
        return Rejected(
            "unsupported", "Bitget does not change a resting order in place: cancel it and place a new one."
        )

    async def cancel(self, ref: OrderRef) -> CancelOutcome:
        if ref.book is Book.NORMAL:
            return await self._cancel_one(ref)
        return await cancel_with_what_came(ref, self._cancel_one, self.find_order, ENDED_CODES)

    async def _cancel_one(self, ref: OrderRef) -> CancelOutcome:
        listing = await self._link.sendable(ref.symbol)
        if isinstance(listing, Rejected):
            return listing
        endpoint, params = requests.cancel(ref, listing.venue_id)
        try:
            answer = await self._link.act(endpoint, params)
        except CallFailed as failure:
            return outcome_of(VenueName.BITGET, failure)
        try:
            return _cancelled(answer["data"], ref.exchange_order_id)
        except UNREADABLE:
            return UNREADABLE_ANSWER

    async def cancel_all(self, symbol: str, book: Book) -> CancelOutcome:
        """Plan orders of other kinds than ours (whole-position stops, trailing ones) are left alone."""
        listing = await self._link.sendable(symbol)
        if isinstance(listing, Rejected):
            return listing
        endpoint, params = requests.cancel_all(symbol, listing.venue_id, book)
        try:
            answer = await self._link.act(endpoint, params)
        except CallFailed as failure:
            if failure.code in ENDED_CODES:
                return CancelAccepted(None)
            return outcome_of(VenueName.BITGET, failure)
        try:
            rows = answer["data"].get("failureList") or ()
            failed = [row for row in rows if str(row.get("errorCode")) not in ENDED_CODES]
        except UNREADABLE:
            return UNREADABLE_ANSWER
        return _refused(failed[0]) if failed else CancelAccepted(None)

    async def _prepared(self, request: OrderRequest, listing: Listing) -> tuple[Endpoint, Any] | Rejected:
        """What to send, once what it depends on has been read; or why nothing is sent."""
        try:
            async with asyncio.timeout(PREPARATION_S):
                return await self._depending(request, listing)
        except ReadFailed as error:
            return Rejected("unreadable", f"Not sent: {error.detail}", for_now=True)
        except TimeoutError:
            return Rejected(
                "unreadable", "Not sent: what it depends on could not be read in time.", for_now=True
            )

    async def _depending(self, request: OrderRequest, listing: Listing) -> tuple[Endpoint, Any] | Rejected:
        """Raises `ReadFailed`."""
        if requests.is_spot_market_buy(request):
            price = await read_price(self._link, request.symbol, for_act=True)
            instrument, ask = listing.instrument, price.ask or price.last
            return requests.spot_market_buy(request, listing.venue_id, instrument, ask)
        if request.order_type.has_stop_price:
            price = await read_price(self._link, request.symbol, for_act=True)
            if _has_passed(request, price.last):
                text = f"The price is at {price.last} already: Bitget would wait for it to come back."
                return Rejected("would_trigger", text)
        mode = await self._margin_mode(request, listing)
        return requests.place(request, listing.venue_id, mode)

    async def _margin_mode(self, request: OrderRequest, listing: Listing) -> MarginMode | None:
        if market_type_of(request.symbol) is MarketType.SPOT:
            return None
        known = self._link.margin_modes.get(request.symbol)
        if known is None:
            _, known = await self._link.modes(request.symbol, listing.venue_id, for_act=True)
        return known


def _has_passed(request: OrderRequest, last: Decimal) -> bool:
    """Whether a conditional order's trigger lies on the wrong side of the price.

    A plan order names no direction: it waits for its trigger from where the price stands. Behind the price, a
    stop would become a take-profit, and protect nothing.
    """
    assert request.stop_price is not None
    return last >= request.stop_price if request.trigger_rises else last <= request.stop_price


def _cancelled(body: Any, exchange_order_id: str | None) -> CancelOutcome:
    """Three kinds of answer: the order's names, a word (spot plans), or lists of what was and was not cancelled."""
    if "result" in body:
        word = str(body["result"])
        return CancelAccepted(exchange_order_id) if word == "success" else Rejected("not_cancelled", word)
    if "successList" not in body:
        return CancelAccepted(str(body["orderId"])) if body["orderId"] else UNREADABLE_ANSWER
    if body["successList"]:
        return CancelAccepted(str(body["successList"][0]["orderId"]))
    return _refused(body["failureList"][0])


def _refused(row: Any) -> Rejected | Unknown:
    """An order in a list of failures: ended already, or refused by a code that may prove nothing."""
    code, text = str(row.get("errorCode") or "not_cancelled"), str(row.get("errorMsg") or "")
    if code in ENDED_CODES:
        return Rejected(code, text)
    return outcome_of(VenueName.BITGET, CallFailed(errors.ExchangeError, code, text))
