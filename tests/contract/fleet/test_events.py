"""Events are written with what they tell, and numbered after it is committed."""

import pytest

from fillbook.fleet.events import (
    EventSignal,
    NewEvent,
    append_events,
    events_after,
    newest_seq,
    number_events,
    oldest_seq,
)
from fillbook.identity.core import User
from fillbook.kernel.scope import EVERYONE, Scope
from fillbook.storage.unit import Database


async def test_events_are_numbered_without_a_gap_in_the_order_of_their_writing(database: Database) -> None:
    async with database.unit() as unit:
        await append_events(unit, [NewEvent(None, "a", {"n": 1}), NewEvent(None, "b", {"n": 2})])
    async with database.unit() as unit:
        assert await events_after(unit, EVERYONE, 0) == []
        assert await number_events(unit) == 2
    async with database.unit() as unit:
        await append_events(unit, [NewEvent(None, "c", {"n": 3})])
        assert await number_events(unit) == 1
        assert await number_events(unit) == 0
    async with database.read() as unit:
        found = await events_after(unit, EVERYONE, 0)
        assert [(event.seq, event.type, event.data) for event in found] == [
            (1, "a", {"n": 1}),
            (2, "b", {"n": 2}),
            (3, "c", {"n": 3}),
        ]
        assert [event.seq for event in await events_after(unit, EVERYONE, 1, limit=1)] == [2]
        assert (await oldest_seq(unit), await newest_seq(unit)) == (1, 3)


async def test_a_stranger_hears_only_what_is_for_everybody(database: Database, person: object) -> None:
    ann: User = await person("ann")  # type: ignore[operator]
    eve: User = await person("eve")  # type: ignore[operator]
    async with database.unit() as unit:
        await append_events(unit, [NewEvent(ann.id, "order.changed", {}), NewEvent(None, "notice", {})])
        await number_events(unit)
    async with database.read() as unit:
        heard = await events_after(unit, Scope.of(eve.id), 0)
        own = await events_after(unit, Scope.of(ann.id), 0)
    assert [event.type for event in heard] == ["notice"]
    assert [event.type for event in own] == ["order.changed", "notice"]


async def test_an_event_of_a_unit_that_failed_was_never_there_and_wakes_nobody(database: Database) -> None:
    signal = EventSignal()
    woken: list[str] = []
    signal.wake = lambda: woken.append("woken")  # type: ignore[method-assign]
    with pytest.raises(LookupError):
        async with database.unit() as unit:
            await append_events(unit, [NewEvent(None, "a", {})], signal)
            raise LookupError
    assert woken == []
    async with database.unit() as unit:
        await append_events(unit, [NewEvent(None, "b", {})], signal)
        assert woken == []
        await number_events(unit)
    assert woken == ["woken"]
    async with database.read() as unit:
        assert [event.type for event in await events_after(unit, EVERYONE, 0)] == ["b"]
