"""Whoever names another person's row by its number hears that it is not there, whatever he wants to do with it."""

import re
from typing import Any

import httpx

from fillbook.app.web.application import create_app
from fillbook.identity.tables import api_tokens
from fillbook.orders.tables import strategy_order_logs
from fillbook.signals.tables import signals
from support.web import bearer, open_web, token_of
from support.world import PERP, World

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/api/v1/accounts/{account_id}"): {"name": "mine"},
    ("PATCH", "/api/v1/strategies/{strategy_id}"): {"name": "mine"},
    ("POST", "/api/v1/strategies/{strategy_id}/accounts"): {"account_id": 0, "leverage": "2"},
    ("PATCH", "/api/v1/strategies/{strategy_id}/accounts/{account_id}"): {"leverage": "3"},
    ("PUT", "/api/v1/strategies/{strategy_id}/accounts/{account_id}/capital"): {"total_capital": "1"},
    ("PATCH", "/api/v1/orders/{order_id}"): {"price": "49000"},
    ("POST", "/api/v1/accounts/{account_id}/cancel-all"): {},
}
BY_BODY = {
    "/api/v1/orders": {
        "symbol": PERP,
        "side": "buy",
        "order_type": "MARKET",
        "quantity": "0.01",
    },
}


def acts() -> list[tuple[str, str]]:
    """Every act of the interface that names a row by its number."""
    paths = create_app({}).openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods if "_id}" in path]


async def busy(world: World) -> dict[str, int]:
    """A person with everything that has a number; the numbers."""
    account = await world.account("acc")
    strategy = await world.strategy(account, leverage=2)
    await world.alert(strategy, order_type="MARKET", side="buy", qty_per=20)
    await world.alert(strategy, order_type="LIMIT", side="buy", price=50000, qty_per=20)
    await world.quiet()
    await token_of(world, world.user_id)
    (position,) = await world.positions()
    (trade,) = await world.trades()
    resting = next(order for order in await world.orders() if order.status == "NEW")
    return {
        "account_id": account.id,
        "strategy_id": strategy.id,
        "order_id": resting.id,
        "position_id": position.id,
        "trade_id": trade.id,
        "signal_id": (await world.rows(signals))[0].id,
        "log_id": (await world.rows(strategy_order_logs))[0].id,
        "token_id": (await world.rows(api_tokens))[0].id,
    }


async def answers_to(
    world: World, numbers: dict[str, int], headers: dict[str, str]
) -> dict[str, httpx.Response]:
    """What every act on these rows is answered; what ends rows comes last."""
    answers = {}
    async with open_web(world) as client:
        for path, body in BY_BODY.items():
            asked = {**body, "account_id": numbers["account_id"]}
            answers[f"POST {path}"] = await client.post(path, json=asked, headers=headers)
        for method, template in sorted(acts(), key=lambda act: act[0] == "DELETE"):
            path = re.sub(r"\{(\w+)\}", lambda name: str(numbers[name[1]]), template)
            body = BODIES.get((method, template))
            if body is not None and "account_id" in body:
                body = {**body, "account_id": numbers["account_id"]}
            answers[f"{method} {template}"] = await client.request(method, path, json=body, headers=headers)
    return answers


async def test_no_act_reaches_another_persons_row(world: World) -> None:
    numbers = await busy(world)
    version = {"If-Match": '"1"'}
    strangers = await token_of(world, await world.user("mallory"))
    theirs = await answers_to(world, numbers, {**bearer(strangers), **version})
    assert len(theirs) > 25
    assert {act: answer.text for act, answer in theirs.items() if _code(answer) != "not_found"} == {}
    (order,) = await world.orders(id=numbers["order_id"])
    assert (order.status, order.cancel_wanted) == ("NEW", False)
    assert (await world.accounts())[0].name == "acc"
    owners = await token_of(world, world.user_id)
    own = await answers_to(world, numbers, {**bearer(owners), **version})
    assert {act for act, answer in own.items() if answer.status_code == 404} == set(), (
        "it would prove nothing"
    )


def _code(answer: httpx.Response) -> str | None:
    code: str | None = answer.json().get("code") if answer.status_code == 404 else None
    return code
