"""Positions by worked numbers. Where a page is named, its numbers are public and not ours."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from fillbook.accounts.core import PositionSide
from fillbook.ledger.core.position import (
    EMPTY,
    ExitReason,
    FillPart,
    FlatRule,
    OutOfOrder,
    PositionBook,
    TradeSource,
    TripKey,
    apply,
    fold,
    key_of,
    resume_point,
    unrealized_pnl,
)
from fillbook.market.core import Side

Part = Callable[..., FillPart]
RULE = FlatRule(lot=Decimal("0.001"))
SPOT_RULE = FlatRule(lot=Decimal("0.00001"), min_notional=Decimal(5))
SPOT = "BTC/USDT"


def test_the_average_entry_is_total_value_over_total_quantity(part: Part) -> None:
    """Bybit Help Center, "P&L calculations (USDT Contract)": 0.5 BTC at 5,000 and 0.3 at 6,000 make 5,375.

    Text also at https://www.pastorq.com/7518.html
    """
    book = fold([part(1, "buy", "0.5", "5000"), part(2, "buy", "0.3", "6000")], RULE).book

    assert book.cost == Decimal(4300)
    assert book.average_price == Decimal(5375)
    assert book.direction is PositionSide.LONG


@pytest.mark.parametrize(
    ("side", "quantity", "entry", "mark", "pnl"),
    [("buy", "0.2", "7000", "7500", "100"), ("sell", "0.4", "6000", "5000", "400")],
)
def test_unrealised_pnl_is_quantity_times_the_distance_from_entry(
    part: Part, side: str, quantity: str, entry: str, mark: str, pnl: str
) -> None:
    """The same page: 0.2 BTC long from 7,000 at 7,500 is +100; 0.4 BTC short from 6,000 at 5,000 is +400."""
    book = fold([part(1, side, quantity, entry)], RULE).book

    assert unrealized_pnl(book, Decimal(mark)) == Decimal(pnl)


def test_a_closed_trip_is_net_of_both_fees_and_funding(part: Part) -> None:
    """The same page: 0.4 BTC short from 6,000 to 5,000 at 0.055 % taker, 2.10 funding paid, leaves 395.48."""
    entry = part(1, "sell", "0.4", "6000", fee="1.32", leverage="10")
    exit_ = part(2, "buy", "0.4", "5000", fee="1.10", leverage="10", exit_reason=ExitReason.TAKE_PROFIT)

    folded = fold([entry, exit_], RULE)
    (trip,) = folded.trips
    funded = trip.with_funding(Decimal("-2.10"))

    assert (trip.side, trip.quantity, trip.entry_price, trip.exit_price) == (
        Side.SELL,
        Decimal("0.4"),
        Decimal(6000),
        Decimal(5000),
    )
    assert (trip.realized_pnl, trip.fees, trip.pnl) == (Decimal(400), Decimal("2.42"), Decimal("397.58"))
    assert trip.pnl_percent == Decimal("165.658333333333333333")
    assert funded.pnl == Decimal("395.48")
    assert funded.capital == Decimal(240)
    assert funded.pnl_percent == Decimal("164.783333333333333333")
    assert (trip.leverage, trip.exit_reason, trip.trade_source) == (
        Decimal(10),
        ExitReason.TAKE_PROFIT,
        TradeSource.WEBHOOK,
    )
    assert (trip.opened_at, trip.closed_at) == (entry.fill.exchange_at, exit_.fill.exchange_at)
    assert folded.book.is_flat


def test_with_funding_twice_replaces_and_does_not_add(part: Part) -> None:
    (trip,) = fold([part(1, "buy", "1", "100"), part(2, "sell", "1", "110")], RULE).trips

    assert trip.with_funding(Decimal(-3)).with_funding(Decimal(-1)).pnl == Decimal(9)


def test_a_reduction_takes_its_share_of_cost_and_capital(part: Part) -> None:
    parts = [part(1, "buy", "3", "100", leverage="3"), part(2, "sell", "1", "130", leverage="3")]

    book = fold(parts, RULE).book

    assert (book.quantity, book.cost, book.capital_used) == (
        Decimal(2),
        Decimal(200),
        Decimal("66.666666666666666667"),
    )
    assert book.average_price == Decimal(100)
    assert book.realized_pnl == Decimal(30)


def test_closing_takes_exactly_the_rest_where_thirds_do_not_come_out_even(part: Part) -> None:
    parts = [part(n, "buy", "1", price, leverage="7") for n, price in ((1, "100"), (2, "100"), (3, "101"))]
    parts += [part(n, "sell", "1", "100", leverage="7") for n in (4, 5, 6)]

    book = fold(parts, RULE).book

    assert (book.quantity, book.cost, book.capital_used) == (0, 0, 0)
    assert book.realized_pnl == Decimal(-1)
    assert book.average_price is None
    assert book.direction is None


def test_a_flip_splits_its_fill_into_a_closing_and_an_opening_half(part: Part) -> None:
    parts = [part(1, "buy", "1", "10000"), part(2, "sell", "3", "11000", fee="10", leverage="2")]

    folded = fold(parts, RULE)
    closing, opening = folded.allocations[1:]

    assert (closing.part_index, closing.quantity, closing.cost, closing.realized_pnl) == (
        0,
        Decimal(1),
        Decimal(11000),
        Decimal(1000),
    )
    assert (opening.part_index, opening.quantity, opening.cost, opening.realized_pnl) == (
        1,
        Decimal(2),
        Decimal(22000),
        Decimal(0),
    )
    assert closing.fee_quote + opening.fee_quote == Decimal(10)
    assert opening.fee_quote == Decimal("6.666666666666666667")
    assert (closing.trip, opening.trip) == (TripKey(1, 0), TripKey(2, 1))
    assert (closing.opens, opening.opens) == (False, True)
    assert folded.book.quantity == Decimal(-2)
    assert folded.book.capital_used == Decimal(11000)
    assert [trip.closed_at is None for trip in folded.trips] == [False, True]
    assert folded.trips[0].exit_reason is ExitReason.SIGNAL_REVERSE
    assert folded.trips[1].exit_price is None


def test_the_halves_of_a_fee_that_cannot_be_halved_still_add_up(part: Part) -> None:
    odd = Decimal("0.000000000000000003")

    folded = fold([part(1, "buy", "1", "100"), part(2, "sell", "2", "100", fee=odd)], RULE)

    assert folded.allocations[1].fee_quote + folded.allocations[2].fee_quote == odd
    assert folded.book.fees == odd


def test_the_exit_reason_of_a_trip_is_that_of_its_last_exit(part: Part) -> None:
    parts = [
        part(1, "buy", "2", "100"),
        part(2, "sell", "1", "120", exit_reason=ExitReason.TAKE_PROFIT),
        part(3, "sell", "1", "90", exit_reason=ExitReason.STOP_LOSS),
    ]

    (trip,) = fold(parts, RULE).trips

    assert trip.exit_reason is ExitReason.STOP_LOSS
    assert trip.exit_price == Decimal(105)


def test_a_spot_fee_in_the_bought_coin_reduces_the_holding_and_its_cost(part: Part) -> None:
    buy = part(1, "buy", "1", "20000", fee="0.001", fee_asset="BTC", symbol=SPOT)

    book = fold([buy], SPOT_RULE).book

    assert (book.quantity, book.cost, book.fees) == (Decimal("0.999"), Decimal(19980), Decimal(20))
    assert book.cost + book.fees == Decimal(20000)
    assert book.average_price == Decimal(20000)


def test_a_sell_with_its_fee_in_the_coin_reduces_the_holding_further(part: Part) -> None:
    buy = part(1, "buy", "1", "20000", symbol=SPOT)
    sell = part(2, "sell", "0.5", "22000", fee="0.0005", fee_asset="BTC", symbol=SPOT)

    folded = fold([buy, sell], SPOT_RULE)

    assert folded.book.quantity == Decimal("0.4995")
    assert folded.book.fees == Decimal(11)
    # 11,000 came in, and 0.5005 BTC that had cost 10,010 went out.
    assert folded.book.realized_pnl - folded.book.fees == Decimal(990)


def test_a_fee_in_the_coin_beyond_the_holding_was_paid_with_the_owners_own(part: Part) -> None:
    buy = part(1, "buy", "1", "20000", symbol=SPOT)
    sell = part(2, "sell", "1", "22000", fee="0.001", fee_asset="BTC", symbol=SPOT)

    folded = fold([buy, sell], SPOT_RULE)

    assert folded.book.is_flat
    assert (folded.book.realized_pnl, folded.book.fees) == (Decimal(2000), Decimal(22))
    assert [allocation.quantity for allocation in folded.allocations] == [Decimal(1), Decimal(1)]
    assert not any(allocation.is_surplus for allocation in folded.allocations)


def test_a_coin_fee_on_futures_touches_no_position(part: Part) -> None:
    buy = part(1, "buy", "1", "600", fee="0.001", fee_asset="BTC")

    assert fold([buy], RULE).book.quantity == Decimal(1)


def test_a_rebate_is_a_fee_below_zero(part: Part) -> None:
    buy = part(1, "buy", "1", "20000", fee="-0.001", fee_asset="BTC", symbol=SPOT)

    book = fold([buy], SPOT_RULE).book

    assert (book.quantity, book.cost, book.fees) == (Decimal("1.001"), Decimal(20020), Decimal(-20))


def test_a_base_fee_as_large_as_the_fill_was_not_taken_out_of_it(part: Part) -> None:
    buy = part(1, "buy", "0.0001", "20000", fee="0.0001", fee_asset="BTC", symbol=SPOT)

    book = fold([buy], SPOT_RULE).book

    assert (book.quantity, book.cost, book.fees) == (Decimal("0.0001"), Decimal(2), Decimal(2))


def test_a_spot_sell_beyond_the_holding_is_a_surplus_and_never_a_short(part: Part) -> None:
    buy = part(1, "buy", "1", "20000", symbol=SPOT)
    sell = part(2, "sell", "4", "21000", fee="8", symbol=SPOT)

    folded = fold([buy, sell], SPOT_RULE)
    closing, surplus = folded.allocations[1:]

    assert folded.book.is_flat
    assert folded.book.realized_pnl == Decimal(1000)
    assert folded.book.fees == Decimal(2)
    assert (closing.quantity, closing.cost, closing.fee_quote) == (Decimal(1), Decimal(21000), Decimal(2))
    assert surplus.is_surplus
    assert (surplus.quantity, surplus.cost, surplus.fee_quote, surplus.realized_pnl) == (
        Decimal(3),
        Decimal(63000),
        Decimal(6),
        Decimal(0),
    )
    assert len(folded.trips) == 1


def test_a_spot_sell_with_nothing_held_changes_no_book(part: Part) -> None:
    folded = fold([part(1, "sell", "4", "21000", fee="8", symbol=SPOT)], SPOT_RULE)

    assert folded.book == PositionBook(last_key=folded.book.last_key)
    assert folded.trips == ()
    assert [allocation.is_surplus for allocation in folded.allocations] == [True]


def test_a_buy_that_arrives_late_turns_a_surplus_into_a_close(part: Part) -> None:
    buy, sell = part(1, "buy", "1", "20000", symbol=SPOT), part(2, "sell", "1", "21000", symbol=SPOT)

    early = fold([sell], SPOT_RULE)
    whole = fold([sell, buy], SPOT_RULE)

    assert early.allocations[0].is_surplus
    assert whole.book.realized_pnl == Decimal(1000)


def test_less_than_a_lot_is_dust_kept_at_cost(part: Part) -> None:
    buy = part(1, "buy", "1", "20000", fee="0.000005", fee_asset="BTC", symbol=SPOT)
    sell = part(2, "sell", "0.99999", "21000", symbol=SPOT)

    folded = fold([buy, sell], FlatRule(lot=Decimal("0.00001")))

    assert folded.book.is_flat
    assert (folded.book.dust_quantity, folded.book.dust_cost) == (Decimal("0.000005"), Decimal("0.1"))
    assert folded.book.capital_used == 0
    assert folded.trips[0].closed_at == sell.fill.exchange_at
    assert unrealized_pnl(folded.book, Decimal(30000)) == 0
    assert unrealized_pnl(folded.book, Decimal(30000), with_dust=True) == Decimal("0.05")


def test_on_spot_less_than_the_minimum_notional_is_dust_too(part: Part) -> None:
    parts = [
        part(1, "buy", "1", "100", symbol="SOL/USDT"),
        part(2, "sell", "0.96", "100", symbol="SOL/USDT"),
    ]

    assert fold(parts, FlatRule(Decimal("0.01"), Decimal(5))).book.dust_quantity == Decimal("0.04")
    assert fold(parts, FlatRule(Decimal("0.01"), Decimal(4))).book.quantity == Decimal("0.04")
    assert fold(parts, FlatRule(Decimal("0.04"))).book.quantity == Decimal("0.04")


def test_dust_joins_the_next_opening_at_cost(part: Part) -> None:
    parts = [
        part(1, "buy", "1", "20000", symbol=SPOT),
        part(2, "sell", "0.9999", "21000", symbol=SPOT),
        part(3, "buy", "1", "30000", symbol=SPOT),
    ]

    folded = fold(parts, SPOT_RULE)

    assert (folded.book.quantity, folded.book.cost) == (Decimal("1.0001"), Decimal(30002))
    assert (folded.book.dust_quantity, folded.book.dust_cost) == (0, 0)
    assert folded.book.capital_used == Decimal(30002)
    assert folded.trips[1].key == TripKey(3, 0)
    assert folded.trips[1].quantity == Decimal("1.0001")


def test_a_last_small_fill_of_a_close_belongs_to_the_trip_that_its_dust_left(part: Part) -> None:
    parts = [
        part(1, "buy", "1", "20000", symbol=SPOT),
        part(2, "sell", "0.9999", "21000", symbol=SPOT),
        part(3, "sell", "0.0001", "21000", fee="1", symbol=SPOT),
    ]

    folded = fold(parts, SPOT_RULE)

    assert (folded.book.quantity, folded.book.dust_quantity, folded.book.dust_cost) == (0, 0, 0)
    assert folded.book.realized_pnl == Decimal(1000)
    (trip,) = folded.trips
    assert trip.realized_pnl == Decimal(1000)
    assert trip.closed_at == parts[2].fill.exchange_at
    assert [allocation.trip for allocation in folded.allocations] == [TripKey(1, 0)] * 3


def test_a_short_first_uses_up_the_dust_of_a_long(part: Part) -> None:
    rule = FlatRule(lot=Decimal("0.01"))
    parts = [part(1, "buy", "1", "100"), part(2, "sell", "0.995", "100"), part(3, "sell", "1", "100")]

    folded = fold(parts, rule)

    assert (folded.book.quantity, folded.book.dust_quantity) == (Decimal("-0.995"), 0)
    assert folded.trips[1].key == TripKey(3, 1)


def test_a_small_first_fill_of_an_order_opens_a_position(part: Part) -> None:
    book = fold([part(1, "buy", "0.0001", "20000", symbol=SPOT)], SPOT_RULE).book

    assert book.quantity == Decimal("0.0001")


def test_old_fills_keep_the_lot_that_was_in_force(part: Part) -> None:
    parts = [part(1, "buy", "1", "100"), part(2, "sell", "0.95", "100"), part(3, "buy", "1", "100")]
    change = parts[2].fill.exchange_at

    coarse_then_fine = fold(parts, lambda at: FlatRule(Decimal("0.1") if at < change else Decimal("0.01")))

    assert len(coarse_then_fine.trips) == 2
    assert len(fold(parts, FlatRule(Decimal("0.01"))).trips) == 1


def test_apply_refuses_a_fill_that_does_not_come_after_the_last(part: Part) -> None:
    first, second = part(1, "buy", "1", "100"), part(2, "buy", "1", "100")
    book = fold([first, second], RULE).book

    for late in (first, second):
        with pytest.raises(OutOfOrder):
            apply(book, late, RULE)


def test_fills_of_one_moment_are_folded_by_number_not_by_text(part: Part) -> None:
    nine, ten = part(9, "buy", "1", "100", second=0), part(10, "sell", "1", "110", second=0)

    folded = fold([ten, nine], RULE)

    assert folded.trips[0].side is Side.BUY
    assert folded.book.last_key == key_of(ten.fill)


def test_a_fold_begins_again_at_the_last_flat_point_before_a_late_fill(part: Part) -> None:
    parts = [
        part(1, "buy", "1", "100"),
        part(2, "sell", "1", "110"),
        part(3, "buy", "1", "120"),
        part(5, "sell", "1", "130"),
    ]
    late = part(4, "buy", "1", "90")
    folded = fold(parts, RULE)

    point = resume_point(folded.flat_points, key_of(late.fill))

    assert point is not None
    assert point.count == 2
    again = fold([*parts[point.count :], late], RULE, start=point.book)
    assert again.book == fold([*parts, late], RULE).book
    assert again.book.quantity == Decimal(1)


def test_there_is_no_point_to_resume_before_the_start_of_a_fold(part: Part) -> None:
    parts = [part(3, "buy", "1", "100"), part(4, "sell", "1", "100"), part(5, "buy", "1", "100")]
    start = fold(parts[:2], RULE).book

    folded = fold(parts[2:], RULE, start=start)

    assert resume_point(folded.flat_points, key_of(part(2, "buy", "1", "1").fill)) is None
    resumed = resume_point(folded.flat_points, key_of(part(6, "buy", "1", "1").fill))
    assert resumed is not None
    assert resumed.book == start


@pytest.mark.parametrize("field", ["quantity", "leverage"])
def test_a_part_without_quantity_or_leverage_cannot_be_built(part: Part, field: str) -> None:
    with pytest.raises(ValueError, match="quantity > 0"):
        part(
            1, "buy", "1" if field == "leverage" else "0", "100", leverage="0" if field == "leverage" else "1"
        )


def test_amounts_of_more_digits_than_pythons_default_context_are_kept(part: Part) -> None:
    quantity, cost = Decimal("12345678901.000000000000000001"), "98765431208000000000.000000008"
    book = fold([part(1, "buy", quantity, "8000000000", cost=cost)], RULE).book

    assert book.quantity == quantity
    assert book.average_price == Decimal(8000000000)


def test_a_book_with_a_position_but_no_trip_cannot_be_built() -> None:
    with pytest.raises(AssertionError):
        PositionBook(quantity=Decimal(1))
    assert EMPTY.is_flat
