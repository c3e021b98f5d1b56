"""Which accounts are ours, until when, and that no request leaves under a lease that may end before it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fillbook.accounts.core import Environment
from fillbook.fleet.leases import Lease
from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.market.errors import ReadFailed
from fillbook.trading.floor import INSTRUMENTS_FRESH_S, LEASE_MARGIN_S, InstrumentBoard, Ownership
from support.trading import PERP, an_instrument

KEY = (VenueName.BINANCE, Environment.DEMO)


def lease(clock: Any, epoch: int = 4) -> Lease:
    return Lease("account:1", "me", epoch, clock.now() + timedelta(seconds=15))


def test_an_order_may_leave_only_while_its_lease_outlives_it_by_the_margin(clock: Any) -> None:
    ownership = Ownership(clock)
    ownership.hold(1, lease(clock), clock.elapsed_s() + 15)
    assert ownership.may_send(1, 4)
    clock.advance(15 - LEASE_MARGIN_S - 0.001)
    assert ownership.may_send(1, 4)
    clock.advance(0.001)
    assert not ownership.may_send(1, 4)
    clock.advance(100)
    assert not ownership.may_send(1, 4)


def test_an_order_committed_under_another_epoch_does_not_leave(clock: Any) -> None:
    ownership = Ownership(clock)
    ownership.hold(1, lease(clock, epoch=5), clock.elapsed_s() + 15)
    assert not ownership.may_send(1, 4)
    assert not ownership.may_send(1, 6)


def test_no_order_leaves_for_an_account_that_is_not_ours(clock: Any) -> None:
    ownership = Ownership(clock)
    assert not ownership.may_send(1, 4)
    ownership.hold(1, lease(clock), clock.elapsed_s() + 15)
    ownership.lose(1)
    assert not ownership.may_send(1, 4)
    assert 1 not in ownership and ownership.lease_of(1) is None and ownership.leases() == {}


def test_a_renewed_lease_lets_orders_leave_again(clock: Any) -> None:
    ownership = Ownership(clock)
    ownership.hold(1, lease(clock), clock.elapsed_s() + 15)
    clock.advance(14)
    assert not ownership.may_send(1, 4)
    ownership.hold(1, lease(clock), clock.elapsed_s() + 15)
    assert ownership.may_send(1, 4)


class Rules:
    """A venue that knows instruments, or cannot be read."""

    def __init__(self, *instruments: Instrument) -> None:
        self.instruments_known = instruments
        self.reads = 0
        self.is_down = False

    async def instruments(self, market_type: MarketType) -> tuple[Instrument, ...]:
        self.reads += 1
        if self.is_down:
            raise ReadFailed("no answer")
        return self.instruments_known


async def _keep_nothing(*_: Any) -> None:
    return None


async def test_rules_are_read_once_while_they_are_fresh(clock: Any) -> None:
    board, venue = InstrumentBoard(clock, _keep_nothing), Rules(an_instrument())
    for _ in range(3):
        await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    assert venue.reads == 1 and board.get(KEY, PERP) == an_instrument()
    clock.advance(INSTRUMENTS_FRESH_S)
    await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    assert venue.reads == 2


async def test_a_venue_that_cannot_be_read_leaves_the_rules_that_were_known(clock: Any) -> None:
    board, venue = InstrumentBoard(clock, _keep_nothing), Rules(an_instrument())
    venue.is_down = True
    with pytest.raises(ReadFailed):
        await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    board.remember(KEY, [an_instrument()])
    await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    assert board.get(KEY, PERP) is not None and not board.is_fresh(KEY, MarketType.FUTURES)


async def test_a_symbol_that_is_no_longer_listed_keeps_its_rules_and_takes_no_orders(clock: Any) -> None:
    saved: list[Instrument] = []

    async def keep(_: Any, instruments: Iterable[Instrument]) -> None:
        saved[:] = instruments

    other = replace(an_instrument(), symbol="ETH/USDT:USDT")
    board, venue = InstrumentBoard(clock, keep), Rules(an_instrument(), other)
    await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    assert not board.is_delisted(KEY, PERP)
    clock.advance(INSTRUMENTS_FRESH_S)
    venue.instruments_known = (other,)
    await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    ended = board.get(KEY, PERP)
    assert ended is not None and not ended.is_active and ended.lot == an_instrument().lot
    assert board.is_delisted(KEY, PERP) and not board.is_delisted(KEY, other.symbol)
    assert {one.symbol: one.is_active for one in saved} == {other.symbol: True, PERP: False}
    clock.advance(INSTRUMENTS_FRESH_S)
    venue.instruments_known = (an_instrument(), other)
    await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    assert board.get(KEY, PERP) == an_instrument() and not board.is_delisted(KEY, PERP)


async def test_a_venue_that_lists_nothing_at_all_is_not_believed(clock: Any) -> None:
    board, venue = InstrumentBoard(clock, _keep_nothing), Rules(an_instrument())
    await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    clock.advance(INSTRUMENTS_FRESH_S)
    venue.instruments_known = ()
    await board.refresh(KEY, MarketType.FUTURES, venue)  # type: ignore[arg-type]
    assert board.get(KEY, PERP) == an_instrument()
