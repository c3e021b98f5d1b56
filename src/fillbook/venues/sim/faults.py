"""Faults on demand: what the simulated exchange does wrong, to whom, and how often.

Each kind is one row of `KINDS`; a fault meets the next `n` requests (or stream messages) that match its
method, path, account and probability. Probability uses the fault's own seed, so a run can be repeated.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from fillbook.kernel.errors import InvalidInput


class Stage(Enum):
    """Where a kind acts: on a request, on a stream message, or at once and only then."""

    REQUEST = "request"
    STREAM = "stream"
    NOW = "now"


KINDS: dict[str, Stage] = {
    "accept_then_drop": Stage.REQUEST,  # carry out, then cut the connection without an answer
    "drop_before_accept": Stage.REQUEST,  # cut the connection, do nothing
    "delay": Stage.REQUEST,  # wait `seconds` before (or, with `after: true`, after) carrying out
    "refuse": Stage.REQUEST,  # answer `status`, `code`, `msg`, do nothing
    "accept_then_refuse": Stage.REQUEST,  # carry out, but answer `status`, `code`, `msg`
    "rate_limit": Stage.REQUEST,  # HTTP 429
    "garbage": Stage.REQUEST,  # carry out, answer 200 with something that is not JSON
    "truncate": Stage.REQUEST,  # carry out, cut the connection in the middle of the answer
    "late_fill": Stage.REQUEST,  # orders that a matching request cancels fill by `fraction` `seconds` later
    "hide_lookups": Stage.REQUEST,  # orders made by a matching request are unknown for `seconds`
    "hide_fills": Stage.STREAM,  # withhold messages that tell of a fill
    "mute_stream": Stage.STREAM,  # withhold every private message
    "duplicate": Stage.STREAM,  # send private messages twice
    "reorder": Stage.STREAM,  # hold a private message back until the account's next one was sent
    "disconnect": Stage.NOW,  # cut WebSockets
    "expire_listen_key": Stage.NOW,  # end listen keys, as an hour of silence does
}


@dataclass(slots=True)
class Fault:
    id: int
    kind: str
    n: int
    method: str | None
    path: re.Pattern[str] | None
    api_key: str | None
    probability: float
    details: Mapping[str, Any]
    rng: random.Random
    met: int = 0

    @property
    def stage(self) -> Stage:
        return KINDS[self.kind]

    def as_row(self) -> dict[str, Any]:
        return {"id": self.id, "kind": self.kind, "left": self.n, "met": self.met}


@dataclass(slots=True)
class Faults:
    """The faults in force, oldest first."""

    active: list[Fault] = field(default_factory=list)
    _held: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    _made: int = 0

    def add(self, body: Mapping[str, Any]) -> Fault:
        """`{kind, n=1, method?, path?, api_key?, probability=1, seed=0, ...details}`; n of 0 means always."""
        kind = body.get("kind")
        if kind not in KINDS:
            raise InvalidInput(f"Unknown fault {kind!r}; known are {', '.join(KINDS)}.")
        self._made += 1
        n = int(body.get("n", 1))
        try:
            path = re.compile(body["path"]) if body.get("path") else None
        except re.error as error:
            raise InvalidInput(f"The path is not a regular expression: {error}.") from error
        fault = Fault(
            id=self._made,
            kind=kind,
            n=n if n > 0 else 2**62,
            method=body.get("method"),
            path=path,
            api_key=body.get("api_key"),
            probability=float(body.get("probability", 1)),
            details=body,
            rng=random.Random(int(body.get("seed", 0))),
        )
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults; messages that were held back go out."""
        self.active.clear()
        for sends in self._held.values():
            for late in sends:
                late()
        self._held.clear()

    def for_request(self, method: str, path: str, api_key: str) -> list[Fault]:
        """The faults that this request meets; each is used up by one."""
        if not self.active:
            return []
        return [
            fault
            for fault in list(self.active)
            if fault.stage is Stage.REQUEST
            and fault.method in (None, method)
            and (fault.path is None or fault.path.search(path))
            and fault.api_key in (None, api_key)
            and self._meets(fault)
        ]

    def pass_on(self, api_key: str, is_fill: bool, send: Callable[[], None]) -> None:
        """Send a private stream message as usual, twice, later, or not at all."""
        copies, is_held = 1, False
        for fault in list(self.active):
            if fault.stage is not Stage.STREAM or fault.api_key not in (None, api_key):
                continue
            if (fault.kind == "hide_fills" and not is_fill) or not self._meets(fault):
                continue
            if fault.kind == "duplicate":
                copies = 2
            elif fault.kind == "reorder":
                is_held = True
            else:
                copies = 0
        if is_held and copies:
            self._held.setdefault(api_key, []).append(send)
            return
        for _ in range(copies):
            send()
        for late in self._held.pop(api_key, []):
            late()

    def _meets(self, fault: Fault) -> bool:
        if fault.probability < 1 and fault.rng.random() >= fault.probability:
            return False
        fault.n -= 1
        fault.met += 1
        if fault.n <= 0:
            self.active.remove(fault)
        return True
