"""Looks of one address take turns: few at once, the account that waits longest first, whole ones at a pace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from conftest import ManualClock
from fillbook.accounts.core import Account
from fillbook.trading.core.reconcile.pace import QUIET_EVERY, UNREAD_EVERY, Standing, pause_after
from fillbook.trading.reconciliation.turns import AT_ONCE, WHOLE_BURST, WHOLE_SPAN_S, Turns
from support.trading import an_account


@pytest.fixture
async def turns(clock: ManualClock) -> AsyncIterator[Turns]:
    yield Turns(clock)


async def occupy(turns: Turns, stack: AsyncExitStack) -> None:
    for number in range(AT_ONCE):
        await stack.enter_async_context(turns.taken(an_account(id=number), 0.0, is_whole=False))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def queue(turns: Turns, account: Account, last_looked_s: float, began: list[int]) -> None:
    async with turns.taken(account, last_looked_s, is_whole=False):
        began.append(account.id)


async def test_the_account_that_was_looked_at_longest_ago_comes_next(turns: Turns) -> None:
    began: list[int] = []
    async with AsyncExitStack() as stack:
        await occupy(turns, stack)
        looked = {10: 30.0, 11: 10.0, 12: 20.0, 13: float("-inf")}
        tasks = [
            asyncio.create_task(queue(turns, an_account(id=number), at_s, began))
            for number, at_s in looked.items()
        ]
        await settle()
        assert began == []
    await asyncio.gather(*tasks)
    assert began == [13, 11, 12, 10]


async def test_addresses_do_not_wait_for_each_other(turns: Turns) -> None:
    began: list[int] = []
    async with AsyncExitStack() as stack:
        await occupy(turns, stack)
        await queue(turns, an_account(id=50, egress="127.0.0.9"), 0.0, began)
        assert began == [50]


async def test_who_gives_up_waiting_takes_nobodys_place(turns: Turns) -> None:
    began: list[int] = []
    async with AsyncExitStack() as stack:
        await occupy(turns, stack)
        waiting = [
            asyncio.create_task(queue(turns, an_account(id=number), float(number), began))
            for number in (20, 21)
        ]
        await settle()
        waiting[0].cancel()
        await settle()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert began == [21]
    async with AsyncExitStack() as again:
        await occupy(turns, again)  # all places are free again


async def test_a_place_that_was_handed_to_someone_who_is_cancelled_is_not_lost(turns: Turns) -> None:
    began: list[int] = []
    stack = AsyncExitStack()
    await occupy(turns, stack)
    waiting = asyncio.create_task(queue(turns, an_account(id=30), 0.0, began))
    await settle()
    await stack.aclose()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with AsyncExitStack() as again:
        await occupy(turns, again)


async def test_whole_looks_begin_so_many_in_so_many_seconds(turns: Turns, clock: ManualClock) -> None:
    begun_s = []
    for number in range(2 * WHOLE_BURST + 1):
        async with turns.taken(an_account(id=number), 0.0, is_whole=True):
            begun_s.append(clock.elapsed_s())
    assert begun_s[WHOLE_BURST - 1] == begun_s[0]
    for earlier, later in zip(begun_s, begun_s[WHOLE_BURST:], strict=False):
        assert later - earlier >= WHOLE_SPAN_S


@pytest.mark.parametrize(
    ("standing", "pause"),
    [
        (Standing(True, True, False), QUIET_EVERY),
        (Standing(False, True, False), UNREAD_EVERY),
        (Standing(True, False, False, 3), UNREAD_EVERY),
        (Standing(True, True, True, 1), timedelta(seconds=2)),
        (Standing(True, True, True, 2), timedelta(seconds=4)),
        (Standing(True, True, True, 3), timedelta(seconds=8)),
        (Standing(True, True, True, 4), timedelta(seconds=10)),
        (Standing(True, True, True, 4000), timedelta(seconds=10)),
    ],
)
def test_the_next_look_is_due_as_the_account_stands(standing: Standing, pause: timedelta) -> None:
    assert pause_after(standing) == pause
