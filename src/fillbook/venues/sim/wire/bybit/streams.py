"""Bybit's sockets: one private stream for all products (`order`, `execution`, `position`, `wallet`), public ones.

An execution is told before the order that it changed. Nothing is replayed to who comes later.
"""

from collections.abc import Callable, Collection
from typing import Any

import orjson
from aiohttp import web

from fillbook.accounts.core import PositionSide
from fillbook.market.core import MarketType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import (
    Event,
    Execution,
    LeverageEvent,
    OrderEvent,
    PriceEvent,
    TradeEvent,
    WalletEvent,
)
from fillbook.venues.sim.wire.bybit import account as accounts
from fillbook.venues.sim.wire.bybit.context import Context
from fillbook.venues.sim.wire.bybit.executions import category_of, fill_row
from fillbook.venues.sim.wire.bybit.orders import order_row
from fillbook.venues.sim.wire.bybit.public_streams import PublicStreams
from fillbook.venues.sim.wire.bybit.text import category_name
from fillbook.venues.sim.wire.ports import PassOn
from fillbook.venues.sim.wire.replies import to_json
from fillbook.venues.sim.wire.signing import hex_signature, is_signature
from fillbook.venues.sim.wire.sockets import Outlet, serve
from fillbook.venues.sim.wire.topics import PrivateTopics

PRIVATE_PATH = "/v5/private"
_CHANNELS = frozenset({"order", "execution", "position", "wallet"})
_CATEGORIZED = frozenset({"order", "execution", "position"})


