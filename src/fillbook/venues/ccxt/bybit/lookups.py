"""Orders and fills as Bybit records them.

`realtime` has the live orders and the latest ended ones, `history` all that ended; one that ended without a fill is
forgotten after a day. Executions are read without a filter by kind, because liquidations and deleveraging are kinds
of their own; in windows of seven days and pages whose cursor names a row.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fillbook.kernel.clock import from_ms
from fillbook.kernel.money import ZERO, exact
from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.order import Book, OrderRef
from fillbook.orders.core.reports import FillReport, FillsPage, OrderReport
from fillbook.venues.ccxt.bybit import endpoints as at
from fillbook.venues.ccxt.bybit import requests
from fillbook.venues.ccxt.bybit.link import FAILURES, BybitLink
from fillbook.venues.ccxt.bybit.reports import fill_order, fill_report, order_report
from fillbook.venues.ccxt.bybit.words import CATEGORIES, is_funding
from fillbook.venues.ccxt.values import UNREADABLE, amount, floor_ms, moment
from fillbook.venues.ccxt.windows import windows_since

PAGE = 100
ORDERS_PAGE = 50
# A second less than Bybit allows.
WINDOW = timedelta(days=7) - timedelta(seconds=1)
LOOK_BACK = timedelta(days=60)
_PAGES_OF_A_WINDOW = 50
_NARROWER = 8
_NARROWEST = timedelta(seconds=1)


class Lookups:
    """The order and fill reads of one account."""

    def __init__(self, link: BybitLink) -> None:
        self._link = link

    async def find_order(self, ref: OrderRef) -> OrderReport | None:
        found = await self.find_live_order(ref)
        return found if found is not None else await self._find_ended_order(ref)

    async def find_live_order(self, ref: OrderRef) -> OrderReport | None:
        """As `find_order`, but only among the live and the latest ended ones."""
        params = requests.name(ref, await self._link.readable_id(ref.symbol))
        return self._one(ref, await self._link.pages(at.ORDER, params))

    async def _find_ended_order(self, ref: OrderRef) -> OrderReport | None:
        """Whether an order that is named is also bound to the window of seven days, Bybit does not say [?]: one
        that we know to have existed is looked for further back."""
        params = requests.name(ref, await self._link.readable_id(ref.symbol))
        found = self._one(ref, await self._link.pages(at.ENDED_ORDER, params))
        if found is not None or ref.exchange_order_id is None:
            return found
        now = self._link.site.clock.now()
        for start_ms, end_ms in reversed(windows_since(now - LOOK_BACK, now - WINDOW, WINDOW)):
            window = params | {"startTime": start_ms, "endTime": end_ms}
            found = self._one(ref, await self._link.pages(at.ENDED_ORDER, window))
            if found is not None:
                return found
        return None

    def _one(self, ref: OrderRef, rows: Sequence[Mapping[str, Any]]) -> OrderReport | None:
        """The order that was asked for; another one in the answer is none (the filter may have been ignored)."""
        for row in rows:
            report = self._order(row, ref.symbol)
            if report.exchange_order_id == ref.exchange_order_id or (
                ref.exchange_order_id is None and report.client_order_id == ref.client_order_id
            ):
                return report
        return None

    def _order(self, row: Any, symbol: str) -> OrderReport:
        try:
            report = order_report(row, symbol)
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, f"an order of {symbol}") from None
        self._link.note_leg(symbol, report.position_side)
        return report

    async def open_orders(self, market_type: MarketType, book: Book) -> Sequence[OrderReport]:
        """Every kind together, so the conditional book is empty. Linear wants a settlement coin named."""
        if book is Book.CONDITIONAL:
            return ()
        params: dict[str, Any] = {"category": CATEGORIES[market_type], "limit": ORDERS_PAGE}
        if market_type is MarketType.SPOT:
            # Whether spot shows stops unasked is not certain [?]; what comes twice has the same id.
            questions = [params, *(params | {"orderFilter": kind} for kind in requests.SPOT_FILTERS[1:])]
        else:
            questions = [params | {"settleCoin": coin} for coin in await self._settlement_coins()]
        found: dict[str, OrderReport] = {}
        for question in questions:
            for row in await self._link.pages(at.OPEN_ORDERS, question):
                report = self._order(row, await self._symbol(row, market_type))
                if report.status.is_live:
                    found[report.exchange_order_id] = report
        return list(found.values())

    async def _settlement_coins(self) -> list[str]:
        catalogue = await self._link.catalogue(MarketType.FUTURES)
        return sorted({instrument.settle for instrument in catalogue.instruments.values()})

    async def _symbol(self, row: Any, market_type: MarketType) -> str:
        try:
            venue_id = row["symbol"]
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "a symbol") from None
        return await self._link.symbol(venue_id, market_type)

    async def orders_since(self, symbol: str, since: datetime, book: Book) -> Sequence[OrderReport]:
        """Orders created from `since` on, oldest first."""
        if book is Book.CONDITIONAL:
            return ()
        venue_id = await self._link.readable_id(symbol)
        params = {**requests.subject(symbol, venue_id), "limit": ORDERS_PAGE}
        rows = []
        for start_ms, end_ms in windows_since(since, self._link.site.clock.now(), WINDOW):
            window = params | {"startTime": start_ms, "endTime": end_ms}
            rows += await self._link.pages(at.ENDED_ORDERS, window)
        # History may lag behind: the latest ended ones, and last the live ones, as of now.
        rows += await self._link.pages(at.OPEN_ORDERS, params | {"openOnly": 1})
        rows += await self._link.pages(at.OPEN_ORDERS, params)
        found: dict[str, OrderReport] = {}
        for row in rows:
            report = self._order(row, symbol)
            known = found.get(report.exchange_order_id)
            if self._created(row) >= since and (known is None or report.exchange_at >= known.exchange_at):
                found[report.exchange_order_id] = report
        return sorted(found.values(), key=lambda report: (report.exchange_at, report.exchange_order_id))

    def _created(self, row: Mapping[str, Any]) -> datetime:
        try:
            return moment(row["createdTime"])
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, "an order's time") from None

    # Fills

    async def fills_since(self, symbol: str, since: datetime, from_id: str | None = None) -> FillsPage:
        """The fills of the window that begins at `since`. Bybit knows no "after this id": known ones come again,
        which also brings what became visible late."""
        venue_id = await self._link.readable_id(symbol)
        start = from_ms(floor_ms(since))
        width = WINDOW
        while True:
            end = start + width
            params = requests.subject(symbol, venue_id) | {
                "startTime": floor_ms(start),
                "endTime": floor_ms(end),
                "limit": PAGE,
            }
            rows = await self._link.pages_up_to(at.FILLS, params, _PAGES_OF_A_WINDOW)
            if rows is not None:
                break
            # Pages go back in time: only a window that was read whole proves that nothing is missing.
            width /= _NARROWER
            if width < _NARROWEST:
                raise ReadFailed("There are too many fills within a second to read at once.")
        fills = tuple(await self._fills(rows, symbol))
        next_since = end if end <= self._link.site.clock.now() else None
        return FillsPage(fills, complete=next_since is None, next_since=next_since)

    async def fills_of_order(self, symbol: str, exchange_order_id: str) -> FillsPage:
        """All fills of one order; `complete` only if they add up to what the order's record says has filled."""
        order = await self.find_order(OrderRef(symbol, "", exchange_order_id, Book.NORMAL))
        venue_id = await self._link.readable_id(symbol)
        params = requests.subject(symbol, venue_id) | {"orderId": exchange_order_id, "limit": PAGE}
        now = self._link.site.clock.now()
        if order is None:
            fills = await self._fills(await self._link.pages(at.FILLS_OF_ORDER, params), symbol)
            return FillsPage(tuple(fills), complete=False)
        found: dict[str, FillReport] = {}
        for start_ms, end_ms in windows_since(self._created(order.raw), now, WINDOW):
            window = params | {"startTime": start_ms, "endTime": end_ms}
            rows = await self._link.pages(at.FILLS_OF_ORDER, window)
            found.update((fill.venue_fill_id, fill) for fill in await self._fills(rows, symbol))
            if _sum(found) >= order.filled_quantity:
                break
        return FillsPage(tuple(found.values()), complete=_sum(found) >= order.filled_quantity)

    async def _fills(self, rows: Sequence[Mapping[str, Any]], symbol: str) -> list[FillReport]:
        """Oldest first, without funding payments."""
        fills = []
        try:
            for row in sorted(rows, key=fill_order):
                if not is_funding(row) and amount(row["execQty"]):
                    fills.append(fill_report(row, symbol, await self._link.leg_of_fill(symbol, row)))
        except UNREADABLE as error:
            raise FAILURES.unreadable(error, f"fills of {symbol}") from None
        return fills


@exact
def _sum(fills: dict[str, FillReport]) -> Decimal:
    return sum((fill.quantity for fill in fills.values()), ZERO)
