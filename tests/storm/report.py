"""What many seeds came to: one line for the console, one page for the documents."""

from collections import Counter
from dataclasses import dataclass

FAULT = "fault "
REPAIRED = "repaired "


@dataclass(frozen=True)
class Summary:
    first: int
    seeds: int
    failed: tuple[int, ...]
    wall_s: float
    virtual_s: float
    jobs: int
    totals: Counter[str]

    @property
    def per_minute(self) -> float:
        return self.seeds / self.wall_s * 60

    def line(self) -> str:
        fate = f"{len(self.failed)} failed: {list(self.failed)}" if self.failed else "none failed"
        faults = sum(count for name, count in self.totals.items() if name.startswith(FAULT))
        return (
            f"{self.seeds} seeds from {self.first} in {self.wall_s:.0f} s with {self.jobs} workers"
            f" ({self.per_minute:.0f} a minute, {self.virtual_s / 3600:.1f} h of virtual time):"
            f" {faults} faults, {self.totals['crashes']} crashes, {self.totals['orders ours']} orders; {fate}"
        )


def document(summary: Summary) -> str:
    """The report as a page."""
    totals = summary.totals
    faults = sorted((name, count) for name, count in totals.items() if name.startswith(FAULT))
    fills = sorted((name, count) for name, count in totals.items() if name.startswith("fills by "))
    orders = sorted((name, count) for name, count in totals.items() if name.startswith("orders "))
    repairs = sorted((name, count) for name, count in totals.items() if name.startswith(REPAIRED))
    lines = [
        "# Storm report",
        "",
        "Written by `make storm-full`; what a storm is, and what it checks, is in"
        " [the storm](concepts/storm.md).",
        "",
        summary.line() + ".",
        "",
        "| what | how often |",
        "|---|---:|",
        f"| alerts | {totals['alert']} |",
        f"| acts of people through the application | {totals['person']} |",
        f"| acts at the exchange by hand, liquidations aside | {totals['hand']} |",
        f"| processes killed | {totals['crashes']} |",
        f"| processes that stood still | {totals['pause']} |",
        *(f"| {name} | {count} |" for name, count in (*orders, *fills)),
        "",
        "Fills by `rest` are those that neither an answer nor a stream had brought: they were fetched.",
        "",
        "| what reconciliation found, and how it was repaired | how often |",
        "|---|---:|",
        *(f"| {name.removeprefix(REPAIRED)} | {count} |" for name, count in repairs),
        "",
        "| fault | how often |",
        "|---|---:|",
        *(f"| {name.removeprefix(FAULT)} | {count} |" for name, count in faults),
        "",
    ]
    return "\n".join(lines)


def week_section(summary: Summary) -> str:
    """What a week of twenty accounts adds to the page."""
    totals = summary.totals
    repairs = sorted((name, count) for name, count in totals.items() if name.startswith(REPAIRED))
    fate = "The books equalled the exchange's every night." if not summary.failed else "IT FAILED."
    lines = [
        "## A week",
        "",
        f"Twenty accounts, {summary.virtual_s / 86400:.1f} days in {summary.wall_s / 60:.0f} minutes:"
        f" {totals['alert']} alerts, {totals['orders ours']} orders, {totals['crashes']} processes killed."
        f" {fate}",
        "",
        "| what reconciliation found, and how it was repaired | how often |",
        "|---|---:|",
        *(f"| {name.removeprefix(REPAIRED)} | {count} |" for name, count in repairs),
        "",
    ]
    return "\n".join(lines)
