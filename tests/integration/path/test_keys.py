"""Keys that may not do what is asked of them: at the start, at a test, and when they lose it in mid-trade.

Every sentence is what the person reads, so the tests read it too.
"""

from typing import Any

import httpx
import pytest

from fillbook.accounts.core import Account, Environment, KeyPermissions
from fillbook.market.core import MarketType
from support.web import bearer, open_web, token_of
from support.world import World, key_of, secret_of

READS = KeyPermissions(True, False, False, False, True)
SPOT_ONLY = KeyPermissions(True, True, False, False, True)
WITHDRAWS = KeyPermissions(True, True, True, True, True)
TRADES = KeyPermissions(True, True, True, False, True)
BUY = {"order_type": "MARKET", "side": "buy", "qty_per": 20}
CLOSE = {"order_type": "MARKET", "side": "sell", "qty_per": -100}


def allow(world: World, name: str, permissions: KeyPermissions, secret: str | None = None) -> None:
    """What the exchange lets a key do from now on."""
    world.exchange.open_account(key_of(name), secret or secret_of(name), permissions=permissions)


async def add(world: World, name: str, **changes: Any) -> httpx.Response:
    asked = {
        "name": name,
        "exchange": "binance",
        "environment": "live",
        "api_key": key_of(name),
        "api_secret": secret_of(name),
    }
    token = await token_of(world, world.user_id)
    async with open_web(world) as client:
        return await client.post("/api/v1/accounts", json=asked | changes, headers=bearer(token))


async def ask_again(world: World, account: Account) -> httpx.Response:
    token = await token_of(world, world.user_id)
    async with open_web(world) as client:
        return await client.post(f"/api/v1/accounts/{account.id}/test", headers=bearer(token))


async def live_account(world: World, name: str = "acc") -> Account:
    """An account whose exchange tells what its key may do."""
    account = await world.account_at_venue(name, environment=Environment.LIVE)
    allow(world, name, TRADES)
    assert world.engine is not None
    await world.engine.tenure.turn()
    return account


async def result_of(world: World, strategy: Any, account: Account, **alert: Any) -> dict[str, Any]:
    (log,) = (await world.alert(strategy, **alert, comment=str(world.rng.random()))).logs
    result: dict[str, Any] = log.execution_results[f"account_{account.id}"]
    return result


async def permissions_of(world: World, account: Account) -> KeyPermissions | None:
    return next(one for one in await world.accounts() if one.id == account.id).permissions


@pytest.mark.parametrize(
    ("permissions", "code", "sentence"),
    [
        (
            READS,
            "key_cannot_trade",
            "This key may only read: allow it to trade spot or futures at the exchange.",
        ),
        (
            WITHDRAWS,
            "key_may_withdraw",
            "This key may withdraw money. Make one without the withdrawal permission and use that: there is no way "
            "round this.",
        ),
    ],
    ids=["read-only", "withdraws"],
)
async def test_a_key_that_may_do_too_little_or_too_much_is_refused_and_not_kept(
    world: World, permissions: KeyPermissions, code: str, sentence: str
) -> None:
    allow(world, "new", permissions)
    answer = await add(world, "new")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"] == sentence
    assert await world.accounts() == []


async def test_a_key_without_futures_makes_a_spot_account_and_says_so_when_more_is_asked(
    world: World,
) -> None:
    allow(world, "new", SPOT_ONLY)
    refused = await add(world, "new", market_types=["spot", "futures"])
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_account")
    assert refused.json()["detail"] == (
        "This key may trade spot only: allow more at the exchange, or choose less."
    )
    made = await add(world, "new")
    assert made.status_code == 201 and made.json()["market_types"] == ["spot"]


async def test_a_key_that_the_exchange_does_not_know_is_named_as_that(world: World) -> None:
    answer = await add(world, "nobody")
    assert (answer.status_code, answer.json()["code"]) == (422, "credentials_refused")
    assert answer.json()["detail"] == (
        "Binance refuses this API key (-2015: Invalid API-key, IP, or permissions for action.). Check that it "
        "exists, may be used from this address, and has the permission."
    )
    assert await world.accounts() == []


