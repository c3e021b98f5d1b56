"""`python -m benchmarks.exchange PORT`: the simulated exchange, with patience for a hundred accounts.

The simulated exchange states one used weight for whoever asks; a real one counts by address. The accounts of a
benchmark come from several addresses, so here no weight is stated and each client counts its own.
"""

import sys

from fillbook.market.core import VenueName
from fillbook.venues.sim.server import run
from fillbook.venues.sim.wire.binance.wire import BinanceWire


def _no_weight(self: BinanceWire, path: str, weight: int) -> dict[str, str]:
    return {"Content-Type": "application/json"}


if __name__ == "__main__":
    BinanceWire._weigh = _no_weight  # type: ignore[method-assign]
    run({VenueName.BINANCE: int(sys.argv[1])}, say=print)
