"""When an order of unknown fate is looked up next, and what an answer decides.

Only a clean look-up (every book and the fills were read) can say "not there", and one such answer proves
little: an order counts as never placed after three, the last of them asked 60 s beyond the time within which
the request could still have taken effect. It then stays watched for an hour.

An order that the venue has shown before cannot count as never placed. When no book has it any more, it counts as
vanished after three clean look-ups over an hour, and only once it is so old that the venue forgets such orders.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

CLEAN_MISSES_NEEDED = 3
BEYOND_WINDOW = timedelta(seconds=60)
WATCH_FOR = timedelta(hours=1)
VANISHED = "vanished"
VANISHES_OVER = timedelta(hours=1)
"""Venues lose sight of orders that live, in busy times for more than half an hour."""
_FIRST_DELAY_SECS = 1.0
_LONGEST_DELAY_SECS = 10.0
_FIRST_WATCH_DELAY_SECS = 60.0
_LONGEST_WATCH_DELAY_SECS = 600.0
_GROWTH_BOUND = 10  # doublings beyond which a delay has long reached its longest


class Probe(StrEnum):
    """One look-up's answer. FAILED: something could not be read, which says nothing."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    FAILED = "failed"


class Verdict(StrEnum):
    KEEP_WAITING = "keep_waiting"
    ADOPT = "adopt"
    NEVER_PLACED = "never_placed"
    STOP_WATCHING = "stop_watching"


@dataclass(frozen=True, slots=True)
class LookUps:
    """What has been asked about one order so far.

    `request_window` is how long after `unknown_since` the request may still take effect: its time-out and the
    venue's receive window. `never_placed_at` is set once that was concluded; from then on it is a watch.
    """

    unknown_since: datetime
    request_window: timedelta
    next_at: datetime
    attempts: int = 0
    clean_misses: int = 0
    never_placed_at: datetime | None = None

    @property
    def provable_from(self) -> datetime:
        """A miss asked at or after this time may be the last that is needed."""
        return self.unknown_since + self.request_window + BEYOND_WINDOW

    @property
    def is_watch(self) -> bool:
        return self.never_placed_at is not None


@dataclass(frozen=True, slots=True)
class LookedUp:
    verdict: Verdict
    state: LookUps


def start(unknown_since: datetime, request_window: timedelta) -> LookUps:
    """The first look-up is due at once."""
    return LookUps(unknown_since, request_window, unknown_since)


def decide(state: LookUps, probe: Probe, asked_at: datetime) -> LookedUp:
    """What follows from an answer to a look-up that was begun at `asked_at`."""
    state = replace(state, attempts=state.attempts + 1)
    if probe is Probe.FOUND:
        return LookedUp(Verdict.ADOPT, state)
    if probe is Probe.NOT_FOUND:
        state = replace(state, clean_misses=state.clean_misses + 1)
    if state.never_placed_at is not None:
        if probe is Probe.NOT_FOUND and asked_at >= state.never_placed_at + WATCH_FOR:
            return LookedUp(Verdict.STOP_WATCHING, state)
        return LookedUp(Verdict.KEEP_WAITING, replace(state, next_at=asked_at + _watch_delay(state.attempts)))
    is_proven = state.clean_misses >= CLEAN_MISSES_NEEDED and asked_at >= state.provable_from
    if probe is Probe.NOT_FOUND and is_proven:
        next_at = asked_at + timedelta(seconds=_FIRST_WATCH_DELAY_SECS)
        watched = replace(state, attempts=0, never_placed_at=asked_at, next_at=next_at)
        return LookedUp(Verdict.NEVER_PLACED, watched)
    return LookedUp(Verdict.KEEP_WAITING, replace(state, next_at=asked_at + _delay(state.attempts)))


def has_vanished(
    clean_misses: int,
    missed_since: datetime,
    last_known_at: datetime,
    unfilled_kept: timedelta | None,
    now: datetime,
) -> bool:
    """Whether an order that was live at `last_known_at` is gone for good, without a fill that nobody booked.

    `unfilled_kept` is how long the venue still finds an order that ended unfilled; None: for ever.
    """
    return (
        unfilled_kept is not None
        and clean_misses >= CLEAN_MISSES_NEEDED
        and now - missed_since >= VANISHES_OVER
        and now - last_known_at > unfilled_kept
    )


def _delay(attempts: int) -> timedelta:
    """1, 2, 4, 8, 10, 10, ... seconds."""
    doublings = min(attempts - 1, _GROWTH_BOUND)
    return timedelta(seconds=min(_FIRST_DELAY_SECS * 2**doublings, _LONGEST_DELAY_SECS))


def _watch_delay(attempts: int) -> timedelta:
    """2, 4, 8, 10, 10, ... minutes."""
    doublings = min(attempts, _GROWTH_BOUND)
    return timedelta(seconds=min(_FIRST_WATCH_DELAY_SECS * 2**doublings, _LONGEST_WATCH_DELAY_SECS))
