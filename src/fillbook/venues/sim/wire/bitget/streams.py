"""Bitget's sockets: `/v2/ws/private` after a login, `/v2/ws/public` without; text `ping` is answered `pong`.

Each private channel is subscribed to by product (`SPOT`, `USDT-FUTURES`) and by symbol or `default` for all.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from fillbook.kernel.money import exact
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book
from fillbook.venues.sim.core.vocabulary import (
    Event,
    Execution,
    OrderEvent,
    PriceEvent,
    TradeEvent,
    WalletEvent,
)
from fillbook.venues.sim.wire.bitget import messages
from fillbook.venues.sim.wire.bitget.accounts import asset_row
from fillbook.venues.sim.wire.bitget.context import PRODUCT_TYPE, Context
from fillbook.venues.sim.wire.bitget.public_streams import PublicStreams
from fillbook.venues.sim.wire.ports import PassOn
from fillbook.venues.sim.wire.replies import to_json
from fillbook.venues.sim.wire.signing import base64_signature, is_signature
from fillbook.venues.sim.wire.sockets import Outlet, serve
from fillbook.venues.sim.wire.topics import PrivateTopics

Rows = list[dict[str, Any]]
Build = Callable[[], Rows]

_CHANNELS = frozenset({"orders", "fill", "orders-algo", "account", "positions"})
_LOGIN_WINDOW_S = 30
_INST_TYPES = {MarketType.SPOT: "SPOT", MarketType.FUTURES: PRODUCT_TYPE}
# A trigger is told by `orders-algo`, a refused child by nothing.
_UNTOLD = frozenset({Execution.TRIGGERED, Execution.FINISHED, Execution.REJECTED})


class _Topic(NamedTuple):
    """`name` is a symbol or coin, or `default` for all; `by` is how the client called it."""

    inst_type: str
    channel: str
    name: str
    by: str

    @property
    def arg(self) -> dict[str, str]:
        return {"instType": self.inst_type, "channel": self.channel, self.by: self.name}


class Streams:
    def __init__(self, context: Context, pass_on: PassOn) -> None:
        self._context = context
        self._topics: PrivateTopics[_Topic] = PrivateTopics(pass_on)
        self._outlets: set[Outlet] = set()
        self._public = PublicStreams(context)
        context.exchange.subscribe(self._on_event)

    # Connections

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        socket, outlet = await serve(request, None, self._outlets.add, self._on_text)
        self._outlets.discard(outlet)
        self._topics.forget(outlet)
        self._public.forget(outlet)
        return socket

    def _on_text(self, outlet: Outlet, text: str) -> None:
        if text == "ping":
            outlet.send("pong")
            return
        try:
            message = orjson.loads(text)
            operation, args = message["op"], message["args"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            _refuse(outlet, 30003, "Invalid op")
            return
        if operation == "login":
            self._log_in(outlet, args[0] if args else {})
        elif operation in ("subscribe", "unsubscribe"):
            change = self._subscribe if operation == "subscribe" else self._unsubscribe
            for arg in args:
                change(outlet, arg)
        else:
            _refuse(outlet, 30003, "Invalid op")

    def _log_in(self, outlet: Outlet, arg: Mapping[str, Any]) -> None:
        account = self._context.exchange.accounts.get(str(arg.get("apiKey", "")))
        stamp = str(arg.get("timestamp", ""))
        if account is None:
            _refuse(outlet, 30011, "Invalid ACCESS_KEY")
        elif account.passphrase is not None and arg.get("passphrase") != account.passphrase:
            _refuse(outlet, 30012, "Invalid ACCESS_PASSPHRASE")
        elif not stamp.isdecimal():
            _refuse(outlet, 30013, "Invalid ACCESS_TIMESTAMP")
        elif abs(int(stamp) - self._context.now_ms() // 1000) > _LOGIN_WINDOW_S:
            _refuse(outlet, 30014, "Request timestamp expired")
        elif not is_signature(
            base64_signature(account.secret, f"{stamp}GET/user/verify"), str(arg.get("sign", ""))
        ):
            _refuse(outlet, 30015, "Invalid sign")
        else:
            outlet.account = account.key
            outlet.send(to_json({"event": "login", "code": 0}))

    def _subscribe(self, outlet: Outlet, arg: dict[str, str]) -> None:
        if arg.get("channel") not in _CHANNELS:
            if not outlet.path.endswith("/public") or not self._public.subscribe(outlet, arg):
                _refuse(outlet, 30001, f"{arg} doesn't exist")
        elif outlet.account is None:
            _refuse(outlet, 30004, "User not logged in")
        elif arg.get("instType") not in _INST_TYPES.values():
            _refuse(outlet, 30016, "Param error")
        else:
            topic = _topic(arg)
            self._topics.subscribe(outlet.account, topic, outlet)
            outlet.send(to_json({"event": "subscribe", "arg": arg}))
            self._tell_first(outlet, topic)

    def _tell_first(self, outlet: Outlet, topic: _Topic) -> None:
        """Wallets and positions are told at once, orders and fills only when something happens."""
        account = self._context.exchange.accounts[outlet.account or ""]
        if topic.channel == "positions":
            outlet.send(self._pushed(topic, lambda: messages.position_rows(self._context, account)))
        elif topic.channel == "account":
            is_spot = topic.inst_type == "SPOT"
            assets = tuple(account.spot if is_spot else account.wallet)
            outlet.send(self._pushed(topic, self._wallet_rows(account.key, is_spot, assets)))

    def _unsubscribe(self, outlet: Outlet, arg: dict[str, str]) -> None:
        if outlet.account is not None:
            self._topics.unsubscribe(outlet.account, _topic(arg), outlet)
        self._public.unsubscribe(outlet, arg)
        outlet.send(to_json({"event": "unsubscribe", "arg": arg}))

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
            case _:
                pass

    def _on_order(self, event: OrderEvent) -> None:
        context, order, fill = self._context, event.order, event.fill
        inst_type, name = _INST_TYPES[order.market_type], context.wire_ids[order.symbol]
        if order.book is Book.CONDITIONAL:
            if event.execution is not Execution.FINISHED:
                plan_rows: Build = lambda: [messages.plan_row(context, order)]  # noqa: E731
                self._tell(order.account, inst_type, "orders-algo", name, plan_rows)
            return
        if event.execution in _UNTOLD:
            return
        account = context.exchange.accounts[order.account]
        order_rows: Build = lambda: [messages.order_row(context, account, event)]  # noqa: E731
        self._tell(order.account, inst_type, "orders", name, order_rows, is_fill=fill is not None)
        if fill is not None:
            fill_rows: Build = lambda: [messages.fill_row(context, fill)]  # noqa: E731
            self._tell(order.account, inst_type, "fill", name, fill_rows, is_fill=True)

    def _on_wallet(self, event: WalletEvent) -> None:
        is_spot = event.market_type is MarketType.SPOT
        rows = self._wallet_rows(event.account, is_spot, event.assets)
        self._tell(event.account, _INST_TYPES[event.market_type], "account", "default", rows)
        if event.positions:
            account = self._context.exchange.accounts[event.account]
            position_rows: Build = lambda: messages.position_rows(self._context, account)  # noqa: E731
            self._tell(event.account, PRODUCT_TYPE, "positions", "default", position_rows)

    def _wallet_rows(self, key: str, is_spot: bool, assets: Collection[str]) -> Build:
        account = self._context.exchange.accounts[key]
        if is_spot:
            return lambda: [asset_row(account, asset) for asset in assets]
        return lambda: [messages.futures_wallet_row(self._context, account, asset) for asset in assets]

    def _tell(
        self, account: str, inst_type: str, channel: str, name: str, rows: Build, *, is_fill: bool = False
    ) -> None:
        def wants(topic: _Topic) -> bool:
            is_named = topic.name in ("default", name)
            return topic.channel == channel and topic.inst_type == inst_type and is_named

        self._topics.tell(account, wants, lambda topic: (self._pushed(topic, rows),), is_fill=is_fill)

    def _pushed(self, topic: _Topic, rows: Build) -> str:
        ts = self._context.now_ms()
        return to_json({"action": "snapshot", "arg": topic.arg, "data": exact(rows)(), "ts": ts})

    def listeners(self, account: str) -> int:
        return len(self._topics.outlets(account))

    def outlets(self, account: str | None) -> Collection[Outlet]:
        return self._outlets if account is None else self._topics.outlets(account)

    async def close(self) -> None:
        self._public.close()
        for outlet in list(self._outlets):
            await outlet.close()


def _topic(arg: dict[str, str]) -> _Topic:
    by = "coin" if arg.get("channel") == "account" else "instId"
    return _Topic(arg.get("instType", ""), arg.get("channel", ""), arg.get(by, "default"), by)


def _refuse(outlet: Outlet, code: int, message: str) -> None:
    outlet.send(to_json({"event": "error", "code": code, "msg": message}))
