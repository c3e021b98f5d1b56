"""Accounts, strategies, links and capital over HTTP: secrets stay in, versions guard, money is exact."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fillbook.accounts.core import KeyPermissions
from fillbook.accounts.tables import accounts, balances
from fillbook.orders.tables import strategy_order_logs

PAPER = {"name": "Paper", "exchange": "okx", "environment": "paper"}
LIVE = {
    "name": "Live",
    "exchange": "binance",
    "environment": "live",
    "api_key": "live-api-key-0001",
    "api_secret": "live-api-secret-0001",
}


async def call(world: Any, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    response: httpx.Response = await world.client.request(
        method, f"/api/v1{path}", json=json, headers={**world.as_trader(), **headers}
    )
    return response


async def test_a_paper_account_needs_no_keys(world: Any) -> None:
    response = await call(world, "POST", "/accounts", PAPER)
    assert response.status_code == 201, response.text
    account = response.json()
    assert (account["exchange"], account["environment"], account["is_active"]) == ("okx", "paper", True)
    assert account["key_fingerprint"]
    assert response.headers["etag"] == '"1"'
    again = await call(world, "GET", f"/accounts/{account['id']}")
    assert again.json() == account


async def test_keys_go_in_and_never_come_out(world: Any) -> None:
    made = await call(world, "POST", "/accounts", LIVE)
    assert made.status_code == 201, made.text
    listed = await call(world, "GET", "/accounts")
    tested = await call(world, "POST", f"/accounts/{made.json()['id']}/test")
    assert tested.status_code == 200
    async with world.database.read() as unit:
        stored = repr(await unit.all(sa.select(accounts)))
    for text in (made.text, listed.text, tested.text, stored):
        assert "live-api" not in text


async def test_a_key_that_may_withdraw_is_refused(world: Any) -> None:
    world.probe.permissions_of_key = KeyPermissions(True, True, True, True, None)
    response = await call(world, "POST", "/accounts", LIVE)
    assert (response.status_code, response.json()["code"]) == (422, "key_may_withdraw")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({**PAPER, "api_key": "k", "api_secret": "s"}, "paper_takes_no_keys"),
        ({**LIVE, "api_secret": None}, "keys_required"),
        ({**LIVE, "exchange": "okx"}, "passphrase_required"),
        ({**PAPER, "exchange": "kraken"}, "invalid"),
        ({**PAPER, "surprise": 1}, "invalid"),
    ],
)
async def test_accounts_that_cannot_be_are_refused(world: Any, asked: dict[str, Any], code: str) -> None:
    response = await call(world, "POST", "/accounts", asked)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert "live-api" not in response.text


async def test_a_change_needs_the_version_that_was_read(world: Any) -> None:
    made = (await call(world, "POST", "/accounts", PAPER)).json()
    path = f"/accounts/{made['id']}"
    without = await call(world, "PATCH", path, {"name": "New"})
    assert (without.status_code, without.json()["code"]) == (428, "precondition_required")
    changed = await call(world, "PATCH", path, {"name": "New"}, If_Match='"1"')
    assert (changed.status_code, changed.json()["name"], changed.headers["etag"]) == (200, "New", '"2"')
    late = await call(world, "PATCH", path, {"name": "Newer"}, If_Match='"1"')
    assert late.status_code == 412
    assert (await call(world, "DELETE", path, None, If_Match='"1"')).status_code == 412
    assert (await call(world, "DELETE", path, None, If_Match='"2"')).status_code == 204
    assert (await call(world, "GET", path)).status_code == 404


async def test_a_stranger_cannot_touch_what_is_not_theirs(world: Any) -> None:
    headers = {**world.as_stranger(), "If-Match": "*"}
    strategy, account = world.strategy_id, world.account_ids[0]
    acts: list[tuple[str, str, Any]] = [
        ("PATCH", f"/accounts/{account}", {"name": "mine"}),
        ("DELETE", f"/accounts/{account}", None),
        ("POST", f"/accounts/{account}/test", None),
        ("GET", f"/accounts/{account}/balances", None),
        ("PATCH", f"/strategies/{strategy}", {"name": "mine"}),
        ("DELETE", f"/strategies/{strategy}", None),
        ("POST", f"/strategies/{strategy}/webhook-key", None),
        ("GET", f"/strategies/{strategy}/accounts", None),
        ("POST", f"/strategies/{strategy}/accounts", {"account_id": account}),
        ("PATCH", f"/strategies/{strategy}/accounts/{account}", {"leverage": "2"}),
        ("DELETE", f"/strategies/{strategy}/accounts/{account}", None),
        ("PUT", f"/strategies/{strategy}/accounts/{account}/capital", {"total_capital": "1"}),
    ]
    for method, path, body in acts:
        response = await world.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert response.status_code == 404, f"{method} {path}: {response.text}"


async def test_from_nothing_to_an_accepted_alert(world: Any) -> None:
    account = (await call(world, "POST", "/accounts", {**PAPER, "exchange": "binance"})).json()
    asked = {
        "name": "Mine",
        "group_name": "mine",
        "market_type": "futures",
        "kind": "webhook",
        "max_positions": 3,
    }
    made = await call(world, "POST", "/strategies", asked)
    assert made.status_code == 201, made.text
    strategy = made.json()
    link = await call(
        world,
        "POST",
        f"/strategies/{strategy['id']}/accounts",
        {"account_id": account["id"], "weight": 1.5, "leverage": 3, "max_symbols": 4},
    )
    assert link.status_code == 201, link.text
    assert (link.json()["weight"], link.json()["leverage"]) == ("1.5", "3")
    path = f"/strategies/{strategy['id']}/accounts/{account['id']}"
    capital = await call(world, "PUT", f"{path}/capital", {"total_capital": "1000.10"})
    assert capital.json() == {
        "currency": "USDT",
        "total_capital": "1000.1",
        "used_capital": "0",
        "reserved_capital": "0",
    }
    alert = {
        "group_name": "mine",
        "token": strategy["webhook_key"],
        "symbol": "BTCUSDT.P",
        "order_type": "MARKET",
        "side": "long",
        "qty_per": "10",
    }
    assert (await world.client.post("/api/webhook", json=alert)).json()["status"] == "accepted"
    unlinked = await call(world, "DELETE", path, None, If_Match=link.headers["etag"])
    assert unlinked.status_code == 204, unlinked.text
    await world.client.post("/api/webhook", json={**alert, "qty_per": 11})
    async with world.database.read() as unit:
        logs = await unit.all(sa.select(strategy_order_logs).order_by(strategy_order_logs.c.id))
    assert [log.total_accounts for log in logs] == [1, 0]


async def test_a_renewed_webhook_key_refuses_the_old_one(world: Any, send: Any) -> None:
    renewed = await call(world, "POST", f"/strategies/{world.strategy_id}/webhook-key")
    assert renewed.status_code == 201
    assert (await send()).status_code == 401
    assert (await send(token=renewed.json()["webhook_key"])).json()["status"] == "accepted"


async def test_capital_by_balance_needs_a_balance_and_takes_the_links_share(world: Any) -> None:
    account_id = world.account_ids[0]
    path = f"/strategies/{world.strategy_id}/accounts/{account_id}/capital"
    early = await call(world, "PUT", path, {"mode": "balance"})
    assert (early.status_code, early.json()["code"]) == (422, "invalid_capital")
    async with world.database.unit() as unit:
        await unit.insert_many(
            balances,
            [
                {
                    "account_id": account_id,
                    "market_type": "futures",
                    "asset": "USDT",
                    "user_id": world.trader_id,
                    "environment": "paper",
                    "free": Decimal(700),
                    "locked": Decimal(300),
                    "at": unit.now,
                }
            ],
        )
    set_now = await call(world, "PUT", path, {"mode": "balance"})
    assert set_now.json()["total_capital"] == "1000"
    both = await call(world, "PUT", path, {"mode": "balance", "total_capital": "1"})
    assert both.status_code == 422


@pytest.mark.parametrize("params", [{"dedupe_window_s": "x"}, {"max_age_s": -1}, {"max_age_s": True}])
async def test_windows_that_are_no_seconds_are_refused(world: Any, params: dict[str, Any]) -> None:
    asked = {"name": "N", "group_name": "g", "market_type": "spot", "params": params}
    assert (await call(world, "POST", "/strategies", asked)).status_code == 422
