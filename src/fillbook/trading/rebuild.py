"""Fills the empty books of an account from its venue's own history.

Symbol by symbol: what the venue still tells is read, arranged (`core.rebuild`) and booked in canonical order
through the one door. Whatever was booked already changes nothing, so that a rebuild that was cut short is simply
run again. A symbol is finished when its cursor says from when on it is complete.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from fillbook.accounts import balances, cursors
from fillbook.accounts.core import Account, LedgerEntryReport, SyncCursor
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import ONE, ZERO
from fillbook.ledger.core.books import ACCOUNT
from fillbook.ledger.core.fill import FillKind, FillReport, FillSource
from fillbook.ledger.service.entries import book_entries
from fillbook.ledger.service.open_books import books_of
from fillbook.market.core import MarketType, market_type_of
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.client_ids import MANUAL_CODE
from fillbook.orders.core.reports import OrderReport
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.storage.unit import Unit
from fillbook.strategies.recovery import missing_links, recover_links
from fillbook.trading.booking import Booking
from fillbook.trading.core.adoption import named_by_us
from fillbook.trading.core.rebuild import (
    BEGINNING,
    OPENING,
    RebuildCase,
    RebuildFinding,
    horizon,
)
from fillbook.trading.facts import Booked, Fact, FillsSeen, OrderSeen
from fillbook.trading.floor import Floor, market_key
from fillbook.trading.ports import Venue
from fillbook.trading.rebuild_history import HistoryReader, OrderRecords, SymbolRecords, patiently

FILLS_AT_ONCE: Final = 1000
ORDERS_AT_ONCE: Final = 500
ENTRIES: Final = "ledger"
BEFORE_ACCOUNT: Final = timedelta(days=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RebuildAsked:
    """What a person wants rebuilt of an account."""

    symbols: frozenset[str] = frozenset()
    all_symbols: bool = False
    since: datetime | None = None


@dataclass(slots=True)
class Rebuilt:
    """What became of one (account, symbol). `complete_since` None: it could not be read."""

    symbol: str
    complete_since: datetime | None = None
    orders: int = 0
    fills: int = 0
    findings: list[RebuildFinding] = field(default_factory=list)

    def find(
        self, case: RebuildCase, cause: str, *, is_repaired: bool = True, subject: str = "", **after: object
    ) -> None:
        text = {name: str(value) for name, value in after.items()}
        finding = RebuildFinding(case, subject or self.symbol, cause, text, self.symbol, is_repaired)
        self.findings.append(finding)


class AccountRebuild:
    """One account's rebuild. `on_symbol` is told of each symbol when it is done."""

    def __init__(
        self,
        account: Account,
        venue: Venue,
        floor: Floor,
        booking: Booking,
        installations: Collection[str],
        on_symbol: Callable[[Account, Rebuilt], object],
    ) -> None:
        self._account = account
        self._venue = venue
        self._floor = floor
        self._booking = booking
        self._installations = installations
        self._on_symbol = on_symbol

    async def run(self, asked: RebuildAsked) -> list[Rebuilt]:
        """Raises `ReadFailed` where not even the account's holdings can be read."""
        for market_type in self._account.market_types:
            await self._floor.instruments.refresh(market_key(self._account), market_type, self._venue)
        begun = await self._patiently(self._venue.server_time)
        since = self._entries_from(begun, asked.since)
        entries = await self._patiently(lambda: self._venue.ledger_entries_since(since))
        open_orders = await self._open_orders()
        reader = HistoryReader(
            self._account, self._venue, self._floor.clock, self._installations, asked.since
        )
        done = []
        for symbol in await self._symbols(asked, entries, open_orders):
            rebuilt = await self._rebuild_symbol(reader, symbol, open_orders)
            if rebuilt is not None:
                done.append(rebuilt)
                self._on_symbol(self._account, rebuilt)
        await self._floor.db.run(lambda unit: self._book_entries(unit, entries, begun))
        await self._compare_positions(done)
        return done

    async def _patiently(self, read: Callable[[], Awaitable[T]]) -> T:
        return await patiently(self._floor.clock, read)

    def _entries_from(self, now: datetime, since: datetime | None) -> datetime:
        traits = TRAITS[self._account.exchange]
        oldest = min(horizon(traits, kind, now, since).fills for kind in self._account.market_types)
        # Funding and transfers cost a request a window: not from long before the account was entered here.
        return max(oldest, (self._account.created_at or BEGINNING) - BEFORE_ACCOUNT)

    async def _book_entries(self, unit: Unit, entries: Sequence[LedgerEntryReport], begun: datetime) -> None:
        await book_entries(unit, self._account, entries)
        await cursors.advance(unit, [cursors.CursorMove(self._account, "", None, begun, ENTRIES)])

    # Which symbols.

    async def _open_orders(self) -> list[OrderReport]:
        return [
            report
            for market_type in self._account.market_types
            for book in TRAITS[self._account.exchange].books(market_type)
            for report in await self._patiently(partial(self._venue.open_orders, market_type, book))
        ]

    async def _symbols(
        self, asked: RebuildAsked, entries: Iterable[LedgerEntryReport], open_orders: Iterable[OrderReport]
    ) -> list[str]:
        """Those that are asked for, that were followed, that anything of the account names; or all."""
        held = await self._read_balances()
        listed = {
            kind: self._floor.instruments.symbols_of(market_key(self._account), kind)
            for kind in self._account.market_types
        }
        if asked.all_symbols:
            return sorted(symbol for known in listed.values() for symbol in known)
        if asked.symbols:
            return sorted(asked.symbols)
        found = {report.symbol for report in open_orders}
        found |= {entry.symbol for entry in entries if entry.symbol is not None}
        if MarketType.FUTURES in self._account.market_types:
            found |= {position.symbol for position in await self._patiently(self._venue.positions)}
        async with self._floor.db.read() as unit:
            found |= {cursor.symbol for cursor in await cursors.of_account(unit, self._account.id)}
        quotes = held | {"USDT", "USDC"}
        found |= {
            symbol
            for symbol in listed.get(MarketType.SPOT, ())
            if symbol.partition("/")[0] in held and symbol.partition("/")[2] in quotes
        }
        return sorted(found)

    async def _read_balances(self) -> set[str]:
        """Keeps what the account holds; the assets of its spot wallet."""
        assets: set[str] = set()
        for market_type in self._account.market_types:
            reports = await self._patiently(partial(self._venue.balances, market_type))
            await self._floor.db.run(
                lambda unit, reports=reports, kind=market_type: balances.save(  # type: ignore[misc]
                    unit, self._account, reports, whole_wallet=kind
                )
            )
            if market_type is MarketType.SPOT:
                assets |= {report.asset for report in reports if report.total}
        return assets

    # One symbol.

    async def _rebuild_symbol(
        self, reader: HistoryReader, symbol: str, open_orders: Iterable[OrderReport]
    ) -> Rebuilt | None:
        rebuilt = Rebuilt(symbol)
        async with self._floor.db.read() as unit:
            known = {one.symbol: one for one in await cursors.of_account(unit, self._account.id)}
        complete_since = known[symbol].complete_since if symbol in known else None
        try:
            records = await reader.read(symbol, open_orders, complete_since)
            if records is None:
                return None
            await self._recover_strategies(records, rebuilt)
            await self._learn_rates(records, rebuilt)
            await self._book_history(records, rebuilt)
        except ReadFailed as failure:
            rebuilt.find(RebuildCase.NOT_READ, failure.detail, is_repaired=False)
            return rebuilt
        since = records.read_from.fills
        rebuilt.complete_since = min(since, complete_since or since)
        await self._finish(records, rebuilt)
        return rebuilt

    async def _finish(self, records: SymbolRecords, rebuilt: Rebuilt) -> None:
        _tell_of_history(records, rebuilt)
        since = rebuilt.complete_since
        cursor = SyncCursor(records.symbol, "fills", records.until, records.last_fill_id, since)
        await self._floor.db.run(lambda unit: cursors.state(unit, self._account, cursor))

    async def _recover_strategies(self, records: SymbolRecords, rebuilt: Rebuilt) -> None:
        codes = {
            named.code
            for report in (*records.orders.by_number.values(), *records.orders.waiting)
            if (named := named_by_us(report.client_order_id, self._installations)) is not None
        } - {MANUAL_CODE}
        async with self._floor.db.read() as unit:
            missing = await missing_links(unit, self._account, codes)
        if not missing:
            return
        market_type, leverage = market_type_of(records.symbol), ONE
        if market_type is MarketType.FUTURES:
            leverage = (await self._venue.symbol_modes(records.symbol)).leverage or ONE
        await self._floor.db.run(
            lambda unit: recover_links(unit, self._account, missing, market_type, leverage)
        )
        for code in missing:
            cause = "Orders bear its code, and nothing else is known of it: it is switched off. Name it, or delete it."
            rebuilt.find(
                RebuildCase.STRATEGY_RECOVERED, cause, is_repaired=False, subject=code, leverage=leverage
            )

    async def _learn_rates(self, records: SymbolRecords, rebuilt: Rebuilt) -> None:
        """Today's prices of third assets in which fees were charged: those of the time are nowhere kept."""
        instrument = self._floor.instrument_of(self._account.id, records.symbol)
        history = records.history
        charged: dict[str, int] = {}
        for fill in (*history.unattributed, *history.attributed):
            if fill.fee and fill.fee_asset not in (None, instrument.base, instrument.quote):
                charged[str(fill.fee_asset)] = charged.get(str(fill.fee_asset), 0) + 1
        for asset, count in charged.items():
            try:
                pair = f"{asset}/{instrument.quote}"
                price = await self._floor.prices.get(market_key(self._account), pair, self._venue)
            except FillbookError as failure:
                cause = f"The fees of {count} fills in {asset} count as 0: {failure.detail}"
                rebuilt.find(RebuildCase.FEE_RATE_ESTIMATED, cause, is_repaired=False, fills=count, rate=ZERO)
                continue
            cause = f"The fees of {count} fills in {asset} are valued at today's price."
            rebuilt.find(RebuildCase.FEE_RATE_ESTIMATED, cause, fills=count, rate=price.last)

    async def _book_history(self, records: SymbolRecords, rebuilt: Rebuilt) -> None:
        history, orders = records.history, records.orders
        for fills, source in (
            (history.openings, FillSource.INFERRED),
            (history.unattributed, FillSource.REST),
        ):
            for some in _chunks(fills, FILLS_AT_ONCE):
                await self._book([self._seen(some, source, orders)])
        short: dict[str, Booked] = {}
        told: set[str] = set()
        for some in _chunks(history.attributed, FILLS_AT_ONCE):
            numbers = list(dict.fromkeys(fill.exchange_order_id for fill in some))
            reports = [orders.by_number[number] for number in numbers if number in orders.by_number]
            seen: list[Fact] = [OrderSeen(self._account.id, report) for report in reports]
            booked = await self._book([*seen, self._seen(some, FillSource.REST, orders)])
            for report, result in zip(reports, booked, strict=False):
                number = report.triggered_order_id or report.exchange_order_id
                told.add(number)
                short.pop(number, None)
                if result.gap:
                    short[number] = result
        rebuilt.fills = len(history.unattributed) + len(history.attributed)
        await self._end_short(short, orders, rebuilt)
        rest = _without_fills(orders, told)
        for some_orders in _chunks(rest, ORDERS_AT_ONCE):
            await self._book([OrderSeen(self._account.id, report) for report in some_orders])
        rebuilt.orders = len(told) + len(rest)

    def _seen(self, fills: Sequence[FillReport], source: FillSource, orders: OrderRecords) -> FillsSeen:
        return FillsSeen(
            self._account.id, tuple(_of_its_kind(fill, orders) for fill in fills), source, adopt=True
        )

    async def _book(self, facts: Sequence[Fact]) -> Sequence[Booked]:
        return await self._booking.book(facts)

    async def _end_short(self, short: dict[str, Booked], orders: OrderRecords, rebuilt: Rebuilt) -> None:
        """Orders that filled more than can be read: what is booked of them is all that will ever be known."""
        ended: list[Fact] = []
        for number, booked in short.items():
            report = orders.by_number[number]
            if booked.order is not None and not report.status.is_live:
                known = replace(report, filled_quantity=booked.order.filled_quantity)
                ended.append(OrderSeen(self._account.id, known))
        if ended:
            await self._book(ended)
            cause = (
                "Some of their fills are older than what was read: the orders show what is booked of them."
            )
            rebuilt.find(RebuildCase.FILLS_FORGOTTEN, cause, orders=len(ended))

    async def _compare_positions(self, done: Sequence[Rebuilt]) -> None:
        """The venue's own positions are the proof."""
        if MarketType.FUTURES not in self._account.market_types:
            return
        theirs = {
            (one.symbol, one.position_side): one.quantity
            for one in await self._patiently(self._venue.positions)
            if one.quantity
        }
        async with self._floor.db.read() as unit:
            books = await books_of(unit, [self._account.id])
        ours = {
            (row.key.symbol, row.key.position_side): row.book.quantity
            for row in books
            if row.owner == ACCOUNT
        }
        for rebuilt in done:
            for key in {key for key in theirs.keys() | ours.keys() if key[0] == rebuilt.symbol}:
                if ":" in key[0] and theirs.get(key, ZERO) != ours.get(key, ZERO):
                    cause = "The venue states another position than its own fills add up to."
                    rebuilt.find(
                        RebuildCase.POSITION_DIFFERS,
                        cause,
                        is_repaired=False,
                        venue=theirs.get(key, ZERO),
                        books=ours.get(key, ZERO),
                    )


