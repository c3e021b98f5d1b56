import random
from datetime import UTC, datetime, timedelta

from fillbook.kernel.ids import RowIds


class _Standing:
    """A clock that moves only when told."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def elapsed_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("ids never wait")


START = datetime(2026, 1, 5, tzinfo=UTC)


def test_ids_grow_within_one_millisecond() -> None:
    ids = RowIds(_Standing(START), random.Random(1))

    made = [ids.next() for _ in range(10_000)]

    assert made == sorted(set(made))


def test_ids_grow_with_time() -> None:
    clock = _Standing(START)
    ids = RowIds(clock, random.Random(1))
    before = ids.next()
    clock.moment += timedelta(milliseconds=1)

    assert ids.next() > before


def test_ids_grow_when_the_clock_goes_back() -> None:
    clock = _Standing(START)
    ids = RowIds(clock, random.Random(1))
    before = ids.next()
    clock.moment -= timedelta(hours=1)

    assert ids.next() > before


def test_ids_survive_json_for_decades() -> None:
    far = RowIds(_Standing(datetime(2090, 1, 1, tzinfo=UTC)), random.Random(1))

    assert 0 < far.next() < 2**53


def test_two_processes_hardly_ever_meet() -> None:
    first = RowIds(_Standing(START), random.Random(1))
    second = RowIds(_Standing(START), random.Random(2))

    assert first.next() != second.next()
