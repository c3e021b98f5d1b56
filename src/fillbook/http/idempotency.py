"""`Idempotency-Key`: a request that is sent twice acts once and gets the same answer twice."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from fillbook.identity import idempotency
from fillbook.identity.core import Principal
from fillbook.kernel.errors import FillbookError
from fillbook.storage.unit import Database


@dataclass(frozen=True, slots=True)
class RepeatableRequest:
    """The key that came with a request, if one did, and what the request was."""

    key: str | None
    request_hash: str


async def _repeatable(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="Any text of your own, up to 200 characters.")
    ] = None,
) -> RepeatableRequest:
    body = await request.body()
    return RepeatableRequest(
        idempotency_key, idempotency.hash_request(request.method, request.url.path, body)
    )


Repeatable = Annotated[RepeatableRequest, Depends(_repeatable)]


async def once(
    repeat: RepeatableRequest,
    database: Database,
    principal: Principal,
    status_code: int,
    work: Callable[[], Awaitable[BaseModel]],
) -> Response:
    """The answer of `work`, or the answer that this key was given before.

    An expected refusal frees the key: nothing was done. After anything else the key stays claimed, because
    nobody knows what was done.
    """
    key = repeat.key
    if key is None:
        return _answer(status_code, (await work()).model_dump(mode="json"))
    user_id = principal.user_id
    kept = await database.run(lambda unit: idempotency.claim(unit, user_id, key, repeat.request_hash))
    if kept is not None:
        return _answer(kept.status_code, kept.response)
    try:
        document = (await work()).model_dump(mode="json")
    except FillbookError:
        await database.run(lambda unit: idempotency.forget(unit, user_id, key))
        raise
    answer = idempotency.KeptAnswer(status_code, document)
    await database.run(lambda unit: idempotency.keep(unit, user_id, key, answer))
    return _answer(status_code, document)


def _answer(status_code: int, document: Any) -> Response:
    return Response(orjson.dumps(document), status_code, media_type="application/json")
