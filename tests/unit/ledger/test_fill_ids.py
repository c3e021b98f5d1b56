"""Ids where the venue gives none: the same for the same execution, and never a venue's own."""

from decimal import Decimal

import pytest

from fillbook.ledger.core.fill_ids import fill_id_of, inferred_fill_id


@pytest.mark.parametrize("missing", [None, "", 0, "0", -1, "-1"])
def test_a_fill_without_an_id_is_named_by_its_order_and_what_that_had_filled(missing: object) -> None:
    assert fill_id_of(missing, "900", Decimal("1.50")) == "900-1.5"
    assert fill_id_of(missing, "900", Decimal("1.5")) == "900-1.5"


@pytest.mark.parametrize("given", [7, "7", "0x1f", "00"])
def test_the_venues_own_id_is_kept(given: object) -> None:
    assert fill_id_of(given, "900", Decimal(1)) == str(given)


def test_an_inferred_fill_is_never_named_as_a_real_one() -> None:
    assert inferred_fill_id("900", Decimal("1.50"), Decimal("0.5")) == "~900-1.5-0.5"
