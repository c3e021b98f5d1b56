"""What makes two alerts one: the hash of the body without its key, in canonical form.

Equal bodies that name their own moment are repeats however late they come. Without a time, equal bodies are
repeats within the strategy's window: TradingView's own four deliveries all fall within 27 seconds.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

TIME_FIELDS = frozenset({"timenow", "timestamp", "time"})


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    STALE = "stale"


def fingerprint_of(document: Mapping[str, Any]) -> str:
    """64 hex characters; the same for every order of fields and every spelling of the same number."""
    without_key = {name: value for name, value in document.items() if name.lower() != "token"}
    canonical = json.dumps(_canonical(without_key), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def names_its_moment(document: Mapping[str, Any]) -> bool:
    return any(name.lower() in TIME_FIELDS and value not in (None, "") for name, value in document.items())


def judge(
    *,
    now: datetime,
    sent_at: datetime | None,
    max_age_s: int | None,
    is_timed: bool,
    first_seen_at: datetime | None,
    window_s: int,
) -> Verdict:
    """Whether an alert is acted upon. `first_seen_at` is when an equal one was last accepted, if ever.

    A repeat is called a repeat even when it is also old. `max_age_s` None: no alert is too old.
    """
    if first_seen_at is not None and (is_timed or now - first_seen_at < timedelta(seconds=window_s)):
        return Verdict.DUPLICATE
    if sent_at is not None and max_age_s is not None and now - sent_at > timedelta(seconds=max_age_s):
        return Verdict.STALE
    return Verdict.ACCEPTED


def _canonical(value: Any) -> Any:
    match value:
        case Decimal():
            return ["number", *_number_key(value)]
        case dict():
            return {name: _canonical(child) for name, child in value.items()}
        case list():
            return [_canonical(child) for child in value]
    return value


def _number_key(number: Decimal) -> tuple[int, str, int]:
    """Sign, digits without trailing zeros, exponent: equal for equal numbers, whatever their size."""
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits))
    stripped = text.rstrip("0").lstrip("0")
    if not stripped:
        return (0, "0", 0)
    return (sign, stripped, int(exponent) + len(text) - len(text.rstrip("0")))
