"""Books fills once, allocates them to their owners, and folds the books that they touch.

A fill's key is (account, symbol, exchange order id, venue fill id): one that is known changes nothing. A book is
the fold of one owner on one (account, symbol, position side); the account's own book, over all its fills, is
`positions`. A fill that comes late, or one that stops to count, refolds its books from their last flat point.
All of it happens in the caller's unit of work.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Any

from fillbook.kernel.ids import RowIds
from fillbook.kernel.money import ONE, ZERO, exact, quantise
from fillbook.ledger.core.allocation import allocate_pro_rata, split_fill, whole_fill
from fillbook.ledger.core.books import ACCOUNT, EXTERNAL, BookKey, BookRow, Owner
from fillbook.ledger.core.fees import FeeInQuote, FeeRateSource, fee_in_quote
from fillbook.ledger.core.fill import CanonicalKey, Fill, FillKind, FillSource
from fillbook.ledger.core.position import FillPart, FlatRule
from fillbook.ledger.core.revision import Cause, Superseded
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.ledger.service.folding import BookChange, LeavingPart, fold_into, save_changes, take_out
from fillbook.ledger.service.incoming import BookedFill, FillToBook, OwnerTerms
from fillbook.ledger.service.revising import News, what_is_new
from fillbook.ledger.store import books, facts
from fillbook.ledger.tables import fills
from fillbook.market.core import Instrument, MarketType
from fillbook.storage.partitions import ensure_partition
from fillbook.storage.unit import Unit

__all__ = ["BookedFill", "BookedFills", "FillToBook", "InstrumentOf", "Ledger", "OwnerTerms", "RatesOf"]

InstrumentOf = Callable[[int, str], Instrument]
RatesOf = Callable[[int, str], Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class BookedFills:
    """What booking changed: `fills` are new and count, `superseded` count no more. `capital_used` are changes
    by (link, currency), in quote."""

    fills: tuple[BookedFill, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    changed: tuple[BookChange, ...] = ()
    capital_used: Mapping[tuple[int, str], Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class _Records:
    """The records of a batch: rows to write, fills that count from now on, and fills that no longer do."""

    plain: list[dict[str, Any]] = field(default_factory=list)
    amending: list[dict[str, Any]] = field(default_factory=list)
    counting: list[BookedFill] = field(default_factory=list)
    superseded: list[Superseded] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Market:
    """What booking asks about a symbol of an account, once for all of its fills."""

    instrument: Instrument
    rates: Mapping[str, Decimal]


MarketOf = Callable[[int, str], _Market]


def _markets(instrument_of: InstrumentOf, rates_of: RatesOf) -> MarketOf:
    @cache
    def market_of(account_id: int, symbol: str) -> _Market:
        instrument = instrument_of(account_id, symbol)
        return _Market(instrument, rates_of(account_id, instrument.quote))

    return market_of


class Ledger:
    """Books fills; one object per process. Holds no state that the database does not hold.

    `market_rate` says what the market's rates are worth that it is given: those of the moment, or an estimate.
    """

    def __init__(self, ids: RowIds, market_rate: FeeRateSource = FeeRateSource.MARKET) -> None:
        self._ids = ids
        self._market_rate = market_rate

    async def book(
        self, unit: Unit, wanted: Sequence[FillToBook], instrument_of: InstrumentOf, rates_of: RatesOf
    ) -> BookedFills:
        """Book those fills that are not yet booked, oldest first, and fold what they touch."""
        if not wanted:
            return BookedFills()
        # The books are locked first: nobody else books into them while it is found out what is new.
        rows = await books.load_books(unit, {(one.account_id, one.report.symbol) for one in wanted})
        news = await what_is_new(unit, wanted)
        if not news:
            return BookedFills()
        for one in {(f.report.exchange_at.year, f.report.exchange_at.month): f for f in news.every}.values():
            await ensure_partition(unit, fills, one.report.exchange_at)
        records = self._records(news, _markets(instrument_of, rates_of))
        await facts.insert_fills(unit, records.plain)
        await facts.insert_amending_fills(unit, records.amending)
        leaving = await take_out(unit, records.superseded)
        pending = _parts_by_book(records.counting, rows, leaving, instrument_of)
        await books.insert_books(unit, [rows[key] for key in pending if rows[key].id is None])
        changes = [
            await fold_into(
                unit,
                rows[key],
                pending.get(key, ()),
                _flat_rule(instrument_of(key.account_id, key.symbol)),
                leaving.get(key, ()),
            )
            for key in (*pending, *(key for key in leaving if key not in pending))
        ]
        await save_changes(unit, changes)
        return BookedFills(
            tuple(records.counting), tuple(records.superseded), tuple(changes), _capital_changes(changes)
        )

    @exact
    def _records(self, news: News, market_of: MarketOf) -> _Records:
        """Every record that the news make, oldest first."""
        records = _Records()
        for one in sorted(news.fresh, key=_booking_order):
            booked, row = self._record(one, market_of(one.account_id, one.report.symbol))
            records.plain.append(row)
            records.counting.append(booked)
        if news.amending or news.inferred:
            self._add_amending(records, news, market_of)
        if news.explained:
            ids = {one.fill.key: one.fill.id for one in records.counting}
            records.superseded += [
                Superseded(inferred.fill, ids[by.key], Cause.EXPLAINED) for inferred, by in news.explained
            ]
        return records

    def _add_amending(self, records: _Records, news: News, market_of: MarketOf) -> None:
        """The records that take over a key: inferred fills, and what corrects or takes back what is booked."""
        for inferred in news.inferred:
            booked, row = self._record(inferred, market_of(inferred.account_id, inferred.report.symbol))
            records.amending.append(row | {"corrects_id": None, "superseded_by_id": None})
            records.counting.append(booked)
        for amending in news.amending:
            one, corrected = amending.wanted, amending.booked
            booked, row = self._record(one, market_of(one.account_id, one.report.symbol))
            # A trade that was taken back counts for nothing: its record supersedes itself, too.
            row["superseded_by_id"] = booked.fill.id if amending.is_bust else None
            row["corrects_id"] = None if corrected is None else corrected.id
            records.amending.append(row)
            if not amending.is_bust:
                records.counting.append(booked)
            if corrected is not None:
                cause = Cause.BUSTED if amending.is_bust else Cause.CORRECTED
                records.superseded.append(Superseded(corrected, booked.fill.id, cause))
        records.counting.sort(key=lambda one: _booking_order(one.wanted))

    def _record(self, one: FillToBook, market: _Market) -> tuple[BookedFill, dict[str, Any]]:
        """A fill with the number of its row, and the row."""
        report, instrument = one.report, market.instrument
        fee = fee_in_quote(
            report.fee, report.fee_asset, instrument.base, instrument.quote, report.price, market.rates
        )
        if not isinstance(fee, FeeInQuote):
            fee = FeeInQuote(ZERO, ZERO, FeeRateSource.MISSING)
        if fee.source is FeeRateSource.MARKET:
            fee = replace(fee, source=self._market_rate)
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
            market_type=instrument.market_type,
            exchange_at=report.exchange_at,
            fee=report.fee,
            fee_asset=report.fee_asset,
            fee_quote=fee.fee_quote,
            liquidity=report.liquidity,
            kind=report.kind,
            order_id=one.order_id,
        )
        row = facts.fill_row(
            fill,
            fee,
            one.user_id,
            one.environment,
            instrument.settle,
            source=one.source,
            venue_realized_pnl=report.venue_realized_pnl,
            raw=_raw_of(one),
        )
        return BookedFill(fill, one), row


def _raw_of(one: FillToBook) -> Mapping[str, Any]:
    upto = one.report.cumulative_quantity
    if one.source is FillSource.INFERRED and upto is not None:
        return facts.inferred_raw(upto)
    return one.report.raw if isinstance(one.report.raw, dict) else dict(one.report.raw)


def _booking_order(one: FillToBook) -> tuple[int, str, CanonicalKey]:
    return (one.account_id, one.report.symbol, one.report.canonical_key)


def _flat_rule(instrument: Instrument) -> FlatRule:
    is_spot = instrument.market_type is MarketType.SPOT
    return FlatRule(instrument.lot, instrument.min_notional if is_spot else ZERO)


def _parts_by_book(
    booked: Sequence[BookedFill],
    rows: dict[BookKey, BookRow],
    leaving: Mapping[BookKey, Sequence[LeavingPart]],
    instrument_of: InstrumentOf,
) -> dict[BookKey, list[FillPart]]:
    """The parts that each book takes, in canonical order; makes the rows of books that are new."""
    pending: dict[BookKey, list[FillPart]] = defaultdict(list)
    moved: dict[BookKey, Decimal] = defaultdict(lambda: ZERO)
    for book, parts in leaving.items():
        for lost in parts:
            moved[book] -= lost.fill.side.sign * lost.quantity
    leverages = {key: row.leverage for key, row in rows.items()}
    is_divided = any(one.wanted.terms is None for one in booked)
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
            shares += _divide_external(fill, rows, moved, leverages, lot)
        for owner, part in shares:
            key = BookKey(fill.account_id, fill.symbol, fill.position_side, owner.key)
            if key not in rows:
                currency = instrument_of(fill.account_id, fill.symbol).settle
                rows[key] = BookRow.new(key, owner, wanted.user_id, wanted.environment, currency)
            pending[key].append(part)
            if is_divided:
                moved[key] += fill.side.sign * part.quantity
                leverages[key] = part.leverage
    return pending


def _divide_external(
    fill: Fill,
    rows: Mapping[BookKey, BookRow],
    moved: Mapping[BookKey, Decimal],
    leverages: Mapping[BookKey, Decimal],
    lot: Decimal,
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
    held_at = {row.owner: leverages[row.key] for row in reduced}
    reason = ExitReason.LIQUIDATION if fill.kind is not FillKind.TRADE else ExitReason.MANUAL
    return [
        (owner, replace(part, leverage=held_at.get(owner, ONE), exit_reason=reason))
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
