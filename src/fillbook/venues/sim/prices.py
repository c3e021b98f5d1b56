"""What moves the prices: a seeded random walk, or candles replayed from a file."""

import csv
import gzip
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fillbook.kernel.clock import Clock
from fillbook.kernel.errors import InvalidInput, NotFound
from fillbook.kernel.money import divide, exact, floor_to, parse_amount
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.market import Market

WALK_STEP_S = 0.5
_MAX_STEP_BASIS_POINTS = 5
_COLUMNS = ("timestamp_ms", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class FileCandle:
    at_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    def path(self) -> tuple[Decimal, ...]:
        """The four prices in a likely order: the extreme nearer to the open first."""
        if self.close >= self.open:
            return (self.open, self.low, self.high, self.close)
        return (self.open, self.high, self.low, self.close)


@dataclass(frozen=True, slots=True)
class CandleFile:
    """Candles of one symbol. The file's name begins with it: `BTC_USDT-1m.csv`, `XRP_USDT_USDT-5m.csv.gz`."""

    symbols: tuple[str, ...]
    candles: tuple[FileCandle, ...]

    @classmethod
    def read(cls, path: Path) -> "CandleFile":
        """Raises `NotFound` or `InvalidInput` with what is wrong in the file."""
        if not path.exists():
            raise NotFound(f"There is no file {path}.")
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
            rows = csv.DictReader(lines)
            if rows.fieldnames is None or not set(_COLUMNS) <= set(rows.fieldnames):
                raise InvalidInput(f"{path.name} needs the columns {', '.join(_COLUMNS)}.")
            try:
                candles = tuple(
                    FileCandle(int(row["timestamp_ms"]), *(parse_amount(row[name]) for name in _COLUMNS[1:5]))
                    for row in rows
                )
            except ValueError as error:
                raise InvalidInput(f"{path.name} line {rows.line_num}: {error}.") from error
        if not candles:
            raise InvalidInput(f"{path.name} holds no candles.")
        return cls(_symbols_of(path), candles)


def _symbols_of(path: Path) -> tuple[str, ...]:
    """Spot and perpetual of a two-part name, the perpetual alone of a three-part one."""
    parts = path.name.split("-")[0].split("_")
    if len(parts) == 3:
        return (f"{parts[0]}/{parts[1]}:{parts[2]}",)
    if len(parts) == 2:
        return (f"{parts[0]}/{parts[1]}", f"{parts[0]}/{parts[1]}:{parts[1]}")
    raise InvalidInput(f"The name {path.name} does not begin with a symbol such as BTC_USDT.")


async def drive(
    exchange: Exchange, clock: Clock, rng: random.Random, source: CandleFile | None, speed: Decimal
) -> None:
    """Move prices until cancelled, or until the candles end."""
    if source is not None:
        for symbols, price, wait_s in _replay(source):
            await clock.sleep(wait_s / float(speed))
            for symbol in symbols:
                if symbol in exchange.markets:
                    set_on_tick(exchange, exchange.markets[symbol], price)
        return
    while True:
        await clock.sleep(WALK_STEP_S / float(speed))
        walk(exchange, rng)


def _replay(source: CandleFile) -> Iterator[tuple[tuple[str, ...], Decimal, float]]:
    first, *rest = source.candles
    length_ms = rest[0].at_ms - first.at_ms if rest else 60_000
    for candle in source.candles:
        for price in candle.path():
            yield source.symbols, price, length_ms / 4000


def walk(exchange: Exchange, rng: random.Random) -> None:
    """One step of every symbol; spot and perpetual of one pair step together."""
    steps: dict[tuple[str, str], int] = {}
    for market in exchange.markets.values():
        instrument = market.listing.instrument
        pair = (instrument.base, instrument.quote)
        if pair not in steps:
            steps[pair] = rng.randint(-_MAX_STEP_BASIS_POINTS, _MAX_STEP_BASIS_POINTS)
        moved = exact(_moved)(market.price, steps[pair])
        set_on_tick(exchange, market, moved)


def _moved(price: Decimal, basis_points: int) -> Decimal:
    return divide(price * (10_000 + basis_points), Decimal(10_000))


def set_on_tick(exchange: Exchange, market: Market, price: Decimal) -> None:
    if not market.is_listed:
        return
    tick = market.listing.instrument.tick
    exchange.set_price(market.symbol, max(floor_to(price, tick), tick))
