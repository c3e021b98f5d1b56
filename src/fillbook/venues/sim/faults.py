"""Faults on demand: what the simulated exchange does wrong, to whom, how often and for how long.

Each kind is one row of `KINDS`. A fault meets the next `n` requests (or stream messages) that match its method,
path, account and probability, and ends after `for_s` seconds where that is given. Probability uses the fault's
own seed, so a run can be repeated.
"""

import asyncio
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from fillbook.kernel.clock import Clock
from fillbook.kernel.errors import InvalidInput


class Stage(Enum):
    """Where a kind acts: on a request, on a private stream message, on what a stream tells of a fill, on the
    venue as a whole, or at once and only then."""

    REQUEST = "request"
    STREAM = "message"
    FILL = "fill"
    VENUE = "venue"
    NOW = "at once"


KINDS: dict[str, Stage] = {
    "accept_then_drop": Stage.REQUEST,  # carry out, then cut the connection without an answer
    "drop_before_accept": Stage.REQUEST,  # cut the connection, do nothing
    "delay": Stage.REQUEST,  # wait `seconds` before (or, with `after: true`, after) carrying out
    "refuse": Stage.REQUEST,  # answer `status`, `code`, `msg`, do nothing
    "accept_then_refuse": Stage.REQUEST,  # carry out, but answer `status`, `code`, `msg`
    "error_page": Stage.REQUEST,  # answer `status` with a proxy's HTML; with `after: true` carry out first
    "rate_limit": Stage.REQUEST,  # refuse this request as one too many
    "ban": Stage.REQUEST,  # refuse everything, as a venue does to an address that went on
    "maintenance": Stage.REQUEST,  # refuse everything and close the sockets, as a venue at work on itself
    "garbage": Stage.REQUEST,  # carry out, answer 200 with something that is not JSON
    "truncate": Stage.REQUEST,  # carry out, cut the connection in the middle of the answer
    "late_fill": Stage.REQUEST,  # orders that a matching request cancels fill by `fraction` `seconds` later
    "hide_lookups": Stage.REQUEST,  # orders made by a matching request are unknown for `seconds`
    "hide_fills": Stage.STREAM,  # withhold messages that tell of a fill
    "mute_stream": Stage.STREAM,  # withhold every private message
    "late_message": Stage.STREAM,  # send a private message `seconds` late, behind those that follow it
    "duplicate": Stage.STREAM,  # send private messages twice
    "reorder": Stage.STREAM,  # hold a private message back until the account's next one was sent
    "correct_fill": Stage.FILL,  # tell of a fill with another `fee` or `price` than the record has
    "clock_skew": Stage.VENUE,  # the venue's clock goes `seconds` before (below zero: after) the world's
    "hide_orders": Stage.NOW,  # every order that there is becomes unknown to look-ups for `seconds`
    "fill": Stage.NOW,  # an order fills by `quantity`, whatever its state and size
    "disconnect": Stage.NOW,  # cut WebSockets
    "half_open": Stage.NOW,  # leave WebSockets open and dead: nothing is sent, no ping is answered
    "expire_listen_key": Stage.NOW,  # end listen keys, as an hour of silence does
}
_LASTS_S = {"ban": 60.0, "maintenance": 60.0}
_ALWAYS = 2**62


@dataclass(slots=True)
class Fault:
    """`ends_s` is on the clock that counts sleep; None: only `n` ends it."""

    id: int
    kind: str
    stage: Stage
    n: int
    ends_s: float | None
    method: str | None
    path: re.Pattern[str] | None
    api_key: str | None
    probability: float
    details: Mapping[str, Any]
    rng: random.Random
    met: int = 0

    def as_row(self) -> dict[str, Any]:
        return {"id": self.id, "kind": self.kind, "left": self.n, "met": self.met}


