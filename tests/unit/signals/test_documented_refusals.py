"""The guide's table of answers is the code's."""

import re
from pathlib import Path

from fillbook.signals.core import errors
from fillbook.signals.core.alert import MAX_LEGS, LegKind
from fillbook.signals.core.errors import AlertRefused
from fillbook.signals.core.reading import MAX_BODY_BYTES
from fillbook.signals.store import DEFAULT_DEDUPE_WINDOW_S

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "alerts.md"


def test_every_refusal_is_in_the_guide_with_its_status_and_no_other_is() -> None:
    documented = dict(re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", GUIDE.read_text(), re.MULTILINE))
    refusals = [
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, AlertRefused) and error is not AlertRefused
    ]
    assert documented == {error.code: str(error.status) for error in refusals}


def test_the_guides_limits_are_the_codes() -> None:
    text = GUIDE.read_text()
    assert f"{MAX_BODY_BYTES:,} bytes" in text
    assert f"up to {MAX_LEGS} such orders" in text
    assert f"within {DEFAULT_DEDUPE_WINDOW_S} seconds" in text
    assert all(f"`{kind}`" in text for kind in LegKind)
