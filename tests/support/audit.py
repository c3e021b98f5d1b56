"""Checks that stored books are what the fills fold to: each rule answers with what it found wrong."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from fillbook.kernel.money import EXACT, ZERO
from fillbook.ledger.core.fill import FillKind
from fillbook.ledger.core.position import FillPart, FlatRule, fold
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.ledger.core.snapshot import book_to_json
from fillbook.ledger.store.facts import to_fill
from fillbook.ledger.tables import fill_allocations, fills, positions, strategy_positions, trades
from fillbook.market.core import Instrument, MarketType
from fillbook.orders.tables import orders
from fillbook.storage.unit import Database
from fillbook.strategies.tables import strategy_accounts, strategy_capital


class Audit:
    """One reading of the whole database, or of some accounts."""

    def __init__(self, rows: dict[str, Sequence[Any]], instruments: dict[str, Instrument]) -> None:
        self._rows = rows
        self._instruments = instruments
        self._all_fills = {row.id: row for row in rows["fills"]}
        self._fills = {row.id: row for row in rows["fills"] if row.superseded_by_id is None}

    @classmethod
    async def read(
        cls, db: Database, instruments: dict[str, Instrument], account_ids: set[int] | None = None
    ) -> "Audit":
        tables = (fills, fill_allocations, positions, strategy_positions, trades, orders)
        links = (strategy_capital, strategy_accounts)
        async with db.read() as unit:
            rows = {table.name: await unit.all(sa.select(table)) for table in (*tables, *links)}
        if account_ids is not None:
            rows = {
                name: [row for row in found if row.account_id in account_ids] for name, found in rows.items()
            }
        return cls(rows, instruments)

    def faults(self) -> list[str]:
        return [
            *self._superseded(),
            *self._orders(),
            *self._allocations(),
            *self._positions(),
            *self._trades(),
            *self._capital(),
        ]

    def _superseded(self) -> list[str]:
        """A fill that counts no more has its successor and no allocation; a correction names what it corrects."""
        allocated = {row.fill_id for row in self._rows["fill_allocations"]}
        found = []
        for row in self._all_fills.values():
            by = self._all_fills.get(row.superseded_by_id or row.id)
            if by is None or (row.superseded_by_id and row.id in allocated):
                found.append(f"fill {row.id}: superseded by {by and by.id}, allocated: {row.id in allocated}")
            corrected = self._all_fills.get(row.corrects_id or row.id)
            if corrected is None or (row.corrects_id and corrected.superseded_by_id != row.id):
                found.append(f"fill {row.id}: corrects {row.corrects_id}, which it does not supersede")
        return found

    def _orders(self) -> list[str]:
        """Filled quantity and cost are the sums of the fills."""
        sums: dict[int, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        for row in self._fills.values():
            if row.order_id is not None:
                sums[row.order_id][0] += row.quantity
                sums[row.order_id][1] = EXACT.add(sums[row.order_id][1], row.cost)
        return [
            f"order {row.id}: filled {row.filled_quantity} / {row.cost}, its fills {sums[row.id]}"
            for row in self._rows["orders"]
            if [row.filled_quantity, row.cost] != sums[row.id]
        ]

    def _allocations(self) -> list[str]:
        """The allocations of a fill add up to the fill."""
        sums: dict[int, list[Decimal]] = defaultdict(lambda: [ZERO] * 4)
        for row in self._rows["fill_allocations"]:
            parts = (row.quantity, row.cost, row.fee, row.fee_quote)
            sums[row.fill_id] = [EXACT.add(a, b) for a, b in zip(sums[row.fill_id], parts, strict=True)]
        return [
            f"fill {row.id}: {[row.quantity, row.cost, row.fee, row.fee_quote]}, allocated {sums[row.id]}"
            for row in self._fills.values()
            if [row.quantity, row.cost, row.fee, row.fee_quote] != sums[row.id]
        ]

    def _positions(self) -> list[str]:
        """Every book is the fold of its fills, to the last digit."""
        found = []
        for row in self._rows["positions"]:
            parts = [_whole(fill) for fill in self._fills.values() if _book_of(fill) == _book_of(row)]
            found += self._compare("positions", row, parts)
        for row in self._rows["strategy_positions"]:
            found += self._compare("strategy_positions", row, self._parts(row))
        return found

    def _compare(self, table: str, row: Any, parts: list[FillPart]) -> list[str]:
        folded = fold(parts, self._rule(row.symbol)).book
        stored, expected = row.trip_state["book"], book_to_json(folded)
        wrong = {name: (stored[name], expected[name]) for name in expected if stored[name] != expected[name]}
        columns = {
            name: (getattr(row, name), getattr(folded, name))
            for name in ("quantity", "cost", "realized_pnl", "fees")
            if getattr(row, name) != getattr(folded, name)
        }
        return [f"{table} {row.id}: {wrong | columns}"] if wrong or columns else []

    def _trades(self) -> list[str]:
        """Every round trip is what the fold of its book gives."""
        found = []
        for row in self._rows["strategy_positions"]:
            folded = fold(self._parts(row), self._rule(row.symbol))
            expected = {
                (trip.key.fill_id, trip.key.part_index): (trip.quantity, trip.pnl, trip.fees, trip.closed_at)
                for trip in folded.trips
            }
            stored = {
                (trade.opening_fill_id, trade.opening_part): (
                    trade.quantity,
                    trade.pnl,
                    trade.fees,
                    trade.closed_at,
                )
                for trade in self._rows["trades"]
                if trade.strategy_position_id == row.id
            }
            if stored != expected:
                found.append(f"trades of book {row.id}: {stored}, fold {expected}")
        return found

    def _capital(self) -> list[str]:
        """Used and reserved capital are the sums over books and live orders."""
        links = {(row.strategy_id, row.account_id): row.id for row in self._rows["strategy_accounts"]}
        found = []
        for row in self._rows["strategy_capital"]:
            link = links[(row.strategy_id, row.account_id)]
            used = _sum(
                book.capital_used
                for book in self._rows["strategy_positions"]
                if book.strategy_account_id == link and book.currency == row.currency
            )
            reserved = _sum(
                order.reserved
                for order in self._rows["orders"]
                if order.strategy_account_id == link and order.currency == row.currency
            )
            if (row.used_capital, row.reserved_capital) != (used, reserved):
                found.append(
                    f"capital {row.id}: {row.used_capital} + {row.reserved_capital}, sums {used} + {reserved}"
                )
        return found

    def _parts(self, book: Any) -> list[FillPart]:
        parts: dict[int, FillPart] = {}
        for row in self._rows["fill_allocations"]:
            if (row.owner_key, *_book_of(row)) != (book.owner_key, *_book_of(book)):
                continue
            known = parts.get(row.fill_id)
            parts[row.fill_id] = FillPart(
                to_fill(self._fills[row.fill_id]),
                row.quantity + (known.quantity if known else ZERO),
                row.cost + (known.cost if known else ZERO),
                row.fee + (known.fee if known else ZERO),
                row.fee_quote + (known.fee_quote if known else ZERO),
                row.leverage,
                ExitReason(row.exit_reason),
                TradeSource(row.trade_source),
            )
        return list(parts.values())

    def _rule(self, symbol: str) -> FlatRule:
        instrument = self._instruments[symbol]
        is_spot = instrument.market_type is MarketType.SPOT
        return FlatRule(instrument.lot, instrument.min_notional if is_spot else ZERO)


def _whole(row: Any) -> FillPart:
    fill = to_fill(row)
    assert fill.kind in FillKind
    return FillPart(fill, fill.quantity, fill.cost, fill.fee, fill.fee_quote)


def _book_of(row: Any) -> tuple[int, str, str]:
    return (row.account_id, row.symbol, row.position_side)


def _sum(amounts: Any) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
