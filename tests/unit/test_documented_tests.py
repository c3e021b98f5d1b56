"""Every test that a page names exists."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
CONCEPTS = CHECKOUT / "docs" / "concepts"


@pytest.mark.parametrize(("page", "least"), [("invariants.md", 40), ("known-failures.md", 40)])
def test_every_test_that_the_page_names_exists(page: str, least: int) -> None:
    named = set(re.findall(r"`(test_\w+)`", (CONCEPTS / page).read_text()))
    written = {
        name
        for file in (CHECKOUT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) > least
    assert named - written == set()


def test_every_known_failure_names_its_test() -> None:
    lines = (CONCEPTS / "known-failures.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.endswith("test |")]
    assert len(rows) > 20
    assert [row for row in rows if "`test_" not in row.rstrip(" |").rpartition("| ")[2]] == []
