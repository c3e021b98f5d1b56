"""Bitget over HTTP: reads a request, checks key, passphrase, time and signature, finds the endpoint.

The signature covers time, method, path, the query with its percent signs resolved, and the body. Requests that
fail before their endpoint changed nothing. Errors come with HTTP 400 and an envelope of their own.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

from fillbook.accounts.core import KeyPermissions
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import exact
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.wire.bitget import accounts, mix_orders, plans, public, spot_orders
from fillbook.venues.sim.wire.bitget.context import Context, Route, Routes
from fillbook.venues.sim.wire.bitget.errors import BitgetError
from fillbook.venues.sim.wire.bitget.streams import Streams
from fillbook.venues.sim.wire.ports import Call, PassOn, Reply
from fillbook.venues.sim.wire.replies import JSON_HEADERS, json_reply, to_json
from fillbook.venues.sim.wire.requests import flat, read_json, read_pairs
from fillbook.venues.sim.wire.signing import base64_signature, is_signature
from fillbook.venues.sim.wire.sockets import Outlet

_WINDOW_MS = 30_000
_NOBODY = Account("", "", 0, None, KeyPermissions(False, False, False, False, False))


class BitgetWire:
    def __init__(self, exchange: Exchange, pass_on: PassOn) -> None:
        self._exchange = exchange
        self._context = Context(exchange)
        self.streams = Streams(self._context, pass_on)
        self._routes: Routes = {
            **public.ROUTES,
            **accounts.ROUTES,
            **spot_orders.ROUTES,
            **mix_orders.ROUTES,
            **plans.ROUTES,
        }

    def read(self, call: Call) -> None:
        """Lists in a body stay JSON text."""
        call.api_key = call.headers.get("ACCESS-KEY", "")
        call.params |= read_pairs(call.query)
        try:
            body = read_json(call.body)
        except ValueError:
            return
        if isinstance(body, dict):
            lists = {name: to_json(value) for name, value in body.items() if isinstance(value, list)}
            call.params |= flat(body) | lists

    def respond(self, call: Call) -> Reply:
        route = self._routes.get((call.method, call.path))
        if route is None:
            return self._refusal(BitgetError("40404", "Request URL NOT FOUND", 404))
        try:
            account = self._authenticate(call, route)
            body = exact(route.endpoint)(self._context, account, call.params)
        except BitgetError as error:
            return self._refusal(error)
        except FillbookError as error:
            return self._refusal(BitgetError("40017", f"Parameter verification failed: {error.detail}"))
        return json_reply(self._envelope("00000", "success", body))

    def _envelope(self, code: str, message: str, body: Any) -> dict[str, Any]:
        return {"code": code, "msg": message, "requestTime": self._exchange.now_ms(), "data": body}

    def _refusal(self, error: BitgetError, headers: Mapping[str, str] = JSON_HEADERS) -> Reply:
        return json_reply(self._envelope(error.code, error.message, None), error.status, headers, error.code)

    def _authenticate(self, call: Call, route: Route) -> Account:
        if route.is_public:
            return _NOBODY
        if not call.api_key:
            raise BitgetError("40001", "ACCESS_KEY cannot be empty")
        account = self._exchange.accounts.get(call.api_key)
        if account is None:
            raise BitgetError("40037", "Apikey does not exist")
        if account.passphrase is not None and call.headers.get("ACCESS-PASSPHRASE") != account.passphrase:
            raise BitgetError("40012", "apikey/password is incorrect")
        self._check_time(call)
        self._check_signature(call, account)
        if not _is_allowed(account.permissions, call):
            raise BitgetError("40014", "Incorrect permissions")
        return account

    def _check_time(self, call: Call) -> None:
        stamp = call.headers.get("ACCESS-TIMESTAMP", "")
        if not stamp.isdecimal():
            raise BitgetError("40005", "Invalid ACCESS_TIMESTAMP")
        if abs(int(stamp) - self._exchange.now_ms()) > _WINDOW_MS:
            raise BitgetError("40008", "Request timestamp expired")

    def _check_signature(self, call: Call, account: Account) -> None:
        query = f"?{unquote_plus(call.query)}" if call.query else ""
        signed = call.headers.get("ACCESS-TIMESTAMP", "") + call.method + call.path + query + call.body
        given = call.headers.get("ACCESS-SIGN", "")
        if not is_signature(base64_signature(account.secret, signed), given):
            raise BitgetError("40009", "sign signature error")

    def refuse(self, call: Call, status: int, code: str, message: str) -> Reply:
        if not code:
            return Reply(status, message.encode(), {"Content-Type": "text/plain"})
        return self._refusal(BitgetError(code, message, status))

    def rate_limited(self, call: Call, retry_after_s: int) -> Reply:
        error = BitgetError("429", "Too many requests", 429)
        return self._refusal(error, {**JSON_HEADERS, "Retry-After": str(retry_after_s)})

    def banned(self, call: Call, seconds: int) -> Reply:
        return self._refusal(BitgetError("403", "Access prohibited", 403))

    def under_maintenance(self, call: Call) -> Reply:
        return self._refusal(BitgetError("40200", "Server upgrade, please try again later", 503))

    def is_socket(self, path: str) -> bool:
        return path in ("/v2/ws/public", "/v2/ws/private")

    async def serve_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.streams.serve(request)

    def listeners(self, api_key: str) -> int:
        return self.streams.listeners(api_key)

    def outlets(self, api_key: str | None) -> Collection[Outlet]:
        return self.streams.outlets(api_key)

    def expire_listen_keys(self, api_key: str | None) -> int:
        """Bitget has none: a login lasts as long as its socket."""
        return 0

    def tick(self) -> None:
        """Nothing of Bitget's ends by the clock alone."""

    async def close(self) -> None:
        await self.streams.close()


def _is_allowed(permissions: KeyPermissions, call: Call) -> bool:
    """Reading needs the right to read, everything else the right to trade in that market."""
    if call.method == "GET":
        return permissions.can_read
    if call.path.startswith("/api/v2/spot/"):
        return permissions.can_trade_spot
    return permissions.can_trade_futures
