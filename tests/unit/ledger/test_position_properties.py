"""What holds for every history of fills: order, repetition and lateness change nothing, and no cent is lost."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from fillbook.kernel.money import ZERO, exact
from fillbook.ledger.core.position import (
    EMPTY,
    FillPart,
    FlatRule,
    Folded,
    apply,
    fold,
    key_of,
    resume_point,
    unrealized_pnl,
)

Part = Callable[..., FillPart]
PERPETUAL, SPOT = "BTC/USDT:USDT", "BTC/USDT"
RULES = {PERPETUAL: FlatRule(Decimal("0.001")), SPOT: FlatRule(Decimal("0.001"), Decimal(5))}

# (side, quantity in thousandths, price in cents, fee in 1/10000 of the value, leverage, same second as before)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 4000),
        st.integers(1, 9_999_999),
        st.integers(-2, 10),
        st.sampled_from([1, 3, 10]),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)
Rows = Sequence[tuple[str, int, int, int, int, bool]]


def _history(part: Part, rows: Rows, symbol: str) -> list[FillPart]:
    """Fills in canonical order. On spot a buy's fee is in the coin and a sell's in quote, as venues do it."""
    parts, second = [], 0
    for number, (side, thousandths, cents, fee_bps, leverage, same_second) in enumerate(rows, start=1):
        second += not same_second
        quantity, price = Decimal(thousandths) / 1000, Decimal(cents) / 100
        in_coin = symbol == SPOT and side == "buy"
        fee = (quantity if in_coin else quantity * price) * fee_bps / 10_000
        made = part(
            number,
            side,
            quantity,
            price,
            fee=fee,
            fee_asset="BTC" if in_coin else "USDT",
            leverage=leverage if symbol == PERPETUAL else 1,
            symbol=symbol,
            second=second,
        )
        parts.append(made)
    return parts


@given(rows=ROWS, symbol=st.sampled_from([PERPETUAL, SPOT]), data=st.data())
def test_order_and_repetition_of_delivery_change_nothing(
    part: Part, rows: Rows, symbol: str, data: st.DataObject
) -> None:
    parts = _history(part, rows, symbol)
    delivered = data.draw(st.permutations(parts + data.draw(st.lists(st.sampled_from(parts)))))

    assert fold(delivered, RULES[symbol]) == fold(parts, RULES[symbol])


@given(rows=ROWS, symbol=st.sampled_from([PERPETUAL, SPOT]), data=st.data())
def test_booking_one_by_one_with_refolds_of_late_fills_equals_folding_all(
    part: Part, rows: Rows, symbol: str, data: st.DataObject
) -> None:
    parts, rule = _history(part, rows, symbol), RULES[symbol]
    seen: list[FillPart] = []
    book, flat_points = EMPTY, fold([], rule).flat_points
    for arrived in data.draw(st.permutations(parts)):
        key = key_of(arrived.fill)
        point = resume_point(flat_points, key)
        assert point is not None
        if book.last_key is None or key > book.last_key:
            book = apply(book, arrived, rule).book
        else:
            book = fold([*seen[point.count :], arrived], rule, start=point.book).book
        seen = sorted([*seen, arrived], key=lambda other: key_of(other.fill))
        flat_points = fold(seen, rule).flat_points

    assert book == fold(parts, rule).book


@given(rows=ROWS, symbol=st.sampled_from([PERPETUAL, SPOT]))
def test_the_allocations_of_a_fill_add_up_to_the_fill(part: Part, rows: Rows, symbol: str) -> None:
    parts = _history(part, rows, symbol)
    allocated = defaultdict(list)
    for allocation in fold(parts, RULES[symbol]).allocations:
        allocated[allocation.fill_id].append(allocation)

    for made in parts:
        mine = allocated[made.fill.id]
        assert [a.part_index for a in mine] in ([0], [0, 1])
        assert all(a.quantity > 0 and a.cost >= 0 for a in mine)
        assert sum(a.quantity for a in mine) == made.quantity
        assert sum(a.cost for a in mine) == made.cost
        assert sum(a.fee_quote for a in mine) == made.fee_quote


@given(rows=ROWS)
def test_closing_leaves_no_cost_and_no_capital(part: Part, rows: Rows) -> None:
    parts = _history(part, rows, PERPETUAL)
    book = fold(parts, RULES[PERPETUAL]).book
    if not book.is_flat:
        side = "sell" if book.quantity > 0 else "buy"
        closing = part(99, side, abs(book.quantity), "77.7", second=999)
        book = apply(book, closing, RULES[PERPETUAL]).book

    assert (book.quantity, book.cost, book.capital_used, book.dust_quantity, book.dust_cost) == (
        0,
        0,
        0,
        0,
        0,
    )


@given(rows=ROWS, symbol=st.sampled_from([PERPETUAL, SPOT]), cents=st.integers(1, 9_999_999))
def test_realised_and_unrealised_less_fees_is_what_the_wallet_shows(
    part: Part, rows: Rows, symbol: str, cents: int
) -> None:
    parts, price = _history(part, rows, symbol), Decimal(cents) / 100
    folded = fold(parts, RULES[symbol])
    quote, base = _wallet(parts, folded)
    book = folded.book

    assert book.quantity + book.dust_quantity == base
    earned = book.realized_pnl + unrealized_pnl(book, price, with_dust=True) - book.fees
    assert earned == quote + base * price


@exact
def _wallet(parts: Sequence[FillPart], folded: Folded) -> tuple[Decimal, Decimal]:
    """What the fills did to a wallet that began empty, without what was the owner's own coin."""
    quote = base = ZERO
    for made in parts:
        sign = made.fill.side.sign
        quote -= sign * made.cost
        base += sign * made.quantity
        if made.fill.fee_asset == "BTC":
            base -= made.fee
        else:
            quote -= made.fee
    for allocation in folded.allocations:
        if allocation.is_surplus:
            quote -= allocation.cost - allocation.fee_quote
            base += allocation.quantity
    return quote, base


