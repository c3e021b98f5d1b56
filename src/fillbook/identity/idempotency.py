"""Answers kept for repeated requests: the same `Idempotency-Key` gives the first answer again.

`claim` runs in a unit of its own before the work, `keep` after it. A claim without an answer means that the
first request is still being worked on, or died with it: whether it acted shows in the orders, not here.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fillbook.identity import store
from fillbook.kernel.errors import Conflict, InvalidInput
from fillbook.storage.unit import Unit

MAX_KEY_LENGTH = 200
KEPT = timedelta(days=1)


class KeyReused(InvalidInput):
    code = "idempotency_key_reused"


class StillRunning(Conflict):
    code = "request_in_progress"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The first answer to a request: HTTP status and JSON body."""

    status_code: int
    response: Any


def hash_request(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


async def claim(unit: Unit, user_id: int, key: str, request_hash: str) -> KeptAnswer | None:
    """None: do the work, then `keep` its answer. Otherwise the answer that was given before.

    Raises `KeyReused` when the key belongs to another request, `StillRunning` while the first one runs.
    """
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise KeyReused(f"An Idempotency-Key has 1 to {MAX_KEY_LENGTH} characters.")
    is_new, row = await store.claim_key(unit, user_id, key, request_hash)
    if row.request_hash != request_hash:
        raise KeyReused("This Idempotency-Key was used for a different request: send a new one.")
    if row.status_code is not None:
        return KeptAnswer(row.status_code, row.response)
    if not is_new:
        raise StillRunning("The first request with this Idempotency-Key is still running: ask again shortly.")
    return None


async def keep(unit: Unit, user_id: int, key: str, answer: KeptAnswer) -> None:
    await store.keep_answer(unit, user_id, key, answer.status_code, answer.response)


async def forget(unit: Unit, user_id: int, key: str) -> None:
    """Free a key whose work did nothing, so that the request may be repeated."""
    await store.drop_key(unit, user_id, key)


async def forget_old(unit: Unit) -> None:
    await store.drop_keys_before(unit, unit.now - KEPT)
