"""OKX's private streams: orders, wallet and positions on one socket, conditional orders on another.

Each socket logs in by itself, then subscribes. A refusal of either, and any error that OKX tells later, ends the
connection, for what it refused stays silent for good.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from fillbook.market.errors import ReadFailed
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.calls import without_secrets
from fillbook.venues.ccxt.okx import events
from fillbook.venues.ccxt.okx.link import OkxLink
from fillbook.venues.ccxt.okx.reports import algo_report, position_report
from fillbook.venues.ccxt.values import UNREADABLE
from fillbook.venues.ccxt.websocket import StreamLost

# Every product at once: a second subscription of the same orders would tell each of them twice.
PRIVATE: tuple[dict[str, str], ...] = (
    {"channel": "orders", "instType": "ANY"},
    {"channel": "account"},
    {"channel": "positions", "instType": "ANY"},
)
BUSINESS: tuple[dict[str, str], ...] = ({"channel": "orders-algo", "instType": "ANY"},)
_ENDINGS = frozenset({"error", "notice", "channel-conn-count-error"})
_LOGIN_PATH = "GET/users/self/verify"


class Feed:
    """One socket; `name` is what OKX calls it."""

    renew_every_s: float | None = None
    ping: str | None = "ping"

    def __init__(self, link: OkxLink, name: str, channels: Sequence[dict[str, str]]) -> None:
        self.name = name
        self._link = link
        self._channels = tuple(channels)
        self._awaited = 0

    async def address(self) -> str:
        return self._link.site.stream_urls[self.name]

    def greeting(self) -> str:
        exchange = self._link.client.exchange
        stamp = str(int(exchange.nonce()) // 1000)
        self._awaited = len(self._channels)
        arg = {
            "apiKey": exchange.apiKey,
            "passphrase": exchange.password or "",
            "timestamp": stamp,
            "sign": self._link.sign(stamp + _LOGIN_PATH),
        }
        return orjson.dumps({"op": "login", "args": [arg]}).decode()

    def acknowledges(self, message: Any) -> bool | str:
        """The login, then each channel. What a channel tells meanwhile, the backfill after CONNECTED reads."""
        kind = message.get("event") if isinstance(message, dict) else None
        if kind in _ENDINGS:
            raise StreamLost(f"the login or a subscription was refused ({self._said(message)})")
        if kind == "login":
            return orjson.dumps({"op": "subscribe", "args": list(self._channels)}).decode()
        if kind == "subscribe":
            self._awaited -= 1
        return kind == "subscribe" and self._awaited == 0

    async def events(self, message: Any) -> Sequence[StreamEvent]:
        if not isinstance(message, dict):
            return ()
        if message.get("event") in _ENDINGS:
            raise StreamLost(f"ended by the venue ({self._said(message)})")
        try:
            found: list[StreamEvent] = []
            channel = message["arg"]["channel"] if "data" in message else ""
            for row in message.get("data") or ():
                found += await self._of_row(channel, row)
        except (ReadFailed, *UNREADABLE):
            raise StreamLost("a message could not be understood") from None
        return found

    async def renew(self) -> None:
        """A login lasts as long as its socket."""

    async def _of_row(self, channel: str, row: Any) -> Sequence[StreamEvent]:
        if channel == "account":
            return events.balance_updates(row, self._link.market_types)
        if channel not in ("orders", "orders-algo", "positions"):
            return ()
        instrument = await self._link.instrument_of(row)
        if instrument is None:
            return ()
        match channel:
            case "orders":
                return events.order_update(row, instrument)
            case "orders-algo":
                return [algo_report(row, instrument)]
            case _:
                return [position_report(row, instrument)]

    def _said(self, message: Any) -> str:
        return without_secrets(f"{message.get('code')}: {message.get('msg')}", self._link.client.secrets)
