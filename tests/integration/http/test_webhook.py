"""The webhook from outside: what is accepted, what is refused, and that all of it is written down."""

import json
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fillbook.accounts.tables import accounts
from fillbook.identity.tables import users
from fillbook.orders.tables import strategy_order_logs, strategy_order_results
from fillbook.signals.tables import signal_deliveries, signal_keys, signals, webhook_logs
from fillbook.storage.unit import Database
from fillbook.strategies.tables import strategies, strategy_accounts

KEY = "whk-0123456789abcdefghij"


async def rows(database: Database, table: sa.Table) -> list[sa.Row[Any]]:
    async with database.read() as unit:
        return list(await unit.all(sa.select(table).order_by(table.c[next(iter(table.c)).name])))


async def change(database: Database, table: sa.Table, **values: Any) -> None:
    async with database.unit() as unit:
        await unit.execute(sa.update(table).values(**values))


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["detail"]
    return response.status_code, document["code"]


async def test_an_alert_is_written_down_before_it_is_answered(world: Any, send: Any) -> None:
    response = await send()
    assert response.status_code == 200
    answer = response.json()
    assert answer == {"signal_id": answer["signal_id"], "status": "accepted", "duplicate_of": None}
    (signal,) = await rows(world.database, signals)
    assert (signal.symbol, signal.side, signal.signal_type) == ("BTC/USDT:USDT", "buy", "BUY")
    assert (signal.user_id, signal.strategy_id, signal.settings_version) == (
        world.trader_id,
        world.strategy_id,
        1,
    )
    (log,) = await rows(world.database, strategy_order_logs)
    assert (log.signal_id, log.leg, log.status, log.total_accounts) == (signal.id, "0000", "PROCESSING", 2)
    deliveries = await rows(world.database, signal_deliveries)
    assert [(row.account_id, row.state) for row in deliveries] == [
        (number, "new") for number in world.account_ids
    ]
    (webhook_log,) = await rows(world.database, webhook_logs)
    assert (webhook_log.id, webhook_log.status, webhook_log.status_code) == (
        signal.webhook_log_id,
        "accepted",
        200,
    )
    assert webhook_log.ip_address == "203.0.113.9"
    assert world.wakes == [(signal.id, world.account_ids)]


async def test_the_key_is_nowhere_in_the_database(world: Any, send: Any) -> None:
    await send()
    await send(comment=f"my key is {KEY}", note={"deep": [KEY], "api_key": "hunter2"}, indicators={KEY: KEY})
    await send(side="up")
    await send(side=KEY)
    await send(group_name=KEY)
    await world.client.post("/api/webhook", content=f"not json, token: {KEY}")
    await world.client.post(f"/api/webhook/{KEY}", content=f"not json either {KEY}")
    for table in (webhook_logs, signals, strategy_order_logs, strategies):
        stored = repr(await rows(world.database, table))
        assert KEY not in stored
        assert "hunter2" not in stored
    assert len(await rows(world.database, webhook_logs)) == 7


async def test_four_identical_deliveries_are_one_alert_and_three_repeats(world: Any, send: Any) -> None:
    answers = [(await send()).json() for _ in range(4)]
    first = answers[0]["signal_id"]
    assert [answer["status"] for answer in answers] == ["accepted", "duplicate", "duplicate", "duplicate"]
    assert [answer["duplicate_of"] for answer in answers] == [None, first, first, first]
    assert len({answer["signal_id"] for answer in answers}) == 4
    assert len(await rows(world.database, signal_deliveries)) == 2
    assert len(await rows(world.database, strategy_order_logs)) == 1
    assert len(world.wakes) == 1


async def test_an_equal_alert_after_the_window_is_meant(world: Any, send: Any) -> None:
    first = (await send()).json()
    world.clock.advance(31)
    second = (await send()).json()
    third = (await send()).json()
    assert (first["status"], second["status"]) == ("accepted", "accepted")
    assert third["duplicate_of"] == second["signal_id"]
    assert len(await rows(world.database, signal_keys)) == 1


