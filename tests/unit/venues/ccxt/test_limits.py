import asyncio

import pytest

from fillbook.venues.ccxt.limits import BudgetSpent, ConnectionPace, Pool, RequestBudget

HEADER = "x-mbx-used-weight-1m"


def budget(clock, limit=100):
    return RequestBudget(clock, Pool("all", limit, HEADER))


async def test_reads_wait_for_the_next_minute_beyond_their_share(clock):
    subject = budget(clock)
    await subject.take_for_read(30)
    assert clock.slept == []
    await subject.take_for_read(1)
    assert len(clock.slept) == 1
    assert subject.used_by_reads == 1


async def test_acts_are_served_while_reads_have_used_their_share(clock):
    subject = budget(clock)
    await subject.take_for_read(30)
    await subject.take_for_read(10, is_urgent=True)
    subject.take_for_act(50)
    assert clock.slept == []
    assert subject.used == 90


async def test_urgent_reads_have_what_routine_leaves_and_no_more_than_forty_percent(clock):
    subject = budget(clock)
    await subject.take_for_read(30)
    await subject.take_for_read(10, is_urgent=True)
    assert clock.slept == []
    await subject.take_for_read(1, is_urgent=True)
    assert len(clock.slept) == 1


async def test_an_urgent_read_does_not_queue_behind_routine(clock):
    subject = budget(clock)
    await subject.take_for_read(30)
    woken = asyncio.Event()
    clock.sleep = lambda seconds: woken.wait()
    routine = asyncio.create_task(subject.take_for_read(5))
    await asyncio.sleep(0)
    await subject.take_for_read(5, is_urgent=True)
    assert not routine.done()
    clock.advance(60)
    woken.set()
    await routine
    assert subject.used_by_reads == 5


def test_an_act_beyond_the_budget_is_refused_at_once_not_delayed(clock):
    subject = budget(clock)
    subject.take_for_act(95)
    with pytest.raises(BudgetSpent):
        subject.take_for_act(1)
    clock.advance(60)
    subject.take_for_act(1)


def test_the_weight_that_the_venue_states_counts_when_it_is_more_than_ours(clock):
    subject = budget(clock)
    subject.take_for_act(1)
    subject.observe(200, {"X-MBX-USED-WEIGHT-1M": "95"})
    with pytest.raises(BudgetSpent):
        subject.take_for_act(1)


@pytest.mark.parametrize("status", [418, 429])
def test_a_pause_that_the_venue_asks_for_holds_acts_back(clock, status):
    subject = budget(clock)
    subject.observe(status, {"Retry-After": "90"})
    with pytest.raises(BudgetSpent) as refused:
        subject.take_for_act(1)
    assert refused.value.retry_after_s == pytest.approx(90)
    clock.advance(91)
    subject.take_for_act(1)


async def test_a_read_waits_out_a_short_pause_and_refuses_a_long_one(clock):
    subject = budget(clock)
    subject.observe(429, {"Retry-After": "30"})
    await subject.take_for_read(1)
    assert clock.slept == [pytest.approx(30)]
    subject.observe(418, {"Retry-After": "7200"})
    with pytest.raises(BudgetSpent):
        await subject.take_for_read(1)


async def test_a_read_heavier_than_the_share_is_still_served_alone(clock):
    subject = budget(clock, limit=50)
    await subject.take_for_read(40)
    assert clock.slept == []


async def test_a_pool_that_is_counted_by_the_second_turns_with_it(clock):
    subject = RequestBudget(clock, Pool("orders", 20, span_s=1.0))
    subject.take_for_act(19)
    with pytest.raises(BudgetSpent) as refused:
        subject.take_for_act(1)
    assert refused.value.retry_after_s <= 1.05
    clock.advance(1)
    subject.take_for_act(1)
    await subject.take_for_read(6)
    await subject.take_for_read(1)
    assert clock.slept == [pytest.approx(1.05)]


def test_a_status_that_pauses_at_one_venue_does_not_at_another(clock):
    subject = RequestBudget(clock, Pool("ip", 20, pausing=frozenset({403}), pause_s=600))
    subject.observe(429, {})
    subject.take_for_act(1)
    subject.observe(403, {})
    with pytest.raises(BudgetSpent) as refused:
        subject.take_for_act(1)
    assert refused.value.retry_after_s == pytest.approx(600)


async def test_new_connections_beyond_the_venues_number_wait_until_the_span_has_passed(clock):
    pace = ConnectionPace(clock, 3, 300)
    for _ in range(3):
        await pace.wait()
        clock.advance(10)
    assert clock.slept == []
    await pace.wait()
    assert clock.slept == [pytest.approx(270)]
    await pace.wait()
    assert clock.slept[1:] == [pytest.approx(10)]
