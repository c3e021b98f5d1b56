"""Replies in JSON."""

from collections.abc import Mapping
from typing import Any

import orjson

from fillbook.venues.sim.wire.ports import Reply

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json;charset=UTF-8"}


def json_reply(
    body: Any, status: int = 200, headers: Mapping[str, str] = JSON_HEADERS, code: str = ""
) -> Reply:
    """`code` is the venue's code of a refusal, for the record of requests."""
    return Reply(status, orjson.dumps(body), headers, code)


def to_json(body: Any) -> str:
    return orjson.dumps(body).decode()
