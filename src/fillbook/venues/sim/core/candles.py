"""Candles: of minutes that were seen from the prices set, of the time before from a fixed wave.

The past that nobody saw is made from the symbol's name and the minute alone, so that the same question always
gets the same answer; it stays within one percent of the first price and joins the first seen price.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from zlib import crc32

from fillbook.kernel.money import exact, floor_to
from fillbook.venues.sim.core.market import Market

MINUTE_MS = 60_000
MAX_MINUTES_KEPT = 20_000
_WAVE_VOLUME = Decimal(10)


@dataclass(frozen=True, slots=True)
class Candle:
    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Candles:
    def __init__(self) -> None:
        self._seen: dict[str, dict[int, Candle]] = {}

    def note(self, market: Market, price: Decimal, volume: Decimal, at_ms: int) -> None:
        """A price was set or a trade happened."""
        minutes = self._seen.setdefault(market.symbol, {})
        minute = at_ms - at_ms % MINUTE_MS
        known = minutes.get(minute)
        if known is None:
            minutes[minute] = Candle(minute, price, price, price, price, volume)
            if len(minutes) > MAX_MINUTES_KEPT:
                del minutes[next(iter(minutes))]
            return
        minutes[minute] = Candle(
            minute, known.open, max(known.high, price), min(known.low, price), price, known.volume + volume
        )

    def current(self, market: Market, length_ms: int, now_ms: int) -> Candle:
        """The candle that is open now."""
        start = now_ms - now_ms % length_ms
        return self._candle(market, start, min(length_ms, now_ms - start + 1))

    @exact
    def between(
        self,
        market: Market,
        length_ms: int,
        start_ms: int | None,
        end_ms: int | None,
        limit: int,
        now_ms: int,
    ) -> list[Candle]:
        """Candles oldest first: from the start on, else the latest up to the end."""
        last = min(end_ms if end_ms is not None else now_ms, now_ms)
        last -= last % length_ms
        first = last - (limit - 1) * length_ms
        if start_ms is not None:
            first = max(-(-start_ms // length_ms) * length_ms, 0)
            last = min(last, first + (limit - 1) * length_ms)
        starts = range(first, last + 1, length_ms)
        return [self._candle(market, start, min(length_ms, now_ms - start + 1)) for start in starts]

    def _candle(self, market: Market, start_ms: int, length_ms: int) -> Candle:
        minutes = self._seen.get(market.symbol, {})
        if length_ms // MINUTE_MS > len(minutes):
            seen = [minutes[minute] for minute in minutes if start_ms <= minute < start_ms + length_ms]
        else:
            seen = [minutes[minute] for minute in _minutes(start_ms, length_ms) if minute in minutes]
        first_seen = next(iter(minutes), None)
        if not seen:
            if first_seen is not None and start_ms > first_seen:
                return self._flat(market, minutes, start_ms)
            return _wave(market, start_ms, length_ms)
        return Candle(
            start_ms,
            seen[0].open,
            max(candle.high for candle in seen),
            min(candle.low for candle in seen),
            seen[-1].close,
            sum((candle.volume for candle in seen), Decimal(0)),
        )

    def _flat(self, market: Market, minutes: dict[int, Candle], start_ms: int) -> Candle:
        """Nothing happened: the close of the last minute before."""
        close = next(minutes[minute].close for minute in reversed(minutes) if minute < start_ms)
        return Candle(start_ms, close, close, close, close, Decimal(0))


def _minutes(start_ms: int, length_ms: int) -> Iterator[int]:
    return iter(range(start_ms, start_ms + length_ms, MINUTE_MS))


def _wave_price(market: Market, at_ms: int) -> Decimal:
    """A triangle of four hours and one of 50 minutes, in ten-thousandths of the first price."""
    minute = at_ms // MINUTE_MS + crc32(market.symbol.encode()) % 1000
    offset = abs(minute % 240 - 120) - 60 + (abs(minute % 50 - 25) - 12)
    price = market.listing.first_price * (10_000 + offset) / 10_000
    return floor_to(price, market.listing.instrument.tick)


def _wave(market: Market, start_ms: int, length_ms: int) -> Candle:
    step = max(length_ms // 4, 1)
    points = [_wave_price(market, start_ms + part * step) for part in range(5)]
    minutes = max(length_ms // MINUTE_MS, 1)
    return Candle(start_ms, points[0], max(points), min(points), points[-1], _WAVE_VOLUME * minutes)
