"""Percentiles and tables of text."""

from collections.abc import Iterable, Sequence


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least `percent` of all values do not exceed."""
    ordered = sorted(values)
    place = max(0, -(-len(ordered) * percent // 100) - 1)
    return ordered[int(place)]


def median(values: Iterable[float]) -> float:
    return percentile(values, 50)


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table in Markdown, aligned for a terminal."""
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [max([len(head), *(len(row[place]) for row in cells)]) for place, head in enumerate(heads)]
    print(f"\n### {title}\n")
    for row in ([*heads], ["-" * width for width in widths], *cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 1000 else f"{cell:.2f}" if cell < 100 else f"{cell:.0f}"
    return str(cell)
