"""Reads from a venue what is needed to rebuild the books of one symbol: everything that it still tells.

Pages and lists are read whole; an order is asked for by itself only when a fill names one that no list has.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import structlog

from fillbook.accounts.core import Account, PositionReport
from fillbook.kernel.clock import Clock
from fillbook.ledger.core.fill import FillReport
from fillbook.market.core import MarketType, market_type_of
from fillbook.market.errors import CredentialsRefused, ReadFailed
from fillbook.orders.core.order import Book, OrderRef
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.trading.core.adoption import named_by_us
from fillbook.trading.core.rebuild import History, Horizon, arrange, horizon, in_order, order_of_fills
from fillbook.trading.ports import Venue

PAGES_LIMIT: Final = 20_000
STEADY_ATTEMPTS: Final = 5
LOOKED_UP_LIMIT: Final = 500
OVERLAP: Final = timedelta(seconds=60)
PAUSES_S: Final = (2.0, 10.0)

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def patiently(clock: Clock, read: Callable[[], Awaitable[T]]) -> T:
    """Read again what could not be read: a rebuild is long, and one silence must not end it. Raises `ReadFailed`
    in the end, and at once when it is the key that is refused."""
    for pause_s in PAUSES_S:
        try:
            return await read()
        except CredentialsRefused:
            raise
        except ReadFailed as failure:
            log.info("read_again", reason=failure.detail, pause_s=pause_s)
            await clock.sleep(pause_s)
    return await read()


@dataclass(slots=True)
class OrderRecords:
    """The orders of a symbol. A conditional one that was triggered stands for the order that came of it."""

    by_number: dict[str, OrderReport] = field(default_factory=dict)
    waiting: list[OrderReport] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)

    def add(self, report: OrderReport) -> None:
        if report.book is Book.CONDITIONAL and report.triggered_order_id is None:
            self.waiting.append(report)
        else:
            self.by_number.setdefault(report.triggered_order_id or report.exchange_order_id, report)


@dataclass(frozen=True, slots=True)
class SymbolRecords:
    """Everything that was read of a symbol, up to `until` by the venue's clock."""

    symbol: str
    read_from: Horizon
    until: datetime
    last_fill_id: str | None
    history: History
    orders: OrderRecords


class HistoryReader:
    """Reads for one account. `since` asks for less than the venue keeps."""

    def __init__(
        self,
        account: Account,
        venue: Venue,
        clock: Clock,
        installations: Collection[str],
        since: datetime | None,
    ) -> None:
        self._account = account
        self._venue = venue
        self._clock = clock
        self._installations = installations
        self._since = since
        self._traits = TRAITS[account.exchange]

    async def read(
        self, symbol: str, open_orders: Iterable[OrderReport], complete_since: datetime | None
    ) -> SymbolRecords | None:
        """None when nothing was ever traded, and nothing waits. Raises `ReadFailed`.

        `complete_since`: the books of the symbol are complete from then on. Where that is as long ago as what is
        read, its beginning is known: nothing is inferred again, and every order has its owner.
        """
        market_type = market_type_of(symbol)
        read_from = horizon(self._traits, market_type, self._clock.now(), self._since)
        waiting = [report for report in open_orders if report.symbol == symbol]
        fills, positions, until = await self._fills(symbol, read_from)
        if not fills and not waiting and not positions:
            return None  # not even a cursor: who trades it first begins one
        orders = await self._orders(symbol, read_from, waiting)
        if complete_since is not None and complete_since <= read_from.fills:
            history = History(attributed=in_order(fills))
        else:
            history = arrange(fills, positions, read_from)
        await self._look_up(symbol, orders, history.attributed)
        last_id = fills[-1].venue_fill_id if fills else None
        return SymbolRecords(symbol, read_from, until, last_id, history, orders)

    async def _fills(
        self, symbol: str, read_from: Horizon
    ) -> tuple[list[FillReport], Sequence[PositionReport] | None, datetime]:
        """All fills, and the positions that they lead to: read again while the account is being traded."""
        by_number = self._since is None and market_type_of(symbol) in self._traits.fills_by_number
        since, from_id = read_from.fills, "0" if by_number else None
        fills: list[FillReport] = []
        before = await self._positions(symbol)
        for _ in range(STEADY_ATTEMPTS):
            until = await patiently(self._clock, self._venue.server_time)
            fills += await self._pages(symbol, since, from_id)
            after = await self._positions(symbol)
            if _quantities(before) == _quantities(after):
                return fills, after, until
            before, since = after, until - OVERLAP
            from_id = fills[-1].venue_fill_id if fills else from_id
        raise ReadFailed(
            f"{symbol} is being traded while it is read: stop that for a moment, then run this again"
        )

    async def _positions(self, symbol: str) -> Sequence[PositionReport] | None:
        """What the venue states of a futures symbol; None on spot, which has no positions."""
        if market_type_of(symbol) is MarketType.SPOT:
            return None
        positions = await patiently(self._clock, self._venue.positions)
        return [one for one in positions if one.symbol == symbol]

    async def _pages(self, symbol: str, since: datetime, from_id: str | None) -> list[FillReport]:
        fills: list[FillReport] = []
        for _ in range(PAGES_LIMIT):
            page = await patiently(self._clock, partial(self._venue.fills_since, symbol, since, from_id))
            fills += page.fills
            if page.complete:
                return fills
            from_id, since = page.next_from_id, page.next_since or since
        raise ReadFailed(f"the fills of {symbol} have more than {PAGES_LIMIT} pages: give a later --since")

    async def _orders(self, symbol: str, read_from: Horizon, waiting: Iterable[OrderReport]) -> OrderRecords:
        """Conditional orders first: what came of one is found under its name."""
        records = OrderRecords()
        for book in sorted(self._traits.books(market_type_of(symbol))):
            read = partial(self._venue.orders_since, symbol, read_from.orders, book)
            for report in await patiently(self._clock, read):
                records.add(report)
        known = {report.exchange_order_id for report in (*records.by_number.values(), *records.waiting)}
        for report in waiting:
            if report.exchange_order_id not in known:
                records.add(report)
        return records

    async def _look_up(self, symbol: str, orders: OrderRecords, fills: Iterable[FillReport]) -> None:
        """Ask for the orders of fills that no list named; what the venue has forgotten, the fills' own ids tell."""
        missing: dict[str, list[FillReport]] = {}
        for fill in fills:
            if fill.exchange_order_id not in orders.by_number:
                missing.setdefault(fill.exchange_order_id, []).append(fill)
        for place, (number, theirs) in enumerate(missing.items()):
            name = theirs[0].client_order_id
            report = None
            if place < LOOKED_UP_LIMIT:
                ref = OrderRef(symbol, name or "", number, Book.NORMAL)
                report = await patiently(self._clock, partial(self._venue.find_order, ref))
            if report is None:
                orders.forgotten.add(number)
                if named_by_us(name, self._installations) is None:
                    continue
                report = order_of_fills(theirs)
            orders.by_number[number] = report


def _quantities(positions: Sequence[PositionReport] | None) -> dict[str, str]:
    return {one.position_side: str(one.quantity) for one in positions or () if one.quantity}
