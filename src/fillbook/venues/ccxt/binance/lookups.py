"""Orders and fills as Binance records them.

Windows: 24 h on spot, 7 days on futures. A full page is continued by id, never by time, because several fills
share a millisecond.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import ZERO, exact
from fillbook.market.core import MarketType, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef
from fillbook.orders.core.reports import FillReport, FillsPage, OrderReport
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance import requests
from fillbook.venues.ccxt.binance.link import FAILURES, NOT_FOUND_CODES
from fillbook.venues.ccxt.binance.reports import algo_report, fill_report, order_report
from fillbook.venues.ccxt.binance.words import fill_kind_of
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.link import Link
from fillbook.venues.ccxt.triggered import joined
from fillbook.venues.ccxt.values import UNREADABLE, floor_ms, moment
from fillbook.venues.ccxt.windows import MOST_REQUESTS, windows_since

PAGE = 1000
_MOST_PAGES = 5000
# Futures wants less than seven days for orders.
WINDOWS = {
    MarketType.SPOT: timedelta(hours=24),
    MarketType.FUTURES: timedelta(days=7) - timedelta(seconds=1),
}


class Lookups:
    """The order and fill reads of one account."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def find_order(self, ref: OrderRef) -> OrderReport | None:
        venue_id = await self._link.readable_id(ref.symbol)
        is_algo = requests.in_algo_book(ref.symbol, ref.book)
        row = await self._find(_order_endpoint(ref.symbol, is_algo), requests.name(ref, venue_id))
        if row is None:
            return None
        try:
            if not is_algo:
                return order_report(row, ref.symbol)
            report = algo_report(row, ref.symbol)
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "an order") from None
        if report.triggered_order_id is None:
            return report
        params = {"symbol": venue_id, "orderId": report.triggered_order_id}
        triggered = await self._find(at.FUTURES_ORDER, params)
        if triggered is None:
            raise ReadFailed("Binance triggered the order but does not show the order that came of it yet.")
        return joined(report, _parsed(order_report, triggered, ref.symbol))

    async def open_orders(self, market_type: MarketType, book: Book) -> Sequence[OrderReport]:
        """Spot stops are among the ordinary orders, so its conditional book is empty."""
        if market_type is MarketType.SPOT:
            if book is Book.CONDITIONAL:
                return ()
            endpoint = at.SPOT_OPEN_ORDERS
        else:
            endpoint = at.ALGO_OPEN_ORDERS if book is Book.CONDITIONAL else at.FUTURES_OPEN_ORDERS
        rows = _rows(await self._link.read(endpoint))
        parse = algo_report if endpoint is at.ALGO_OPEN_ORDERS else order_report
        reports = []
        for row in rows:
            try:
                venue_id = row["symbol"]
            except UNREADABLE as error:
                raise FAILURES.unreadable(error, "open orders") from None
            reports.append(_parsed(parse, row, await self._link.symbol(venue_id, market_type)))
        return reports

    async def orders_since(self, symbol: str, since: datetime, book: Book) -> Sequence[OrderReport]:
        """Orders created from `since` on, oldest first; a conditional one shows what came of its trigger."""
        is_spot = market_type_of(symbol) is MarketType.SPOT
        if is_spot and book is Book.CONDITIONAL:
            return ()
        if is_spot and self._link.site.clock.now() - since > MOST_REQUESTS * WINDOWS[MarketType.SPOT]:
            return await self._spot_orders_by_number(symbol, since)
        if is_spot:
            return await self._orders(at.SPOT_ORDERS, symbol, since)
        if book is Book.NORMAL:
            return await self._orders(at.FUTURES_ORDERS, symbol, since)
        conditional = await self._orders(at.ALGO_ORDERS, symbol, since)
        if all(report.triggered_order_id is None for report in conditional):
            return conditional
        normal = {row.exchange_order_id: row for row in await self._orders(at.FUTURES_ORDERS, symbol, since)}
        return [
            joined(report, normal[report.triggered_order_id])
            if report.triggered_order_id in normal
            else report
            for report in conditional
        ]

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        """One page: after the id where one is given, else of the window that begins at `since`."""
        venue_id = await self._link.readable_id(symbol)
        endpoint = _fills_endpoint(symbol)
        if from_id is not None and from_id.isdecimal():
            params: dict[str, Any] = {"symbol": venue_id, "fromId": int(from_id) + 1, "limit": PAGE}
            fills = _fills(await self._link.read(endpoint, params), symbol)
            return _page(fills, None)
        start_ms = floor_ms(since)
        end = from_ms(start_ms) + WINDOWS[market_type_of(symbol)]
        params = {"symbol": venue_id, "startTime": start_ms, "endTime": floor_ms(end), "limit": PAGE}
        fills = _fills(await self._link.read(endpoint, params), symbol)
        return _page(fills, end if end <= self._link.site.clock.now() else None)

    async def fills_of_order(self, symbol: str, exchange_order_id: str) -> FillsPage:
        """All fills of one order; `complete` only if they add up to what the order's record says has filled.

        That record also adds what a fill's row lacks: the client order id and whether it was forced.
        """
        venue_id = await self._link.readable_id(symbol)
        order = await self._find(
            _order_endpoint(symbol, is_algo=False), {"symbol": venue_id, "orderId": exchange_order_id}
        )
        named = {"symbol": venue_id, "orderId": exchange_order_id, "limit": PAGE}
        is_spot = market_type_of(symbol) is MarketType.SPOT
        endpoint = at.SPOT_FILLS_OF_ORDER if is_spot else at.FUTURES_FILLS_OF_ORDER
        fills = {fill.venue_fill_id: fill for fill in await self._pages(endpoint, named, symbol)}
        if order is None:
            return FillsPage(_sorted(fills), complete=False)
        report = _parsed(order_report, order, symbol)
        if _sum(fills) < report.filled_quantity and not is_spot:
            # Without times, futures answers with the last seven days only.
            for start_ms, end_ms in self._windows(symbol, moment(order.get("time") or 0)):
                window = {**named, "startTime": start_ms, "endTime": end_ms}
                for fill in _fills(await self._link.read(endpoint, window), symbol):
                    fills[fill.venue_fill_id] = fill
                if _sum(fills) >= report.filled_quantity:
                    break
        kind = fill_kind_of(report.client_order_id or "", order.get("origType") or "")
        named_fills = (
            replace(fill, client_order_id=report.client_order_id, kind=kind) for fill in _sorted(fills)
        )
        return FillsPage(tuple(named_fills), complete=_sum(fills) >= report.filled_quantity)

    async def _find(self, endpoint: Endpoint, params: dict[str, Any]) -> dict[str, Any] | None:
        """The raw order, or None when the venue proves that it has none."""
        try:
            row = await self._link.try_read(endpoint, params)
        except CallFailed as failure:
            if failure.code in NOT_FOUND_CODES:
                return None
            error = FAILURES.read_failure(failure)
        else:
            if isinstance(row, dict):
                return row
            error = FAILURES.unreadable(TypeError(), "an order")
        raise error

    async def _orders(self, endpoint: Endpoint, symbol: str, since: datetime) -> list[OrderReport]:
        venue_id = await self._link.readable_id(symbol)
        parse, key = (algo_report, "algoId") if endpoint is at.ALGO_ORDERS else (order_report, "orderId")
        found: dict[str, OrderReport] = {}
        for start_ms, end_ms in self._windows(symbol, since):
            params: dict[str, Any] = {"startTime": start_ms, "endTime": end_ms}
            for _ in range(MOST_REQUESTS):
                rows = _rows(await self._link.read(endpoint, {"symbol": venue_id, "limit": PAGE, **params}))
                reports = [_parsed(parse, row, symbol) for row in rows]
                found.update((report.exchange_order_id, report) for report in reports)
                if len(rows) < PAGE:
                    break
                # By id the venue takes no end; what is beyond the window merely comes early.
                params = {key: max(int(report.exchange_order_id) for report in reports) + 1}
            else:
                raise ReadFailed("There are too many orders to read at once: ask for a later time.")
        return sorted(found.values(), key=lambda report: (report.exchange_at, report.exchange_order_id))

    async def _spot_orders_by_number(self, symbol: str, since: datetime) -> list[OrderReport]:
        """Every order there ever was, from the first on: windows of a day would be too many."""
        venue_id = await self._link.readable_id(symbol)
        found: list[OrderReport] = []
        first = 0
        for _ in range(_MOST_PAGES):
            params = {"symbol": venue_id, "orderId": first, "limit": PAGE}
            rows = _rows(await self._link.read(at.SPOT_ORDERS, params))
            reports = [_parsed(order_report, row, symbol) for row in rows]
            found += [report for report in reports if report.exchange_at >= since]
            if len(rows) < PAGE:
                return sorted(found, key=lambda report: (report.exchange_at, report.exchange_order_id))
            first = max(int(report.exchange_order_id) for report in reports) + 1
        raise ReadFailed("There are too many orders to read at once: ask for a later time.")

    async def _pages(self, endpoint: Endpoint, params: dict[str, Any], symbol: str) -> list[FillReport]:
        fills: list[FillReport] = []
        page_params = params
        for _ in range(MOST_REQUESTS):
            page = _fills(await self._link.read(endpoint, page_params), symbol)
            fills.extend(page)
            if len(page) < PAGE:
                return fills
            page_params = {**params, "fromId": _numeric_id(page[-1])[0] + 1}
        raise ReadFailed("There are too many fills to read at once.")

    def _windows(self, symbol: str, since: datetime) -> list[tuple[int, int]]:
        return windows_since(since, self._link.site.clock.now(), WINDOWS[market_type_of(symbol)])


