"""What a database holds of an account's trading, without the numbers of its rows: two databases may be compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.tables import accounts
from fillbook.ledger.tables import (
    fill_allocations,
    fills,
    ledger_entries,
    positions,
    strategy_positions,
    trades,
)
from fillbook.orders.tables import orders
from fillbook.storage.unit import Database, Unit
from fillbook.strategies.tables import strategies, strategy_capital

FILL_COLUMNS = (
    *("side", "position_side", "price", "quantity", "cost", "currency", "fee", "fee_asset", "fee_quote"),
    *("fee_rate", "fee_rate_source", "venue_realized_pnl", "market_type", "liquidity", "kind", "exchange_at"),
)
ORDER_COLUMNS = (
    *("symbol", "book", "exchange_order_id", "side", "position_side", "order_type", "time_in_force"),
    *("reduce_only", "quantity", "price", "stop_price", "filled_quantity", "cost", "average_price", "status"),
    *("owner", "origin", "leg", "currency", "market_type", "leverage", "reserved", "exit_reason"),
    *("trade_source", "unknown_since"),
)
BOOK_COLUMNS = (
    *("quantity", "cost", "capital_used", "realized_pnl", "fees", "dust_quantity", "dust_cost", "currency"),
    *("last_fill_at", "last_fill_id", "leverage", "is_open", "opened_at", "closed_at"),
)
TRADE_COLUMNS = (
    *(
        "side",
        "quantity",
        "entry_price",
        "exit_price",
        "pnl",
        "realized_pnl",
        "pnl_percent",
        "fees",
        "funding",
    ),
    *("capital", "currency", "leverage", "exit_reason", "trade_source", "closed_at"),
)
ALLOCATION_COLUMNS = (
    *("quantity", "cost", "fee", "fee_quote", "realized_pnl", "leverage", "exit_reason", "trade_source"),
)


@dataclass(frozen=True)
class Memory:
    """Each part by names that outlive a database."""

    fills: Mapping[Any, Any]
    orders: Mapping[Any, Any]
    positions: Mapping[Any, Any]
    strategy_positions: Mapping[Any, Any]
    trades: Mapping[Any, Any]
    allocations: Mapping[Any, Any]
    capital: Mapping[Any, Any]
    entries: Mapping[Any, Any]

    @classmethod
    async def read(cls, db: Database) -> "Memory":
        async with db.read() as unit:
            return await _read(unit)

    def differences(self, other: "Memory") -> list[str]:
        """What differs, one line each; nothing when the two say the same."""
        found = []
        for part, mine in vars(self).items():
            theirs = getattr(other, part)
            found += [
                f"{part} {key}: {_unlike(mine.get(key), theirs.get(key))}"
                for key in mine.keys() | theirs.keys()
                if mine.get(key) != theirs.get(key)
            ]
        return found


async def _read(unit: Unit) -> Memory:
    uids = {row.id: row.uid for row in await unit.all(sa.select(accounts))}
    codes = {row.id: row.code6 for row in await unit.all(sa.select(strategies))}
    fill_rows = await unit.all(sa.select(fills))
    keys = {row.id: (uids[row.account_id], row.symbol, *_fill_key(row)) for row in fill_rows}
    trade_rows = await unit.all(sa.select(trades))
    trade_keys = {
        row.id: (*keys[row.opening_fill_id], row.opening_part, _owner(row, codes)) for row in trade_rows
    }
    return Memory(
        fills={keys[row.id]: _pick(row, FILL_COLUMNS) for row in fill_rows},
        orders={
            (uids[row.account_id], row.client_order_id): (
                codes.get(row.strategy_id),
                *_pick(row, ORDER_COLUMNS),
            )
            for row in await unit.all(sa.select(orders))
        },
        positions={
            (uids[row.account_id], row.symbol, row.position_side): _pick(
                row, (*BOOK_COLUMNS[:-4], *BOOK_COLUMNS[-3:])
            )
            for row in await unit.all(sa.select(positions))
        },
        strategy_positions={
            (uids[row.account_id], row.symbol, row.position_side, _owner(row, codes)): _pick(
                row, BOOK_COLUMNS
            )
            for row in await unit.all(sa.select(strategy_positions))
        },
        trades={trade_keys[row.id]: _pick(row, TRADE_COLUMNS) for row in trade_rows},
        allocations={
            (*keys[row.fill_id], _owner_of_key(row, codes), row.part): (
                trade_keys.get(row.trade_id),
                *_pick(row, ALLOCATION_COLUMNS),
            )
            for row in await unit.all(sa.select(fill_allocations))
        },
        capital={
            (uids[row.account_id], codes[row.strategy_id], row.currency): (
                row.total_capital,
                row.used_capital,
                row.reserved_capital,
            )
            for row in await unit.all(sa.select(strategy_capital))
        },
        entries={
            (uids[row.account_id], row.kind, row.venue_id): (row.asset, row.symbol, row.amount, row.at)
            for row in await unit.all(sa.select(ledger_entries))
        },
    )


def _fill_key(row: Any) -> tuple[str, str]:
    return row.exchange_order_id, row.venue_fill_id


def _owner(row: Any, codes: Mapping[int, str]) -> str:
    return f"strategy {codes[row.strategy_id]}" if row.strategy_id is not None else str(row.owner_key)


def _owner_of_key(row: Any, codes: Mapping[int, str]) -> str:
    return "a link" if row.owner_key.startswith("link:") else str(row.owner_key)


def _pick(row: Any, names: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, getattr(row, name)) for name in names)


def _unlike(mine: Any, theirs: Any) -> str:
    if mine is None or theirs is None:
        return f"{mine} and {theirs}"
    return "; ".join(f"{one} and {two}" for one, two in zip(mine, theirs, strict=True) if one != two)
