"""What a venue's history comes to: openings that nobody can read any more, and from when on fills have owners."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillbook.accounts.core import PositionReport, PositionSide
from fillbook.ledger.core.fill import Fill, FillReport
from fillbook.ledger.core.position import FillPart, FlatRule, fold
from fillbook.market.core import MarketType, Side, VenueName
from fillbook.orders.core.order import OrderStatus
from fillbook.orders.core.venue_traits import TRAITS
from fillbook.trading.core.rebuild import BEGINNING, MARGIN, Horizon, arrange, horizon, order_of_fills
from support.trading import PERP, SENT, a_fill_report, after

ALL = Horizon(SENT, SENT)
D = Decimal


def bought(quantity: str, second: int, **changes: Any) -> FillReport:
    """A fill of so much (below zero: sold), at a second after SENT; its number and its order are the second's."""
    signed = Decimal(quantity)
    return a_fill_report(
        str(abs(signed)),
        str(second),
        side=Side.BUY if signed > 0 else Side.SELL,
        exchange_at=after(second),
        exchange_order_id=f"order {second}",
        client_order_id=f"name {second}",
        **changes,
    )


def holding(quantity: str, entry: str = "100", leg: PositionSide = PositionSide.NET) -> list[PositionReport]:
    return [PositionReport(PERP, leg, D(quantity), D(entry), None, None, None, None, None, after(99))]


def numbers(fills: Sequence[FillReport]) -> list[str]:
    return [fill.venue_fill_id for fill in fills]


def test_a_history_that_explains_the_position_is_attributed_from_the_first_fill_on() -> None:
    fills = [bought("2", 1), bought("-1", 2)]
    history = arrange(fills, holding("1"), ALL)
    assert (history.openings, history.unattributed, history.attributed_since) == ((), (), None)
    assert history.attributed == tuple(fills)


def test_fills_are_put_in_canonical_order_and_each_counts_once() -> None:
    history = arrange([bought("1", 10), bought("1", 9), bought("1", 9)], holding("2"), ALL)
    assert numbers(history.attributed) == ["9", "10"]


def test_what_was_open_before_is_inferred_and_has_no_owner_until_it_is_flat() -> None:
    fills = [bought("1", 1), bought("-3", 2), bought("5", 3)]
    history = arrange(fills, holding("5"), ALL)
    (opening,) = history.openings
    assert (opening.side, opening.quantity, opening.cumulative_quantity) == (Side.BUY, 2, 2)
    assert opening.exchange_at < fills[0].exchange_at
    assert numbers(history.unattributed) == ["1", "2"]
    assert [fill.client_order_id for fill in history.unattributed] == [None, None]
    assert (numbers(history.attributed), history.attributed_since) == (["3"], after(3))


def test_a_position_that_was_never_flat_has_no_owner() -> None:
    history = arrange([bought("1", 1)], holding("3"), ALL)
    assert (numbers(history.unattributed), history.attributed) == (["1"], ())
    assert history.openings[0].quantity == 2


def test_a_position_without_any_fill_is_inferred_at_its_entry_price() -> None:
    (opening,) = arrange([], holding("-3", "95"), ALL).openings
    assert (opening.side, opening.quantity, opening.price) == (Side.SELL, 3, 95)


def test_the_entry_price_follows_from_what_the_venue_realised_at_the_first_reduction() -> None:
    """2 at 90, 1 more at 120: 100 on average; 1 sold at 130 realises 30."""
    fills = [bought("1", 1, price=D(120)), bought("-1", 2, price=D(130), venue_realized_pnl=D(30))]
    (opening,) = arrange(fills, holding("2"), ALL).openings
    assert opening.price == 90


def test_the_entry_price_follows_from_the_present_average_while_nothing_was_reduced() -> None:
    (opening,) = arrange([bought("1", 1, price=D(120))], holding("3", "100"), ALL).openings
    assert opening.price == 90


def test_the_legs_of_a_hedged_account_begin_each_by_itself() -> None:
    long, short = PositionSide.LONG, PositionSide.SHORT
    fills = [bought("1", 1, position_side=long), bought("1", 2, position_side=short)]
    history = arrange(fills, [*holding("1", leg=long), *holding("-1", leg=short)], ALL)
    assert [(o.position_side, o.side, o.quantity) for o in history.openings] == [(short, Side.SELL, 2)]
    assert (numbers(history.attributed), numbers(history.unattributed)) == (["1"], ["2"])


