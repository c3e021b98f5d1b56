"""Bybit's private stream: one socket for all products, with a login before the subscription.

Orders, executions, positions and the wallet are topics of their own, so that an execution may come before or after
the order that it changed. `execution` brings forced executions and funding too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from fillbook.kernel.money import ZERO
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.bybit.link import BybitLink
from fillbook.venues.ccxt.bybit.market import PING
from fillbook.venues.ccxt.bybit.reports import (
    balance_report,
    fill_order,
    fill_report,
    order_report,
    position_report,
)
from fillbook.venues.ccxt.bybit.words import MARKET_TYPES, is_funding
from fillbook.venues.ccxt.calls import without_secrets
from fillbook.venues.ccxt.values import UNREADABLE, amount, moment
from fillbook.venues.ccxt.websocket import StreamLost

_TOPICS = ("execution", "order", "position", "wallet")
_LOGIN_VALID_MS = 10_000


class PrivateFeed:
    name = "account"
    renew_every_s: float | None = None
    ping: str | None = PING

    def __init__(self, link: BybitLink) -> None:
        self._link = link

    async def address(self) -> str:
        return self._link.site.stream_urls["account"]

    def greeting(self) -> str:
        exchange = self._link.client.exchange
        expires = str(int(exchange.nonce()) + _LOGIN_VALID_MS)
        arguments = [exchange.apiKey, expires, self._link.sign(f"GET/realtime{expires}")]
        return _request("auth", arguments)

    def acknowledges(self, message: Any) -> bool | str:
        """The login's answer is answered by the subscription, which is the one that counts."""
        if not isinstance(message, dict) or message.get("op") not in ("auth", "subscribe"):
            return False
        if message.get("success") is not True:
            reason = message.get("retMsg") or message.get("ret_msg") or "no reason given"
            text = without_secrets(str(reason), self._link.client.secrets)
            what = "login" if message["op"] == "auth" else "subscription"
            raise StreamLost(f"the {what} was refused ({text})")
        return _request("subscribe", list(_TOPICS)) if message["op"] == "auth" else True

    async def events(self, message: Any) -> Sequence[StreamEvent]:
        topic = message.get("topic") if isinstance(message, dict) else None
        if topic not in _TOPICS:
            return ()
        try:
            rows: list[Mapping[str, Any]] = message["data"]
            match topic:
                case "execution":
                    return await self._executions(rows)
                case "order":
                    return [event for row in rows for event in await self._order(row)]
                case "position":
                    return [event for row in rows for event in await self._position(row)]
                case _:
                    return self._balances(rows, message)
        except (ReadFailed, *UNREADABLE):
            raise StreamLost(f"a message could not be understood ({topic})") from None

    async def _executions(self, rows: Sequence[Mapping[str, Any]]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for row in sorted(rows, key=fill_order):
            symbol = await self._symbol(row)
            if symbol is None or is_funding(row) or amount(row["execQty"]) == ZERO:
                continue
            events.append(fill_report(row, symbol, await self._link.leg_of_fill(symbol, row)))
        return events

    async def _order(self, row: Mapping[str, Any]) -> list[StreamEvent]:
        symbol = await self._symbol(row)
        if symbol is None:
            return []
        report = order_report(row, symbol)
        self._link.note_leg(symbol, report.position_side)
        return [report]

    async def _position(self, row: Mapping[str, Any]) -> list[StreamEvent]:
        """Quantity zero says that it is closed."""
        symbol = await self._symbol(row)
        if symbol is None:
            return []
        report = position_report(row, symbol, None)
        self._link.note_leg(symbol, report.position_side)
        return [report]

    def _balances(self, rows: Sequence[Mapping[str, Any]], message: Mapping[str, Any]) -> list[StreamEvent]:
        at = moment(message["creationTime"])
        return [
            balance_report(coin, market_type, at)
            for row in rows
            for coin in row["coin"]
            for market_type in self._link.market_types
        ]

    async def _symbol(self, row: Mapping[str, Any]) -> str | None:
        """Our symbol by the category that the row itself names; None for a product that we do not trade."""
        market_type = MARKET_TYPES.get(row["category"])
        if market_type is None or market_type not in self._link.market_types:
            return None
        return await self._link.symbol(row["symbol"], market_type)

    async def renew(self) -> None:
        """The subscription lasts as long as its socket."""


def _request(operation: str, arguments: list[str]) -> str:
    return orjson.dumps({"op": operation, "req_id": operation, "args": arguments}).decode()
