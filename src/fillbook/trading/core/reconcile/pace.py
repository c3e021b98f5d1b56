"""How deep a look goes, why it is made, and when the next one is due. Times are spans, never moments."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

QUIET_EVERY = timedelta(minutes=5)
WHOLE_EVERY = timedelta(minutes=15)
UNREAD_EVERY = timedelta(seconds=10)
UNRESOLVED_FIRST = timedelta(seconds=2)
UNRESOLVED_LONGEST = timedelta(seconds=10)
ENTRIES_EVERY = timedelta(hours=6)
"""Funding and transfers are heavy to read, and nothing that is traded depends on them."""
_DOUBLINGS_BOUND = 8


class Depth(StrEnum):
    """QUIET: positions, and each live order. CATCH_UP: the fills of every followed symbol and the balances too.
    WHOLE: every open order of every book besides, and the labels."""

    QUIET = "quiet"
    CATCH_UP = "catch_up"
    WHOLE = "whole"


class Cause(StrEnum):
    """Why a look is made. QUIET is the word of the one row that an account keeps of its latest look without a finding,
    whyever that was made."""

    START = "start"
    CONNECTION = "connection"
    REPEAT = "repeat"
    ROUTINE = "routine"
    ASKED = "asked"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands after a look. `troubles` counts the looks in a row that left something over."""

    is_streaming: bool
    was_read: bool
    is_unresolved: bool
    troubles: int = 0


def pause_after(standing: Standing) -> timedelta:
    """How long until the next look is due. While something is unresolved it is soon; while all is well, a live
    stream brings what happens."""
    if not standing.was_read or not standing.is_streaming:
        return UNREAD_EVERY
    if standing.is_unresolved:
        doublings = min(max(standing.troubles - 1, 0), _DOUBLINGS_BOUND)
        return min(UNRESOLVED_FIRST * (1 << doublings), UNRESOLVED_LONGEST)
    return QUIET_EVERY
