"""What holds for every route: who may ask, what strangers see, and how errors are told."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from fillbook.app.web.application import create_app
from fillbook.identity.tables import api_tokens
from fillbook.storage.unit import Database

OPEN_PATHS = {"/health", "/health/live", "/health/ready", "/api/webhook", "/api/webhook/{key}"}

NOBODYS_OR_ONES_OWN = {"/api/v1/events", "/api/v1/instruments", "/api/v1/auth/me", "/api/v1/tokens"}


def operations(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every (method, path) of the OpenAPI document, with 1 for each parameter in the path."""
    for path, methods in app.openapi()["paths"].items():
        if path in OPEN_PATHS:
            continue
        filled = path
        while "{" in filled:
            head, _, rest = filled.partition("{")
            filled = f"{head}1{rest.partition('}')[2]}"
        for method in methods:
            yield method.upper(), filled


def code_of(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    document = response.json()
    assert set(document) >= {"type", "title", "status", "detail", "code"}
    return response.status_code, document["code"]


async def test_nobody_gets_past_any_route_but_the_open_ones(world: Any) -> None:
    walked = list(operations(world.app))
    assert len(walked) > 20
    for method, path in walked:
        response = await world.client.request(method, path)
        assert code_of(response) == (401, "not_signed_in"), f"{method} {path}"
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer fbk_wrong", "Bearer ", "Basic abc", "fbk_wrong"])
async def test_a_token_that_is_none_is_nobody(world: Any, header: str) -> None:
    response = await world.client.get("/api/v1/orders", headers={"Authorization": header})
    assert code_of(response) == (401, "not_signed_in")


async def test_a_stranger_sees_nothing_of_anybody(world: Any, send: Any) -> None:
    await send()
    shown: set[str] = set()
    for method, path in operations(world.app):
        if method != "GET" or path in NOBODYS_OR_ONES_OWN:
            continue
        response = await world.client.get(path, headers=world.as_stranger())
        if response.status_code == 404:
            continue
        assert response.status_code == 200, f"{path}: {response.text}"
        assert response.json()["items"] == [], path
        if (await world.client.get(path, headers=world.as_trader())).json()["items"]:
            shown.add(path)
    # The owner does see something there, so that the walk above proves something.
    assert shown >= {"/api/v1/signals", "/api/v1/strategy-order-logs", "/api/v1/webhook-logs"}


async def test_a_token_without_the_scope_may_not_act(world: Any) -> None:
    async with world.database.unit() as unit:
        await unit.execute(sa.update(api_tokens).values(scopes="read"))
    response = await world.client.delete("/api/v1/orders/1", headers=world.as_trader())
    assert code_of(response) == (403, "missing_scope")
    assert world.desk.asked == []


async def test_an_unknown_path_and_a_wrong_method_are_problems(world: Any) -> None:
    assert code_of(await world.client.get("/api/v1/nothing")) == (404, "not_found")
    assert code_of(await world.client.put("/api/webhook")) == (405, "method_not_allowed")


async def test_what_does_not_validate_names_its_fields(world: Any) -> None:
    order = {"account_id": 1, "symbol": "BTC/USDT", "side": "up", "order_type": "LIMIT", "quantity": "-1"}
    response = await world.client.post("/api/v1/orders", json=order, headers=world.as_trader())
    assert code_of(response) == (422, "invalid")
    assert {tuple(error["loc"]) for error in response.json()["errors"]} == {("side",), ("quantity",)}
    unread = await world.client.post(
        "/api/v1/orders", content="{", headers={**world.as_trader(), "Content-Type": "application/json"}
    )
    assert code_of(unread) == (400, "malformed_json")
    listed = await world.client.get("/api/v1/orders?limit=501", headers=world.as_trader())
    assert listed.json()["errors"][0]["loc"] == ["limit"]


async def test_a_body_above_a_megabyte_is_refused(world: Any) -> None:
    for content in (b"x" * (1024 * 1024 + 1), chunks()):
        response = await world.client.post("/api/v1/orders", content=content, headers=world.as_trader())
        assert code_of(response) == (413, "body_too_large")


async def chunks() -> Any:
    for _ in range(17):
        yield b"x" * 65536


async def test_an_unexpected_error_tells_nothing_of_itself(sqlite_database: Database) -> None:
    app = create_app({Database: sqlite_database})

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("secret inside")

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://fillbook.test") as client:
        response = await client.get("/boom")
    assert code_of(response) == (500, "internal_error")
    assert "secret inside" not in response.text


async def test_a_service_that_this_server_lacks_is_a_503(sqlite_database: Database) -> None:
    transport = httpx.ASGITransport(app=create_app({Database: sqlite_database}))
    async with httpx.AsyncClient(transport=transport, base_url="http://fillbook.test") as client:
        assert code_of(await client.post("/api/webhook", content="{}")) == (503, "not_available")


async def test_health_says_whether_this_server_trades(world: Any) -> None:
    assert (await world.client.get("/health")).json() == {"status": "ok"}
    assert (await world.client.get("/health/live")).status_code == 200
    ready = (await world.client.get("/health/ready")).json()
    assert ready == {
        "ready": True,
        "database": "ok",
        "trades": False,
        "reason": "Another server holds the data directory.",
    }
    metrics = await world.client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'fillbook_http_requests_total{method="GET",route="/health",status="200"} 1.0' in metrics.text


async def test_no_webhook_key_is_in_the_metrics(world: Any) -> None:
    await world.client.post("/api/webhook/whk-0123456789abcdefghij", content="{}")
    metrics = (await world.client.get("/metrics")).text
    assert "whk-" not in metrics
    assert 'route="/webhook/{key}"' in metrics


async def test_the_openapi_document_is_served_with_examples(world: Any) -> None:
    document = (await world.client.get("/api/openapi.json")).json()
    assert document["openapi"].startswith("3.")
    alert = document["paths"]["/api/webhook"]["post"]["requestBody"]["content"]["application/json"]
    assert set(alert["examples"]) == {"market", "close", "batch"}
    assert document["components"]["schemas"]["Problem"]


async def test_the_examples_of_the_document_are_understood(world: Any) -> None:
    document = world.app.openapi()
    examples = document["paths"]["/api/webhook"]["post"]["requestBody"]["content"]["application/json"][
        "examples"
    ]
    for name, example in examples.items():
        body = {**example["value"], "token": "whk-0123456789abcdefghij"}
        response = await world.client.post("/api/webhook", json=body)
        assert response.status_code == 200, (name, response.text)


async def test_a_repeated_key_gives_the_first_answer_and_a_refusal_frees_it(world: Any) -> None:
    order = {"account_id": 1, "symbol": "BTC/USDT", "side": "buy", "order_type": "MARKET", "quantity": "0.01"}
    headers = {**world.as_trader(), "Idempotency-Key": "one"}
    for _ in range(2):
        response = await world.client.post("/api/v1/orders", json=order, headers=headers)
        assert code_of(response) == (404, "not_found")
    assert len(world.desk.asked) == 2


HUGE = 10**30
LISTS_WITH_TEXT = (
    "/orders?symbol=%00",
    "/signals?symbol=%00",
    "/fills?symbol=%00",
    "/webhook-logs?error_code=%00",
)


async def test_numbers_and_characters_that_no_database_holds_are_refused(world: Any) -> None:
    for method, path in operations(world.app):
        if "/1" not in path:
            continue
        response = await world.client.request(
            method, path.replace("/1", f"/{HUGE}"), headers={**world.as_trader(), "If-Match": '"1"'}, json={}
        )
        assert code_of(response) == (422, "invalid"), f"{method} {path}"
    for query in (f"account_id={HUGE}", "account_id=-1", "cursor=WzFlMzBd", f"signal_id={HUGE}"):
        response = await world.client.get(f"/api/v1/orders?{query}", headers=world.as_trader())
        assert response.status_code == 422, query
    for path in LISTS_WITH_TEXT:
        response = await world.client.get(f"/api/v1{path}", headers=world.as_trader())
        assert code_of(response) == (422, "invalid_filter"), path
    named = {"name": "a\u0000b", "exchange": "okx", "environment": "paper"}
    response = await world.client.post("/api/v1/accounts", json=named, headers=world.as_trader())
    assert code_of(response) == (422, "invalid")
    response = await world.client.get(
        "/api/v1/events", headers={**world.as_trader(), "Last-Event-ID": str(HUGE)}
    )
    assert code_of(response) == (422, "invalid_event_id")
