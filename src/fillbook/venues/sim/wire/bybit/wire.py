"""Bybit v5 over HTTP: reads a request, checks key, time and signature against its raw text, finds the endpoint.

The signature covers timestamp, key, window and the query or the body, exactly as they were sent. Every answer is an
envelope with `retCode`; refusals come with HTTP 200.
"""

from collections.abc import Collection
from typing import Any

import orjson
from aiohttp import web

from fillbook.accounts.core import KeyPermissions
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import exact
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.wire.bybit import account, executions, market_data, orders
from fillbook.venues.sim.wire.bybit.context import Context, Route, Routes
from fillbook.venues.sim.wire.bybit.errors import (
    BAD_KEY,
    BAD_SIGNATURE,
    NOT_ALLOWED,
    TOO_MANY_VISITS,
    BybitError,
)
from fillbook.venues.sim.wire.bybit.streams import Streams
from fillbook.venues.sim.wire.ports import Call, PassOn, Reply
from fillbook.venues.sim.wire.replies import json_reply
from fillbook.venues.sim.wire.requests import flat, read_json, read_pairs
from fillbook.venues.sim.wire.signing import hex_signature, is_signature
from fillbook.venues.sim.wire.sockets import Outlet

_DEFAULT_WINDOW_MS = 5000
_AHEAD_MS = 1000
_NOBODY = Account("", "", 0, None, KeyPermissions(False, False, False, False, False))


class BybitWire:
    def __init__(self, exchange: Exchange, pass_on: PassOn) -> None:
        self._context = Context(exchange)
        self._exchange = exchange
        self.streams = Streams(self._context, pass_on)
        self._routes: Routes = {
            **orders.ROUTES,
            **executions.ROUTES,
            **account.ROUTES,
            **market_data.ROUTES,
        }

    def read(self, call: Call) -> None:
        call.api_key = call.headers.get("X-BAPI-API-KEY", "")
        call.params |= read_pairs(call.query)
        try:
            body = read_json(call.body)
        except ValueError:
            return
        if isinstance(body, dict):
            call.params |= flat(body)
            # A batch stays JSON until its endpoint takes it apart.
            if isinstance(body.get("request"), list):
                call.params["request"] = orjson.dumps(body["request"]).decode()

    def respond(self, call: Call) -> Reply:
        route = self._routes.get((call.method, call.path))
        if route is None:
            return Reply(404, b"404 page not found", {"Content-Type": "text/plain"})
        try:
            result = exact(route.endpoint)(self._context, self._authenticate(call, route), call.params)
        except BybitError as error:
            return self._refusal(error)
        except FillbookError as error:
            return self._refusal(BybitError(10001, error.detail))
        fates = result.fates if isinstance(result, orders.Batch) else {}
        return json_reply(self._envelope(0, "OK", result, fates))

    def _envelope(self, code: int, message: str, result: Any, more: Any = None) -> dict[str, Any]:
        return {
            "retCode": code,
            "retMsg": message,
            "result": result,
            "retExtInfo": more or {},
            "time": self._exchange.now_ms(),
        }

    def _refusal(self, error: BybitError, status: int = 200) -> Reply:
        return json_reply(self._envelope(error.code, error.message, {}), status, code=str(error.code))

    def _authenticate(self, call: Call, route: Route) -> Account:
        if not route.is_signed:
            return _NOBODY
        known = self._exchange.accounts.get(call.api_key)
        if known is None:
            raise BybitError(*BAD_KEY)
        stamp = call.headers.get("X-BAPI-TIMESTAMP", "")
        window = call.headers.get("X-BAPI-RECV-WINDOW", "")
        self._check_time(stamp, window)
        text = f"{stamp}{call.api_key}{window}{call.query if call.method == 'GET' else call.body}"
        if not is_signature(hex_signature(known.secret, text), call.headers.get("X-BAPI-SIGN", "")):
            raise BybitError(*BAD_SIGNATURE)
        if not _is_allowed(known.permissions, call):
            raise BybitError(*NOT_ALLOWED)
        return known

    def _check_time(self, stamp: str, window: str) -> None:
        if not stamp.isdecimal():
            raise BybitError(10001, "params error: X-BAPI-TIMESTAMP invalid")
        sent, now = int(stamp), self._exchange.now_ms()
        width = int(window) if window.isdecimal() else _DEFAULT_WINDOW_MS
        if not now - width <= sent < now + _AHEAD_MS:
            raise BybitError(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{width}]",
            )

    def refuse(self, call: Call, status: int, code: str, message: str) -> Reply:
        if not code:
            return Reply(status, message.encode(), {"Content-Type": "text/plain"})
        return self._refusal(BybitError(int(code), message), status)

    def rate_limited(self, call: Call, retry_after_s: int) -> Reply:
        """The account's limit of one endpoint; the address' is a ban."""
        refused = self._refusal(BybitError(*TOO_MANY_VISITS))
        reset_ms = self._exchange.now_ms() + retry_after_s * 1000
        limits = {
            "X-Bapi-Limit": "10",
            "X-Bapi-Limit-Status": "0",
            "X-Bapi-Limit-Reset-Timestamp": str(reset_ms),
        }
        return Reply(refused.status, refused.body, {**refused.headers, **limits}, refused.code)

    def banned(self, call: Call, seconds: int) -> Reply:
        return Reply(403, b"403, access too frequent", {"Content-Type": "text/plain"}, "403")

    def under_maintenance(self, call: Call) -> Reply:
        return Reply(503, b"Service Unavailable", {"Content-Type": "text/plain"}, "503")

    def is_socket(self, path: str) -> bool:
        return path in ("/v5/private", "/v5/public/spot", "/v5/public/linear")

    async def serve_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.streams.serve(request)

    def listeners(self, api_key: str) -> int:
        return self.streams.listeners(api_key)

    def outlets(self, api_key: str | None) -> Collection[Outlet]:
        return self.streams.outlets(api_key)

    def expire_listen_keys(self, api_key: str | None) -> int:
        """There are none."""
        return 0

    def tick(self) -> None:
        """Nothing here ends by the clock alone."""

    async def close(self) -> None:
        await self.streams.close()


def _is_allowed(permissions: KeyPermissions, call: Call) -> bool:
    """Reading needs the right to read, trading the right to trade in that market."""
    if call.method == "GET":
        return permissions.can_read
    if call.params.get("category") == "spot":
        return permissions.can_trade_spot
    return permissions.can_trade_futures