def _of_its_kind(fill: FillReport, orders: OrderRecords) -> FillReport:
    """A fill with the kind that its order tells, where its own record does not."""
    order = orders.by_number.get(fill.exchange_order_id)
    if order is None or fill.kind is not FillKind.TRADE or order.fills_kind is FillKind.TRADE:
        return fill
    return replace(fill, kind=order.fills_kind)


def _without_fills(orders: OrderRecords, told: Collection[str]) -> list[OrderReport]:
    """Orders that wait, and those that ended without a fill. One that filled before what was read is history."""
    rest = [
        report
        for number, report in orders.by_number.items()
        if number not in told and (report.status.is_live or not report.filled_quantity)
    ]
    return [*rest, *orders.waiting]


def _tell_of_history(records: SymbolRecords, rebuilt: Rebuilt) -> None:
    for opening in records.history.openings:
        rebuilt.find(
            RebuildCase.OPENING_INFERRED,
            "The position was open before the venue's history begins: how it was opened is inferred, and its entry "
            "price is an estimate, until the position is flat.",
            subject=f"{OPENING}:{opening.position_side}",
            quantity=opening.side.sign * opening.quantity,
            price=opening.price,
        )
    if records.history.attributed_since is not None:
        rebuilt.find(
            RebuildCase.ATTRIBUTION_BEGINS,
            f"{len(records.history.unattributed)} fills belong to nobody: the orders of that time are forgotten, or "
            "they moved a position whose owner is not known.",
            since=records.history.attributed_since.isoformat(),
        )
    if records.orders.forgotten:
        rebuilt.find(
            RebuildCase.ORDERS_FORGOTTEN,
            f"The venue has no record of {len(records.orders.forgotten)} orders any more: what they are shows in "
            "their fills alone.",
            orders=len(records.orders.forgotten),
        )
    leveraged = records.symbol.partition(":")[2] and any(records.history.attributed)
    if leveraged:
        rebuilt.find(
            RebuildCase.LEVERAGE_ESTIMATED,
            "The leverage of old orders is their link's of that time, as far as its settings are known; capital used "
            "and returns follow from it.",
        )


def _chunks(items: Sequence, size: int) -> Iterable[Sequence]:  # type: ignore[type-arg]
    return (items[start : start + size] for start in range(0, len(items), size))