@given(rows=ROWS, symbol=st.sampled_from([PERPETUAL, SPOT]))
def test_trips_and_allocations_carry_all_that_the_book_realised(part: Part, rows: Rows, symbol: str) -> None:
    folded = fold(_history(part, rows, symbol), RULES[symbol])
    booked = [a for a in folded.allocations if not a.is_surplus]

    assert sum(trip.realized_pnl for trip in folded.trips) == folded.book.realized_pnl
    assert sum(trip.fees for trip in folded.trips) == folded.book.fees
    assert sum(a.realized_pnl for a in folded.allocations) == folded.book.realized_pnl
    assert {a.trip for a in booked} == {trip.key for trip in folded.trips}
    assert [trip.closed_at is None for trip in folded.trips].count(True) == (not folded.book.is_flat)
    assert all(trip.pnl == trip.realized_pnl - trip.fees for trip in folded.trips)


@settings(max_examples=60)
@given(rows=ROWS)
def test_the_fold_agrees_with_plain_average_cost_in_fractions(part: Part, rows: Rows) -> None:
    parts = _history(part, rows, PERPETUAL)
    quantity = average = realized = Fraction(0)
    for made in parts:
        price, delta = Fraction(made.fill.price), made.fill.side.sign * Fraction(made.quantity)
        if quantity * delta >= 0:
            average = (average * abs(quantity) + price * abs(delta)) / abs(quantity + delta)
        else:
            closed = min(abs(quantity), abs(delta))
            realized += (price - average) * closed * (1 if quantity > 0 else -1)
            if abs(delta) > abs(quantity):
                average = price
        quantity += delta

    book = fold(parts, RULES[PERPETUAL]).book

    assert Fraction(book.quantity) == quantity
    assert abs(Fraction(book.realized_pnl) - realized) <= Fraction(len(parts), 10**18)
    if quantity:
        assert abs(Fraction(book.cost) - average * abs(quantity)) <= Fraction(len(parts), 10**18)
