"""OKX's envelopes: what an answer holds, and what became of each thing that was asked for.

A top code of 0 does not say that all was done: each row has a code of its own, whatever the top one is.
"""

from typing import Any

from fillbook.market.core import VenueName
from fillbook.orders.core.outcomes import Rejected, Unknown
from fillbook.venues.ccxt.calls import CallFailed, without_secrets
from fillbook.venues.ccxt.client import VenueClient
from fillbook.venues.ccxt.library import errors
from fillbook.venues.ccxt.okx.endpoints import has_rows
from fillbook.venues.ccxt.outcomes import UNREADABLE_ANSWER, outcome_of

DONE = "0"
Row = dict[str, Any]


def rows_of(answer: Any) -> list[Row]:
    """The `data` of a read. Raises `TypeError` for what is none."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise TypeError("an answer has no data")
    return rows


def acted_rows(answer: Any) -> list[Row]:
    """The rows of an act's answer; none where it says nothing of what was asked for."""
    return answer["data"] if has_rows(answer) else []


def failure_of(row: Row, client: VenueClient) -> CallFailed | None:
    """A refused row as the failure that ccxt would have made of it; None: it was carried out."""
    code = str(row["sCode"])
    if code == DONE:
        return None
    kind = client.exchange.exceptions["exact"].get(code, errors.ExchangeError)
    return CallFailed(kind, code, without_secrets(str(row.get("sMsg") or "no reason given"), client.secrets))


def only_row(answer: Any, client: VenueClient) -> Row | Rejected | Unknown:
    """The row of an act that asked for one thing, or what its refusal means."""
    rows = acted_rows(answer)
    if len(rows) != 1:
        return UNREADABLE_ANSWER
    failure = failure_of(rows[0], client)
    return rows[0] if failure is None else outcome_of(VenueName.OKX, failure)