def test_fills_of_forgotten_orders_have_no_owner_until_the_position_is_flat() -> None:
    forgotten = Horizon(SENT, after(2))
    fills = [bought("1", 1), bought("1", 2), bought("-2", 3), bought("1", 4)]
    history = arrange(fills, holding("1"), forgotten)
    assert history.openings == ()
    assert (numbers(history.unattributed), numbers(history.attributed)) == (["1", "2", "3"], ["4"])


def test_on_spot_nothing_is_inferred_because_coins_may_have_come_otherwise() -> None:
    history = arrange([bought("-1", 1), bought("1", 3)], None, Horizon(SENT, after(2)))
    assert (history.openings, numbers(history.unattributed), numbers(history.attributed)) == (
        (),
        ["1"],
        ["3"],
    )


MOVES = st.lists(st.integers(-4, 4).filter(bool), min_size=1, max_size=30)


@given(MOVES, st.integers(0, 30), st.integers(0, 30))
def test_however_much_is_forgotten_quantities_are_right_and_nobody_closes_what_another_opened(
    moves: list[int], first: int, orders_from: int
) -> None:
    every = [bought(str(move), place) for place, move in enumerate(moves, start=1)]
    now = sum(moves)
    kept = [fill for fill in every if fill.exchange_at >= after(first)]
    positions = holding(str(now)) if now else []
    history = arrange(kept, positions, Horizon(after(first), after(max(first, orders_from))))
    ownerless = [*history.openings, *history.unattributed]
    assert sum(f.side.sign * f.quantity for f in (*ownerless, *history.attributed)) == now
    assert sorted(numbers([*history.unattributed, *history.attributed])) == sorted(numbers(kept))
    if history.attributed:
        assert sum(f.side.sign * f.quantity for f in ownerless) == 0
        assert history.attributed[0].exchange_at >= after(max(first, orders_from))


def test_the_books_of_an_inferred_history_are_the_true_ones_from_the_first_flat_moment_on() -> None:
    every = [bought(q, n, price=D(100 + n)) for n, q in enumerate(["3", "-1", "-2", "4", "-1"], start=1)]
    whole = fold(parts(every), FlatRule(D("0.001"), D(0)))
    history = arrange(every[1:], holding("3"), Horizon(after(2), after(2)))
    rebuilt = fold(
        parts([*history.openings, *history.unattributed, *history.attributed]), FlatRule(D("0.001"), D(0))
    )
    assert (rebuilt.book.quantity, rebuilt.book.cost) == (whole.book.quantity, whole.book.cost)
    assert rebuilt.trips[-1].pnl == whole.trips[-1].pnl


def parts(fills: Sequence[FillReport]) -> list[FillPart]:
    made = []
    for number, one in enumerate(fills, start=1):
        fill = Fill(
            number,
            1,
            one.symbol,
            one.exchange_order_id,
            one.venue_fill_id,
            one.side,
            one.position_side,
            one.price,
            one.quantity,
            one.price * one.quantity,
            MarketType.FUTURES,
            one.exchange_at,
        )
        made.append(FillPart(fill, fill.quantity, fill.cost, D(0), D(0)))
    return made


NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("venue", "market", "fills_days", "orders_days"),
    [
        (VenueName.BINANCE, MarketType.FUTURES, 180, 90),
        (VenueName.OKX, MarketType.SPOT, 90, 90),
        (VenueName.BYBIT, MarketType.FUTURES, 730, 730),
    ],
)
def test_as_much_is_read_as_the_venue_keeps(
    venue: VenueName, market: MarketType, fills_days: int, orders_days: int
) -> None:
    found = horizon(TRAITS[venue], market, NOW, None)
    assert found == Horizon(
        NOW - timedelta(days=fills_days) + MARGIN, NOW - timedelta(days=orders_days) + MARGIN
    )


def test_where_nothing_is_forgotten_all_is_read() -> None:
    assert horizon(TRAITS[VenueName.BINANCE], MarketType.SPOT, NOW, None) == Horizon(BEGINNING, BEGINNING)


def test_less_is_read_when_less_is_asked_for_but_not_fewer_orders_that_may_have_waited() -> None:
    since = NOW - timedelta(days=10)
    found = horizon(TRAITS[VenueName.BYBIT], MarketType.FUTURES, NOW, since)
    assert (found.fills, found.orders) == (since, since - timedelta(days=90))


def test_an_order_that_its_venue_forgot_is_as_much_as_its_fills_tell() -> None:
    fills = [replace(bought("1", n, price=D(100 + n)), exchange_order_id="7") for n in (1, 2)]
    report = order_of_fills(fills)
    assert (report.status, report.quantity, report.filled_quantity) == (OrderStatus.FILLED, 2, 2)
    assert (report.exchange_order_id, report.client_order_id, report.cost) == ("7", "name 1", 203)
