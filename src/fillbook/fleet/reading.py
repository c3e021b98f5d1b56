"""Events as one person sees them: in the sequencer's order, their own and those for everybody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fillbook.fleet.tables import events
from fillbook.kernel.scope import Scope
from fillbook.storage.unit import Unit

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    type: str
    at: datetime
    data: Any


async def last_seq(unit: Unit) -> int:
    """The number of the latest event of anybody; 0 before the first."""
    return int(await unit.scalar(sa.select(sa.func.max(events.c.seq))) or 0)


async def is_too_old(unit: Unit, seq: int) -> bool:
    """Whether events after this number are no longer kept, so that resuming there would leave a gap."""
    first = await unit.scalar(sa.select(sa.func.min(events.c.seq)))
    latest = await last_seq(unit)
    return seq > latest or (first is not None and seq < int(first) - 1)


async def events_after(unit: Unit, scope: Scope, seq: int) -> list[Event]:
    """At most `AT_ONCE` events after a number. Events are nobody's rows, so the scope is spelt out here."""
    statement = sa.select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(AT_ONCE)
    if scope.user_id is not None:
        statement = statement.where(sa.or_(events.c.user_id == scope.user_id, events.c.user_id.is_(None)))
    return [Event(row.seq, row.type, row.at, row.data) for row in await unit.all(statement)]