@dataclass(slots=True)
class Faults:
    """The faults in force, oldest first, of the kinds that whoever asks for them can act out."""

    clock: Clock
    kinds: Mapping[str, Stage] = field(default_factory=lambda: KINDS)
    active: list[Fault] = field(default_factory=list)
    _held: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    _made: int = 0

    def add(self, body: Mapping[str, Any]) -> Fault:
        """`{kind, n=1, for_s?, method?, path?, api_key?, probability=1, seed=0, ...details}`; n of 0 means
        always, and is what a fault with `for_s` has unless it says otherwise."""
        kind = str(body.get("kind"))
        if kind not in self.kinds:
            raise InvalidInput(f"Unknown fault {kind!r}; known are {', '.join(self.kinds)}.")
        self._made += 1
        lasts_s = body.get("for_s", _LASTS_S.get(kind))
        n = int(body.get("n", 1 if lasts_s is None else 0))
        try:
            path = re.compile(body["path"]) if body.get("path") else None
        except re.error as error:
            raise InvalidInput(f"The path is not a regular expression: {error}.") from error
        fault = Fault(
            id=self._made,
            kind=kind,
            stage=self.kinds[kind],
            n=n if n > 0 else _ALWAYS,
            ends_s=None if lasts_s is None else self.clock.elapsed_s() + float(lasts_s),
            method=body.get("method"),
            path=path,
            api_key=body.get("api_key"),
            probability=float(body.get("probability", 1)),
            details=body,
            rng=random.Random(int(body.get("seed", 0))),
        )
        if fault.stage is not Stage.NOW:
            self.active.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults; messages that were held back go out."""
        self.active.clear()
        for sends in self._held.values():
            for late in sends:
                late()
        self._held.clear()

    def in_force(self) -> list[Fault]:
        """The faults whose time is not over."""
        if self.active:
            now_s = self.clock.elapsed_s()
            self.active = [fault for fault in self.active if fault.ends_s is None or now_s < fault.ends_s]
        return list(self.active)

    def seconds_left(self, fault: Fault) -> float:
        return 0.0 if fault.ends_s is None else max(fault.ends_s - self.clock.elapsed_s(), 0.0)

    def skew_ms(self) -> int:
        """How far the venue's clock is ahead of the world's."""
        if not self.active:
            return 0
        skews = [fault for fault in self.in_force() if fault.kind == "clock_skew"]
        return round(float(skews[-1].details.get("seconds", 0)) * 1000) if skews else 0

    def refuses_sockets(self) -> bool:
        return any(fault.kind == "maintenance" for fault in self.in_force())

    def for_request(self, method: str, path: str, api_key: str) -> list[Fault]:
        """The faults that this request meets; each is used up by one."""
        return [
            fault
            for fault in self.in_force()
            if fault.stage is Stage.REQUEST
            and fault.method in (None, method)
            and (fault.path is None or fault.path.search(path))
            and fault.api_key in (None, api_key)
            and self._meets(fault)
        ]

    def for_fill(self, api_key: str) -> Fault | None:
        """The fault that what streams tell of this fill meets."""
        for fault in self.in_force():
            if fault.stage is Stage.FILL and fault.api_key in (None, api_key) and self._meets(fault):
                return fault
        return None

    def pass_on(self, api_key: str, is_fill: bool, send: Callable[[], None]) -> None:
        """Send a private stream message as usual, twice, later, or not at all."""
        copies, is_held, late_s = 1, False, None
        for fault in self.in_force():
            if fault.stage is not Stage.STREAM or fault.api_key not in (None, api_key):
                continue
            if (fault.kind == "hide_fills" and not is_fill) or not self._meets(fault):
                continue
            match fault.kind:
                case "duplicate":
                    copies = 2
                case "reorder":
                    is_held = True
                case "late_message":
                    late_s = float(fault.details.get("seconds", 1))
                case _:
                    copies = 0
        if copies and late_s is not None:
            asyncio.get_running_loop().call_later(late_s, send)
            return
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
