from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.ledger.core.allocation import Shares, allocate_pro_rata, split_amount, split_fill, whole_fill
from fillbook.ledger.core.position import ExitReason, FillPart, TradeSource

Part = Callable[..., FillPart]
LOT = Decimal("0.001")
OPEN = st.lists(
    st.integers(0, 5000).map(lambda thousandths: Decimal(thousandths) / 1000), min_size=1, max_size=6
)


def test_a_liquidation_is_shared_by_size_and_the_odd_lot_goes_to_the_largest_remainder() -> None:
    shares = allocate_pro_rata(Decimal("0.010"), [Decimal(1), Decimal(1), Decimal("1.5")], LOT)

    # 2.857, 2.857 and 4.286 lots: two lots are left over for the two remainders of .857.
    assert shares == Shares((Decimal("0.003"), Decimal("0.003"), Decimal("0.004")), Decimal(0))


def test_equal_remainders_go_to_the_earlier_owner() -> None:
    assert allocate_pro_rata(Decimal("0.001"), [Decimal(1), Decimal(1)], LOT).owners == (
        Decimal("0.001"),
        Decimal(0),
    )


def test_what_exceeds_all_positions_is_external() -> None:
    assert allocate_pro_rata(Decimal(3), [Decimal(1), Decimal("0.5")], LOT) == Shares(
        (Decimal(1), Decimal("0.5")), Decimal("1.5")
    )
    assert allocate_pro_rata(Decimal(3), [], LOT) == Shares((), Decimal(3))


def test_a_quantity_or_a_position_below_zero_is_refused() -> None:
    for quantity, held in ((Decimal(-1), Decimal(1)), (Decimal(1), Decimal(-1))):
        with pytest.raises(ValueError, match="below zero"):
            allocate_pro_rata(quantity, [held], LOT)


@given(quantity=st.integers(1, 20_000), held=OPEN, dust=st.integers(0, 9))
def test_parts_and_external_add_up_and_nobody_gets_more_than_he_has(
    quantity: int, held: list[Decimal], dust: int
) -> None:
    wanted = Decimal(quantity) / 1000
    held = [held[0] + Decimal(dust) / 10_000, *held[1:]]

    shares = allocate_pro_rata(wanted, held, LOT)

    assert sum(shares.owners) + shares.external == wanted
    assert all(0 <= given_ <= has for given_, has in zip(shares.owners, held, strict=True))
    if shares.external:
        assert shares.owners == tuple(held)


@given(quantity=st.integers(1, 20_000), held=OPEN)
def test_a_share_is_within_a_lot_of_the_exact_one(quantity: int, held: list[Decimal]) -> None:
    wanted, total = Decimal(quantity) / 1000, sum(held)
    if wanted >= total:
        return

    shares = allocate_pro_rata(wanted, held, LOT)

    for given_, has in zip(shares.owners, held, strict=True):
        assert abs(given_ * total - wanted * has) < LOT * total


@given(
    amount=st.decimals(-(10**9), 10**9, places=8),
    parts=st.lists(st.decimals(0, 1000, places=6), min_size=1, max_size=8),
)
def test_a_split_amount_adds_up_exactly(amount: Decimal, parts: Sequence[Decimal]) -> None:
    if not sum(parts):
        return

    shares = split_amount(amount, parts)

    assert sum(shares) == amount
    assert all(not share or part for share, part in zip(shares, parts, strict=True))


def test_a_split_fill_gives_each_owner_its_part_and_loses_nothing(part: Part) -> None:
    fill = part(1, "sell", "1", "100.01", fee="0.1").fill

    first, nobody, second = split_fill(fill, [Decimal("0.333"), Decimal(0), Decimal("0.667")])

    assert nobody is None
    assert first is not None and second is not None
    assert (first.quantity, second.quantity) == (Decimal("0.333"), Decimal("0.667"))
    assert first.cost + second.cost == fill.cost
    assert first.fee + second.fee == fill.fee
    assert first.fee_quote + second.fee_quote == fill.fee_quote
    with pytest.raises(ValueError, match="add up"):
        split_fill(fill, [Decimal("0.333"), Decimal("0.666")])


def test_a_whole_fill_is_one_part(part: Part) -> None:
    fill = part(1, "sell", "1", "100", fee="0.1").fill

    taken = whole_fill(fill, Decimal(5), ExitReason.LIQUIDATION, TradeSource.GRID_BOT)

    assert taken == FillPart(
        fill,
        Decimal(1),
        Decimal(100),
        Decimal("0.1"),
        Decimal("0.1"),
        Decimal(5),
        ExitReason.LIQUIDATION,
        TradeSource.GRID_BOT,
    )
