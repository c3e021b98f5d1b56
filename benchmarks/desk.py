"""Accounts and strategies on a running server, made through its own API."""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.databases import Place
from benchmarks.processes import Process, run_admin

GROUP = "bench"
SYMBOL = "BTCUSDT.P"
CAPITAL = "10000"
ACCOUNTS_PER_ADDRESS = 4
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Key:
    """An account's key at the simulated exchange."""

    api_key: str
    secret: str


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's token, and the keys of the strategies' webhooks."""

    url: str
    token: str
    webhook_keys: tuple[str, ...]


def key_of(number: int) -> Key:
    return Key(f"bench-key-{number:04d}", f"bench-secret-{number:04d}")


async def open_exchange_accounts(exchange: Process, count: int) -> None:
    async with aiohttp.ClientSession() as session:
        for number in range(count):
            key = key_of(number)
            body = {"api_key": key.api_key, "api_secret": key.secret, "balances": {"USDT": "1000000"}}
            async with session.post(f"{exchange.url}/_sim/accounts", json=body) as answer:
                answer.raise_for_status()


def make_token(place: Place, exchange: Process) -> str:
    run_admin(place, exchange.url, "create-user", "--email", "bench@example.com", "--username", "bench")
    return run_admin(place, exchange.url, "create-token", "--user", "bench", "--scopes", "read,trade")


async def set_up_desk(server: Process, token: str, accounts: int, strategies: int) -> Desk:
    """`accounts` accounts, dealt out to the strategies in turn."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def ask(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
            async with turn, session.request(method, f"{server.url}/api/v1{path}", json=body) as answer:
                if answer.status >= 400:
                    raise RuntimeError(f"{path}: {await answer.text()}")
                return dict(await answer.json())

        made = [await ask("POST", "/strategies", _strategy(number)) for number in range(strategies)]

        async def open_account(number: int) -> None:
            account = await ask("POST", "/accounts", _account(number))
            path = f"/strategies/{made[number % strategies]['id']}/accounts"
            await ask("POST", path, {"account_id": account["id"], "weight": "1", "leverage": "1"})
            await ask("PUT", f"{path}/{account['id']}/capital", {"total_capital": CAPITAL})

        await asyncio.gather(*(open_account(number) for number in range(accounts)))
    return Desk(server.url, token, tuple(strategy["webhook_key"] for strategy in made))


def _strategy(number: int) -> dict[str, Any]:
    return {"name": f"bench {number}", "group_name": GROUP, "market_type": "futures", "kind": "webhook"}


def _account(number: int) -> dict[str, Any]:
    key = key_of(number)
    return {
        "name": f"account {number}",
        "exchange": "binance",
        "environment": "demo",
        # One address may not ask for all that a hundred accounts need within their first minute.
        "egress": f"127.0.0.{2 + number // ACCOUNTS_PER_ADDRESS}",
        "api_key": key.api_key,
        "api_secret": key.secret,
    }


def alert_body(webhook_key: str, number: int) -> dict[str, Any]:
    """Opens a position and closes it in turn; the number makes each alert another one."""
    order: dict[str, Any] = (
        {"side": "buy", "qty_per": 20} if number % 2 == 0 else {"side": "sell", "qty_per": -100}
    )
    return {
        "group_name": GROUP,
        "token": webhook_key,
        "symbol": SYMBOL,
        "order_type": "MARKET",
        "reason": f"bench {number}",
        **order,
    }