async def test_the_window_is_the_strategys_own(world: Any, send: Any) -> None:
    await change(world.database, strategies, params={"dedupe_window_s": 5})
    await send()
    world.clock.advance(6)
    assert (await send()).json()["status"] == "accepted"


async def test_an_alert_that_names_its_moment_is_a_repeat_however_late(world: Any, send: Any) -> None:
    await send(timenow="2026-01-02T03:04:00Z")
    world.clock.advance(3600)
    assert (await send(timenow="2026-01-02T03:04:00Z")).json()["status"] == "duplicate"
    assert (await send(timenow="2026-01-02T03:05:00Z")).json()["status"] == "accepted"


async def test_an_alert_that_is_too_old_is_kept_and_not_acted_upon(world: Any, send: Any) -> None:
    await change(world.database, strategies, params={"max_age_s": 60})
    answer = (await send(timenow="2026-01-02T03:00:00Z")).json()
    assert answer["status"] == "stale"
    assert not await rows(world.database, signal_deliveries)
    assert world.wakes == []
    assert (await send(timenow="2026-01-02T03:04:00Z")).json()["status"] == "accepted"


async def test_a_batch_has_one_log_per_leg_in_the_order_of_execution(world: Any, send: Any) -> None:
    limit = {"order_type": "LIMIT", "side": "buy", "price": "60000.5", "qty_per": 5}
    await send(orders=[limit, {"order_type": "MARKET", "side": "sell", "qty_per": -100}])
    logs = await rows(world.database, strategy_order_logs)
    assert [(log.leg, log.order_type, log.side) for log in logs] == [
        ("0000", "MARKET", "sell"),
        ("0001", "LIMIT", "buy"),
    ]
    (signal,) = await rows(world.database, signals)
    assert [leg["kind"] for leg in signal.legs] == ["MARKET", "LIMIT"]


ORDER = {"order_type": "MARKET", "side": "buy", "qty_per": 1}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"token": "whk-nobodys-key"}, 401, "invalid_webhook_key"),
        ({"token": ...}, 401, "invalid_webhook_key"),
        ({"group_name": "another"}, 422, "group_mismatch"),
        ({"group_name": ...}, 422, "missing_field"),
        ({"symbol": "NOSUCH/USDT"}, 422, "unknown_symbol"),
        ({"symbol": "?!"}, 422, "unknown_symbol"),
        ({"order_type": "LIMIT"}, 422, "price_required"),
        ({"orders": [ORDER] * 31}, 422, "too_many_orders"),
        ({"orders": []}, 422, "empty_batch"),
        ({"qty_per": 0}, 422, "invalid_quantity"),
        ({"side": "up"}, 422, "invalid_side"),
    ],
)
async def test_every_refusal_is_clear_and_written_down(
    world: Any, send: Any, changes: dict[str, Any], status: int, code: str
) -> None:
    response = await send(**changes)
    assert problem(response) == (status, code)
    (log,) = await rows(world.database, webhook_logs)
    known = status != 401
    assert (log.status, log.error_code, log.status_code) == (
        "rejected" if known else "unauthorised",
        code,
        status,
    )
    assert (log.strategy_id == world.strategy_id) is known
    assert not await rows(world.database, signals)
    assert not await rows(world.database, signal_deliveries)


async def test_a_fault_names_its_field(send: Any) -> None:
    response = await send(orders=[ORDER, {**ORDER, "order_type": "STOP_MARKET"}])
    (error,) = response.json()["errors"]
    assert error["loc"] == ["orders", 1, "stop_price"]


async def test_malformed_json_is_a_400_that_the_owner_of_the_key_can_see(world: Any) -> None:
    body = f'{{"token": "{KEY}", "side": buy}}'
    response = await world.client.post("/api/webhook", content=body)
    assert problem(response) == (400, "malformed_json")
    (log,) = await rows(world.database, webhook_logs)
    assert (log.strategy_id, log.status, log.error_code) == (world.strategy_id, "rejected", "malformed_json")
    assert '"side": buy' in log.request_data


