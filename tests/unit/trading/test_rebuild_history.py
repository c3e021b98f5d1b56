"""A rebuild is long: one silence of a venue does not end it."""

from collections.abc import Awaitable, Callable

import pytest

from conftest import ManualClock
from fillbook.market.errors import CredentialsRefused, ReadFailed
from fillbook.trading.rebuild_history import PAUSES_S, patiently


def failing(times: int, error: type[Exception]) -> Callable[[], Awaitable[int]]:
    """Fails so often, then says how often it was asked."""
    asked = 0

    async def read() -> int:
        nonlocal asked
        asked += 1
        if asked <= times:
            raise error(f"attempt {asked}")
        return asked

    return read


@pytest.mark.parametrize("times", range(len(PAUSES_S) + 1))
async def test_what_could_not_be_read_is_read_again_after_a_while(clock: ManualClock, times: int) -> None:
    began_s = clock.elapsed_s()
    assert await patiently(clock, failing(times, ReadFailed)) == times + 1
    assert clock.elapsed_s() - began_s == sum(PAUSES_S[:times])


async def test_patience_ends(clock: ManualClock) -> None:
    with pytest.raises(ReadFailed):
        await patiently(clock, failing(len(PAUSES_S) + 1, ReadFailed))


async def test_a_refused_key_is_not_tried_again(clock: ManualClock) -> None:
    with pytest.raises(CredentialsRefused, match="attempt 1"):
        await patiently(clock, failing(1, CredentialsRefused))
