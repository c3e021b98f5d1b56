"""Rows that only trading moves on: deliveries of signals, from new to done."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.orders.store.results import log_ids
from fillbook.orders.tables import strategy_order_logs, strategy_order_results
from fillbook.signals.core.alert import Leg, legs_from_json
from fillbook.signals.tables import signal_deliveries, signals
from fillbook.storage.unit import Unit


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


_IS_OPEN: Final = sa.and_(
    signal_deliveries.c.state.in_(("new", "claimed")),
    signal_deliveries.c.account_id.in_(sa.bindparam("accounts", expanding=True)),
)
_OPEN_IDS: Final = sa.select(signal_deliveries.c.id).where(_IS_OPEN).order_by(signal_deliveries.c.id)
_DELIVERIES: Final = (
    sa.select(
        signal_deliveries,
        signals.c.strategy_id,
        signals.c.symbol,
        signals.c.legs,
        signals.c.at,
        signals.c.settings_version,
    )
    .join_from(signal_deliveries, signals, signals.c.id == signal_deliveries.c.signal_id)
    .where(_IS_OPEN)
    .order_by(signal_deliveries.c.id)
)
_DELIVERIES_BY_ID: Final = _DELIVERIES.where(signal_deliveries.c.id.in_(sa.bindparam("ids", expanding=True)))
_DELIVERIES_OF_SIGNALS: Final = _DELIVERIES.where(
    signal_deliveries.c.signal_id.in_(sa.bindparam("ids", expanding=True))
)


async def open_delivery_ids(unit: Unit, account_ids: Iterable[int]) -> list[int]:
    """All deliveries of these accounts that are not planned to their end, oldest first."""
    return [row.id for row in await unit.all(_OPEN_IDS, {"accounts": sorted(account_ids)})]


async def deliveries_by_ids(unit: Unit, ids: Sequence[int], account_ids: Iterable[int]) -> list[Delivery]:
    """Those of these deliveries that are open, oldest first."""
    return await _open_deliveries(unit, _DELIVERIES_BY_ID, ids, account_ids)


async def deliveries_of_signals(
    unit: Unit, signal_ids: Iterable[int], account_ids: Iterable[int]
) -> list[Delivery]:
    """The open deliveries of these signals to these accounts, oldest first."""
    return await _open_deliveries(unit, _DELIVERIES_OF_SIGNALS, sorted(signal_ids), account_ids)


async def _open_deliveries(
    unit: Unit, select: sa.Select[Any], ids: Sequence[int], account_ids: Iterable[int]
) -> list[Delivery]:
    rows = await unit.all(select, {"ids": ids, "accounts": sorted(account_ids)}) if ids else ()
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
    found: dict[int, dict[str, int]] = {signal_id: {} for signal_id in signal_ids}
    for (signal_id, leg), log_id in (await log_ids(unit, signal_ids)).items():
        found[signal_id][leg] = log_id
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


_log, _result, _delivery, _signal = (
    strategy_order_logs.c,
    strategy_order_results.c,
    signal_deliveries.c,
    signals.c,
)
_OPEN_LEG: Final = (
    sa.select(sa.literal(1))
    .select_from(
        strategy_order_logs.outerjoin(
            strategy_order_results,
            sa.and_(_result.log_id == _log.id, _result.account_id == _delivery.account_id),
        )
    )
    .where(_log.signal_id == _delivery.signal_id, _result.success.is_(None))
    .correlate(signal_deliveries)
)
_OPEN_LOG: Final = (
    sa.select(sa.literal(1))
    .where(_log.signal_id == _signal.id, _log.status == "PROCESSING")
    .correlate(signals)
)
_FINISH_DELIVERIES: Final = (
    sa.update(signal_deliveries)
    .where(
        _delivery.signal_id.in_(sa.bindparam("ids", expanding=True)),
        _delivery.state == "planned",
        ~_OPEN_LEG.exists(),
    )
    .values(state="done")
)
_FINISH_SIGNALS: Final = (
    sa.update(signals)
    .where(
        _signal.id.in_(sa.bindparam("ids", expanding=True)),
        _signal.status.in_(("accepted", "planned")),
        ~_OPEN_LOG.exists(),
    )
    .values(status="done")
)


async def finish_deliveries(unit: Unit, signal_ids: Collection[int]) -> None:
    """End the deliveries of these signals whose legs all have a fate."""
    if signal_ids:
        await unit.execute(_FINISH_DELIVERIES, {"ids": sorted(signal_ids)})


async def finish_signals(unit: Unit, signal_ids: Collection[int]) -> None:
    """End those of these signals whose order logs have all ended."""
    if signal_ids:
        await unit.execute(_FINISH_SIGNALS, {"ids": sorted(signal_ids)})
