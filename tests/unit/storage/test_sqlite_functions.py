"""The functions that our SQLite connections register agree with decimal arithmetic."""

from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.money import ZERO, exact, to_text
from fillbook.storage.sqlite import DecimalSum, decimal_cmp, decimal_key, open_sqlite

AMOUNTS = st.decimals(
    min_value=Decimal("-99999999999999999999"),
    max_value=Decimal("99999999999999999999"),
    places=18,
    allow_nan=False,
    allow_infinity=False,
)


@exact
def exact_sum(amounts: list[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


@given(AMOUNTS, AMOUNTS)
def test_comparing_is_by_value(left: Decimal, right: Decimal) -> None:
    assert decimal_cmp(to_text(left), to_text(right)) == (left > right) - (left < right)


@given(AMOUNTS, AMOUNTS)
def test_keys_sort_as_amounts_do(left: Decimal, right: Decimal) -> None:
    one, other = decimal_key(to_text(left)), decimal_key(to_text(right))
    assert one is not None
    assert other is not None
    assert len(one) == len(other)
    assert ((one > other) - (one < other)) == ((left > right) - (left < right))


@given(st.lists(AMOUNTS, min_size=1))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    total = DecimalSum()
    for amount in amounts:
        total.step(to_text(amount))
    total.step(None)
    assert total.finalize() == to_text(exact_sum(amounts))


def test_null_stays_null() -> None:
    assert decimal_cmp(None, "1") is None
    assert decimal_cmp("1", None) is None
    assert decimal_key(None) is None
    assert DecimalSum().finalize() is None


def test_any_tool_can_open_the_file_without_our_functions(tmp_path: Path) -> None:
    """What the functions do is in queries, never in the schema."""
    with open_sqlite(tmp_path / "a.db") as connection:
        row = connection.execute(
            "SELECT decimal_cmp('10', '9'), decimal_key('9') < decimal_key('10')"
        ).fetchone()
    assert row == (1, 1)
