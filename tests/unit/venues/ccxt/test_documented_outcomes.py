from pathlib import Path

from fillbook.venues.ccxt.outcomes import OUTCOME_TABLE, Fate

PAGE = Path(__file__).resolve().parents[4] / "docs" / "concepts" / "venue-answers.md"
WORDS = {Fate.NOT_DONE: "Rejected", Fate.NOT_NOW: "Rejected for now", Fate.UNKNOWN: "Unknown"}


def documented():
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def in_words(row):
    kind = row.kind.__name__ if row.kind else ""
    return [
        row.venue.value if row.venue else "",
        row.code or "",
        row.text,
        f"exactly {kind}" if row.exactly else kind,
        WORDS[row.fate],
    ]


def test_the_page_shows_the_table_row_by_row():
    assert documented() == [in_words(row) for row in OUTCOME_TABLE]
