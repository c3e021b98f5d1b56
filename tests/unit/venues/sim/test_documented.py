"""The guide names every fault and every control page there is."""

import re
from pathlib import Path

from fillbook.venues.sim import control, faults

GUIDE = Path(__file__).parents[4] / "docs" / "guides" / "simulated-exchange.md"


def test_every_fault_is_in_the_guide_with_what_it_meets_and_no_other():
    rows = re.findall(r"^\| `(\w+)` \| ([a-z ]+) \|", GUIDE.read_text(), re.MULTILINE)
    assert rows == [(kind, stage.value) for kind, stage in faults.KINDS.items()]


def test_every_control_page_is_in_the_guide():
    source = Path(control.__file__).read_text()
    for method, page in re.findall(r'\("(GET|POST|DELETE)", "(\w+)"\)', source):
        assert f"`{method} /_sim/{page}`" in GUIDE.read_text(), (method, page)
