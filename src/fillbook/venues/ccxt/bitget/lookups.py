"""Orders and fills as Bitget records them, in both books: open and ended orders are on pages of their own.

A plan order that has triggered stays on the page of ended plans; the order that it made is told by
`plan-sub-order`. On spot a client order id finds an order of the last two hours only: an older one is searched
for among the open and the ended, because not finding it must prove that it is not there.
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
from fillbook.venues.ccxt.bitget import endpoints as at
from fillbook.venues.ccxt.bitget.link import FUTURES_PAGE, BitgetLink
from fillbook.venues.ccxt.bitget.pages import read_all
from fillbook.venues.ccxt.bitget.reports import fill_report, has_triggered, order_report, plan_report
from fillbook.venues.ccxt.bitget.requests import name
from fillbook.venues.ccxt.bitget.words import Raw
from fillbook.venues.ccxt.calls import CallFailed, Endpoint
from fillbook.venues.ccxt.triggered import joined
from fillbook.venues.ccxt.values import UNREADABLE, floor_ms, moment
from fillbook.venues.ccxt.windows import windows_since

_A_SECOND = timedelta(seconds=1)
FILL_WINDOWS = {
    MarketType.SPOT: timedelta(days=90) - _A_SECOND,
    MarketType.FUTURES: timedelta(days=7) - _A_SECOND,
}
ORDER_WINDOW = timedelta(days=90) - _A_SECOND
_NO_SUCH_ORDER = frozenset({"40109", "40768", "43001", "25204"})
_PLANS = {"planType": "normal_plan"}
_SPOT, _FUTURES = MarketType.SPOT, MarketType.FUTURES

# Where orders of a market and book are: the open ones, then the ended.
_LISTS: dict[tuple[MarketType, Book], tuple[Endpoint, Endpoint]] = {
    (_SPOT, Book.NORMAL): (at.SPOT_UNFILLED, at.SPOT_HISTORY),
    (_SPOT, Book.CONDITIONAL): (at.SPOT_PLANS, at.SPOT_ENDED_PLANS),
    (_FUTURES, Book.NORMAL): (at.MIX_PENDING, at.MIX_HISTORY),
    (_FUTURES, Book.CONDITIONAL): (at.MIX_PLANS, at.MIX_ENDED_PLANS),
}
_URGENT_LISTS: dict[tuple[MarketType, Book], tuple[Endpoint, Endpoint]] = {
    (_SPOT, Book.NORMAL): (at.SPOT_UNFILLED_NOW, at.SPOT_HISTORY_NOW),
    (_SPOT, Book.CONDITIONAL): (at.SPOT_PLANS_NOW, at.SPOT_ENDED_PLANS_NOW),
    (_FUTURES, Book.NORMAL): (at.MIX_PENDING_NOW, at.MIX_HISTORY_NOW),
    (_FUTURES, Book.CONDITIONAL): (at.MIX_PLANS_NOW, at.MIX_ENDED_PLANS_NOW),
}


async def sub_order_id(link: BitgetLink, plan: OrderReport) -> str | None:
    """The order that a plan order's trigger made; None while Bitget names none. Raises `ReadFailed`."""
    params = {"planOrderId": plan.exchange_order_id}
    if market_type_of(plan.symbol) is _SPOT:
        rows = await link.page(at.SPOT_SUB_ORDERS, params)
    else:
        rows = await link.page(at.MIX_SUB_ORDERS, {**FUTURES_PAGE, **_PLANS, **params})
    try:
        return str(rows[0]["orderId"]) if rows and rows[0].get("orderId") else None
    except UNREADABLE as error:
        raise link.failures.unreadable(error, "a triggered order") from None