async def test_malformed_json_without_a_key_is_a_400_too(world: Any) -> None:
    response = await world.client.post("/api/webhook", content="BTCUSDT buy")
    assert problem(response) == (400, "malformed_json")
    (log,) = await rows(world.database, webhook_logs)
    assert (log.strategy_id, log.status) == (None, "unauthorised")


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "", "text/plain; charset=utf-8"])
async def test_json_is_taken_whatever_its_content_type(world: Any, content_type: str) -> None:
    body = {"group_name": "trend", "token": KEY, "symbol": "BINANCE:BTCUSDT.P", **ORDER}
    response = await world.client.post(
        "/api/webhook", content=json.dumps(body), headers={"Content-Type": content_type}
    )
    assert response.json()["status"] == "accepted"


async def test_the_key_may_stand_in_the_address_or_in_a_header(world: Any) -> None:
    body = {"group_name": "trend", "symbol": "BTCUSDT", **ORDER}
    by_path = await world.client.post(f"/api/webhook/{KEY}", json=body)
    by_header = await world.client.post("/api/webhook", json=body, headers={"X-Webhook-Key": KEY})
    assert (by_path.json()["status"], by_header.json()["status"]) == ("accepted", "duplicate")


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1024 * 1024, 1024 * 1024 + 1])
async def test_a_body_that_is_too_large_is_a_413_and_logged_for_a_known_key(world: Any, size: int) -> None:
    body = f'{{"token": "{KEY}", "pad": "'.encode() + b"x" * size
    response = await world.client.post("/api/webhook", content=body)
    assert problem(response) == (413, "body_too_large")
    assert f"{len(body)} bytes" in response.json()["detail"]
    (log,) = await rows(world.database, webhook_logs)
    assert (log.strategy_id, log.error_code, log.request_length) == (
        world.strategy_id,
        "body_too_large",
        len(body),
    )
    assert len(log.request_data) <= 256


async def test_a_switched_off_strategy_and_a_suspended_owner_refuse(world: Any, send: Any) -> None:
    await change(world.database, strategies, is_active=False)
    assert problem(await send()) == (422, "strategy_inactive")
    await change(world.database, strategies, is_active=True)
    await change(world.database, users, is_active=False)
    assert problem(await send()) == (422, "owner_inactive")


async def test_an_inactive_account_gets_its_delivery_so_that_the_log_can_say_why_not(
    world: Any, send: Any
) -> None:
    await change(world.database, accounts, is_active=False)
    await send()
    deliveries = await rows(world.database, signal_deliveries)
    assert [(row.account_id, row.state) for row in deliveries] == [
        (number, "new") for number in world.account_ids
    ]
    (log,) = await rows(world.database, strategy_order_logs)
    assert (log.status, log.total_accounts) == ("PROCESSING", 2)


async def test_a_link_that_is_switched_off_is_no_target(world: Any, send: Any) -> None:
    await change(world.database, strategy_accounts, is_active=False)
    await send()
    assert await rows(world.database, signal_deliveries) == []


async def test_an_alert_without_accounts_ends_at_once(world: Any, send: Any) -> None:
    async with world.database.unit() as unit:
        await unit.execute(sa.update(strategy_accounts).values(deleted_at=unit.now))
    await send()
    (log,) = await rows(world.database, strategy_order_logs)
    assert (log.status, log.total_accounts) == ("FAILED", 0)
    assert (await rows(world.database, signals))[0].status == "done"
    assert world.wakes == []


async def test_an_exchange_that_is_down_since_the_start_stops_no_alert(world: Any, send: Any) -> None:
    await change(world.database, accounts, exchange="okx")
    assert (await send(symbol="ANY/USDT")).json()["status"] == "accepted"


