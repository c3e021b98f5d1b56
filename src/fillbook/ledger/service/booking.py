"""Books fills once, allocates them to their owners, and folds the books that they touch.

A fill's key is (account, symbol, exchange order id, venue fill id): one that is known changes nothing. A book is
the fold of one owner on one (account, symbol, position side); the account's own book, over all its fills, is
`positions`. A fill that comes late refolds its books from their last flat point. All of it happens in the
caller's unit of work.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Environment
from fillbook.kernel.ids import RowIds
from fillbook.kernel.money import ONE, ZERO, exact, quantise
from fillbook.ledger.core.allocation import allocate_pro_rata, split_fill, whole_fill
from fillbook.ledger.core.books import ACCOUNT, EXTERNAL, BookKey, BookRow, Owner
from fillbook.ledger.core.fees import FeeInQuote, FeeRateSource, fee_in_quote
from fillbook.ledger.core.fill import Fill, FillKind, FillReport, FillSource
from fillbook.ledger.core.position import FillPart, FlatRule
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.ledger.service.folding import BookChange, fold_into, save_changes
from fillbook.ledger.store import books, facts
from fillbook.ledger.tables import fills
from fillbook.market.core import Instrument, MarketType, market_type_of
from fillbook.storage.partitions import ensure_partition
from fillbook.storage.unit import Unit

InstrumentOf = Callable[[int, str], Instrument]
RatesOf = Callable[[int, str], Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class OwnerTerms:
    """Who takes a fill, and on which terms: what the order that caused it was placed with."""

    owner: Owner
    leverage: Decimal = ONE
    exit_reason: ExitReason = ExitReason.MANUAL
    trade_source: TradeSource = TradeSource.MANUAL


@dataclass(frozen=True, slots=True)
class FillToBook:
    """A report on its way into the ledger. `terms` is None when no order of ours asked for it."""

    account_id: int
    user_id: int
    environment: Environment
    report: FillReport
    source: FillSource
    order_id: int | None
    terms: OwnerTerms | None

    @property
    def key(self) -> facts.FillKey:
        report = self.report
        return (self.account_id, report.symbol, report.exchange_order_id, report.venue_fill_id)


@dataclass(frozen=True, slots=True)
class BookedFill:
    """A fill that is new in the books, and the report that it came from."""

    fill: Fill
    wanted: FillToBook


@dataclass(frozen=True, slots=True)
class BookedFills:
    """What booking changed. `capital_used` are changes by (link, currency), in quote."""

    fills: tuple[BookedFill, ...]
    changed: tuple[BookChange, ...]
    capital_used: Mapping[tuple[int, str], Decimal]


class Ledger:
    """Books fills; one object per process. Holds no state that the database does not hold."""

    def __init__(self, ids: RowIds) -> None:
        self._ids = ids

    async def book(
        self, unit: Unit, wanted: Sequence[FillToBook], instrument_of: InstrumentOf, rates_of: RatesOf
    ) -> BookedFills:
        """Book those fills that are not yet booked, oldest first, and fold what they touch."""
        fresh = await self._fresh(unit, wanted)
        if not fresh:
            return BookedFills((), (), {})
        for one in {(f.report.exchange_at.year, f.report.exchange_at.month): f for f in fresh}.values():
            await ensure_partition(unit, fills, one.report.exchange_at)
        booked = [self._to_fill(one, instrument_of, rates_of) for one in fresh]
        await facts.insert_fills(unit, [_fill_row(one, fee, instrument_of) for one, fee in booked])
        rows = await books.load_books(unit, {(b.fill.account_id, b.fill.symbol) for b, _ in booked})
        pending = _parts_by_book([one for one, _ in booked], rows, instrument_of)
        await books.insert_books(unit, [rows[key] for key in pending if rows[key].id is None])
        changes = [
            await fold_into(unit, rows[key], parts, _flat_rule(instrument_of(key.account_id, key.symbol)))
            for key, parts in pending.items()
        ]
        await save_changes(unit, changes)
        return BookedFills(tuple(one for one, _ in booked), tuple(changes), _capital_changes(changes))

    async def _fresh(self, unit: Unit, wanted: Sequence[FillToBook]) -> list[FillToBook]:
        by_key = {one.key: one for one in wanted}
        known = await facts.known_fill_keys(unit, by_key.keys())
        fresh = [one for key, one in by_key.items() if key not in known]
        return sorted(fresh, key=lambda one: (one.account_id, one.report.symbol, one.report.canonical_key))

    @exact
    def _to_fill(
        self, one: FillToBook, instrument_of: InstrumentOf, rates_of: RatesOf
    ) -> tuple[BookedFill, FeeInQuote]:
        report = one.report
        instrument = instrument_of(one.account_id, report.symbol)
        rates = rates_of(one.account_id, instrument.quote)
        fee = fee_in_quote(
            report.fee, report.fee_asset, instrument.base, instrument.quote, report.price, rates
        )
        if not isinstance(fee, FeeInQuote):
            fee = FeeInQuote(ZERO, ZERO, FeeRateSource.MISSING)
        fill = Fill(
            id=self._ids.next(),
            account_id=one.account_id,
            symbol=report.symbol,
            exchange_order_id=report.exchange_order_id,
            venue_fill_id=report.venue_fill_id,
            side=report.side,
            position_side=report.position_side,
            price=report.price,
            quantity=report.quantity,
            cost=quantise(report.price * report.quantity),
            market_type=market_type_of(report.symbol),
            exchange_at=report.exchange_at,
            fee=report.fee,
            fee_asset=report.fee_asset,
            fee_quote=fee.fee_quote,
            liquidity=report.liquidity,
            kind=report.kind,
            order_id=one.order_id,
        )
        return BookedFill(fill, one), fee


def _fill_row(one: BookedFill, fee: FeeInQuote, instrument_of: InstrumentOf) -> dict[str, Any]:
    wanted = one.wanted
    return facts.fill_row(
        one.fill,
        fee,
        wanted.user_id,
        wanted.environment,
        instrument_of(wanted.account_id, one.fill.symbol).settle,
        source=wanted.source,
        venue_realized_pnl=wanted.report.venue_realized_pnl,
        raw=dict(wanted.report.raw),
    )


def _flat_rule(instrument: Instrument) -> FlatRule:
    is_spot = instrument.market_type is MarketType.SPOT
    return FlatRule(instrument.lot, instrument.min_notional if is_spot else ZERO)


def _parts_by_book(
    booked: Iterable[BookedFill], rows: dict[BookKey, BookRow], instrument_of: InstrumentOf
) -> dict[BookKey, list[FillPart]]:
    """The parts that each book takes, in canonical order; makes the rows of books that are new."""
    pending: dict[BookKey, list[FillPart]] = defaultdict(list)
    moved: dict[BookKey, Decimal] = defaultdict(lambda: ZERO)
    for one in booked:
        fill, wanted = one.fill, one.wanted
        shares: list[tuple[Owner, FillPart]] = [
            (ACCOUNT, whole_fill(fill, ONE, ExitReason.MANUAL, TradeSource.MANUAL))
        ]
        if wanted.terms is not None:
            terms = wanted.terms
            part = whole_fill(fill, terms.leverage, terms.exit_reason, terms.trade_source)
            shares.append((terms.owner, part))
        else:
            lot = instrument_of(fill.account_id, fill.symbol).lot
            shares += _divide_external(fill, rows, moved, lot)
        for owner, part in shares:
            key = BookKey(fill.account_id, fill.symbol, fill.position_side, owner.key)
            if key not in rows:
                currency = instrument_of(fill.account_id, fill.symbol).settle
                rows[key] = BookRow.new(key, owner, wanted.user_id, wanted.environment, currency)
            pending[key].append(part)
            moved[key] += fill.side.sign * part.quantity
    return pending


def _divide_external(
    fill: Fill, rows: Mapping[BookKey, BookRow], moved: Mapping[BookKey, Decimal], lot: Decimal
) -> list[tuple[Owner, FillPart]]:
    """A fill that nobody here asked for: pro rata over the positions that it reduces, the rest external."""
    reduced = [
        row
        for key, row in sorted(rows.items(), key=lambda item: item[0])
        if (key.account_id, key.symbol, key.position_side)
        == (fill.account_id, fill.symbol, fill.position_side)
        and key.owner_key != ACCOUNT.key
        and (row.book.quantity + moved.get(key, ZERO)) * fill.side.sign < 0
    ]
    held = [abs(row.book.quantity + moved.get(row.key, ZERO)) for row in reduced]
    shares = allocate_pro_rata(fill.quantity, held, lot)
    taken = {row.owner: quantity for row, quantity in zip(reduced, shares.owners, strict=True)}
    taken[EXTERNAL] = taken.get(EXTERNAL, ZERO) + shares.external
    leverages = {row.owner: row.leverage for row in reduced}
    reason = ExitReason.LIQUIDATION if fill.kind is not FillKind.TRADE else ExitReason.MANUAL
    return [
        (owner, replace(part, leverage=leverages.get(owner, ONE), exit_reason=reason))
        for owner, part in zip(taken, split_fill(fill, list(taken.values())), strict=True)
        if part is not None
    ]


def _capital_changes(changes: Iterable[BookChange]) -> dict[tuple[int, str], Decimal]:
    used: dict[tuple[int, str], Decimal] = defaultdict(lambda: ZERO)
    for change in changes:
        link = change.row.owner.strategy_account_id
        if link is not None and change.capital_used_change:
            used[(link, change.row.currency)] += change.capital_used_change
    return dict(used)
