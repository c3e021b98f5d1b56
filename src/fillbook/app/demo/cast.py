"""Who plays: four accounts at four exchanges, of different size and leverage, a futures and a spot strategy.

Made over the API, like anybody's. Capital is each link's part of the account's balance, by weight.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from fillbook.app.demo.clients import Exchanges, FillbookClient, UnexpectedAnswer
from fillbook.app.demo.stage import ENVIRONMENT
from fillbook.market.core import MarketType, VenueName

FUTURES = "trend"
SPOT = "coins"
MARKETS = {FUTURES: "futures", SPOT: "spot"}
PATIENCE_S = 15.0
_WITH_PASSPHRASE = (VenueName.OKX, VenueName.BITGET)


@dataclass(frozen=True, slots=True)
class Link:
    """How a strategy trades on an account."""

    weight: str
    leverage: str = "1"
    max_symbols: int = 5


@dataclass(frozen=True, slots=True)
class Role:
    """An account before it exists. Each wallet begins with `balance` USDT: Binance and Bitget have one for spot and
    one for futures, Bybit and OKX have one for both."""

    name: str
    exchange: VenueName
    balance: str
    links: Mapping[str, Link]


ROLES = (
    Role("main", VenueName.BINANCE, "10000", {FUTURES: Link("3", "1"), SPOT: Link("1")}),
    Role("family", VenueName.BYBIT, "4000", {FUTURES: Link("1", "3"), SPOT: Link("1")}),
    Role("friend", VenueName.OKX, "1500", {FUTURES: Link("1", "5", max_symbols=1)}),
    Role("club", VenueName.BITGET, "2500", {FUTURES: Link("1", "2")}),
)


@dataclass(frozen=True, slots=True)
class Member:
    """An account on both sides: its number here, its key at the exchange."""

    account_id: int
    api_key: str
    role: Role

    @property
    def name(self) -> str:
        return self.role.name


@dataclass(frozen=True, slots=True)
class Strategy:
    number: int
    group_name: str
    webhook_key: str


@dataclass(frozen=True, slots=True)
class Cast:
    members: tuple[Member, ...]
    strategies: Mapping[str, Strategy]


async def assemble(api: FillbookClient, exchanges: Exchanges) -> Cast:
    """Open the accounts on both sides, make the strategies, link them, and give them capital."""
    members = tuple([await _open_account(api, exchanges, role) for role in ROLES])
    strategies = {name: await _make_strategy(api, name) for name in MARKETS}
    for member in members:
        await _await_balance(api, member)
        for name, link in member.role.links.items():
            await api.call(
                "POST",
                f"/strategies/{strategies[name].number}/accounts",
                {
                    "account_id": member.account_id,
                    "weight": link.weight,
                    "leverage": link.leverage,
                    "max_symbols": link.max_symbols,
                },
            )
        for name in member.role.links:
            path = f"/strategies/{strategies[name].number}/accounts/{member.account_id}/capital"
            await api.call("PUT", path, {"mode": "balance"})
    return Cast(members, strategies)


async def _open_account(api: FillbookClient, exchanges: Exchanges, role: Role) -> Member:
    key, secret = secrets.token_hex(16), secrets.token_hex(16)
    keys = {"api_key": key, "api_secret": secret}
    if role.exchange in _WITH_PASSPHRASE:
        keys["passphrase"] = secrets.token_hex(8)
    await exchanges.at(role.exchange).post("accounts", {**keys, "balances": {"USDT": role.balance}})
    made = await api.call(
        "POST",
        "/accounts",
        {
            "name": role.name,
            "exchange": role.exchange,
            "environment": ENVIRONMENT,
            **keys,
        },
    )
    return Member(made["id"], key, role)


async def _make_strategy(api: FillbookClient, name: str) -> Strategy:
    body = {"name": name.capitalize(), "group_name": name, "market_type": MARKETS[name]}
    made = await api.call("POST", "/strategies", body)
    return Strategy(made["id"], name, made["webhook_key"])


async def _await_balance(api: FillbookClient, member: Member) -> None:
    """Until the first report of both wallets has come in: the account's desk is open from then on."""
    deadline_s = time.monotonic() + PATIENCE_S
    while len((await api.call("GET", f"/accounts/{member.account_id}/balances"))["items"]) < len(MarketType):
        if time.monotonic() > deadline_s:
            raise UnexpectedAnswer(f"No balance of {member.name} came within {PATIENCE_S:.0f} s.")
        await asyncio.sleep(0.05)
