"""Planted secrets appear nowhere: not in a log, an answer, an event, a traceback, or any byte of the database."""

import io
import json
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from fillbook.app.logging import configure_logging
from fillbook.fleet.tables import events
from support.web import bearer, open_web, token_of
from support.world import BINANCE, MASTER_KEY, World, key_of, secret_of

ORDER = {"path": "/fapi/v1/order", "method": "POST"}


@dataclass
class Heard:
    """Everything that came out of the program."""

    log: io.StringIO
    answers: list[str] = field(default_factory=list)

    async def note(self, response: httpx.Response) -> None:
        await response.aread()
        self.answers.append(f"{response.status_code} {response.headers!r} {response.text}")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Logs at debug, of our own and of libraries, nothing announced to the redactor that it need not know."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logging("debug", "json", stream).hide([MASTER_KEY])
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def world_at_debug(log: io.StringIO, world: World) -> AsyncIterator[World]:
    yield world


async def post_account(client: httpx.AsyncClient, token: str, name: str, **changes: Any) -> httpx.Response:
    asked = {
        "name": name,
        "exchange": "binance",
        "environment": "demo",
        "api_key": key_of(name),
        "api_secret": secret_of(name),
        **changes,
    }
    return await client.post("/api/v1/accounts", json=asked, headers=bearer(token))


async def busy_hour(world: World, client: httpx.AsyncClient, token: str) -> str:
    """Accounts that work and that do not, alerts good and bad, a venue at its worst. Returns the webhook key."""
    await world.account("busy")
    assert (await post_account(client, token, "refused")).status_code == 422
    assert (await post_account(client, token, "busy", api_secret="wrong-planted")).is_error
    assert (await client.get("/api/v1/accounts", headers=bearer(token[:-1] + "#"))).status_code == 401
    account = (await world.accounts())[0]
    strategy = await world.strategy(account, leverage=2)

    async def alert(**fields: Any) -> None:
        body = {"group_name": strategy.group_name, "token": strategy.key, "symbol": "BTCUSDT", **fields}
        await client.post("/api/webhook?wait=1", json=body)

    buy: dict[str, Any] = {"order_type": "MARKET", "side": "buy"}
    await alert(**buy, qty_per=10)
    await client.post(f"/api/webhook/{strategy.key}", json={"group_name": strategy.group_name, "symbol": "?"})
    await client.post("/api/webhook", content=f'{{"token": "{strategy.key}", broken'.encode())
    await client.post("/api/webhook/explain", json={"token": strategy.key}, headers=bearer(token))
    for number, kind in enumerate(("accept_then_drop", "garbage", "truncate", "rate_limit"), start=11):
        world.fault(kind, **ORDER)
        await alert(**buy, qty_per=number)
    world.fault(
        "refuse", n=0, status=401, code=-2015, msg=f"Invalid API-key {key_of('busy')}, IP, or rights."
    )
    await alert(**buy, qty_per=5)
    await client.post(f"/api/v1/accounts/{account.id}/test", headers=bearer(token))
    world.calm()
    await world.stop()
    world.fault("drop_before_accept", n=0)
    await world.start()
    await alert(**buy, qty_per=6)
    world.calm()
    await alert(order_type="MARKET", side="sell", qty_per=-100)
    await world.quiet()
    return strategy.key


async def read_everything(client: httpx.AsyncClient, token: str) -> None:
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    for path, acts in paths.items():
        if "get" in acts and not path.endswith("/events"):
            await client.get(path.replace("{", "").replace("}", ""), headers=bearer(token))
            if "{" in path:
                await client.get(_with_first_id(path), headers=bearer(token))
    for path in ("/health", "/health/live", "/health/ready", "/metrics"):
        await client.get(path)


def _with_first_id(path: str) -> str:
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def bytes_of_database(world: World) -> bytes:
    path = Path(str(world.db.engine.url.database))
    files = [one for one in path.parent.iterdir() if one.name.startswith(path.name)]
    assert any(one.name.endswith("-wal") for one in files), "the write-ahead log is searched as well"
    return b"".join(one.read_bytes() for one in files)


async def test_no_secret_appears_anywhere_after_a_busy_run_with_errors(
    world_at_debug: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, heard = world_at_debug, Heard(log)
    tracebacks = _record_tracebacks(monkeypatch)
    token = await token_of(world, world.user_id)
    async with open_web(world) as client:
        client.event_hooks["response"].append(heard.note)
        webhook_key = await busy_hour(world, client, token)
        await read_everything(client, token)
    secrets = {
        "api key": key_of("busy"),
        "api secret": secret_of("busy"),
        "refused api key": key_of("refused"),
        "refused api secret": secret_of("refused"),
        "wrong api secret": "wrong-planted",
        "master key": MASTER_KEY,
        "webhook key": webhook_key,
        "api token": token,
    }
    told = [json.dumps(row.data) for row in await world.rows(events)]
    places = {
        "log": log.getvalue(),
        "answers": "\n".join(heard.answers),
        "events": "\n".join(told),
        "tracebacks": "\n".join(tracebacks),
        "database": bytes_of_database(world).decode("latin-1"),
    }
    assert len(heard.answers) > 30 and len(told) > 5
    assert "stream" in places["log"] and "busy" in places["database"]
    found = [
        f"the {name} is in the {place}: ...{text[text.index(secret) - 80 : text.index(secret)]}"
        for name, secret in secrets.items()
        for place, text in places.items()
        if secret in text
    ]
    assert found == []


async def test_the_exchange_did_get_the_key_that_nobody_else_saw(world: World) -> None:
    """What is searched for is what is used: otherwise finding nothing would prove nothing."""
    await world.account("busy")
    await world.until(
        lambda: any(one.api_key == key_of("busy") for one in world.server.gateway(BINANCE).requests)
    )


def _record_tracebacks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every traceback that anything formats."""
    seen: list[str] = []
    original = traceback.TracebackException.format

    def format_and_note(self: traceback.TracebackException, **options: Any) -> Iterator[str]:
        for line in original(self, **options):
            seen.append(line)
            yield line

    monkeypatch.setattr(traceback.TracebackException, "format", format_and_note)
    return seen
