"""Which faults a seed has, and how often: most seeds have a few kinds, some have nearly all."""

import random
from typing import Any

from fillbook.venues.sim.direct.site import SimSite

# kind, whom it meets, how likely at most, details
REQUEST_FAULTS: tuple[tuple[str, str, float, dict[str, Any]], ...] = (
    ("accept_then_drop", "^place ", 0.15, {}),
    ("drop_before_accept", "^place ", 0.1, {}),
    ("delay", "^place ", 0.12, {"seconds": (0.5, 7.0)}),
    ("delay", "^place ", 0.1, {"seconds": (3.0, 14.0), "after": True}),
    ("error_page", "^place ", 0.08, {}),
    ("error_page", "^place ", 0.08, {"after": True}),
    ("garbage", "^place ", 0.08, {}),
    ("refuse", "^place ", 0.06, {"code": "-2010", "msg": "Refused."}),
    ("rate_limit", "^place ", 0.04, {"retry_after_s": 2}),
    ("hide_lookups", "^place ", 0.12, {"seconds": (2.0, 60.0)}),
    ("accept_then_drop", "^cancel ", 0.2, {}),
    ("drop_before_accept", "^cancel ", 0.2, {}),
    ("error_page", "^cancel ", 0.15, {}),
    ("garbage", "^cancel ", 0.1, {}),
    ("refuse", "^cancel ", 0.2, {"code": "-2011", "msg": "Unknown order sent."}),
    ("delay", "^cancel ", 0.15, {"seconds": (1.0, 12.0)}),
    ("late_fill", "^cancel ", 0.3, {"seconds": (0.1, 8.0), "fraction": ("0.3", "0.7", "1")}),
    ("rate_limit", "^cancel ", 0.05, {"retry_after_s": 3}),
    ("drop_before_accept", "", 0.06, {"method": "READ"}),
    ("error_page", "", 0.06, {"method": "READ"}),
    ("garbage", "", 0.04, {"method": "READ"}),
    ("delay", "", 0.06, {"method": "READ", "seconds": (0.5, 12.0)}),
    ("rate_limit", "", 0.02, {"method": "READ", "retry_after_s": 2}),
    ("stale", "^(find_order|fills|open_orders|orders_since|positions)", 0.15, {"seconds": (1.0, 20.0)}),
    ("partial_page", "^fills_since", 0.3, {"fills": (1, 2, 3)}),
    ("refuse", "^set_", 0.05, {"code": "-1", "msg": "Not now."}),
    ("drop_before_accept", "^set_", 0.1, {}),
)
STREAM_FAULTS: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("hide_fills", 0.15, {}),
    ("mute_stream", 0.1, {}),
    ("duplicate", 0.2, {}),
    ("reorder", 0.15, {}),
    ("late_message", 0.15, {"seconds": (0.2, 6.0)}),
)


def brew(rng: random.Random, site: SimSite) -> None:
    """Put this seed's lasting faults in force at a venue."""
    share = rng.choice([0.0, 0.15, 0.3, 0.6, 0.9])
    for kind, path, most, details in REQUEST_FAULTS:
        if rng.random() < share:
            drawn = {name: _drawn(rng, value) for name, value in details.items()}
            place = {"path": path} if path else {}
            _put(rng, site, kind, most, **place, **drawn)
    for kind, most, details in STREAM_FAULTS:
        if rng.random() < share:
            _put(rng, site, kind, most, **{name: _drawn(rng, value) for name, value in details.items()})


def _put(rng: random.Random, site: SimSite, kind: str, most: float, **details: Any) -> None:
    details["probability"] = round(rng.uniform(0.2, 1.0) * most, 3)
    site.fault(kind, n=0, seed=rng.getrandbits(32), **details)


def _drawn(rng: random.Random, value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    if all(isinstance(one, float) for one in value):
        return round(rng.uniform(*value), 2)
    return rng.choice(value)


def strike(rng: random.Random, site: SimSite) -> str:
    """One sudden fault of a venue as a whole; says which."""
    kind = rng.choice(
        ["disconnect", "disconnect", "half_open", "maintenance", "ban", "clock_skew", "hide_orders"]
    )
    keys = [None, *site.exchange.accounts]
    match kind:
        case "disconnect":
            details = {"seconds": round(rng.uniform(0.1, 8), 2), "api_key": rng.choice(keys)}
        case "half_open":
            details = {"seconds": round(rng.uniform(5, 40), 1), "api_key": rng.choice(keys)}
        case "maintenance" | "ban":
            details = {"for_s": round(rng.uniform(2, 15), 1)}
        case "clock_skew":
            details = {"seconds": round(rng.uniform(-2, 2), 2), "for_s": 30}
        case _:
            details = {"seconds": round(rng.uniform(2, 40), 1)}
    site.fault(kind, **details)
    whom = details.pop("api_key", None)
    return f"{site.name}: {kind} {details} {(whom or 'all').removeprefix('key-').rstrip('x')}"
