"""The comparison of our books with a venue: two snapshots in, findings and repairs out. Pure.

Nothing is concluded from what was not read. The repairs of one look may let the next one see more, so whoever acts
looks again until nothing is left to do; over what is repaired a second run finds nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fillbook.trading.core.reconcile.backup import plan_backup
from fillbook.trading.core.reconcile.cases import Case, Finding, FindingKey, RepairKind
from fillbook.trading.core.reconcile.fills import plan_cursors, plan_fills
from fillbook.trading.core.reconcile.labels import plan_labels
from fillbook.trading.core.reconcile.orders import plan_orders
from fillbook.trading.core.reconcile.positions import differences, plan_balances, plan_positions
from fillbook.trading.core.reconcile.repairs import BookFills, InferFill, ReadHistory, Repair, TakeRecord
from fillbook.trading.core.reconcile.snapshots import LocalSnapshot, VenueSnapshot

__all__ = [
    "Case",
    "Finding",
    "FindingKey",
    "LocalSnapshot",
    "Plan",
    "Repair",
    "RepairKind",
    "VenueSnapshot",
    "differences",
    "reconcile",
]


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs, and what to do about it, in the order of doing it: cursors, orders, fills, positions, labels."""

    findings: tuple[Finding, ...]
    repairs: tuple[Repair, ...]


def reconcile(local: LocalSnapshot, venue: VenueSnapshot) -> Plan:
    """Compare the books with the venue."""
    orders, fills = plan_orders(local, venue), plan_fills(local, venue)
    steps = (
        plan_cursors(local.exchange, local.cursors.values(), venue.at),
        plan_backup(local, venue),
        orders,
        fills,
        plan_positions(local, venue, orders.lacking | _moving((*orders.repairs, *fills.repairs))),
        plan_balances(local, venue),
        plan_labels(local),
    )
    return Plan(
        tuple(finding for step in steps for finding in step.findings),
        tuple(repair for step in steps for repair in step.repairs),
    )


def _moving(repairs: Iterable[Repair]) -> set[str]:
    """Symbols whose positions these repairs may move."""
    moving: set[str] = set()
    for repair in repairs:
        match repair:
            case TakeRecord(report):
                moving.add(report.symbol)
            case InferFill(fill):
                moving.add(fill.symbol)
            case BookFills(fills):
                moving |= {fill.symbol for fill in fills}
            case ReadHistory(symbol):
                moving.add(symbol)
    return moving