class Streams:
    def __init__(self, context: Context, pass_on: PassOn) -> None:
        self._context = context
        self._private: PrivateTopics[str] = PrivateTopics(pass_on)
        self._public = PublicStreams(context)
        self._outlets: set[Outlet] = set()
        self._connections = 0
        self._messages = 0
        context.exchange.subscribe(self._on_event)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        socket, outlet = await serve(request, None, self._outlets.add, self._on_text)
        self._outlets.discard(outlet)
        self._private.forget(outlet)
        self._public.forget(outlet)
        return socket

    # Requests

    def _on_text(self, outlet: Outlet, text: str) -> None:
        try:
            message = orjson.loads(text)
            operation = message["op"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            outlet.send(to_json({"success": False, "ret_msg": "Invalid request", "conn_id": "", "op": ""}))
            return
        request_id = str(message.get("req_id", ""))
        arguments = message.get("args") or []
        match operation:
            case "ping":
                self._pong(outlet, request_id)
            case "auth":
                self._authenticate(outlet, arguments)
            case "subscribe":
                self._subscribe(outlet, arguments, request_id)
            case "unsubscribe":
                self._unsubscribe(outlet, arguments, request_id)
            case _:
                outlet.send(_answer(operation, request_id, f"Unknown op {operation}"))

    def _pong(self, outlet: Outlet, request_id: str) -> None:
        if outlet.path == PRIVATE_PATH:
            now = str(self._context.now_ms())
            outlet.send(to_json({"req_id": request_id, "op": "pong", "args": [now], "conn_id": "sim"}))
        else:
            body = {"success": True, "ret_msg": "pong", "conn_id": "sim", "req_id": request_id, "op": "ping"}
            outlet.send(to_json(body))

    def _authenticate(self, outlet: Outlet, arguments: list[Any]) -> None:
        key, expires, signature = (*(str(one) for one in arguments), "", "", "")[:3]
        account = self._context.exchange.accounts.get(key)
        code, message = 0, ""
        if account is None:
            code, message = 10003, "Invalid apikey"
        elif not is_signature(hex_signature(account.secret, f"GET/realtime{expires}"), signature):
            code, message = 10004, "Params Error: signature invalid"
        elif not expires.isdecimal() or int(expires) <= self._context.now_ms():
            code, message = 10002, "Params Error: expires has passed"
        else:
            outlet.account = key
        outlet.send(
            to_json({"op": "auth", "success": code == 0, "retCode": code, "retMsg": message, "connId": "sim"})
        )

    def _subscribe(self, outlet: Outlet, names: list[Any], request_id: str) -> None:
        """All topics or none; the answer comes before the first message of a topic."""
        wanted = [str(one) for one in names]
        for name in wanted:
            refusal = self._refusal(outlet, name)
            if refusal:
                outlet.send(_answer("subscribe", request_id, refusal))
                return
        outlet.send(_answer("subscribe", request_id))
        for name in wanted:
            outlet.streams.add(name)
            if outlet.account is not None:
                self._private.subscribe(outlet.account, name, outlet)
            else:
                self._public.subscribe(outlet, name)

    def _refusal(self, outlet: Outlet, name: str) -> str:
        """Why a topic cannot be subscribed to; empty: it can."""
        if outlet.path != PRIVATE_PATH:
            return "" if self._public.knows(outlet, name) else f"Invalid topic: {name}"
        if outlet.account is None:
            return "Request not authorized"
        channel, _, category = name.partition(".")
        is_known = channel in _CHANNELS and (
            not category or (channel in _CATEGORIZED and category in ("spot", "linear"))
        )
        if not is_known:
            return f"Invalid topic: {name}"
        return f"error:already subscribed,topic:{name}" if name in outlet.streams else ""

    def _unsubscribe(self, outlet: Outlet, names: list[Any], request_id: str) -> None:
        for name in (str(one) for one in names):
            outlet.streams.discard(name)
            if outlet.account is not None:
                self._private.unsubscribe(outlet.account, name, outlet)
            else:
                self._public.unsubscribe(outlet, name)
        outlet.send(_answer("unsubscribe", request_id))

    # Events

    def _on_event(self, event: Event) -> None:
        match event:
            case OrderEvent():
                self._public.on_event(event)
                self._on_order(event)
            case WalletEvent():
                self._on_wallet(event)
            case TradeEvent() | PriceEvent():
                self._public.on_event(event)
            case LeverageEvent():
                pass  # told by no topic

    def _on_order(self, event: OrderEvent) -> None:
        order, fill = event.order, event.fill
        category = category_name(order.market_type)
        if event.execution is Execution.FINISHED:
            return
        if fill is not None:
            row = fill_row(self._context, fill, fill.trade_id) | {
                "category": category_of(fill),
                "isLeverage": "0",
                "extraFees": "",
                "execPnl": "0",
            }
            # The recorded messages lack it: a client must know by itself what a fee is paid in.
            del row["feeCurrency"]
            self._tell(order.account, "execution", category, lambda: row, is_fill=True)
        self._tell(
            order.account,
            "order",
            category,
            lambda: (
                order_row(self._context, order)
                | {"category": category, "feeCurrency": fill.fee_asset if fill is not None else ""}
            ),
            is_fill=fill is not None,
        )

    def _on_wallet(self, event: WalletEvent) -> None:
        account = self._context.exchange.accounts[event.account]
        for symbol, leg in event.positions:
            self._tell(account.key, "position", "linear", lambda: self._position(account, symbol, leg))  # noqa: B023
        self._tell(
            account.key,
            "wallet",
            "",
            lambda: (
                accounts.wallet_totals(self._context, account)
                | {
                    "accountType": "UNIFIED",
                    "coin": [accounts.coin_row(self._context, account, asset) for asset in event.assets],
                }
            ),
        )

    def _position(self, account: Account, symbol: str, leg: PositionSide) -> dict[str, Any]:
        market = self._context.exchange.markets[symbol]
        row = accounts.position_row(self._context, account, market, account.position(symbol, leg))
        average = row.pop("avgPrice")
        return row | {
            "entryPrice": average,
            "sessionAvgPrice": "",
            "positionIMByMp": row["positionIM"],
            "positionMMByMp": row["positionMM"],
            "category": category_name(MarketType.FUTURES),
        }

    def _tell(
        self,
        account: str,
        channel: str,
        category: str,
        row: Callable[[], dict[str, Any]],
        *,
        is_fill: bool = False,
    ) -> None:
        def write(topic: str) -> list[str]:
            self._messages += 1
            body = {
                "id": f"sim-{self._messages}",
                "topic": topic,
                "creationTime": self._context.now_ms(),
                "data": [row()],
            }
            return [to_json(body)]

        wanted = {channel, f"{channel}.{category}"}
        self._private.tell(account, lambda topic: topic in wanted, write, is_fill=is_fill)

    def listeners(self, account: str) -> int:
        return len(self._private.outlets(account))

    def outlets(self, account: str | None) -> Collection[Outlet]:
        return set(self._outlets) if account is None else self._private.outlets(account)

    async def close(self) -> None:
        self._public.close()
        for outlet in list(self._outlets):
            await outlet.close()


def _answer(operation: str, request_id: str, refusal: str = "") -> str:
    body = {"success": not refusal, "ret_msg": refusal, "conn_id": "sim", "op": operation}
    return to_json(body | ({"req_id": request_id} if request_id else {}))
