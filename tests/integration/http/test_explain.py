"""What a text would do, without doing it."""

import json
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.tables import accounts
from fillbook.signals.tables import signal_keys, signals, webhook_logs

BODY = {
    "group_name": "trend",
    "token": "whk-0123456789abcdefghij",
    "symbol": "BTCUSDT.P",
    "order_type": "MARKET",
    "side": "buy",
    "qty_per": 10,
}


async def explain(world: Any, body: Any, headers: Any = None, query: str = "") -> Any:
    content = body if isinstance(body, str) else json.dumps(body)
    response = await world.client.post(
        f"/api/webhook/explain{query}", content=content, headers=headers or world.as_trader()
    )
    assert response.status_code == 200, response.text
    return response.json()


async def test_an_explanation_says_what_would_happen_and_does_nothing(world: Any) -> None:
    async with world.database.unit() as unit:
        await unit.execute(
            sa.update(accounts).where(accounts.c.id == world.account_ids[1]).values(is_active=False)
        )
    for _ in range(2):
        found = await explain(world, BODY)
        assert (found["status"], found["symbol"], found["signal_type"]) == (
            "accepted",
            "BTC/USDT:USDT",
            "BUY",
        )
        assert [account["obstacle"] for account in found["accounts"]] == [None, "account_inactive"]
        assert found["legs"][0]["qty_per"] == "10"
    async with world.database.read() as unit:
        for table in (signals, signal_keys, webhook_logs):
            assert await unit.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    assert world.wakes == []


async def test_a_repeat_is_foretold(world: Any) -> None:
    await world.client.post("/api/webhook", json=BODY)
    assert (await explain(world, BODY))["status"] == "duplicate"


async def test_a_refusal_is_foretold_with_its_place(world: Any) -> None:
    found = await explain(world, {**BODY, "order_type": "LIMIT"})
    assert (found["status"], found["refusal"]["code"], found["refusal"]["loc"]) == (
        "refused",
        "price_required",
        ["price"],
    )
    broken = await explain(world, '{"side": buy}', query=f"?strategy_id={world.strategy_id}")
    assert broken["refusal"]["code"] == "malformed_json"


async def test_a_text_without_a_key_is_explained_for_the_strategy_that_is_named(world: Any) -> None:
    keyless = {name: value for name, value in BODY.items() if name != "token"}
    assert (await explain(world, keyless))["refusal"]["code"] == "invalid_webhook_key"
    found = await explain(world, keyless, query=f"?strategy_id={world.strategy_id}")
    assert found["status"] == "accepted"


async def test_a_stranger_learns_nothing_of_a_key_or_a_strategy(world: Any) -> None:
    found = await explain(world, BODY, world.as_stranger())
    assert (found["status"], found["strategy_id"], found["accounts"]) == ("refused", None, [])
    response = await world.client.post(
        f"/api/webhook/explain?strategy_id={world.strategy_id}", json=BODY, headers=world.as_stranger()
    )
    assert response.status_code == 404
