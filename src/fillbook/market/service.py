"""Trading rules as they were known at any moment: a changed rule closes the old row and opens a new one.

Rules are kept per venue and environment (a test venue has its own). An old fold keeps the rules of its time.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from fillbook.market import store
from fillbook.market.core import Instrument, VenueName
from fillbook.storage.unit import Unit


async def save_instruments(unit: Unit, found: Iterable[Instrument], environment: str = "live") -> int:
    """Keep what a venue lists now; returns how many rules are new or changed. Unlisted ones are left alone."""
    by_symbol = {(one.venue, one.symbol): one for one in found}
    venues = sorted({venue for venue, _ in by_symbol})
    known = {
        (one.venue, one.symbol): (number, one)
        for number, one in await store.in_force(unit, venues, environment)
    }
    changed = {
        key: one for key, one in by_symbol.items() if key not in known or not _same(known[key][1], one)
    }
    await store.close(unit, [known[key][0] for key in changed if key in known])
    await store.insert(unit, environment, changed.values())
    return len(changed)


async def instruments_in_force(
    unit: Unit, venue: VenueName, environment: str = "live"
) -> dict[str, Instrument]:
    """The rules in force at a venue, by symbol."""
    return {one.symbol: one for _, one in await store.in_force(unit, [venue], environment)}


async def instrument_at(
    unit: Unit, venue: VenueName, symbol: str, moment: datetime, environment: str = "live"
) -> Instrument | None:
    """The rule of a symbol at a moment; before the first known rule, that one. None: never heard of."""
    history = await store.history(unit, venue, environment, symbol)
    until = [one for one in history if one.valid_from is not None and one.valid_from <= moment]
    return until[-1] if until else (history[0] if history else None)


def _same(known: Instrument, found: Instrument) -> bool:
    return replace(known, valid_from=None) == replace(found, valid_from=None)
