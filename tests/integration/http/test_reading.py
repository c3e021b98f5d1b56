"""Lists and single objects: pages without gaps, exact amounts, times in UTC."""

import csv
from typing import Any

import pytest
import sqlalchemy as sa

from fillbook.accounts.tables import accounts
from fillbook.fleet.api import _stream
from fillbook.fleet.events import EventSignal
from fillbook.fleet.tables import events
from fillbook.kernel.scope import Scope
from fillbook.signals.tables import signals


class Ticking(EventSignal):
    """Nobody wakes it; waiting moves the clock."""

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self._clock = clock

    async def wait(self, timeout_s: float) -> bool:
        self._clock.advance(timeout_s)
        return False


async def get(world: Any, path: str, **params: Any) -> Any:
    response = await world.client.get(f"/api/v1{path}", params=params, headers=world.as_trader())
    assert response.status_code == 200, response.text
    return response.json()


async def test_pages_follow_one_another_without_gap_or_overlap(world: Any, send: Any) -> None:
    for number in range(5):
        await send(note=number)
    for path in ("/signals", "/webhook-logs", "/strategy-order-logs"):
        seen: list[int] = []
        cursor: dict[str, Any] = {}
        while True:
            page = await get(world, path, limit=2, **cursor)
            seen += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert len(seen) == 5, path
        assert seen == sorted(seen, reverse=True), path


@pytest.mark.parametrize("cursor", ["nonsense", "W10", "WyJhIl0", "!!"])
async def test_a_cursor_of_somewhere_else_is_refused(world: Any, cursor: str) -> None:
    response = await world.client.get("/api/v1/orders", params={"cursor": cursor}, headers=world.as_trader())
    assert (response.status_code, response.json()["code"]) == (422, "invalid_cursor")


async def test_filters_are_by_field_name(world: Any, send: Any) -> None:
    await send()
    await send()
    await send(symbol="ETH/USDT")
    assert len((await get(world, "/signals", status="duplicate"))["items"]) == 1
    assert len((await get(world, "/signals", symbol="ETH/USDT:USDT"))["items"]) == 1
    assert len((await get(world, "/webhook-logs", status="accepted"))["items"]) == 2
    assert len((await get(world, "/orders", status="live"))["items"]) == 0
    assert len((await get(world, "/signals", environment="paper"))["items"]) == 3
    assert (await get(world, "/signals", environment="live"))["items"] == []
    assert (await get(world, "/strategy-order-logs", environment="live"))["items"] == []


async def test_a_signal_tells_its_whole_story(world: Any, send: Any) -> None:
    first = (await send(comment="breakout", confidence=0.75, indicators={"rsi": 61.5})).json()["signal_id"]
    second = (await send(comment="breakout", confidence=0.75, indicators={"rsi": 61.5})).json()["signal_id"]
    story = await get(world, f"/signals/{first}")
    assert (story["reason"], story["confidence"], story["indicators"]) == (
        "breakout",
        "0.75",
        {"rsi": "61.5"},
    )
    assert '"group_name":"trend"' in story["body"].replace(" ", "")
    assert "whk-0123456789" not in story["body"]
    assert [repeat["id"] for repeat in story["repeats"]] == [second]
    assert [delivery["account_name"] for delivery in story["deliveries"]] == ["Binance 1", "Binance 2"]
    assert story["order_logs"][0]["status"] == "PROCESSING"
    assert story["at"] == "2026-01-02T03:04:05.000006Z"


async def test_instruments_show_exact_amounts(world: Any) -> None:
    page = await get(world, "/instruments", symbol="BTC/USDT:USDT")
    assert (page["items"][0]["tick"], page["items"][0]["lot"]) == ("0.1", "0.001")


async def test_events_resume_after_the_last_that_was_seen(world: Any) -> None:
    async with world.database.unit() as unit:
        for number, user_id in (
            (1, world.trader_id),
            (2, world.trader_id + 1),
            (3, None),
            (4, world.trader_id),
        ):
            await unit.insert(
                events,
                {"seq": number, "user_id": user_id, "type": "order", "data": {"n": number}, "at": unit.now},
            )
    seen = []
    async for chunk in _stream(world.database, Ticking(world.clock), Scope.of(world.trader_id), 1):
        seen.append(chunk.decode())
        if len(seen) == 4:
            break
    assert seen[0].startswith("event: heartbeat")
    assert [text.split("\n")[0] for text in seen[1:3]] == ["id: 3", "id: 4"]
    assert '"data":{"n":4}' in seen[2]
    assert seen[3].startswith("event: heartbeat")


async def test_events_that_are_no_longer_kept_ask_to_fetch_anew(world: Any) -> None:
    async with world.database.unit() as unit:
        await unit.insert(events, {"seq": 50, "user_id": None, "type": "order", "data": {}, "at": unit.now})
    async for chunk in _stream(world.database, Ticking(world.clock), Scope.of(world.trader_id), 10):
        assert chunk.startswith(b"id: 50\nevent: reset\n")
        break


async def test_a_provider_sees_that_an_account_of_another_took_part_and_not_its_name(
    world: Any, send: Any
) -> None:
    async with world.database.unit() as unit:
        await unit.execute(
            sa.update(accounts)
            .where(accounts.c.id == world.account_ids[1])
            .values(user_id=world.trader_id + 1)
        )
    signal_id = (await send()).json()["signal_id"]
    story = await get(world, f"/signals/{signal_id}")
    assert [delivery["account_name"] for delivery in story["deliveries"]] == ["Binance 1", None]
    async with world.database.read() as unit:
        assert await unit.scalar(sa.select(sa.func.count()).select_from(signals)) == 1


async def test_a_list_is_csv_for_whoever_asks_all_pages_and_without_formulas(world: Any, send: Any) -> None:
    await send(comment="=HYPERLINK(1)", confidence=0.5)
    await send(comment="plain, with comma", symbol="ETH/USDT")
    response = await world.client.get(
        "/api/v1/signals?limit=1", headers={**world.as_trader(), "Accept": "text/csv"}
    )
    assert response.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(response.text.splitlines()))
    assert [line["symbol"] for line in lines] == ["ETH/USDT:USDT", "BTC/USDT:USDT"]
    assert [line["reason"] for line in lines] == ["plain, with comma", "'=HYPERLINK(1)"]
    assert lines[1]["confidence"] == "0.5"
    assert lines[0]["at"] == "2026-01-02T03:04:05.000006Z"
    nobodys = await world.client.get("/api/v1/signals", headers={**world.as_stranger(), "Accept": "text/csv"})
    assert len(nobodys.text.splitlines()) == 1
