"""Rows that only trading moves on: deliveries of signals, from new to done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.orders.tables import strategy_order_logs, strategy_order_results
from fillbook.signals.core.alert import Leg, legs_from_json
from fillbook.signals.tables import signal_deliveries, signals
from fillbook.storage.unit import Unit

TAKEN_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Delivery:
    """A signal on its way to one account, with the legs that are still to be planned there."""

    id: int
    signal_id: int
    account_id: int
    strategy_id: int | None
    strategy_account_id: int | None
    user_id: int
    environment: Environment
    symbol: str
    legs: tuple[Leg, ...]
    leg_count: int
    log_ids: dict[str, int]
    received_at: datetime
    settings_version: int | None


@dataclass(frozen=True, slots=True)
class DeliveryMove:
    """A delivery's new state; a denial says why."""

    delivery_id: int
    state: str
    denial_code: str | None = None
    denial_reason: str | None = None


async def open_deliveries(unit: Unit, account_ids: Iterable[int], beside: set[int]) -> list[Delivery]:
    """Deliveries of these accounts that are not planned to their end, oldest first, except those in `beside`."""
    delivery, signal = signal_deliveries.c, signals.c
    rows = await unit.all(
        sa.select(
            signal_deliveries,
            signal.strategy_id,
            signal.symbol,
            signal.legs,
            signal.at,
            signal.settings_version,
        )
        .join_from(signal_deliveries, signals, signal.id == delivery.signal_id)
        .where(delivery.state.in_(("new", "claimed")), delivery.account_id.in_(sorted(account_ids)))
        .order_by(delivery.id)
        .limit(TAKEN_AT_ONCE + len(beside))
    )
    rows = [row for row in rows if row.id not in beside]
    if not rows:
        return []
    logs = await _log_ids(unit, {row.signal_id for row in rows})
    planned = await _planned_legs(unit, {row.signal_id for row in rows if row.state == "claimed"})
    return [_to_delivery(row, logs[row.signal_id], planned) for row in rows]


def _to_delivery(row: Any, log_ids: dict[str, int], planned: set[tuple[int, int, str]]) -> Delivery:
    every = legs_from_json(row.legs)
    return Delivery(
        id=row.id,
        signal_id=row.signal_id,
        account_id=row.account_id,
        strategy_id=row.strategy_id,
        strategy_account_id=row.strategy_account_id,
        user_id=row.user_id,
        environment=Environment(row.environment),
        symbol=row.symbol,
        legs=tuple(leg for leg in every if (row.signal_id, row.account_id, leg.leg) not in planned),
        leg_count=len(every),
        log_ids=log_ids,
        received_at=row.at,
        settings_version=row.settings_version,
    )


async def _log_ids(unit: Unit, signal_ids: set[int]) -> dict[int, dict[str, int]]:
    log = strategy_order_logs.c
    found: dict[int, dict[str, int]] = {signal_id: {} for signal_id in signal_ids}
    for row in await unit.all(
        sa.select(log.id, log.signal_id, log.leg).where(log.signal_id.in_(sorted(signal_ids)))
    ):
        found[row.signal_id][row.leg] = row.id
    return found


async def _planned_legs(unit: Unit, signal_ids: set[int]) -> set[tuple[int, int, str]]:
    """Legs of interrupted deliveries that already have a result, as (signal, account, leg)."""
    if not signal_ids:
        return set()
    log, result = strategy_order_logs.c, strategy_order_results.c
    rows = await unit.all(
        sa.select(log.signal_id, result.account_id, log.leg)
        .join_from(strategy_order_results, strategy_order_logs, log.id == result.log_id)
        .where(log.signal_id.in_(sorted(signal_ids)))
    )
    return {(row.signal_id, row.account_id, row.leg) for row in rows}


async def move_deliveries(unit: Unit, moves: Sequence[DeliveryMove], by: str) -> None:
    await unit.update_many(
        signal_deliveries,
        [
            {
                "row_id": move.delivery_id,
                "state": move.state,
                "denial_code": move.denial_code,
                "denial_reason": move.denial_reason,
                "claimed_by": by[:100],
                "claimed_at": unit.now,
            }
            for move in moves
        ],
    )


async def finish_signals(unit: Unit, signal_ids: Iterable[int]) -> None:
    """End the deliveries whose legs all have a fate, and the signals whose order logs have all ended."""
    ids = sorted(set(signal_ids))
    if not ids:
        return
    log, result, delivery = strategy_order_logs.c, strategy_order_results.c, signal_deliveries.c
    open_leg = (
        sa.select(sa.literal(1))
        .select_from(
            strategy_order_logs.outerjoin(
                strategy_order_results,
                sa.and_(result.log_id == log.id, result.account_id == delivery.account_id),
            )
        )
        .where(log.signal_id == delivery.signal_id, result.success.is_(None))
        .correlate(signal_deliveries)
    )
    await unit.execute(
        sa.update(signal_deliveries)
        .where(delivery.signal_id.in_(ids), delivery.state == "planned", ~open_leg.exists())
        .values(state="done")
    )
    open_log = (
        sa.select(sa.literal(1))
        .where(log.signal_id == signals.c.id, log.status == "PROCESSING")
        .correlate(signals)
    )
    await unit.execute(
        sa.update(signals)
        .where(signals.c.id.in_(ids), signals.c.status.in_(("accepted", "planned")), ~open_log.exists())
        .values(status="done")
    )
