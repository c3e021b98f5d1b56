"""Orders and fills as OKX records them.

Lists come newest first, a hundred rows a page, and are paged by id: a reading is complete when a page is not full.
An order that ended without a fill is forgotten after two hours; one that filled is kept for three months.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.fill import FillKind
from fillbook.market.core import Instrument, MarketType, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef, OrderStatus
from fillbook.orders.core.reports import FillReport, FillsPage, OrderReport
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.okx import endpoints as at
from fillbook.venues.ccxt.okx import requests
from fillbook.venues.ccxt.okx.answers import rows_of
from fillbook.venues.ccxt.okx.link import FAILURES, OkxLink
from fillbook.venues.ccxt.okx.reports import algo_report, fill_report, order_report
from fillbook.venues.ccxt.okx.words import INSTRUMENT_TYPES
from fillbook.venues.ccxt.triggered import joined
from fillbook.venues.ccxt.values import UNREADABLE, amount, floor_ms, moment

NOT_FOUND_CODES = frozenset({"51603"})
# Each is a list of its own; only the first two words may be asked for together. We place the first; the others are
# a person's.
ALGO_TYPES = ("conditional,oco", "trigger", "move_order_stop", "iceberg", "twap")
_ALGO_ENDS = ("effective", "canceled", "order_failed")
# The newer pages of what is kept: within these, a cheaper page answers.
RECENT_FILLS = timedelta(days=2)
RECENT_ORDERS = timedelta(days=6)
UNFILLED_KEPT = timedelta(hours=2)
MOST_PAGES_AT_ONCE = 20
_SHORTEST = timedelta(milliseconds=1)
Row = dict[str, Any]


class Lookups:
    """The order and fill reads of one account."""

    def __init__(self, link: OkxLink) -> None:
        self._link = link

    async def find_order(self, ref: OrderRef) -> OrderReport | None:
        listing = await self._link.readable_listing(ref.symbol)
        instrument, name = listing.instrument, requests.name(ref, listing.venue_id)
        if ref.book is Book.NORMAL:
            row = await self._find(at.ORDER, name)
            return None if row is None else _parsed(order_report, row, instrument)
        row = await self._find(at.ALGO_ORDER, {key: value for key, value in name.items() if key != "instId"})
        if row is None:
            return None
        report: OrderReport = _parsed(algo_report, row, instrument)
        if report.triggered_order_id is None:
            return report
        placed = await self._find(at.ORDER, {"instId": listing.venue_id, "ordId": report.triggered_order_id})
        if placed is not None:
            return joined(report, _parsed(order_report, placed, instrument))
        if self._is_forgotten(report):
            return replace(report, status=OrderStatus.CANCELED)
        raise ReadFailed("OKX triggered the order but does not show the order that came of it yet.")

    async def open_orders(self, market_type: MarketType, book: Book) -> Sequence[OrderReport]:
        parse = algo_report if book is Book.CONDITIONAL else order_report
        reports = []
        for row in await waiting_rows(self._link, market_type, book):
            try:
                instrument = await self._link.instrument_of(row)
            except UNREADABLE as error:
                raise FAILURES.unreadable(error, "open orders") from None
            if instrument is not None:
                reports.append(_parsed(parse, row, instrument))
        return reports

    async def orders_since(self, symbol: str, since: datetime, book: Book) -> Sequence[OrderReport]:
        """Orders created from `since` on, oldest first; a conditional one shows what came of its trigger."""
        if book is Book.NORMAL:
            return _oldest_first(await self._orders(symbol, since))
        conditional = await self._algo_orders(symbol, since)
        if all(report.triggered_order_id is None for report in conditional):
            return _oldest_first(conditional)
        placed = {report.exchange_order_id: report for report in await self._orders(symbol, since)}
        return _oldest_first([self._with_fate(report, placed) for report in conditional])

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        """All fills from a time on, or of so long as OKX answers in bounded pages; those after the id are among
        them. There is no reading on from an id: pages begin at the newest."""
        listing = await self._link.readable_listing(symbol)
        now = self._link.site.clock.now()
        is_recent = now - since < RECENT_FILLS
        width = max(now - since, _SHORTEST)
        while True:
            end = since + width
            is_all = end >= now
            rows = await self._fill_rows(
                at.FILLS if is_recent else at.OLD_FILLS, listing.venue_id, since, end, is_all
            )
            if rows is not None:
                fills = tuple(_fills(rows, listing.instrument))
                return FillsPage(fills, complete=is_all, next_since=None if is_all else end)
            if width <= _SHORTEST:
                raise ReadFailed("There are too many fills in one moment to read at once.")
            width = max(width / 2, _SHORTEST)

    async def fills_of_order(self, symbol: str, exchange_order_id: str) -> FillsPage:
        """All fills of one order; `complete` only if they add up to what the order's record says has filled.

        That record also adds what a fill's row lacks: the owner's name for it, and whether it was forced.
        """
        listing = await self._link.readable_listing(symbol)
        row = await self._find(at.ORDER, {"instId": listing.venue_id, "ordId": exchange_order_id})
        params = {**_products(listing.venue_id, symbol), "ordId": exchange_order_id}
        rows = await self._link.pages(at.FILLS_OF_ORDER, params, "billId")
        fills = _fills(rows, listing.instrument)
        if row is None:
            return FillsPage(tuple(fills), complete=False)
        order: OrderReport = _parsed(order_report, row, listing.instrument)
        named = tuple(
            replace(
                fill,
                client_order_id=order.client_order_id,
                kind=fill.kind if order.fills_kind is FillKind.TRADE else order.fills_kind,
            )
            for fill in fills
        )
        return FillsPage(named, complete=_sum(named) >= order.filled_quantity)

    def _is_forgotten(self, report: OrderReport) -> bool:
        """Whether an order that was triggered so long ago would still be shown unless it ended unfilled."""
        triggered = moment(report.raw.get("triggerTime") or 0)
        return triggered > from_ms(0) and self._link.site.clock.now() - triggered > UNFILLED_KEPT

    def _with_fate(self, report: OrderReport, placed: dict[str, OrderReport]) -> OrderReport:
        if report.triggered_order_id is None:
            return report
        found = placed.get(report.triggered_order_id)
        if found is not None:
            return joined(report, found)
        return replace(report, status=OrderStatus.CANCELED) if self._is_forgotten(report) else report

    async def _find(self, endpoint: Endpoint, params: dict[str, Any]) -> Row | None:
        """The raw order, or None when the venue proves that it has none."""
        try:
            rows = rows_of(await self._link.try_read(endpoint, params))
            return rows[0] if rows else None
        except CallFailed as failure:
            if failure.code in NOT_FOUND_CODES:
                return None
            error = FAILURES.read_failure(failure)
        except TypeError as unreadable:
            error = FAILURES.unreadable(unreadable, "an order")
        raise error

    async def _orders(self, symbol: str, since: datetime) -> list[OrderReport]:
        """First what waits, then what has ended: an order that ends in between is in the latter."""
        listing = await self._link.readable_listing(symbol)
        waiting = await waiting_rows(self._link, market_type_of(symbol), Book.NORMAL, listing.venue_id)
        is_recent = self._link.site.clock.now() - since < RECENT_ORDERS
        params = {**_products(listing.venue_id, symbol), "begin": str(floor_ms(since))}
        ended = await self._link.pages(at.ORDERS if is_recent else at.OLD_ORDERS, params, "ordId")
        return _created_since([*waiting, *ended], since, order_report, listing.instrument)

    async def _algo_orders(self, symbol: str, since: datetime) -> list[OrderReport]:
        listing = await self._link.readable_listing(symbol)
        rows = await waiting_rows(self._link, market_type_of(symbol), Book.CONDITIONAL, listing.venue_id)
        for types in ALGO_TYPES:
            for state in _ALGO_ENDS:
                params = {**_products(listing.venue_id, symbol), "ordType": types, "state": state}
                rows += await self._link.pages(at.ALGO_ORDERS, params, "algoId")
        return _created_since(rows, since, algo_report, listing.instrument)

    async def _fill_rows(
        self, endpoint: Endpoint, venue_id: str, since: datetime, end: datetime, is_all: bool
    ) -> list[Row] | None:
        """The rows of a span, both ends and a millisecond more included: whether OKX counts the ends [?], and what
        comes twice has the same key. None when there are too many."""
        is_spot = not venue_id.endswith("-SWAP")
        params = {
            "instType": INSTRUMENT_TYPES[MarketType.SPOT if is_spot else MarketType.FUTURES],
            "instId": venue_id,
            "begin": str(floor_ms(since) - 1),
        }
        if not is_all:
            params["end"] = str(floor_ms(end) + 1)
        return await self._link.pages_up_to(endpoint, params, "billId", MOST_PAGES_AT_ONCE)


async def waiting_rows(
    link: OkxLink, market_type: MarketType, book: Book, venue_id: str | None = None
) -> list[Row]:
    """Every waiting order of a book, of one instrument or of all. Raises `ReadFailed`."""
    params: dict[str, str] = {"instType": INSTRUMENT_TYPES[market_type]}
    if venue_id is not None:
        params["instId"] = venue_id
    is_one = venue_id is not None
    if book is Book.NORMAL:
        return await link.pages(at.OPEN_ORDERS_NOW if is_one else at.OPEN_ORDERS, params, "ordId")
    rows: list[Row] = []
    for types in ALGO_TYPES:
        endpoint = at.ALGO_OPEN_ORDERS_NOW if is_one else at.ALGO_OPEN_ORDERS
        rows += await link.pages(endpoint, {**params, "ordType": types}, "algoId")
    return rows


def _products(venue_id: str, symbol: str) -> dict[str, str]:
    return {"instType": INSTRUMENT_TYPES[market_type_of(symbol)], "instId": venue_id}


def _created_since(
    rows: Sequence[Row], since: datetime, parse: Any, instrument: Instrument
) -> list[OrderReport]:
    """The reports of what was created from a time on, each once: the later row of one order counts."""
    found: dict[str, OrderReport] = {}
    for row in rows:
        report: OrderReport = _parsed(parse, row, instrument)
        if moment(row.get("cTime") or 0) >= from_ms(floor_ms(since)):
            found[report.exchange_order_id] = report
    return list(found.values())


def _parsed(parse: Any, row: Any, instrument: Instrument) -> Any:
    try:
        return parse(row, instrument)
    except UNREADABLE as error:
        raise FAILURES.unreadable(error, instrument.symbol) from None


def _fills(rows: Sequence[Row], instrument: Instrument) -> list[FillReport]:
    """Oldest first: bills are numbered as they come."""
    fills: dict[str, FillReport] = {}
    try:
        for row in sorted(rows, key=lambda row: int(row["billId"])):
            if amount(row["fillSz"]):
                fills[row["billId"]] = fill_report(row, instrument)
    except UNREADABLE as error:
        raise FAILURES.unreadable(error, f"fills of {instrument.symbol}") from None
    return list(fills.values())


def _oldest_first(reports: Sequence[OrderReport]) -> list[OrderReport]:
    return sorted(reports, key=lambda report: (report.exchange_at, report.exchange_order_id))


@exact
def _sum(fills: Sequence[FillReport]) -> Decimal:
    return sum((fill.quantity for fill in fills), ZERO)
