"""Binance over HTTP: reads a request, checks key, signature and time against its raw text, finds the endpoint.

The signature covers the text exactly as it was sent, up to `&signature=`; parameters are decoded only after
that. Requests that fail before their endpoint changed nothing.
"""

from collections import Counter
from collections.abc import Collection
from typing import Any

from aiohttp import web

from fillbook.accounts.core import KeyPermissions
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import exact
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.wire.binance import (
    accounts,
    algo_orders,
    futures_orders,
    futures_settings,
    market_data,
    spot_orders,
    wallet,
)
from fillbook.venues.sim.wire.binance.context import Context, Route, Routes, Security
from fillbook.venues.sim.wire.binance.errors import BinanceError, missing
from fillbook.venues.sim.wire.binance.spot_orders import ReplaceFailed
from fillbook.venues.sim.wire.binance.streams import Streams
from fillbook.venues.sim.wire.binance.text import Params, integer
from fillbook.venues.sim.wire.ports import Call, PassOn, Reply
from fillbook.venues.sim.wire.replies import JSON_HEADERS, json_reply
from fillbook.venues.sim.wire.requests import read_pairs
from fillbook.venues.sim.wire.signing import hex_signature, is_signature
from fillbook.venues.sim.wire.sockets import Outlet

_DEFAULT_WINDOW_MS = 5000
_MAX_WINDOW_MS = 60_000
_AHEAD_MS = 1000
_BAD_KEY = (-2015, "Invalid API-key, IP, or permissions for action.", 401)
_NOBODY = Account("", "", 0, None, KeyPermissions(False, False, False, False, False))


class BinanceWire:
    def __init__(self, exchange: Exchange, pass_on: PassOn) -> None:
        self._context = Context(exchange)
        self._exchange = exchange
        self.streams = Streams(self._context, pass_on)
        self._routes: Routes = {
            **spot_orders.ROUTES,
            **futures_orders.ROUTES,
            **algo_orders.ROUTES,
            **accounts.ROUTES,
            **futures_settings.ROUTES,
            **wallet.ROUTES,
            **market_data.ROUTES,
            **self.streams.routes(),
        }
        self._minute = 0
        self._used_weights: Counter[str] = Counter()

    def read(self, call: Call) -> None:
        call.api_key = call.headers.get("X-MBX-APIKEY", "")
        call.params |= read_pairs(call.query) | read_pairs(call.body)

    def respond(self, call: Call) -> Reply:
        route = self._routes.get((call.method, call.path))
        if route is None:
            return Reply(
                404, b"<html><body><h2>404 Not found</h2></body></html>", {"Content-Type": "text/html"}
            )
        headers = self._weigh(call.path, route.weight_for(call.params))
        try:
            account = self._authenticate(call, route)
            body = exact(route.endpoint)(self._context, account, call.params)
        except BinanceError as error:
            return self._refusal(error, headers)
        except FillbookError as error:
            return self._refusal(BinanceError(-1102, error.detail), headers)
        return json_reply(body, headers=headers)

    def _refusal(self, error: BinanceError, headers: dict[str, str]) -> Reply:
        body: dict[str, Any] = {"code": error.code, "msg": error.message}
        if isinstance(error, ReplaceFailed):
            body["data"] = error.data
        return json_reply(body, error.status, headers, str(error.code))

    def _weigh(self, path: str, weight: int) -> dict[str, str]:
        """Count a request's weight in the pool of its market, as the venue does, and say so in the headers."""
        minute = self._exchange.now_ms() // 60_000
        if minute != self._minute:
            self._minute = minute
            self._used_weights.clear()
        pool = path.split("/", 2)[1]
        self._used_weights[pool] += weight
        name = "X-SAPI-USED-IP-WEIGHT-1M" if pool == "sapi" else "X-MBX-USED-WEIGHT-1M"
        return {**JSON_HEADERS, name: str(self._used_weights[pool])}

    def _authenticate(self, call: Call, route: Route) -> Account:
        if route.security is Security.NONE:
            return _NOBODY
        if not call.api_key:
            raise BinanceError(-2014, "API-key format invalid.", 401)
        account = self._exchange.accounts.get(call.api_key)
        if account is None:
            raise BinanceError(*_BAD_KEY)
        if route.security is Security.SIGNED:
            self._check_time(call.params)
            self._check_signature(call, account)
        if not _is_allowed(account.permissions, call):
            raise BinanceError(*_BAD_KEY)
        return account

    def _check_time(self, params: Params) -> None:
        stamp = integer(params, "timestamp")
        window = integer(params, "recvWindow") or _DEFAULT_WINDOW_MS
        if stamp is None:
            raise missing("timestamp")
        if window > _MAX_WINDOW_MS:
            raise BinanceError(-1131, "recvWindow must be less than 60000.")
        now = self._exchange.now_ms()
        if stamp > now + _AHEAD_MS:
            raise BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if stamp < now - window:
            raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _check_signature(self, call: Call, account: Account) -> None:
        sent = call.query + call.body
        signed, mark, given = sent.rpartition("&signature=")
        if not mark:
            raise missing("signature")
        if not is_signature(hex_signature(account.secret, signed), given):
            raise BinanceError(-1022, "Signature for this request is not valid.")

    def refuse(self, call: Call, status: int, code: str, message: str) -> Reply:
        if not code:
            return Reply(status, message.encode(), {"Content-Type": "text/plain"})
        return self._refusal(BinanceError(int(code), message, status), self._weigh(call.path, 0))

    def rate_limited(self, call: Call, retry_after_s: int) -> Reply:
        error = BinanceError(-1003, "Too many requests; please use the websocket.", 429)
        refused = self._refusal(error, self._weigh(call.path, 0))
        return Reply(429, refused.body, {**refused.headers, "Retry-After": str(retry_after_s)}, refused.code)

    def banned(self, call: Call, seconds: int) -> Reply:
        until_ms = self._exchange.now_ms() + seconds * 1000
        text = f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket Streams."
        refused = self._refusal(BinanceError(-1003, text, 418), self._weigh(call.path, 0))
        return Reply(418, refused.body, {**refused.headers, "Retry-After": str(seconds)}, refused.code)

    def under_maintenance(self, call: Call) -> Reply:
        return self._refusal(BinanceError(1, "System is under maintenance.", 503), dict(JSON_HEADERS))

    def is_socket(self, path: str) -> bool:
        return path.startswith(("/ws-api/", "/stream", "/private/", "/public/", "/market/", "/ws"))

    async def serve_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.streams.serve(request)

    def listeners(self, api_key: str) -> int:
        return self.streams.listeners(api_key)

    def outlets(self, api_key: str | None) -> Collection[Outlet]:
        return self.streams.outlets(api_key)

    def expire_listen_keys(self, api_key: str | None) -> int:
        return self.streams.expire_keys_of(api_key)

    def tick(self) -> None:
        self.streams.expire_keys()

    async def close(self) -> None:
        await self.streams.close()


def _is_allowed(permissions: KeyPermissions, call: Call) -> bool:
    """Reading needs the right to read, trading the right to trade in that market."""
    if call.method == "GET":
        return permissions.can_read
    if call.path.startswith("/api/"):
        return permissions.can_trade_spot
    return permissions.can_trade_futures or call.path.endswith("/listenKey")