def _order_endpoint(symbol: str, is_algo: bool) -> Endpoint:
    if is_algo:
        return at.ALGO_ORDER
    return at.SPOT_ORDER if market_type_of(symbol) is MarketType.SPOT else at.FUTURES_ORDER


def _fills_endpoint(symbol: str) -> Endpoint:
    return at.SPOT_FILLS if market_type_of(symbol) is MarketType.SPOT else at.FUTURES_FILLS


def _rows(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list):
        raise FAILURES.unreadable(TypeError(), "a list")
    return answer


def _parsed(parse: Any, row: Any, symbol: str) -> Any:
    try:
        return parse(row, symbol)
    except UNREADABLE as error:
        raise FAILURES.unreadable(error, symbol) from None


def _fills(answer: Any, symbol: str) -> list[FillReport]:
    """Oldest first: on Binance the ids of one symbol's fills grow with time."""
    fills = [_parsed(fill_report, row, symbol) for row in _rows(answer)]
    return sorted(fills, key=_numeric_id)


def _numeric_id(fill: FillReport) -> tuple[int, str]:
    text = fill.venue_fill_id
    return (int(text) if text.isdecimal() else 0, text)


def _sorted(fills: dict[str, FillReport]) -> tuple[FillReport, ...]:
    return tuple(sorted(fills.values(), key=_numeric_id))


def _page(fills: list[FillReport], next_since: datetime | None) -> FillsPage:
    """A full page goes on by id; a window that ended before now goes on at its end.

    The last id is read again, for a self-trade has two fills of one id and the page may end between them.
    """
    if len(fills) >= PAGE:
        return FillsPage(tuple(fills), complete=False, next_from_id=str(_numeric_id(fills[-1])[0] - 1))
    return FillsPage(tuple(fills), complete=next_since is None, next_since=next_since)


@exact
def _sum(fills: dict[str, FillReport]) -> Decimal:
    return sum((fill.quantity for fill in fills.values()), ZERO)
