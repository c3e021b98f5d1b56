"""What the server needs of a venue's wire, and what it hands to it: a call in plain text, a reply in bytes."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from fillbook.venues.sim.wire.sockets import Outlet

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

    def banned(self, call: Call, seconds: int) -> Reply:
        """How the venue answers an address that went on in spite of rate limits, for `seconds` more."""

    def under_maintenance(self, call: Call) -> Reply:
        """How the venue answers while it works on itself."""

    def is_socket(self, path: str) -> bool: ...

    async def serve_socket(self, request: web.BaseRequest) -> web.StreamResponse: ...

    def listeners(self, api_key: str) -> int:
        """How many private streams an account has open."""

    def outlets(self, api_key: str | None) -> Collection[Outlet]:
        """The open sockets that carry an account's private streams, or every socket."""

    def expire_listen_keys(self, api_key: str | None) -> int:
        """End the listen keys of an account, or all, where the venue has such; how many there were."""

    def tick(self) -> None:
        """Do what is due by the clock alone; called every few seconds."""

    async def close(self) -> None: ...
