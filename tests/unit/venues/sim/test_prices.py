"""What moves prices: the walk repeats under its seed, a candle file is replayed in its order."""

import gzip
import random
from decimal import Decimal

import pytest

from fillbook.kernel.errors import InvalidInput, NotFound
from fillbook.venues.sim.core.vocabulary import PriceEvent
from fillbook.venues.sim.prices import CandleFile, drive, walk

HEADER = "timestamp_ms,open,high,low,close,volume\n"
ROWS = "1000,100,110,90,105,1\n301000,105,106,80,85,2\n"


def _prices(floor):
    return {symbol: market.price for symbol, market in floor.exchange.markets.items()}


def test_the_walk_is_the_same_under_the_same_seed(new_floor):
    seen = []
    for seed in (5, 5, 6):
        floor, rng = new_floor(None), random.Random(seed)
        for _ in range(20):
            walk(floor.exchange, rng)
        seen.append(_prices(floor))
    assert seen[0] == seen[1] != seen[2]


def test_prices_walk_on_the_tick_and_in_small_steps(floor):
    rng = random.Random(1)
    before = _prices(floor)
    walk(floor.exchange, rng)
    for symbol, market in floor.exchange.markets.items():
        instrument = market.listing.instrument
        assert market.price % instrument.tick == 0
        assert abs(market.price - before[symbol]) <= before[symbol] * Decimal("0.0005") + instrument.tick


@pytest.mark.parametrize("name", ["XRP_USDT-5m.csv", "XRP_USDT-5m.csv.gz"])
async def test_candles_are_replayed_open_to_close(floor, clock, tmp_path, name):
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress((HEADER + ROWS).encode()))
    else:
        path.write_text(HEADER + ROWS)
    seen = []
    floor.exchange.subscribe(
        lambda event: (
            seen.append(floor.exchange.markets[event.symbol].price)
            if isinstance(event, PriceEvent) and event.symbol == "XRP/USDT"
            else None
        )
    )
    before = clock.elapsed_s()
    await drive(floor.exchange, clock, random.Random(0), CandleFile.read(path), Decimal(10))
    assert seen == [100, 90, 110, 105, 105, 106, 80, 85]
    assert clock.elapsed_s() - before == pytest.approx(2 * 300 / 10)
    assert floor.exchange.markets["XRP/USDT:USDT"].price == 85


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("XRP_USDT-5m.csv", "time,open\n1,2\n", "columns"),
        ("XRP_USDT-5m.csv", HEADER, "no candles"),
        ("XRP_USDT-5m.csv", HEADER + "1,a,2,3,4,5\n", "line 2"),
        ("prices.csv", HEADER + ROWS, "symbol"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, name, text, says):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InvalidInput, match=says):
        CandleFile.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotFound, match="none"):
        CandleFile.read(tmp_path / "none.csv")
