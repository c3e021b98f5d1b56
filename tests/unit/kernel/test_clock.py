from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from fillbook.kernel.clock import SystemClock, from_ms, to_ms


@given(milliseconds=st.integers(0, 4_102_444_800_000))
def test_a_venues_milliseconds_come_back_as_they_were(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


def test_times_are_aware_and_utc() -> None:
    assert from_ms(1_767_571_200_000) == datetime(2026, 1, 5, tzinfo=UTC)
    assert SystemClock().now().tzinfo is UTC


def test_elapsed_time_never_runs_backwards() -> None:
    clock = SystemClock()

    readings = [clock.elapsed_s() for _ in range(100)]

    assert readings == sorted(readings)
