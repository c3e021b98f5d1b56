"""What looks remember: differences that stay as they are, and orders that are not found."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from fillbook.accounts.core import PositionSide
from fillbook.market.core import VenueName
from fillbook.orders.core.order import OrderStatus
from fillbook.trading.core.reconcile import LocalSnapshot, VenueSnapshot
from fillbook.trading.core.reconcile.snapshots import Leg, Misses, Unread
from fillbook.trading.reconciliation.books import Memory
from fillbook.trading.reconciliation.run import remember_misses
from support.trading import PERP, after, an_order

LEG = Leg(PERP, PositionSide.NET)
ONE, TWO = (Decimal(0), Decimal(1)), (Decimal(0), Decimal(2))


def test_a_difference_is_as_old_as_its_last_change() -> None:
    memory = Memory()
    memory.note_differences({LEG: ONE}, [], after(0))
    memory.note_differences({LEG: ONE}, [PERP], after(10))
    assert (memory.differing_since, memory.exhausted) == ({LEG: after(0)}, {LEG: after(10)})
    memory.note_differences({LEG: ONE}, [], after(20))
    assert (memory.differing_since, memory.exhausted) == ({LEG: after(0)}, {LEG: after(10)})
    memory.note_differences({LEG: TWO}, [], after(30))
    assert (memory.differing_since, memory.exhausted) == ({LEG: after(30)}, {})
    memory.note_differences({}, [], after(40))
    assert (memory.differing_since, memory.suspected) == ({}, {})


def test_clean_misses_in_a_row_are_counted_and_one_that_failed_counts_for_nothing() -> None:
    memory = Memory()
    order = an_order(id=4, status=OrderStatus.NEW, acknowledged_at=after(0))
    local = LocalSnapshot(VenueName.BINANCE, frozenset(), after(0), orders=(order,))
    missed = VenueSnapshot(after(1), not_found=frozenset({4}))
    for moment in (after(1), after(5)):
        remember_misses(memory, local, replace(missed, at=moment))
    remember_misses(memory, local, VenueSnapshot(after(7), unread_orders={4: Unread("no answer")}))
    assert memory.misses == {4: Misses(2, after(1))}
    remember_misses(memory, local, VenueSnapshot(after(9)))
    assert memory.misses == {}


def test_an_order_that_ended_is_missed_no_more() -> None:
    memory = Memory(misses={4: Misses(2, after(1))})
    ended = an_order(id=4, status=OrderStatus.CANCELED)
    local = LocalSnapshot(VenueName.BINANCE, frozenset(), after(0), orders=(ended,))
    later = VenueSnapshot(after(1) + timedelta(hours=1), unread_orders={4: Unread("no answer")})
    remember_misses(memory, local, later)
    assert memory.misses == {}
