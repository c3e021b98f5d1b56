"""Placing, cancelling and amending orders at Binance. Nothing here raises for what the venue or network does.

A cancelled task leaves the order's fate unknown: `CancelledError` passes through, and whoever cancelled must
treat the order as unknown, for the request may have arrived.
"""

from collections.abc import Mapping
from typing import Any

from fillbook.market.core import MarketType, VenueName, market_type_of
from fillbook.orders.core.order import Book, OrderRef, OrderRequest
from fillbook.orders.core.outcomes import (
    Acknowledged,
    CancelAccepted,
    CancelOutcome,
    PlaceOutcome,
    Rejected,
)
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance import requests
from fillbook.venues.ccxt.binance.lookups import Lookups
from fillbook.venues.ccxt.binance.reports import algo_report, fills_of_answer, order_report
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.outcomes import UNREADABLE_ANSWER, outcome_of
from fillbook.venues.ccxt.triggered import cancel_with_what_came
from fillbook.venues.ccxt.values import UNREADABLE

_NOTHING_TO_CANCEL = "-2011"


class Acts(Lookups):
    """The acts of one account."""

    async def place(self, request: OrderRequest) -> PlaceOutcome:
        listing = await self._link.sendable(request.symbol)
        if isinstance(listing, Rejected):
            return listing
        try:
            endpoint, params = requests.place(request, listing.venue_id)
        except ValueError as error:
            return Rejected("unsupported", str(error))
        try:
            answer = await self._link.act(endpoint, params)
        except CallFailed as failure:
            return outcome_of(VenueName.BINANCE, failure)
        return _placed(answer, request.symbol, endpoint)

    async def amend(self, ref: OrderRef, request: OrderRequest) -> PlaceOutcome:
        """On spot the order is replaced: its successor bears the request's client order id."""
        listing = await self._link.sendable(request.symbol)
        if isinstance(listing, Rejected):
            return listing
        try:
            endpoint, params = requests.amend(ref, request, listing.venue_id)
        except ValueError as error:
            return Rejected("unsupported", str(error))
        try:
            answer = await self._link.act(endpoint, params)
        except CallFailed as failure:
            return outcome_of(VenueName.BINANCE, failure)
        if endpoint is at.SPOT_REPLACE:
            answer = answer.get("newOrderResponse") if isinstance(answer, dict) else None
        return _placed(answer, request.symbol, endpoint)

    async def cancel(self, ref: OrderRef) -> CancelOutcome:
        if not requests.in_algo_book(ref.symbol, ref.book):
            return await self._cancel_one(ref)
        return await cancel_with_what_came(ref, self._cancel_one, self.find_order, {_NOTHING_TO_CANCEL})

    async def _cancel_one(self, ref: OrderRef) -> CancelOutcome:
        listing = await self._link.sendable(ref.symbol)
        if isinstance(listing, Rejected):
            return listing
        is_algo = requests.in_algo_book(ref.symbol, ref.book)
        if is_algo:
            endpoint = at.ALGO_CANCEL
        else:
            is_spot = market_type_of(ref.symbol) is MarketType.SPOT
            endpoint = at.SPOT_CANCEL if is_spot else at.FUTURES_CANCEL
        try:
            answer = await self._link.act(endpoint, requests.name(ref, listing.venue_id))
        except CallFailed as failure:
            return outcome_of(VenueName.BINANCE, failure)
        if not isinstance(answer, dict):
            return UNREADABLE_ANSWER
        if is_algo and str(answer.get("code", "200")) != "200":
            return Rejected(str(answer["code"]), str(answer.get("msg", "")))
        order_id = answer.get("algoId" if is_algo else "orderId")
        return UNREADABLE_ANSWER if order_id is None else CancelAccepted(str(order_id))

    async def cancel_all(self, symbol: str, book: Book) -> CancelOutcome:
        """Spot keeps stops among the ordinary orders, so its conditional book is always empty."""
        listing = await self._link.sendable(symbol)
        if isinstance(listing, Rejected):
            return listing
        if market_type_of(symbol) is MarketType.SPOT:
            if book is Book.CONDITIONAL:
                return CancelAccepted(None)
            endpoint = at.SPOT_CANCEL_ALL
        else:
            endpoint = at.ALGO_CANCEL_ALL if book is Book.CONDITIONAL else at.FUTURES_CANCEL_ALL
        try:
            answer = await self._link.act(endpoint, {"symbol": listing.venue_id})
        except CallFailed as failure:
            if failure.code == _NOTHING_TO_CANCEL:
                return CancelAccepted(None)
            return outcome_of(VenueName.BINANCE, failure)
        return CancelAccepted(None) if isinstance(answer, dict | list) else UNREADABLE_ANSWER


def _placed(answer: Any, symbol: str, endpoint: Endpoint) -> PlaceOutcome:
    """The outcome of an answer without an error. One that names no order proves nothing."""
    if not isinstance(answer, Mapping):
        return UNREADABLE_ANSWER
    try:
        if endpoint is at.ALGO_PLACE:
            return Acknowledged(algo_report(answer, symbol))
        return Acknowledged(order_report(answer, symbol), fills_of_answer(answer, symbol))
    except UNREADABLE:
        return UNREADABLE_ANSWER