async def test_unknown_keys_leave_at_most_ten_rows_a_minute(world: Any, send: Any) -> None:
    for place in range(15):
        assert problem(await send(token=f"whk-wrong-{place}")) == (401, "invalid_webhook_key")
    assert len(await rows(world.database, webhook_logs)) == 10
    assert (await send()).json()["status"] == "accepted"
    world.clock.advance(61)
    await send(token="whk-wrong-again")
    assert len(await rows(world.database, webhook_logs)) == 12


async def test_what_an_unknown_key_sent_is_kept_short_and_masked(world: Any, send: Any) -> None:
    await send(token="whk-somebody-elses-0123456789", comment="x" * 1000)
    (log,) = await rows(world.database, webhook_logs)
    assert len(log.request_data) == 256
    assert "somebody-elses" not in log.request_data
    assert log.webhook_key == ""


async def test_waiting_gives_the_order_logs_in_the_form_of_the_source(world: Any, send: Any) -> None:
    accepted = (await send()).json()
    (log,) = await rows(world.database, strategy_order_logs)
    async with world.database.unit() as unit:
        for account_id, error in zip(world.account_ids, (None, "Insufficient balance"), strict=True):
            await unit.insert_many(
                strategy_order_results,
                [
                    {
                        "log_id": log.id,
                        "account_id": account_id,
                        "user_id": world.trader_id,
                        "environment": "paper",
                        "success": error is None,
                        "error": error,
                        "error_code": error and "insufficient_balance",
                        "settled_at": unit.now,
                    }
                ],
            )
        await unit.execute(
            sa.update(strategy_order_logs).values(
                status="PARTIAL_FAILURE", successful_accounts=1, failed_accounts=1
            )
        )
    response = await world.client.post(
        "/api/webhook?wait=1",
        json={"group_name": "trend", "token": KEY, "symbol": "BTC/USDT", **ORDER, "qty_per": 10},
    )
    answer = response.json()
    assert (answer["status"], answer["duplicate_of"]) == ("duplicate", accepted["signal_id"])
    (leg,) = answer["order_logs"]
    assert (leg["leg"], leg["status"], leg["total_accounts"], leg["successful_accounts"]) == (
        "0000",
        "PARTIAL_FAILURE",
        2,
        1,
    )
    failed = leg["execution_results"][f"account_{world.account_ids[1]}"]
    assert (failed["success"], failed["error"], failed["account_name"], failed["exchange"]) == (
        False,
        "Insufficient balance",
        "Binance 2",
        "binance",
    )


async def test_waiting_has_an_end(world: Any) -> None:
    body = {"group_name": "trend", "token": KEY, "symbol": "BTC/USDT", **ORDER}
    answer = (await world.client.post("/api/webhook?wait=1", json=body)).json()
    assert answer["timeout"] is True
    assert answer["order_logs"][0]["status"] == "PROCESSING"


async def test_a_hint_that_fails_does_not_have_the_alert_sent_again(world: Any, send: Any) -> None:
    def fail(signal_id: int, account_ids: Any) -> None:
        raise RuntimeError("nobody home")

    world.intake.wake = fail
    assert (await send()).json()["status"] == "accepted"
    assert (await send()).json()["status"] == "duplicate"


async def test_an_outcome_that_cannot_be_read_is_no_error_of_the_alert(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: Any) -> None:
        raise sa.exc.OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr("fillbook.signals.service.order_logs_of_signal", fail)
    body = {"group_name": "trend", "token": KEY, "symbol": "BTC/USDT", **ORDER}
    response = await world.client.post("/api/webhook?wait=1", json=body)
    assert response.status_code == 200
    assert (response.json()["status"], response.json()["timeout"]) == ("accepted", True)


@pytest.mark.parametrize("path", ["/api/webhook/", "/api/webhook?wait=perhaps", "/api/webhook?utm=1"])
async def test_an_alert_is_not_refused_for_its_address(world: Any, path: str) -> None:
    body = {"group_name": "trend", "token": KEY, "symbol": "BTC/USDT", **ORDER}
    assert (await world.client.post(path, json=body)).json()["status"] == "accepted"
