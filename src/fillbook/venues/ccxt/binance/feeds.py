"""Binance's private streams: a signed subscription on spot's WebSocket API, a listen key on futures.

A listen key lives an hour; we renew it every 20 minutes and never delete it, because every client of the same
API key shares it.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.reports import StreamEvent
from fillbook.venues.ccxt.binance import endpoints as at
from fillbook.venues.ccxt.binance import events
from fillbook.venues.ccxt.binance.link import FAILURES, BinanceLink
from fillbook.venues.ccxt.calls import CallFailed, without_secrets
from fillbook.venues.ccxt.client import RECEIVE_WINDOW_MS
from fillbook.venues.ccxt.values import UNREADABLE
from fillbook.venues.ccxt.websocket import StreamLost

RENEW_EVERY_S = 20 * 60.0
_SUBSCRIPTION = "subscribe"
_ENDINGS = frozenset({"eventStreamTerminated", "serverShutdown", "listenKeyExpired"})


def _ended(kind: str) -> StreamLost:
    return StreamLost(f"ended by the venue ({kind})")


def _not_understood(kind: object) -> StreamLost:
    return StreamLost(f"a message could not be understood ({kind})")


class SpotFeed:
    """`userDataStream.subscribe.signature` and its events."""

    name = MarketType.SPOT.value
    renew_every_s: float | None = None
    ping: str | None = None

    def __init__(self, link: BinanceLink) -> None:
        self._link = link

    async def address(self) -> str:
        return self._link.site.stream_urls["spot_account"]

    def greeting(self) -> str:
        exchange = self._link.client.exchange
        params: dict[str, Any] = {
            "apiKey": exchange.apiKey,
            "recvWindow": RECEIVE_WINDOW_MS,
            "timestamp": exchange.nonce(),
        }
        text = "&".join(f"{name}={params[name]}" for name in sorted(params))
        params["signature"] = self._link.sign(text)
        method = "userDataStream.subscribe.signature"
        return orjson.dumps({"id": _SUBSCRIPTION, "method": method, "params": params}).decode()

    def acknowledges(self, message: Any) -> bool:
        if not isinstance(message, dict) or message.get("id") != _SUBSCRIPTION:
            return False
        if message.get("status") == 200:
            return True
        error = message.get("error") or {}
        text = without_secrets(f"{error.get('code')}: {error.get('msg')}", self._link.client.secrets)
        raise StreamLost(f"the subscription was refused ({text})")

    async def events(self, message: Any) -> Sequence[StreamEvent]:
        body = message.get("event") if isinstance(message, dict) else None
        if not isinstance(body, dict):
            return ()
        kind = body.get("e")
        if kind in _ENDINGS:
            raise _ended(kind)
        try:
            match kind:
                case "executionReport":
                    return events.spot_execution(body, await self._link.symbol(body["s"], MarketType.SPOT))
                case "outboundAccountPosition":
                    return events.spot_balances(body)
                case _:
                    return ()
        except (ReadFailed, *UNREADABLE):
            raise _not_understood(kind) from None

    async def renew(self) -> None:
        """Spot's subscription lasts as long as its socket."""


class FuturesFeed:
    """The listen key's stream."""

    name = MarketType.FUTURES.value
    ping: str | None = None

    def __init__(self, link: BinanceLink, renew_every_s: float = RENEW_EVERY_S) -> None:
        self.renew_every_s: float | None = renew_every_s
        self._link = link

    async def address(self) -> str:
        answer = await self._link.read(at.OPEN_LISTEN_KEY)
        key = answer.get("listenKey") if isinstance(answer, dict) else None
        if not isinstance(key, str):
            raise ReadFailed("Binance gave no listen key; it is tried again.")
        return f"{self._link.site.stream_urls['futures_account']}?listenKey={key}"

    def greeting(self) -> None:
        return None

    def acknowledges(self, message: Any) -> bool:
        return True

    async def events(self, message: Any) -> Sequence[StreamEvent]:
        body = message.get("data", message) if isinstance(message, dict) else None
        if not isinstance(body, dict):
            return ()
        kind = body.get("e")
        if kind in _ENDINGS:
            raise _ended(kind)
        try:
            match kind:
                case "ORDER_TRADE_UPDATE":
                    return events.futures_execution(body, await self._symbol(body["o"]["s"]))
                case "ALGO_UPDATE":
                    return [events.algo_update(body, await self._symbol(body["o"]["s"]))]
                case "ACCOUNT_UPDATE":
                    return [
                        events.position_update(part, body["T"], await self._symbol(part["s"]))
                        for part in body["a"].get("P") or ()
                    ]
                case _:
                    return ()
        except (ReadFailed, *UNREADABLE):
            raise _not_understood(kind) from None

    async def renew(self) -> None:
        """Twice, a minute apart; a key that cannot be renewed is replaced by connecting anew."""
        for is_last in (False, True):
            try:
                await self._link.try_read(at.RENEW_LISTEN_KEY)
                return
            except CallFailed as failure:
                if is_last or failure.code == "-1125" or FAILURES.is_credential_failure(failure):
                    raise StreamLost(f"the listen key could not be renewed ({failure.code})") from None
            await self._link.site.clock.sleep(60)

    async def _symbol(self, venue_id: str) -> str:
        return await self._link.symbol(venue_id, MarketType.FUTURES)
