"""Server-sent events: what happened, in one order, resumable without a gap.

Every process can answer, because the events lie in the database. A stream ends by itself after a while, so
that its token is looked at again; clients reconnect with `Last-Event-ID`, as browsers do by themselves.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse

from fillbook.fleet.events import EventSignal, events_after, newest_seq, oldest_seq
from fillbook.http.fields import plain_json
from fillbook.http.principal import Reader
from fillbook.http.provided import provided
from fillbook.kernel.errors import InvalidInput
from fillbook.kernel.scope import Scope
from fillbook.storage.unit import Database

POLL_S = 1.0
HEARTBEAT_S = 10.0
STREAM_LIMIT_S = 900.0

router = APIRouter(tags=["events"])


class InvalidEventId(InvalidInput):
    code = "invalid_event_id"


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "Events `{id, type, at, data}`; `reset` asks to fetch anew, `heartbeat` comes every 10 s.",
        }
    },
)
async def stream_events(
    principal: Reader,
    database: Annotated[Database, Depends(provided(Database))],
    signal: Annotated[EventSignal, Depends(provided(EventSignal))],
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event that was seen.")
    ] = None,
    resume: Annotated[str | None, Query(alias="last_event_id")] = None,
) -> StreamingResponse:
    """What happens from now on, or from the event that was seen last."""
    seen = last_event_id or resume
    if seen is not None and not (seen.isascii() and seen.isdecimal() and len(seen) <= 18):
        raise InvalidEventId("`Last-Event-ID` is the id of an event, a whole number.", ("last_event_id",))
    return StreamingResponse(
        _stream(database, signal, principal.scope, None if seen is None else int(seen)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    database: Database, signal: EventSignal, scope: Scope, seen: int | None
) -> AsyncIterator[bytes]:
    clock = database.clock
    async with database.read() as unit:
        latest, oldest = await newest_seq(unit), await oldest_seq(unit)
    # What lies between the reader and the oldest that is kept is gone; a number never given means another past.
    too_old = seen is not None and (seen > latest or (oldest is not None and seen < oldest - 1))
    if seen is None or too_old:
        seen = latest
    if too_old:
        yield _event("reset", {}, seen)
    started_s = last_sent_s = clock.elapsed_s()
    yield _event("heartbeat", {"at": clock.now()})
    while clock.elapsed_s() - started_s < STREAM_LIMIT_S:
        async with database.read() as unit:
            found = await events_after(unit, scope, seen)
        for event in found:
            seen = event.seq
            document = {"id": event.seq, "type": event.type, "at": event.at, "data": event.data}
            yield _event(event.type, document, event.seq)
        if found:
            last_sent_s = clock.elapsed_s()
            continue
        if clock.elapsed_s() - last_sent_s >= HEARTBEAT_S:
            last_sent_s = clock.elapsed_s()
            yield _event("heartbeat", {"at": clock.now()})
        await signal.wait(POLL_S)


def _event(name: str, document: dict[str, Any], number: int | None = None) -> bytes:
    head = f"event: {name}\n" if number is None else f"id: {number}\nevent: {name}\n"
    return head.encode() + b"data: " + orjson.dumps(plain_json(document)) + b"\n\n"
