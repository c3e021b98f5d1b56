"""Worked numbers of sizing, and the ceiling of capital."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.money import is_multiple
from fillbook.risk.core import Denied, check_capital, size_close, size_entry
from support.trading import SPOT, an_instrument, capital_of

D = Decimal


@pytest.mark.parametrize(
    ("total", "qty_per", "leverage", "price", "quantity"),
    [
        ("1000", "50", "2", "60000", "0.016"),  # 1000 x 50 % x 2 = 1000; / 60000 = 0.01666..
        ("1000", "100", "10", "50000", "0.200"),
        ("1000", "100", "1", "50000", "0.020"),
        ("10000", "12.5", "3", "43217.9", "0.086"),  # 3750 / 43217.9 = 0.08676..
        ("100", "100", "1", "100001", "0.000"),  # less than one lot
        ("0.3", "100", "1", "100", "0.003"),  # exactly the lot: not one less
    ],
)
def test_the_quantity_is_capital_by_percent_by_leverage_over_price(
    total: str, qty_per: str, leverage: str, price: str, quantity: str
) -> None:
    sized = size_entry(capital_of(total), D(qty_per), D(100), D(leverage), D(price), an_instrument())
    assert sized.quantity == D(quantity)


def test_spot_knows_no_leverage() -> None:
    sized = size_entry(capital_of("1000"), D(50), D(100), D(20), D(50000), an_instrument(SPOT))
    assert sized.quantity == D("0.010")


def test_every_number_on_the_way_is_a_step() -> None:
    sized = size_entry(capital_of("1000"), D(150), D(120), D(2), D(60000), an_instrument())
    assert [(step.op, step.label, step.value) for step in sized.steps] == [
        ("", "total_capital", "1000 USDT"),
        ("×", "qty_per", "150 %"),
        ("≤", "max_qty_per", "120 %"),
        ("×", "leverage", "2"),
        ("÷", "price", "60000 USDT"),
        ("⌊⌋", "lot", "0.001 BTC"),
        ("=", "quantity", "0.04 BTC"),
    ]


def test_more_than_a_hundred_percent_counts_only_as_far_as_the_link_allows() -> None:
    def sized(qty_per: int, max_qty_per: int) -> Decimal:
        return size_entry(
            capital_of("1000"), D(qty_per), D(max_qty_per), D(1), D(10000), an_instrument()
        ).quantity

    assert sized(250, 100) == D("0.1")
    assert sized(250, 200) == D("0.2")
    assert sized(150, 200) == D("0.15")


@pytest.mark.parametrize(
    ("held", "qty_per", "quantity"),
    [
        ("0.016", "-100", "0.016"),
        ("0.016", "-50", "0.008"),
        ("0.017", "-50", "0.008"),  # rounds down
        ("0.016", "-250", "0.016"),  # never more than all
        ("0.0165", "-100", "0.016"),  # the dust stays
        ("0.3", "-33.3333", "0.099"),
    ],
)
def test_a_close_is_a_part_of_what_is_held(held: str, qty_per: str, quantity: str) -> None:
    assert size_close(D(held), D(qty_per), an_instrument()).quantity == D(quantity)


@pytest.mark.parametrize(
    ("used", "reserved", "wanted", "fits"),
    [
        ("0", "0", "1000", True),
        ("0", "0", "1000.000000000000000001", False),
        ("400", "300", "300", True),
        ("400", "300", "300.01", False),
        ("1200", "0", "0.01", False),  # facts went above: nothing new fits
        ("1200", "0", "0", False),
    ],
)
def test_used_and_reserved_never_rise_above_the_capital(
    used: str, reserved: str, wanted: str, fits: bool
) -> None:
    denied = check_capital(capital_of("1000", used, reserved), D(wanted), D(100))
    assert (denied is None) is fits
    if denied is not None:
        assert denied.code == "insufficient_capital"


def test_the_refusal_says_how_much_is_free() -> None:
    denied = check_capital(capital_of("1000", "400", "350.5"), D(300), D(100))
    assert isinstance(denied, Denied)
    assert "only 249.5 of 1000 USDT is free" in denied.reason


def test_a_link_with_a_higher_limit_has_a_higher_ceiling_and_one_with_a_lower_has_not_a_lower() -> None:
    assert check_capital(capital_of("1000"), D(1500), D(150)) is None
    assert check_capital(capital_of("1000"), D("1500.01"), D(150)) is not None
    assert check_capital(capital_of("1000"), D(1000), D(50)) is None


amounts = st.decimals("0.000001", "1000000000", places=6)
percents = st.decimals("0.01", "100", places=2)
prices = st.decimals("0.01", "1000000", places=2)
lots = st.sampled_from([D("0.00001"), D("0.001"), D("0.1"), D(1), D(10)])


@given(amounts, percents, st.integers(1, 125), prices, lots)
def test_an_entry_is_on_the_lot_and_costs_no_more_than_its_share(
    total: Decimal, percent: Decimal, leverage: int, price: Decimal, lot: Decimal
) -> None:
    instrument = an_instrument(lot=lot)
    sized = size_entry(capital_of(total), percent, D(100), D(leverage), price, instrument)
    assert is_multiple(sized.quantity, lot)
    assert sized.quantity * price <= total * percent / 100 * leverage
    assert (sized.quantity + lot) * price > total * percent / 100 * leverage


@given(amounts, st.decimals("-1000", "-0.01", places=2), lots)
def test_a_close_is_on_the_lot_and_never_more_than_is_held(
    held: Decimal, qty_per: Decimal, lot: Decimal
) -> None:
    sized = size_close(held, qty_per, an_instrument(lot=lot))
    assert is_multiple(sized.quantity, lot)
    assert 0 <= sized.quantity <= held
