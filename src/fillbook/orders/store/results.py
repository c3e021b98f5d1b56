"""Rows of the order log: what became of a leg on each account, and the log that sums them up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.orders.core.order_log import OrderLogStatus, StrategyOrderLog
from fillbook.orders.order_logs import with_results
from fillbook.orders.tables import strategy_order_logs, strategy_order_results
from fillbook.storage.scope import EVERYONE
from fillbook.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class LegResult:
    """What became of one leg on one account. `success` is None while nobody knows."""

    log_id: int
    account_id: int
    user_id: int
    environment: Environment
    success: bool | None
    order_id: int | None = None
    error_code: str | None = None
    error: str | None = None
    sizing: tuple[Any, ...] = ()
    sent_at: datetime | None = None
    settled_at: datetime | None = None


async def log_ids(unit: Unit, signal_ids: Iterable[int]) -> dict[tuple[int, str], int]:
    """The logs of signals, by (signal, leg)."""
    columns = (strategy_order_logs.c.id, strategy_order_logs.c.signal_id, strategy_order_logs.c.leg)
    rows = await unit.all(
        sa.select(*columns).where(strategy_order_logs.c.signal_id.in_(sorted(set(signal_ids))))
    )
    return {(row.signal_id, row.leg): row.id for row in rows}


async def record_results(unit: Unit, results: Sequence[LegResult]) -> None:
    """Write results, and end each log that now has one for every account."""
    if not results:
        return
    latest = {(result.log_id, result.account_id): result for result in results}
    rows = [
        {
            "log_id": result.log_id,
            "account_id": result.account_id,
            "user_id": result.user_id,
            "environment": result.environment,
            "success": result.success,
            "order_id": result.order_id,
            "error_code": result.error_code,
            "error": result.error,
            "sizing": list(result.sizing),
            "sent_at": result.sent_at,
            "settled_at": result.settled_at,
        }
        for result in latest.values()
    ]
    touched = sorted({result.log_id for result in latest.values()})
    # Lock the logs first: whoever records the last account's result must see all the others.
    logs = await unit.all(
        sa.select(strategy_order_logs)
        .where(strategy_order_logs.c.id.in_(touched))
        .order_by(strategy_order_logs.c.id)
        .with_for_update()
    )
    await unit.upsert(strategy_order_results, rows, keys=("log_id", "account_id"))
    for log in logs:
        await _sum_up(unit, log)


async def _sum_up(unit: Unit, row: sa.Row[Any]) -> None:
    log_id, total_accounts = row.id, row.total_accounts
    result = strategy_order_results.c
    select = sa.select(result.success, sa.func.count().label("accounts"))
    counted = await unit.all(select.where(result.log_id == log_id).group_by(result.success))
    counts: dict[bool | None, int] = {found.success: found.accounts for found in counted}
    succeeded, failed = counts.get(True, 0), counts.get(False, 0)
    values: dict[str, Any] = {
        "successful_accounts": succeeded,
        "failed_accounts": failed,
        "unknown": counts.get(None, 0),
    }
    if succeeded + failed >= total_accounts:
        log = StrategyOrderLog(total_accounts=total_accounts)
        view = (await with_results(unit, [row], EVERYONE))[0]
        log.update_statistics(view.execution_results, unit.now)
        values |= {
            "status": log.status,
            "completed_at": unit.now,
            "execution_results": log.execution_results,
        }
    else:
        values["status"] = OrderLogStatus.PROCESSING
    await unit.execute(
        sa.update(strategy_order_logs).where(strategy_order_logs.c.id == log_id).values(values)
    )