async def test_a_key_that_loses_its_right_to_trade_is_told_by_the_first_refusal_and_then_by_the_account(
    world: World,
) -> None:
    account = await live_account(world)
    strategy = await world.strategy(account, leverage=2)
    assert (await result_of(world, strategy, account, **BUY))["success"] is True
    await world.quiet()
    allow(world, "acc", READS)
    first = await result_of(world, strategy, account, **BUY)
    assert (first["success"], first["error_code"]) == (False, "-2015")
    await world.until(lambda: _has_lost(world, account))
    second = await result_of(world, strategy, account, **BUY)
    assert (second["error_code"], second["error"]) == (
        "key_cannot_trade",
        "The key of acc may not trade futures: allow it at binance, then test the key here.",
    )
    assert (await result_of(world, strategy, account, **CLOSE))["error_code"] == "-2015", "a close is tried"
    allow(world, "acc", TRADES)
    assert (await ask_again(world, account)).json()["permissions"]["can_trade_futures"] is True
    assert world.engine is not None
    await world.engine.tenure.turn()
    assert (await result_of(world, strategy, account, **CLOSE))["success"] is True
    assert (await result_of(world, strategy, account, **BUY))["success"] is True
    await world.quiet()


async def _has_lost(world: World, account: Account) -> bool:
    permissions = await permissions_of(world, account)
    return permissions is not None and not permissions.can_trade_futures


async def test_a_key_that_is_revoked_is_told_by_the_account_and_trades_again_once_it_works(
    world: World,
) -> None:
    account = await live_account(world)
    strategy = await world.strategy(account, leverage=2)
    assert (await result_of(world, strategy, account, **BUY))["success"] is True
    await world.quiet()
    allow(world, "acc", TRADES, secret="another")
    assert (await result_of(world, strategy, account, **BUY))["success"] is False
    await world.until(lambda: _is_refused(world, account))
    refused = await result_of(world, strategy, account, **BUY)
    assert (refused["error_code"], refused["error"]) == (
        "credentials_refused",
        "binance refuses the key of acc: see there that it exists and may be used from this server's address, "
        "then test it here.",
    )
    problem = await ask_again(world, account)
    assert (problem.status_code, problem.json()["code"]) == (422, "credentials_refused")
    allow(world, "acc", TRADES)
    assert (await ask_again(world, account)).status_code == 200
    assert world.engine is not None
    await world.engine.tenure.turn()
    assert (await result_of(world, strategy, account, **BUY))["success"] is True
    await world.quiet()


async def _is_refused(world: World, account: Account) -> bool:
    permissions = await permissions_of(world, account)
    return permissions is not None and not permissions.can_read


async def test_a_key_that_may_withdraw_by_now_halts_its_account(world: World) -> None:
    account = await live_account(world)
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, **BUY)
    await world.quiet()
    allow(world, "acc", WITHDRAWS)
    tested = (await ask_again(world, account)).json()
    assert (tested["trading_state"], tested["trading_state_reason"]) == ("halted", "key_may_withdraw")
    assert world.engine is not None
    await world.engine.tenure.turn()
    refused = await result_of(world, strategy, account, **BUY)
    assert (refused["error_code"], refused["error"]) == (
        "account_halted",
        "Trading is halted: key_may_withdraw.",
    )


async def test_a_question_about_a_key_that_nobody_answers_changes_nothing(world: World) -> None:
    account = await live_account(world)
    before = await permissions_of(world, account)
    world.fault("error_page", n=0, path="apiRestrictions", status=502)
    assert world.engine is not None
    await world.engine.runners[account.id].key.check()
    assert await permissions_of(world, account) == before
    assert MarketType.FUTURES in account.market_types