class Lookups:
    """The order and fill reads of one account."""

    _link: BitgetLink

    async def find_order(self, ref: OrderRef) -> OrderReport | None:
        venue_id = await self._link.readable_id(ref.symbol)
        if ref.book is Book.CONDITIONAL:
            plan = await self._searched(ref, venue_id)
            return None if plan is None else await self._with_its_fate(plan, ref.symbol, venue_id)
        row = await self._fetched(ref.symbol, venue_id, name(ref))
        if row is None and ref.exchange_order_id is None:
            row = await self._searched(ref, venue_id)
        return None if row is None else self._parsed(order_report, row, ref.symbol)

    async def _with_its_fate(self, row: Raw, symbol: str, venue_id: str) -> OrderReport:
        """A plan order with what became of the order that its trigger made, once there is one."""
        plan: OrderReport = self._parsed(plan_report, row, symbol)
        if not has_triggered(row):
            return plan
        child_id = plan.triggered_order_id or await sub_order_id(self._link, plan)
        child = None
        if child_id is not None:
            child = await self._fetched(symbol, venue_id, {"orderId": child_id})
        if child_id is None or child is None:
            raise ReadFailed("Bitget triggered the order but does not show the order that came of it yet.")
        return joined(replace(plan, triggered_order_id=child_id), self._parsed(order_report, child, symbol))

    async def open_orders(self, market_type: MarketType, book: Book) -> Sequence[OrderReport]:
        endpoint, _ = _LISTS[(market_type, book)]
        reports = []
        for row in await read_all(self._link, endpoint, _scope(market_type, book), "orderId"):
            try:
                venue_id = row["symbol"]
            except UNREADABLE as error:
                raise self._link.failures.unreadable(error, "open orders") from None
            symbol = await self._link.symbol(venue_id.upper(), market_type)
            reports.append(self._parsed(_parser(book), row, symbol))
        return list({report.exchange_order_id: report for report in reports}.values())

    async def orders_since(self, symbol: str, since: datetime, book: Book) -> Sequence[OrderReport]:
        """Orders created from `since` on, oldest first; a conditional one shows what came of its trigger."""
        rows = await self._rows_since(symbol, since, book)
        reports = {row["orderId"]: self._parsed(_parser(book), row, symbol) for row in rows}
        if book is Book.CONDITIONAL and any(map(has_triggered, rows)):
            made = {
                each.exchange_order_id: each for each in await self.orders_since(symbol, since, Book.NORMAL)
            }
            for row in filter(has_triggered, rows):
                plan = reports.pop(row["orderId"], None)
                child_id = plan and (plan.triggered_order_id or await sub_order_id(self._link, plan))
                # Without what came of it a triggered order would read as live: it comes at the next reading.
                if child_id in made:
                    plan = replace(plan, triggered_order_id=child_id)
                    reports[row["orderId"]] = joined(plan, made[child_id])
        return sorted(reports.values(), key=lambda report: (report.exchange_at, report.exchange_order_id))

    async def _rows_since(self, symbol: str, since: datetime, book: Book) -> list[Raw]:
        """Open orders, then ended ones: one that ends meanwhile comes twice, the second time as ended."""
        market_type, venue_id = market_type_of(symbol), await self._link.readable_id(symbol)
        is_open, has_ended = _LISTS[(market_type, book)]
        scope = {**_scope(market_type, book), "symbol": venue_id}
        rows = [
            row
            for row in await read_all(self._link, is_open, scope, "orderId")
            if self._parsed(_created_ms, row, symbol) >= floor_ms(since)
        ]
        for start_ms, end_ms in windows_since(since, self._link.site.clock.now(), ORDER_WINDOW):
            window = {**scope, "startTime": str(start_ms), "endTime": str(end_ms)}
            rows += await read_all(self._link, has_ended, window, "orderId")
        return rows

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        """The fills of the window that begins at `since`: Bitget pages backwards, so a window is read whole."""
        market_type, venue_id = market_type_of(symbol), await self._link.readable_id(symbol)
        start_ms = floor_ms(since)
        end = from_ms(start_ms) + FILL_WINDOWS[market_type]
        params = {
            **_scope(market_type, Book.NORMAL),
            "symbol": venue_id,
            "startTime": str(start_ms),
            "endTime": str(floor_ms(end)),
        }
        endpoint = at.SPOT_FILLS if market_type is _SPOT else at.MIX_FILLS
        fills = self._fills(await read_all(self._link, endpoint, params, "tradeId"), symbol)
        is_past = end <= self._link.site.clock.now()
        return FillsPage(_sorted(fills), complete=not is_past, next_since=end if is_past else None)

    async def fills_of_order(self, symbol: str, exchange_order_id: str) -> FillsPage:
        """All fills of one order; `complete` only if they add up to what the order's record says has filled.

        That record also adds what a fill's row lacks: the client order id, and whether it was forced.
        """
        market_type, venue_id = market_type_of(symbol), await self._link.readable_id(symbol)
        order = await self._fetched(symbol, venue_id, {"orderId": exchange_order_id})
        params = {**_scope(market_type, Book.NORMAL), "symbol": venue_id, "orderId": exchange_order_id}
        endpoint = at.SPOT_FILLS_OF_ORDER if market_type is _SPOT else at.MIX_FILLS_OF_ORDER
        fills = self._fills(await read_all(self._link, endpoint, params, "tradeId"), symbol)
        if order is None:
            return FillsPage(_sorted(fills), complete=False)
        report: OrderReport = self._parsed(order_report, order, symbol)
        if _sum(fills) < report.filled_quantity:
            # Without times, only so many days back are answered.
            began = moment(order.get("cTime") or 0)
            for start_ms, end_ms in windows_since(
                began, self._link.site.clock.now(), FILL_WINDOWS[market_type]
            ):
                window = {**params, "startTime": str(start_ms), "endTime": str(end_ms)}
                fills |= self._fills(await read_all(self._link, endpoint, window, "tradeId"), symbol)
                if _sum(fills) >= report.filled_quantity:
                    break
        named = (replace(fill, client_order_id=report.client_order_id) for fill in _sorted(fills))
        return FillsPage(tuple(named), complete=_sum(fills) >= report.filled_quantity)

    async def _fetched(self, symbol: str, venue_id: str, names: dict[str, str]) -> Raw | None:
        """An order of the normal book by its own page, or None when that page has none."""
        try:
            if market_type_of(symbol) is _SPOT:
                answer = await self._link.try_read(at.SPOT_ORDER, names)
            else:
                params = {**FUTURES_PAGE, "symbol": venue_id, **names}
                answer = await self._link.try_read(at.MIX_ORDER, params)
        except CallFailed as failure:
            if failure.code in _NO_SUCH_ORDER:
                return None
            error = self._link.failures.read_failure(failure)
        else:
            try:
                body = answer["data"]
                return (body[0] if body else None) if isinstance(body, list) else _object(body)
            except UNREADABLE as unreadable:
                error = self._link.failures.unreadable(unreadable, "an order")
        raise error

    async def _searched(self, ref: OrderRef, venue_id: str) -> Raw | None:
        """An order among the open ones and then among the ended; None proves that it is in neither."""
        market_type = market_type_of(ref.symbol)
        named = name(ref)
        field, wanted = next(iter(named.items()))
        scope: dict[str, Any] = {**_scope(market_type, ref.book), "symbol": venue_id}
        if market_type is _FUTURES:
            scope |= named

        def is_wanted(row: Raw) -> bool:
            return bool(str(row.get(field)) == wanted)

        for endpoint in _URGENT_LISTS[(market_type, ref.book)]:
            params = dict(scope)
            if endpoint is at.SPOT_ENDED_PLANS_NOW:
                # Without times, this page used to refuse.
                now = self._link.site.clock.now()
                params |= {"startTime": str(floor_ms(now - ORDER_WINDOW)), "endTime": str(floor_ms(now))}
            rows = await read_all(
                self._link, endpoint, params, "orderId", lambda page: any(map(is_wanted, page))
            )
            for row in rows:
                if is_wanted(row):
                    return row
        return None

    def _fills(self, rows: list[Raw], symbol: str) -> dict[tuple[str, str], FillReport]:
        fills = [self._parsed(fill_report, row, symbol) for row in rows]
        return {(fill.exchange_order_id, fill.venue_fill_id): fill for fill in fills}

    def _parsed(self, parse: Any, row: Any, symbol: str) -> Any:
        try:
            return parse(row, symbol)
        except UNREADABLE as error:
            raise self._link.failures.unreadable(error, symbol) from None


def _scope(market_type: MarketType, book: Book) -> dict[str, Any]:
    """What a list asks for besides its symbol."""
    if market_type is _SPOT:
        return {}
    return {**FUTURES_PAGE, **_PLANS} if book is Book.CONDITIONAL else {**FUTURES_PAGE}


def _created_ms(row: Raw, symbol: str) -> int:
    return int(row["cTime"])


def _parser(book: Book) -> Any:
    return plan_report if book is Book.CONDITIONAL else order_report


def _object(body: Any) -> Raw:
    if not isinstance(body, dict):
        raise TypeError("an order is an object")
    return body


def _sorted(fills: dict[tuple[str, str], FillReport]) -> tuple[FillReport, ...]:
    return tuple(sorted(fills.values(), key=lambda fill: fill.canonical_key))


@exact
def _sum(fills: dict[tuple[str, str], FillReport]) -> Decimal:
    return sum((fill.quantity for fill in fills.values()), ZERO)
