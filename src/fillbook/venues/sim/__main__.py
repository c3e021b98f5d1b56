"""`python -m fillbook.venues.sim --venue binance --port 9001`: the simulated exchange in a process of its own."""

import argparse
import sys
from decimal import Decimal
from pathlib import Path

from fillbook.market.core import VenueName
from fillbook.venues.sim.server import run


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m fillbook.venues.sim", description=__doc__)
    parser.add_argument("--venue", action="append", required=True, type=VenueName, metavar="NAME")
    parser.add_argument("--port", action="append", required=True, type=int, help="one for each --venue")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--seed", type=int, help="move the prices by a random walk with this seed")
    parser.add_argument("--candles", type=Path, help="replay this CSV file")
    parser.add_argument("--speed", type=Decimal, default=Decimal(1))
    chosen = parser.parse_args(arguments)
    if len(chosen.venue) != len(chosen.port):
        parser.error("give one --port for each --venue")
    run(
        dict(zip(chosen.venue, chosen.port, strict=True)),
        seed=chosen.seed,
        candles=chosen.candles,
        speed=chosen.speed,
        host=chosen.host,
        say=_say,
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
