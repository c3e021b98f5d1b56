"""A restored backup: the venue knows orders of ours that are younger than anything in the books."""

from fillbook.trading.core.reconcile.cases import Case, Finding, RepairKind
from fillbook.trading.core.reconcile.orders import Step, is_ours
from fillbook.trading.core.reconcile.snapshots import LocalSnapshot, Unread, VenueSnapshot


def plan_backup(local: LocalSnapshot, venue: VenueSnapshot) -> Step:
    """Say that the database went back in time. The orders and fills themselves are repaired one by one."""
    step = Step()
    known = {order.client_order_id for order in local.orders}
    listed = [
        report for part in venue.open_orders.values() if not isinstance(part, Unread) for report in part
    ]
    lost = {
        report.client_order_id: report
        for report in (*listed, *venue.records)
        if report.client_order_id not in known and is_ours(report.client_order_id, local.installations)
    }
    younger = [
        report
        for report in lost.values()
        if local.newest_order_at is None or report.exchange_at > local.newest_order_at
    ]
    if younger and len(younger) == len(lost):
        newest = "" if local.newest_order_at is None else local.newest_order_at.isoformat(timespec="seconds")
        step.add(
            Finding(
                Case.BACKUP_RESTORED,
                "database",
                "The venue has orders of this installation that are younger than every order in the books: an older "
                "database was put in place. They are read back from the venue.",
                {"newest_order": newest, "unknown_orders": str(len(lost))},
                {"unknown_orders": "0"},
                RepairKind.TAKE_RECORD,
            )
        )
    return step
