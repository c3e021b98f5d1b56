"""One request to a venue, and how it can fail.

An `Endpoint` is a row of a venue's table. A `CallFailed` carries the venue's own code and sentence and ccxt's
class, and never an address, a signature or a key: ccxt puts whole signed addresses into its messages.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_SIGNATURE = re.compile(
    r"(?i)(signature|api_?key|secret|passphrase|listenkey)([\"']?\s*[=:]\s*[\"']?)[^&\s\"',}]+"
)
_LONG_TOKEN = re.compile(r"\b[0-9A-Za-z+/_-]{40,}={0,2}")
_ADDRESS = re.compile(r"\b(?:https?|wss?)://\S+")
MESSAGE_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`api` (its parts joined by a dot) and `path` are ccxt's names; `weight` is what the venue charges.

    `pool` names the budget of the egress address, `account_pool` that of the account; empty: there is none.
    An urgent read is one that an order waits for, or that settles what became of one.
    """

    api: str
    method: str
    path: str
    weight: int
    pool: str
    is_urgent: bool = False
    account_pool: str = ""


class CallFailed(Exception):
    """A request without a usable answer. `kind` is ccxt's exception class, `code` the venue's or a word of ours.

    `sent` is False when it is certain that nothing left this process.
    """

    def __init__(self, kind: type[Exception], code: str, message: str, sent: bool = True) -> None:
        super().__init__(f"{code}: {message}")
        self.kind = kind
        self.code = code
        self.message = message
        self.sent = sent


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """The text fit for a log or a page: no addresses, signatures or keys, and of bounded length."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _ADDRESS.sub("***", text)
    text = _SIGNATURE.sub(r"\1\2***", text)
    text = _LONG_TOKEN.sub("***", text)
    return text[:MESSAGE_LIMIT]


def describe_failure(error: Exception, secrets: Iterable[str]) -> CallFailed:
    """Our failure from ccxt's exception, which `VenueClient` has marked with the venue's code and sentence."""
    code: Any = getattr(error, "venue_code", None)
    message: Any = getattr(error, "venue_message", None)
    kind = type(error)
    if code is None:
        code = kind.__name__
    if not message:
        message = "the venue gave no reason"
    return CallFailed(kind, str(code), without_secrets(str(message), secrets))
