"""Keeps what a rebuild found, as a run of reconciliation with the cause `rebuild`: pages read both alike."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from fillbook.accounts.core import Account
from fillbook.storage.unit import Unit
from fillbook.trading.core.rebuild import RebuildFinding
from fillbook.trading.tables import reconcile_findings, reconcile_runs

CAUSE = "rebuild"


async def record_run(
    unit: Unit,
    account: Account,
    started_at: datetime,
    findings: Sequence[RebuildFinding],
    unread: Iterable[str],
) -> int:
    """Write a run that has ended, with its findings; its number."""
    owner = {"account_id": account.id, "user_id": account.user_id, "environment": account.environment}
    run_id = await unit.insert(
        reconcile_runs,
        {
            **owner,
            "cause": CAUSE,
            "started_at": started_at,
            "finished_at": unit.now,
            "unread": list(unread),
            "findings": len(findings),
            "repaired": sum(finding.is_repaired for finding in findings),
        },
    )
    await unit.insert_many(
        reconcile_findings,
        [
            {
                **owner,
                "run_id": run_id,
                "finding_case": finding.case,
                "subject": finding.subject,
                "symbol": finding.symbol,
                "after": dict(finding.after),
                "is_repaired": finding.is_repaired,
                "cause": finding.cause,
            }
            for finding in findings
        ],
    )
    return run_id
