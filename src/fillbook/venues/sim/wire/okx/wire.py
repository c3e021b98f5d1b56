"""OKX over HTTP: reads a request, checks key, passphrase, time and signature, finds the endpoint.

The signature covers time, method, path with its query and body, exactly as they were sent. Requests that fail
before their endpoint changed nothing.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from aiohttp import web

from fillbook.accounts.core import KeyPermissions
from fillbook.kernel.clock import to_ms
from fillbook.kernel.errors import FillbookError
from fillbook.kernel.money import exact
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.vocabulary import Refused
from fillbook.venues.sim.wire.okx import accounts, algo_orders, bills, market_data, orders
from fillbook.venues.sim.wire.okx.context import Context, Route, Routes
from fillbook.venues.sim.wire.okx.errors import NOT_PERMITTED, OkxError, from_refusal
from fillbook.venues.sim.wire.okx.orders import RowsFailed
from fillbook.venues.sim.wire.okx.streams import PATHS, Streams
from fillbook.venues.sim.wire.ports import Call, PassOn, Reply
from fillbook.venues.sim.wire.replies import json_reply
from fillbook.venues.sim.wire.requests import flat, read_json, read_pairs
from fillbook.venues.sim.wire.signing import base64_signature, is_signature
from fillbook.venues.sim.wire.sockets import Outlet

_WINDOW_MS = 30_000
_NOBODY = Account("", "", 0, None, KeyPermissions(False, False, False, False, False))
_TRADE_PATH = "/api/v5/trade/"


class OkxWire:
    def __init__(self, exchange: Exchange, pass_on: PassOn) -> None:
        self._context = Context(exchange)
        self._exchange = exchange
        self.streams = Streams(self._context, pass_on)
        self._routes: Routes = {
            **orders.ROUTES,
            **algo_orders.ROUTES,
            **bills.ROUTES,
            **accounts.ROUTES,
            **market_data.ROUTES,
        }

    def read(self, call: Call) -> None:
        """Of a list of orders, the first one's values stand for the request in its record."""
        call.api_key = call.headers.get("OK-ACCESS-KEY", "")
        call.params |= read_pairs(call.query)
        try:
            body = read_json(call.body)
        except ValueError:
            return
        first = body[0] if isinstance(body, list) and body else body
        if isinstance(first, dict):
            call.params |= flat(first)

    def respond(self, call: Call) -> Reply:
        route = self._routes.get((call.method, call.path))
        if route is None:
            return json_reply({"code": "404", "msg": "Not Found", "data": {}}, 404)
        try:
            account = self._authenticate(call, route)
            answer = exact(route.endpoint)(self._context, account, self._parameters(call))
        except RowsFailed as failed:
            return json_reply(
                _envelope(failed.code, failed.message, failed.rows), code=failed.rows[0]["sCode"]
            )
        except OkxError as error:
            return _refusal(error)
        except Refused as refused:
            return _refusal(from_refusal(refused.reason))
        except FillbookError as error:
            return _refusal(OkxError("51000", error.detail))
        return json_reply(_envelope("0", "", answer))

    def _parameters(self, call: Call) -> Any:
        if call.method == "GET":
            return call.params
        try:
            return read_json(call.body)
        except ValueError as error:
            raise OkxError("50002", "JSON syntax error", 400) from error

    def _authenticate(self, call: Call, route: Route) -> Account:
        if route.is_public:
            return _NOBODY
        headers = {
            name: self._header(call, f"OK-ACCESS-{name}")
            for name in ("KEY", "SIGN", "TIMESTAMP", "PASSPHRASE")
        }
        account = self._exchange.accounts.get(headers["KEY"])
        if account is None:
            raise OkxError("50119", "API key doesn't exist", 401)
        if (account.passphrase or "") != headers["PASSPHRASE"]:
            raise OkxError("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', 401)
        self._check_time(headers["TIMESTAMP"])
        query = f"?{call.query}" if call.query else ""
        signed = f"{headers['TIMESTAMP']}{call.method}{call.path}{query}{call.body}"
        if not is_signature(base64_signature(account.secret, signed), headers["SIGN"]):
            raise OkxError("50113", "Invalid Sign", 401)
        allowed = account.permissions
        can_trade = allowed.can_trade_spot or allowed.can_trade_futures
        if not (can_trade if route.trades else allowed.can_read):
            raise OkxError(*NOT_PERMITTED)
        return account

    def _header(self, call: Call, name: str) -> str:
        value = call.headers.get(name, "")
        if not value and name != "OK-ACCESS-PASSPHRASE":
            code = {"OK-ACCESS-KEY": "50103", "OK-ACCESS-SIGN": "50106", "OK-ACCESS-TIMESTAMP": "50107"}[name]
            raise OkxError(code, f'Request header "{name}" can not be empty.', 401)
        return value

    def _check_time(self, text: str) -> None:
        try:
            stamp = datetime.fromisoformat(text)
        except ValueError as error:
            raise OkxError("50112", "Invalid OK-ACCESS-TIMESTAMP", 401) from error
        if stamp.tzinfo is None or abs(to_ms(stamp) - self._exchange.now_ms()) > _WINDOW_MS:
            raise OkxError("50102", "Timestamp request expired", 401)

    def refuse(self, call: Call, status: int, code: str, message: str) -> Reply:
        """What an order meets stands in its row, beside a top code of 1."""
        if not code:
            return Reply(status, message.encode(), {"Content-Type": "text/plain"})
        if code.startswith("51") and call.method == "POST" and call.path.startswith(_TRADE_PATH):
            row = {"ordId": "", "clOrdId": call.params.get("clOrdId", ""), "sCode": code, "sMsg": message}
            return json_reply(_envelope("1", "All operations failed", [row]), code=code)
        return _refusal(OkxError(code, message, status))

    def rate_limited(self, call: Call, retry_after_s: int) -> Reply:
        """Without a word of when to come back: the venue does not send one."""
        return _refusal(OkxError("50011", "Too Many Requests", 429))

    def banned(self, call: Call, seconds: int) -> Reply:
        return _refusal(OkxError("50011", "Too Many Requests", 429))

    def under_maintenance(self, call: Call) -> Reply:
        return _refusal(OkxError("50001", "Service temporarily unavailable. Try again later", 503))

    def is_socket(self, path: str) -> bool:
        return path in PATHS

    async def serve_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.streams.serve(request)

    def listeners(self, api_key: str) -> int:
        return self.streams.listeners(api_key)

    def outlets(self, api_key: str | None) -> Collection[Outlet]:
        return self.streams.outlets(api_key)

    def expire_listen_keys(self, api_key: str | None) -> int:
        """There are none: a login lasts as long as its socket."""
        return 0

    def tick(self) -> None:
        """Nothing here is due by the clock alone."""

    async def close(self) -> None:
        await self.streams.close()


def _envelope(code: str, message: str, rows: Any) -> dict[str, Any]:
    return {"code": code, "msg": message, "data": rows}


def _refusal(error: OkxError) -> Reply:
    return json_reply(_envelope(error.code, error.message, []), error.status, code=error.code)
