"""The real server, which kills itself with signal 9 at one step of the path: `python -m support.crashing STEP`.

With `--hurried` leases end sooner and an heir waits less, so that a test need not wait for them: no request of
such a test is under way for longer.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from fillbook.app.cli import main
from fillbook.trading import engine, tenure
from fillbook.trading.booking import Booking
from fillbook.trading.deciding import Deciding
from fillbook.trading.dispatcher import Dispatcher
from fillbook.trading.engine import Engine
from fillbook.trading.facts import SendSettled
from fillbook.trading.runner import AccountRunner
from fillbook.venues.ccxt.binance.venue import BinanceVenue
from fillbook.venues.ccxt.bitget.venue import BitgetVenue
from fillbook.venues.ccxt.bybit.venue import BybitVenue
from fillbook.venues.ccxt.okx.venue import OkxVenue

NOWHERE = "nowhere"


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner: type, name: str, when: Callable[..., bool] = lambda *_: True) -> None:
    """Die when a coroutine method has done its work and `when(self, *arguments)` holds."""
    original = getattr(owner, name)

    async def then_die(self: Any, *arguments: Any) -> Any:
        result = await original(self, *arguments)
        if when(self, *arguments):
            die()
        return result

    setattr(owner, name, then_die)


def _settles(_: Any, unit: Any, batch: Any, booked: Any, facts: Any) -> bool:
    return any(isinstance(fact, SendSettled) for fact in facts)


def _tell_and_die(self: Any, booked: Any, changed: Any) -> None:
    if booked.fills:
        die()


def _after_sending() -> None:
    for venue in (BinanceVenue, BitgetVenue, BybitVenue, OkxVenue):
        after(venue, "place")


STEPS: dict[str, Callable[[], None]] = {
    NOWHERE: lambda: None,
    "accepted": lambda: setattr(Engine, "wake", die),
    "planning": lambda: after(Deciding, "_write"),
    "planned": lambda: setattr(Dispatcher, "_send", die),
    "sent": _after_sending,
    "settling": lambda: after(Booking, "_save", _settles),
    "settled": lambda: setattr(AccountRunner, "_await_fills", die),
    "booked": lambda: setattr(Booking, "_tell", _tell_and_die),
}


def hurry() -> None:
    tenure.LEASE_TTL_S, tenure.RENEW_EVERY_S, tenure.FORMER_HOLDER_WINDOW_S = 6.0, 1.5, 4.0  # type: ignore[misc]
    engine.LEASE_TTL_S = tenure.LEASE_TTL_S  # type: ignore[misc]


if __name__ == "__main__":
    STEPS[sys.argv[1]]()
    if "--hurried" in sys.argv:
        hurry()
    sys.argv = ["fillbook", "serve"]
    main()
