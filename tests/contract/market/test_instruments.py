"""Trading rules keep their history, on each database."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from fillbook.market.core import Instrument, MarketType, VenueName
from fillbook.market.service import instrument_at, instruments_in_force, save_instruments
from fillbook.storage.unit import Database

BTC = Instrument(
    venue=VenueName.BINANCE,
    symbol="BTC/USDT",
    market_type=MarketType.SPOT,
    base="BTC",
    quote="USDT",
    settle="USDT",
    tick=Decimal("0.01"),
    lot=Decimal("0.00001"),
    min_notional=Decimal(5),
)
PEPE = replace(BTC, symbol="1000PEPE/USDT:USDT", base="1000PEPE", tick=Decimal("0.0000001"), lot=Decimal(1))


async def test_a_rule_comes_back_as_it_was_listed(database: Database) -> None:
    async with database.unit() as unit:
        assert await save_instruments(unit, [BTC, PEPE]) == 2
        found = await instruments_in_force(unit, VenueName.BINANCE)
        assert found == {one.symbol: replace(one, valid_from=unit.now) for one in (BTC, PEPE)}
        assert await instruments_in_force(unit, VenueName.OKX) == {}


async def test_an_unchanged_listing_changes_nothing(database: Database) -> None:
    async with database.unit() as unit:
        await save_instruments(unit, [BTC])
    async with database.unit() as unit:
        assert await save_instruments(unit, [BTC]) == 0


async def test_a_changed_rule_closes_the_old_one_and_both_are_found_by_time(
    database: Database, clock: object
) -> None:
    async with database.unit() as unit:
        await save_instruments(unit, [BTC])
        begun = unit.now
    clock.advance(3600)  # type: ignore[attr-defined]
    async with database.unit() as unit:
        assert await save_instruments(unit, [replace(BTC, lot=Decimal("0.001"))]) == 1
        changed = unit.now
    async with database.read() as unit:
        in_force = await instruments_in_force(unit, VenueName.BINANCE)
        lots = []
        for moment in (begun - timedelta(days=1), begun, changed - timedelta(microseconds=1), changed):
            found = await instrument_at(unit, VenueName.BINANCE, "BTC/USDT", moment)
            assert found is not None
            lots.append(found.lot)
        assert await instrument_at(unit, VenueName.BINANCE, "ETH/USDT", begun) is None
    old, new = Decimal("0.00001"), Decimal("0.001")
    assert in_force["BTC/USDT"].lot == new
    assert lots == [old, old, old, new]


async def test_a_test_venue_has_rules_of_its_own(database: Database) -> None:
    demo = replace(BTC, lot=Decimal("0.1"))
    async with database.unit() as unit:
        await save_instruments(unit, [BTC], "live")
        await save_instruments(unit, [demo], "demo")
        assert (await instruments_in_force(unit, VenueName.BINANCE, "live"))["BTC/USDT"].lot == BTC.lot
        assert (await instruments_in_force(unit, VenueName.BINANCE, "demo"))["BTC/USDT"].lot == demo.lot
