"""Equal alerts at the same instant: exactly one is acted upon, whoever wins."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.signals import store
from fillbook.signals.core.request import RawAlert
from fillbook.signals.service import Intake
from fillbook.signals.store import LostRace, SeenKey
from fillbook.signals.tables import signal_deliveries, signal_keys

BODY = (
    b'{"group_name": "trend", "token": "whk-0123456789abcdefghij", "symbol": "BTC/USDT",'
    b' "order_type": "MARKET", "side": "buy", "qty_per": 10}'
)


async def test_equal_alerts_at_once_are_one_and_repeats(world: Any, send: Any) -> None:
    answers = [response.json() for response in await asyncio.gather(*(send() for _ in range(8)))]
    accepted = [answer for answer in answers if answer["status"] == "accepted"]
    assert len(accepted) == 1
    assert {answer["duplicate_of"] for answer in answers} == {None, accepted[0]["signal_id"]}
    async with world.database.read() as unit:
        assert await unit.scalar(sa.select(sa.func.count()).select_from(signal_deliveries)) == 2


async def test_whoever_finds_the_key_taken_over_has_lost(world: Any, send: Any) -> None:
    accepted = (await send()).json()["signal_id"]
    async with world.database.read() as unit:
        fingerprint = await unit.scalar(sa.select(signal_keys.c.hash))
    stale = SeenKey(world.clock.now(), accepted + 1)
    with pytest.raises(LostRace):
        async with world.database.unit() as unit:
            await store.remember_key(unit, world.strategy_id, fingerprint, accepted, stale)
    with pytest.raises(sa.exc.IntegrityError):
        async with world.database.unit() as unit:
            await store.remember_key(unit, world.strategy_id, fingerprint, accepted, None)


@pytest.mark.parametrize("loss", [LostRace(), sa.exc.IntegrityError("insert", {}, Exception("taken"))])
async def test_a_lost_race_is_judged_again(
    world: Any, monkeypatch: pytest.MonkeyPatch, loss: Exception
) -> None:
    remember, losses = store.remember_key, [loss]

    async def lose_first(*arguments: Any) -> None:
        if losses:
            raise losses.pop()
        await remember(*arguments)

    monkeypatch.setattr(store, "remember_key", lose_first)
    intake: Intake = world.intake
    accepted = await intake.accept(RawAlert(BODY, len(BODY), "203.0.113.9"))
    assert accepted.status.value == "accepted"
    async with world.database.read() as unit:
        assert await unit.scalar(sa.select(sa.func.count()).select_from(signal_deliveries)) == 2
    assert len(world.wakes) == 1
