"""What the server needs of a venue's wire, and what it hands to it: a call in plain text, a reply in bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

PassOn = Callable[[str, bool, Callable[[], None]], None]
"""Private stream messages go through this: (api key, whether they tell of a fill, how to send them)."""


@dataclass(slots=True)
class Call:
    """One REST request. `params` are the decoded parameters of query and body, once the wire has read them."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    api_key: str = ""
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""


class Wire(Protocol):
    def read(self, call: Call) -> None:
        """Fill in the call's api key and parameters."""

    def respond(self, call: Call) -> Reply:
        """Carry out a call. Never raises for what a client sends."""

    def refuse(self, call: Call, status: int, code: str, message: str) -> Reply:
        """A refusal in the venue's form that a fault asks for."""

    def rate_limited(self, call: Call, retry_after_s: int) -> Reply: ...

    def is_socket(self, path: str) -> bool: ...

    async def serve_socket(self, request: web.BaseRequest) -> web.StreamResponse: ...

    def listeners(self, api_key: str) -> int:
        """How many private streams an account has open."""

    def stream_fault(self, kind: str, details: Mapping[str, Any]) -> int:
        """Apply a fault of streams now; how many streams it met."""

    def tick(self) -> None:
        """Do what is due by the clock alone; called every few seconds."""

    async def close(self) -> None: ...
