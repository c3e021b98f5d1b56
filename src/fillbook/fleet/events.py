"""The event log: what happened, for web pages and other processes, in one order that all of them see.

An event is written by the transaction whose change it tells, without a number. The one sequencer numbers
committed events, so that a reader who has seen `seq` n has seen everything up to n.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from fillbook.fleet.tables import events
from fillbook.kernel.scope import Scope
from fillbook.storage.unit import Unit

SEQUENCED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something to tell. `user_id` None: to everybody. `data` is JSON without secrets."""

    user_id: int | None
    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """A numbered event."""

    seq: int
    user_id: int | None
    type: str
    data: Mapping[str, Any]
    at: datetime


class EventSignal:
    """Wakes whoever waits for events in this process. A hint: whoever waits also looks by itself."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, timeout_s: float) -> bool:
        """True when woken, False after the time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        return True


async def append_events(unit: Unit, new: Iterable[NewEvent], signal: EventSignal | None = None) -> None:
    """Write events in the transaction that they tell of; wakes readers once it is committed."""
    rows = [{"user_id": one.user_id, "type": one.type, "data": dict(one.data), "at": unit.now} for one in new]
    await unit.insert_many(events, rows)
    if rows and signal is not None:
        unit.after_commit(signal.wake)


_UNNUMBERED: Final = sa.select(events.c.id).where(events.c.seq.is_(None)).limit(1)


async def has_unnumbered(unit: Unit) -> bool:
    return await unit.scalar(_UNNUMBERED) is not None


async def number_events(unit: Unit) -> int:
    """Number events that have none yet, in the order of their ids; returns how many. For the sequencer alone:
    whoever calls holds the lease `sequencer` and has checked it in this unit."""
    ids = [
        row.id
        for row in await unit.all(
            sa.select(events.c.id)
            .where(events.c.seq.is_(None))
            .order_by(events.c.id)
            .limit(SEQUENCED_AT_ONCE)
        )
    ]
    if not ids:
        return 0
    last = await newest_seq(unit)
    await unit.update_many(
        events, [{"row_id": row_id, "seq": last + place} for place, row_id in enumerate(ids, start=1)]
    )
    return len(ids)


async def newest_seq(unit: Unit) -> int:
    """The number of the newest event; 0 when there is none."""
    return int(await unit.scalar(sa.select(sa.func.max(events.c.seq))) or 0)


async def oldest_seq(unit: Unit) -> int | None:
    """The number of the oldest event that is kept: a reader that is behind it starts anew."""
    found = await unit.scalar(sa.select(sa.func.min(events.c.seq)))
    return None if found is None else int(found)


async def events_after(unit: Unit, scope: Scope, seq: int, limit: int = 500) -> Sequence[Event]:
    """Numbered events above `seq`, oldest first: the scope's own and those for everybody."""
    statement = sa.select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
    if scope.user_id is not None:
        mine = sa.or_(events.c.user_id == scope.user_id, events.c.user_id.is_(None))
        statement = statement.where(mine)
    return [Event(row.seq, row.user_id, row.type, row.data, row.at) for row in await unit.all(statement)]


async def drop_events_before(unit: Unit, moment: datetime) -> None:
    await unit.execute(sa.delete(events).where(events.c.at < moment, events.c.seq.is_not(None)))
