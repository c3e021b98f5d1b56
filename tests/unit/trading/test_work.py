"""Lanes: one queue for each (account, symbol), worked on one item at a time, in order."""

from typing import Any

import pytest

from fillbook.accounts.core import Environment
from fillbook.ledger.core.round_trip import TradeSource
from fillbook.trading.work import LANE_LIMIT, CancelAllWish, LaneFull, Lanes, LegWork
from support.trading import PERP, SENT

ETH = "ETH/USDT:USDT"


def work(leg: str, account_id: int = 1, symbol: str = PERP, **changes: Any) -> LegWork:
    given: dict[str, Any] = {
        "account_id": account_id,
        "symbol": symbol,
        "user_id": 7,
        "environment": Environment.DEMO,
        "wish": CancelAllWish(),
        "leg": leg,
        "leg_count": 1,
        "is_last_leg": True,
        "trade_source": TradeSource.WEBHOOK,
        "strategy_code": "abc123",
        "received_at": SENT,
        **changes,
    }
    return LegWork(**given)


def started(lanes: Lanes) -> list[str]:
    return [one.leg for one in lanes.start_all()]


def test_a_lane_is_worked_on_one_at_a_time_and_in_order() -> None:
    lanes = Lanes()
    for leg in ("1", "2", "3"):
        lanes.add(work(leg))
    seen = []
    for _ in range(3):
        seen.append(started(lanes))
        assert started(lanes) == []
        lanes.release((1, PERP))
    assert seen == [["1"], ["2"], ["3"]]
    assert started(lanes) == []


def test_lanes_of_other_accounts_and_symbols_run_beside_it() -> None:
    lanes = Lanes()
    for one in (work("a"), work("b"), work("c", account_id=2), work("d", symbol=ETH)):
        lanes.add(one)
    assert started(lanes) == ["a", "c", "d"]
    lanes.release((2, PERP))
    assert started(lanes) == []
    lanes.release((1, PERP))
    assert started(lanes) == ["b"]


def test_what_comes_while_a_lane_is_occupied_waits_for_its_release() -> None:
    lanes = Lanes()
    lanes.add(work("1"))
    assert started(lanes) == ["1"]
    lanes.add(work("2"))
    assert started(lanes) == []
    lanes.release((1, PERP))
    assert started(lanes) == ["2"]


def test_a_lane_that_was_emptied_can_be_used_again() -> None:
    lanes = Lanes()
    for leg in ("1", "2"):
        lanes.add(work(leg))
        assert started(lanes) == [leg]
        lanes.release((1, PERP))


def test_a_full_lane_says_so_and_the_others_are_not_full() -> None:
    lanes = Lanes()
    for number in range(LANE_LIMIT):
        lanes.add(work(str(number)))
    with pytest.raises(LaneFull):
        lanes.add(work("one too many"))
    lanes.add(work("other", symbol=ETH))
    assert started(lanes) == ["0", "other"]
    lanes.add(work("fits again"))


def test_only_what_is_being_worked_on_can_be_released() -> None:
    lanes = Lanes()
    lanes.add(work("1"))
    with pytest.raises(AssertionError):
        lanes.release((1, PERP))


def test_what_waits_for_an_account_that_is_lost_is_dropped_and_what_is_under_way_ends() -> None:
    lanes = Lanes()
    for one in (work("1"), work("2"), work("3", symbol=ETH), work("4", account_id=2)):
        lanes.add(one)
    first = next(lanes.start_all())
    assert [one.leg for one in lanes.drop_account(1)] == ["2", "3"]
    assert started(lanes) == ["4"]
    lanes.release(first.lane)
    assert started(lanes) == []


def test_the_legs_of_a_delivery_that_wait_are_forgotten_together_and_no_others() -> None:
    lanes = Lanes()
    for leg, delivery_id in (("1", 8), ("2", 9), ("3", 9), ("4", 8)):
        lanes.add(work(leg, delivery_id=delivery_id))
    assert started(lanes) == ["1"]
    lanes.drop_delivery((1, PERP), 9)
    lanes.release((1, PERP))
    assert started(lanes) == ["4"]
    lanes.release((1, PERP))
    lanes.add(work("5", delivery_id=10))
    lanes.drop_delivery((1, PERP), 10)
    lanes.drop_delivery((1, PERP), 10)
    assert started(lanes) == []
