"""Rows of runs and findings. A finding that is still open is one row, however many runs meet it.

A run that found nothing is not kept, but for the latest of each account; neither is each of many runs in a row that
could not read: they are one row that is brought up to date.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.core import Account
from fillbook.fleet.events import EventSignal, NewEvent, append_events
from fillbook.storage.unit import Unit
from fillbook.trading.core.reconcile.cases import Finding, FindingKey
from fillbook.trading.core.reconcile.pace import Cause, Depth
from fillbook.trading.tables import reconcile_findings, reconcile_runs

_AT_ONCE = 400
_run, _finding = reconcile_runs.c, reconcile_findings.c


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it is kept. `repaired` are the keys of those findings that the last look no longer met."""

    cause: Cause
    depth: Depth
    started_at: datetime
    finished_at: datetime
    findings: tuple[Finding, ...]
    repaired: frozenset[FindingKey]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WantedRun:
    """A run that somebody asked for, and that has not ended."""

    id: int
    account_id: int


async def ask(unit: Unit, account: Account) -> int:
    """Write down that a run is wanted; whoever trades the account takes it up."""
    row = {
        "account_id": account.id,
        "user_id": account.user_id,
        "environment": account.environment,
        "cause": Cause.ASKED,
        "depth": Depth.WHOLE,
        "started_at": unit.now,
        "unread": [],
    }
    return await unit.insert(reconcile_runs, row)


async def wanted(unit: Unit, account_ids: Collection[int]) -> list[WantedRun]:
    """What was asked for and has not ended, oldest first."""
    rows = await unit.all(
        sa.select(_run.id, _run.account_id).where(_run.finished_at.is_(None)).order_by(_run.id)
    )
    owned = set(account_ids)
    return [WantedRun(row.id, row.account_id) for row in rows if row.account_id in owned]


async def run_of(unit: Unit, run_id: int) -> Mapping[str, Any]:
    row = await unit.one_or_none(sa.select(reconcile_runs).where(_run.id == run_id))
    assert row is not None, "runs are never deleted"
    return dict(row._mapping)


async def findings_of(unit: Unit, run_id: int) -> Sequence[sa.Row[Any]]:
    """What a run found first, or found repaired."""
    return await unit.all(
        sa.select(reconcile_findings).where(_finding.run_id == run_id).order_by(_finding.id)
    )


async def open_findings(unit: Unit, account_id: int) -> dict[FindingKey, int]:
    """The findings of an account that are not repaired, by what they are about."""
    rows = await unit.all(
        sa.select(_finding.id, _finding.finding_case, _finding.subject).where(
            _finding.account_id == account_id, _finding.is_repaired.is_(False)
        )
    )
    return {(row.finding_case, row.subject): row.id for row in rows}


async def save_run(
    unit: Unit,
    account: Account,
    run: RunRecord,
    run_ids: Collection[int],
    open_ones: Mapping[FindingKey, int],
    settled: Iterable[FindingKey],
    events: EventSignal,
) -> int:
    """Write a run into a row of its own, or into these rows that wait for it; the number of (the first of) them.

    `settled` are findings of former runs that are no longer met.
    """
    numbers = sorted(run_ids) or [await unit.insert(reconcile_runs, _new_row(account, run))]
    for number in numbers:
        await unit.update_many(reconcile_runs, [{"row_id": number, **_end(run)}])
    fresh = [finding for finding in run.findings if finding.key not in open_ones]
    await unit.insert_many(
        reconcile_findings, [_finding_row(account, numbers[0], run, finding) for finding in fresh]
    )
    await unit.update_many(
        reconcile_findings,
        [
            {
                "row_id": open_ones[finding.key],
                "is_repaired": True,
                "repaired_at": run.finished_at,
                "repair": finding.repair,
                "after": dict(finding.after),
            }
            for finding in run.findings
            if finding.key in open_ones and finding.key in run.repaired
        ],
    )
    await unit.update_many(
        reconcile_findings,
        [{"row_id": open_ones[key], "is_repaired": True, "repaired_at": run.finished_at} for key in settled],
    )
    data = {
        "run_id": numbers[0],
        "account_id": account.id,
        "cause": run.cause,
        "findings": len(run.findings),
        "repaired": len(run.repaired),
        "unread": len(run.unread),
    }
    await append_events(unit, [NewEvent(account.user_id, "reconcile.finished", data)], events)
    return numbers[0]


def _new_row(account: Account, run: RunRecord) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "user_id": account.user_id,
        "environment": account.environment,
        "cause": run.cause,
        "depth": run.depth,
        "started_at": run.started_at,
        "unread": [],
    }


def _end(run: RunRecord) -> dict[str, Any]:
    return {
        "finished_at": run.finished_at,
        "unread": list(run.unread),
        "findings": len(run.findings),
        "repaired": len(run.repaired),
    }


def _finding_row(account: Account, run_id: int, run: RunRecord, finding: Finding) -> dict[str, Any]:
    is_repaired = finding.key in run.repaired
    return {
        "run_id": run_id,
        "account_id": account.id,
        "user_id": account.user_id,
        "environment": account.environment,
        "finding_case": finding.case,
        "subject": finding.subject[:100],
        "symbol": finding.symbol,
        "before": dict(finding.before),
        "after": dict(finding.after) if is_repaired else None,
        "is_repaired": is_repaired,
        "repair": finding.repair if is_repaired else None,
        "repaired_at": run.finished_at if is_repaired else None,
        "cause": finding.cause,
        "order_id": finding.order_id,
    }


async def save_quiet(unit: Unit, passes: Mapping[int, tuple[Account, datetime]]) -> None:
    """Keep the latest look that found nothing, one row an account."""
    ids = sorted(passes)
    known: dict[int, int] = {}
    for start in range(0, len(ids), _AT_ONCE):
        rows = await unit.all(
            sa.select(_run.id, _run.account_id).where(
                _run.account_id.in_(ids[start : start + _AT_ONCE]), _run.cause == Cause.QUIET
            )
        )
        known |= {row.account_id: row.id for row in rows}
    await unit.update_many(
        reconcile_runs,
        [
            {"row_id": known[number], "started_at": passes[number][1], "finished_at": passes[number][1]}
            for number in ids
            if number in known
        ],
    )
    await unit.insert_many(
        reconcile_runs,
        [
            {
                "account_id": account.id,
                "user_id": account.user_id,
                "environment": account.environment,
                "cause": Cause.QUIET,
                "depth": Depth.QUIET,
                "started_at": at,
                "finished_at": at,
                "unread": [],
            }
            for number, (account, at) in sorted(passes.items())
            if number not in known
        ],
    )
