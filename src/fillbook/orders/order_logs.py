"""The order log of a signal: one row per leg when it is accepted, read back with its accounts' results.

`strategy_order_results` is the truth; `execution_results` is rendered from it for whoever looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.tables import accounts
from fillbook.kernel.money import to_text
from fillbook.kernel.scope import Scope
from fillbook.orders.core.order_log import OrderLogStatus
from fillbook.orders.tables import orders, strategy_order_logs, strategy_order_results
from fillbook.storage.scope import owned
from fillbook.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class OrderLogView:
    """A row of `strategy_order_logs` with its results per account, keyed `account_{id}`."""

    row: Mapping[str, Any]
    execution_results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_processing(self) -> bool:
        return bool(self.row["status"] == OrderLogStatus.PROCESSING)


async def open_order_logs(unit: Unit, rows: Sequence[Mapping[str, Any]]) -> None:
    """One row per leg of an accepted alert. A leg that goes to no account has ended already."""
    await unit.insert_many(
        strategy_order_logs, [{**row, **_opening_state(unit.now, row["total_accounts"])} for row in rows]
    )


def _opening_state(now: datetime, total_accounts: int) -> dict[str, Any]:
    if total_accounts:
        return {"status": OrderLogStatus.PROCESSING, "completed_at": None}
    return {"status": OrderLogStatus.FAILED, "completed_at": now}


async def order_logs_of_signal(unit: Unit, signal_id: int, viewer: Scope) -> list[OrderLogView]:
    """The logs of a signal, one per leg, in the order of the legs. The caller has checked the signal's owner."""
    logs = await unit.all(
        sa.select(strategy_order_logs)
        .where(strategy_order_logs.c.signal_id == signal_id)
        .order_by(strategy_order_logs.c.leg)
    )
    return await with_results(unit, logs, viewer)


async def order_log(unit: Unit, log_id: int, viewer: Scope) -> OrderLogView | None:
    """One log of the viewer's own."""
    statement = sa.select(strategy_order_logs).where(strategy_order_logs.c.id == log_id)
    row = await unit.one_or_none(owned(statement, strategy_order_logs, viewer))
    return None if row is None else (await with_results(unit, [row], viewer))[0]


async def with_results(
    unit: Unit, logs: Sequence[sa.Row[Any] | Mapping[str, Any]], viewer: Scope
) -> list[OrderLogView]:
    """Logs with their results, in one more query however many logs there are."""
    if not logs:
        return []
    rows = [dict(log if isinstance(log, Mapping) else log._mapping) for log in logs]
    found = await unit.all(
        sa.select(
            strategy_order_results,
            orders.c.exchange_order_id,
            orders.c.status.label("order_status"),
            orders.c.quantity.label("order_quantity"),
            orders.c.filled_quantity,
            orders.c.average_price,
            orders.c.unknown_since,
            accounts.c.name.label("account_name"),
            accounts.c.exchange,
        )
        .select_from(
            strategy_order_results.join(
                accounts, accounts.c.id == strategy_order_results.c.account_id
            ).outerjoin(orders, orders.c.id == strategy_order_results.c.order_id)
        )
        .where(strategy_order_results.c.log_id.in_([row["id"] for row in rows]))
        .order_by(strategy_order_results.c.log_id, strategy_order_results.c.account_id)
    )
    results: dict[int, dict[str, Any]] = {row["id"]: {} for row in rows}
    for result in found:
        results[result.log_id][f"account_{result.account_id}"] = _rendered(result, viewer)
    return [OrderLogView(row, results[row["id"]]) for row in rows]


def _rendered(row: sa.Row[Any], viewer: Scope) -> dict[str, Any]:
    """One account's result in the form of the source document; other people's accounts keep their privacy."""
    result: dict[str, Any] = {"success": row.success}
    if row.success is None:
        result["unknown"] = row.unknown_since is not None
    if row.order_id is not None and viewer.allows(row.user_id):
        result |= {
            "order_id": row.order_id,
            "exchange_order_id": row.exchange_order_id,
            "order_status": row.order_status,
            "quantity": _text(row.order_quantity),
            "filled_quantity": _text(row.filled_quantity),
            "average_price": _text(row.average_price),
        }
    if row.error_code is not None:
        result |= {"error": row.error, "error_code": row.error_code}
    if viewer.allows(row.user_id):
        result |= {"account_name": row.account_name, "sizing": row.sizing or []}
    result |= {
        "exchange": row.exchange,
        "sent_at": _moment(row.sent_at),
        "settled_at": _moment(row.settled_at),
    }
    return result


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else to_text(amount)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z")
