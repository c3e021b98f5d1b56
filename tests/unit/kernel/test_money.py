from decimal import Decimal, Inexact, getcontext, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.money import (
    ceil_to,
    divide,
    exact,
    floor_to,
    is_multiple,
    parse_amount,
    plain,
    quantise,
    share,
    stored_text,
    to_text,
)

AMOUNTS = st.decimals(-(10**18), 10**18, places=18)
STEPS = st.sampled_from([Decimal(text) for text in ("0.00000001", "0.001", "0.05", "0.3", "1", "7", "1000")])


@exact
def _product(left: Decimal, right: Decimal) -> Decimal:
    return left * right


@exact
def _quotient(left: Decimal, right: Decimal) -> Decimal:
    return left / right


def test_products_of_stored_amounts_are_exact() -> None:
    left = Decimal("12345678901234567890.123456789012345678")
    right = Decimal("0.999999999999999999")

    assert Fraction(_product(left, right)) == Fraction(left) * Fraction(right)


def test_a_result_that_does_not_fit_raises_and_is_never_rounded() -> None:
    with pytest.raises(Inexact):
        _quotient(Decimal(1), Decimal(3))


def test_the_callers_context_does_not_reach_into_exact_functions() -> None:
    with localcontext() as context:
        context.prec = 3
        assert _product(Decimal("1.2345"), Decimal("1.0001")) == Decimal("1.23462345")
        assert divide(Decimal(2), Decimal(3)) == Decimal("0.666666666666666667")
        assert plain(Decimal("123456.70")) == Decimal("123456.7")
        assert floor_to(Decimal("123456.79"), Decimal("0.1")) == Decimal("123456.7")
    assert getcontext().prec == 28


@pytest.mark.parametrize(
    ("amount", "stored"),
    [
        ("0.0000000000000000005", "0"),
        ("0.0000000000000000015", "0.000000000000000002"),
        ("0.0000000000000000025", "0.000000000000000002"),
        ("0.00000000000000000250001", "0.000000000000000003"),
        ("-0.0000000000000000015", "-0.000000000000000002"),
        ("1.10", "1.1"),
    ],
)
def test_what_is_stored_rounds_half_even_at_the_eighteenth_place(amount: str, stored: str) -> None:
    assert quantise(Decimal(amount)) == Decimal(stored)
    assert to_text(quantise(Decimal(amount))) == stored


def test_an_amount_of_more_than_twenty_digits_is_refused() -> None:
    largest = Decimal("99999999999999999999.999999999999999999")

    assert quantise(largest) == largest
    for amount in ("99999999999999999999.9999999999999999996", "-100000000000000000000"):
        with pytest.raises(OverflowError):
            quantise(Decimal(amount))


@given(amount=AMOUNTS)
def test_storing_twice_changes_nothing(amount: Decimal) -> None:
    assert quantise(quantise(amount)) == quantise(amount) == amount


@given(amount=AMOUNTS, cuts=st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_a_share_of_the_whole_is_the_whole(amount: Decimal, cuts: list[int]) -> None:
    whole = Decimal(sum(cuts))

    assert share(amount, whole, whole) == amount
    assert share(amount, Decimal(0), whole) == 0


def test_a_share_is_rounded_once() -> None:
    # Dividing first, 0.333333333333333333 x 3, would give 0.999999999999999999.
    assert share(Decimal(3), Decimal(1), Decimal(3)) == 1
    assert share(Decimal(1), Decimal(2), Decimal(3)) == Decimal("0.666666666666666667")


@given(amount=AMOUNTS, step=STEPS)
def test_floor_and_ceil_are_the_nearest_multiples(amount: Decimal, step: Decimal) -> None:
    low, high = floor_to(amount, step), ceil_to(amount, step)

    with localcontext() as context:
        context.prec = 76
        assert low <= amount <= high
        assert high - low in (0, step)
        assert amount - low < step
    assert is_multiple(low, step)
    assert is_multiple(high, step)
    assert is_multiple(amount, step) is (low == amount)


def test_below_zero_floor_goes_down_and_ceil_goes_up() -> None:
    assert floor_to(Decimal("-0.15"), Decimal("0.1")) == Decimal("-0.2")
    assert ceil_to(Decimal("-0.15"), Decimal("0.1")) == Decimal("-0.1")


@pytest.mark.parametrize("step", [Decimal(0), Decimal(-1)])
def test_a_step_is_above_zero(step: Decimal) -> None:
    for rounding in (floor_to, ceil_to, is_multiple):
        with pytest.raises(ValueError, match="above zero"):
            rounding(Decimal(1), step)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1E+3", "1000"), ("1.50", "1.5"), ("0E-18", "0"), ("-0", "0"), ("1E-18", "0.000000000000000001")],
)
def test_equal_amounts_print_alike(amount: str, text: str) -> None:
    assert to_text(Decimal(amount)) == text


@given(amount=AMOUNTS)
def test_text_and_back_is_the_same_amount(amount: Decimal) -> None:
    text = to_text(amount)

    assert parse_amount(text) == amount
    assert "E" not in text


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "-inf", "1,5", None, [], 1.5])
def test_what_is_no_finite_decimal_is_refused(text: object) -> None:
    with pytest.raises(ValueError):
        parse_amount(text)  # type: ignore[arg-type]


def test_text_integers_and_decimals_are_amounts() -> None:
    assert [parse_amount(value) for value in ("1.20", 3, Decimal("4.0"))] == [Decimal("1.2"), 3, 4]


@given(st.decimals(-(10**19), 10**19, places=25))
def test_the_stored_text_is_the_text_of_what_is_stored(amount: Decimal) -> None:
    assert stored_text(amount) == to_text(quantise(amount))


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_not_stored(text: str) -> None:
    for store in (quantise, stored_text):
        with pytest.raises(ArithmeticError):
            store(Decimal(text))
