"""What is left of an inferred fill, and when a report says something else than what is booked."""

from dataclasses import replace
from decimal import Decimal

import pytest

from fillbook.ledger.core.fill import Fill, FillReport
from fillbook.ledger.core.revision import (
    Inferred,
    newly_inferred,
    part_of_inferred,
    report_of,
    says_otherwise,
    still_unexplained,
)
from fillbook.market.core import Side
from support.trading import a_fill, a_fill_report


@pytest.mark.parametrize(
    ("quantity", "upto", "real", "left"),
    [
        ("2", "3", "0", "2"),
        ("2", "3", "1", "2"),  # the real fill explains what came before
        ("2", "3", "1.5", "1.5"),
        ("2", "3", "3", "0"),
        ("2", "3", "4", "0"),  # an overfill
    ],
)
def test_real_fills_explain_an_order_from_its_beginning(
    quantity: str, upto: str, real: str, left: str
) -> None:
    inferred = Inferred(a_fill(quantity), Decimal(upto))
    assert still_unexplained(inferred, Decimal(real)) == Decimal(left)


def test_an_inference_is_cut_to_what_nothing_explains() -> None:
    report = a_fill_report("2", "", cumulative_quantity=Decimal(3), fee=Decimal("0.2"))
    cut = newly_inferred(report, Decimal("2.5"))
    assert cut is not None
    assert (cut.quantity, cut.fee, cut.venue_fill_id) == (Decimal("0.5"), Decimal("0.05"), "~900-3-0.5")
    assert newly_inferred(report, Decimal(3)) is None


def test_an_inferred_fill_is_its_own_report_again() -> None:
    fill = a_fill("2", fee=Decimal("0.2"), fee_asset="USDT")
    again = part_of_inferred(report_of(Inferred(fill, Decimal(3))), Decimal(2))
    assert (again.quantity, again.fee, again.price, again.exchange_at) == (
        fill.quantity,
        fill.fee,
        fill.price,
        fill.exchange_at,
    )


BOOKED = a_fill("1", fee=Decimal("0.1"), fee_asset="USDT")
SAME = a_fill_report("1", "1", fee=Decimal("0.100"), fee_asset="USDT")


@pytest.mark.parametrize(
    "report",
    [
        replace(SAME, price=Decimal(101)),
        replace(SAME, quantity=Decimal(2)),
        replace(SAME, side=Side.SELL),
        replace(SAME, fee=Decimal("0.2")),
        replace(SAME, fee_asset="BNB"),
    ],
)
def test_what_makes_a_correction(report: FillReport) -> None:
    assert says_otherwise(report, BOOKED)


@pytest.mark.parametrize(
    ("report", "booked"),
    [
        (SAME, BOOKED),
        (
            replace(SAME, price=Decimal("100.0000000000000000001")),
            BOOKED,
        ),  # beyond the places that are stored
        (replace(SAME, fee_asset=None), BOOKED),
        (replace(SAME, fee=Decimal(0), fee_asset="BNB"), replace(BOOKED, fee=Decimal(0))),
        (replace(SAME, exchange_at=SAME.exchange_at.replace(microsecond=1)), BOOKED),
    ],
)
def test_what_makes_none(report: FillReport, booked: Fill) -> None:
    assert not says_otherwise(report, booked)
