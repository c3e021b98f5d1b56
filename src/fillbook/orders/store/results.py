"""Rows of the order log: what became of a leg on each account, and the log that sums them up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.orders.core.order_log import OrderLogStatus, StrategyOrderLog
from fillbook.orders.order_logs import with_results
from fillbook.orders.tables import strategy_order_logs, strategy_order_results
from fillbook.storage.scope import EVERYONE
from fillbook.storage.unit import Unit

_LOG_IDS: Final = sa.select(
    strategy_order_logs.c.id, strategy_order_logs.c.signal_id, strategy_order_logs.c.leg
).where(strategy_order_logs.c.signal_id.in_(sa.bindparam("signals", expanding=True)))
_LOGS_LOCKED: Final = (
    sa.select(strategy_order_logs)
    .where(strategy_order_logs.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(strategy_order_logs.c.id)
    .with_for_update()
)
_COUNTED: Final = (
    sa.select(strategy_order_results.c.success, sa.func.count().label("accounts"))
    .where(strategy_order_results.c.log_id == sa.bindparam("log"))
    .group_by(strategy_order_results.c.success)
)


_COUNT_OPEN: Final = (
    sa.update(strategy_order_logs)
    .where(strategy_order_logs.c.id == sa.bindparam("log"))
    .values(unknown=strategy_order_logs.c.unknown + sa.bindparam("opened"))
)


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
    rows = await unit.all(_LOG_IDS, {"signals": sorted(set(signal_ids))})
    return {(row.signal_id, row.leg): row.id for row in rows}


async def record_results(unit: Unit, results: Sequence[LegResult]) -> set[int]:
    """Write results, and end each log that now has one for every account; the numbers of those logs."""
    if not results:
        return set()
    latest = {(result.log_id, result.account_id): result for result in results}
    # Lock the logs first: whoever records the last account's result must see all the others.
    logs = await unit.all(_LOGS_LOCKED, {"ids": sorted({result.log_id for result in latest.values()})})
    rows = [_result_row(result) for result in latest.values()]
    await unit.upsert(strategy_order_results, rows, keys=("log_id", "account_id"))
    return {log.id for log in logs if await _sum_up(unit, log)}


async def open_results(unit: Unit, results: Sequence[LegResult]) -> None:
    """Write results of orders that are about to leave. No log ends by them: it only counts them as open."""
    rows = [_result_row(result) for result in results]
    await unit.upsert(strategy_order_results, rows, keys=("log_id", "account_id"))
    for log_id, opened in sorted(Counter(result.log_id for result in results).items()):
        await unit.execute(_COUNT_OPEN, {"log": log_id, "opened": opened})


def _result_row(result: LegResult) -> dict[str, Any]:
    return {
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


async def _sum_up(unit: Unit, row: sa.Row[Any]) -> bool:
    """Count a log's results; True when that ends it."""
    log_id, total_accounts = row.id, row.total_accounts
    counted = await unit.all(_COUNTED, {"log": log_id})
    counts: dict[bool | None, int] = {found.success: found.accounts for found in counted}
    succeeded, failed = counts.get(True, 0), counts.get(False, 0)
    is_over = bool(succeeded + failed >= total_accounts)
    values: dict[str, Any] = {
        "row_id": log_id,
        "successful_accounts": succeeded,
        "failed_accounts": failed,
        "unknown": counts.get(None, 0),
    }
    if is_over:
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
    await unit.update_many(strategy_order_logs, [values])
    return is_over
