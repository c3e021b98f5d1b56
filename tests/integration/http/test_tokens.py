"""API tokens over HTTP: shown once, no wider than their maker, refused once revoked."""

from typing import Any

import sqlalchemy as sa

from fillbook.identity.tables import api_tokens


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(world: Any) -> None:
    made = await world.client.post(
        "/api/v1/tokens", json={"name": "notebook", "scopes": ["read"]}, headers=world.as_trader()
    )
    assert made.status_code == 201, made.text
    token = made.json()["token"]
    assert token.startswith("fbk_")
    as_notebook = {"Authorization": f"Bearer {token}"}
    me = (await world.client.get("/api/v1/auth/me", headers=as_notebook)).json()
    assert (me["username"], me["scopes"]) == ("trader", ["read"])
    listed = await world.client.get("/api/v1/tokens", headers=world.as_trader())
    assert [item["name"] for item in listed.json()["items"]] == ["tests", "notebook"]
    assert token not in listed.text
    async with world.database.read() as unit:
        assert token not in repr(await unit.all(sa.select(api_tokens)))
    path = f"/api/v1/tokens/{made.json()['id']}"
    assert (await world.client.delete(path, headers=world.as_stranger())).status_code == 404
    assert (await world.client.delete(path, headers=world.as_trader())).status_code == 204
    assert (await world.client.get("/api/v1/auth/me", headers=as_notebook)).status_code == 401


async def test_a_token_gives_away_no_more_than_it_has(world: Any) -> None:
    response = await world.client.post(
        "/api/v1/tokens", json={"name": "wide", "scopes": ["read", "admin"]}, headers=world.as_trader()
    )
    assert (response.status_code, response.json()["code"]) == (403, "missing_scope")


async def test_an_expired_token_is_refused(world: Any) -> None:
    made = await world.client.post(
        "/api/v1/tokens",
        json={"name": "short", "scopes": ["read"], "expires_at": "2026-01-02T04:00:00Z"},
        headers=world.as_trader(),
    )
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    assert (await world.client.get("/api/v1/auth/me", headers=headers)).status_code == 200
    world.clock.advance(3600)
    assert (await world.client.get("/api/v1/auth/me", headers=headers)).status_code == 401


async def test_the_last_use_of_a_token_is_noted_once_a_minute(world: Any) -> None:
    async def last_use() -> Any:
        await world.client.get("/api/v1/auth/me", headers=world.as_trader())
        async with world.database.read() as unit:
            return await unit.scalar(
                sa.select(api_tokens.c.last_used_at).where(api_tokens.c.user_id == world.trader_id)
            )

    first = await last_use()
    assert first == world.clock.now()
    world.clock.advance(59)
    assert await last_use() == first
    world.clock.advance(1)
    assert await last_use() == world.clock.now()
