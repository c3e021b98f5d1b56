"""When a fill stops to count: real fills explain an inferred one, or the venue corrects or takes one back.

An inferred fill stands for a stretch of its order's quantity: the last `quantity` base units of what the venue
said was filled, `upto`. Real fills explain an order's quantity from its beginning, whatever their times, so
what is left of an inferred fill depends on their sum alone, and not on the order in which things arrived.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from fillbook.kernel.money import ZERO, exact, quantise, share
from fillbook.ledger.core.fill import Fill, FillReport
from fillbook.ledger.core.fill_ids import inferred_fill_id


class Cause(StrEnum):
    """Why a fill counts no more."""

    EXPLAINED = "explained"
    CORRECTED = "corrected"
    BUSTED = "busted"


@dataclass(frozen=True, slots=True)
class Superseded:
    """A fill that counts no more, and the record that stands in its place (its own, where nothing does)."""

    fill: Fill
    by_id: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class Inferred:
    """An inferred fill that counts, as it is booked."""

    fill: Fill
    upto: Decimal


@exact
def still_unexplained(inferred: Inferred, real: Decimal) -> Decimal:
    """Base units of an inferred fill that `real`, the sum of its order's real fills, leaves unexplained."""
    return min(inferred.fill.quantity, max(inferred.upto - real, ZERO))


@exact
def newly_inferred(report: FillReport, explained: Decimal) -> FillReport | None:
    """What of an inference remains when an order's fills in the books reach up to `explained`; None: nothing."""
    assert report.cumulative_quantity is not None, "an inference says up to where the venue has filled"
    left = min(report.quantity, report.cumulative_quantity - explained)
    return part_of_inferred(report, left) if left > 0 else None


@exact
def part_of_inferred(report: FillReport, quantity: Decimal) -> FillReport:
    """The last `quantity` base units of an inferred fill, at its price, with their share of its fee."""
    assert report.cumulative_quantity is not None, "an inference says up to where the venue has filled"
    return replace(
        report,
        quantity=quantity,
        fee=share(report.fee, quantity, report.quantity),
        venue_fill_id=inferred_fill_id(report.exchange_order_id, report.cumulative_quantity, quantity),
    )


def report_of(inferred: Inferred) -> FillReport:
    """An inferred fill as the report that it was booked from."""
    fill = inferred.fill
    return FillReport(
        symbol=fill.symbol,
        exchange_order_id=fill.exchange_order_id,
        client_order_id=None,
        venue_fill_id=fill.venue_fill_id,
        side=fill.side,
        position_side=fill.position_side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        liquidity=fill.liquidity,
        kind=fill.kind,
        exchange_at=fill.exchange_at,
        cumulative_quantity=inferred.upto,
    )


def says_otherwise(report: FillReport, booked: Fill) -> bool:
    """Whether a report of a booked fill has another content. Times and kinds do not count: a venue's stream
    and its records may name one moment with different precision, and one execution by different words."""
    if (report.side, quantise(report.price), quantise(report.quantity), quantise(report.fee)) != (
        booked.side,
        booked.price,
        booked.quantity,
        booked.fee,
    ):
        return True
    assets = {report.fee_asset, booked.fee_asset} - {None}
    return bool(booked.fee) and len(assets) > 1
