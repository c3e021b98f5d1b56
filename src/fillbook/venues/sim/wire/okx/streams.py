"""OKX's sockets: public, private and business; a private channel wants a login on its own socket.

What is refused is told as an event and leaves the socket open, as the venue does.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import orjson
from aiohttp import web

from fillbook.kernel.money import exact
from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import (
    Event,
    Execution,
    OrderEvent,
    PriceEvent,
    TradeEvent,
    WalletEvent,
)
from fillbook.venues.sim.wire.okx.accounts import balance_row, position_row
from fillbook.venues.sim.wire.okx.context import Context
from fillbook.venues.sim.wire.okx.errors import OkxError
from fillbook.venues.sim.wire.okx.public_streams import OkxSpeech, topic_of
from fillbook.venues.sim.wire.okx.rows import algo_row, stream_order_row
from fillbook.venues.sim.wire.okx.text import INSTRUMENT_TYPES
from fillbook.venues.sim.wire.ports import PassOn
from fillbook.venues.sim.wire.public import PublicTopics
from fillbook.venues.sim.wire.replies import to_json
from fillbook.venues.sim.wire.signing import base64_signature, is_signature
from fillbook.venues.sim.wire.sockets import Outlet, serve
from fillbook.venues.sim.wire.topics import PrivateTopics

PATHS = ("/ws/v5/public", "/ws/v5/private", "/ws/v5/business")
_PRIVATE = {"orders": "/ws/v5/private", "account": "/ws/v5/private", "positions": "/ws/v5/private"}
_PRIVATE |= {"orders-algo": "/ws/v5/business"}
_LOGIN_WINDOW_MS = 30_000

Arg = tuple[tuple[str, str], ...]
"""What a client subscribes by: the names and values of its `arg`, in order of name."""
Row = dict[str, Any]


class Refusal(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Streams:
    def __init__(self, context: Context, pass_on: PassOn) -> None:
        self._context = context
        self._public = PublicTopics(OkxSpeech(context))
        self._private: PrivateTopics[Arg] = PrivateTopics(pass_on)
        self._outlets: dict[Outlet, str] = {}
        self._opened = 0
        context.exchange.subscribe(self._on_event)

    # Connections

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        socket, outlet = await serve(request, None, self._on_open, self._on_text)
        del self._outlets[outlet]
        self._public.forget(outlet)
        self._private.forget(outlet)
        return socket

    def _on_open(self, outlet: Outlet) -> None:
        self._opened += 1
        self._outlets[outlet] = f"{self._opened:08x}"

    def _on_text(self, outlet: Outlet, text: str) -> None:
        if text == "ping":
            outlet.send("pong")
            return
        connection = {"connId": self._outlets[outlet]}
        try:
            message = orjson.loads(text)
            operation, args = message["op"], message["args"]
            for arg in args:
                outlet.send(to_json(exact(self._answer)(outlet, operation, arg) | connection))
                if operation == "subscribe":
                    self._tell_first(outlet, arg)
        except Refusal as refusal:
            self._refuse(outlet, refusal)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._refuse(outlet, Refusal("60012", f"Illegal request: {text}"))

    def _refuse(self, outlet: Outlet, refusal: Refusal) -> None:
        body = {"event": "error", "code": refusal.code, "msg": refusal.message}
        outlet.send(to_json(body | {"connId": self._outlets[outlet]}))

    def _answer(self, outlet: Outlet, operation: str, arg: Row) -> Row:
        match operation:
            case "login":
                outlet.account = self._login(arg).key
                return {"event": "login", "code": "0", "msg": ""}
            case "subscribe" | "unsubscribe":
                self._change(outlet, operation == "subscribe", arg)
                return {"event": operation, "arg": arg}
            case _:
                raise Refusal("60012", f"Illegal request: {operation}")

    def _login(self, arg: Row) -> Account:
        account = self._context.exchange.accounts.get(str(arg["apiKey"]))
        if account is None:
            raise Refusal("60005", "Invalid apiKey")
        if (account.passphrase or "") != str(arg["passphrase"]):
            raise Refusal("60024", "Wrong passphrase")
        stamp = str(arg["timestamp"])
        if not is_signature(
            base64_signature(account.secret, f"{stamp}GET/users/self/verify"), str(arg["sign"])
        ):
            raise Refusal("60007", "Invalid sign")
        if abs(int(stamp) * 1000 - self._context.now_ms()) > _LOGIN_WINDOW_MS:
            raise Refusal("60006", "Timestamp request expired")
        return account

    def _change(self, outlet: Outlet, subscribes: bool, arg: Row) -> None:
        channel = str(arg["channel"])
        unknown = Refusal(
            "60018", f"Wrong URL or channel:{channel} doesn't exist. Please use the correct URL."
        )
        if channel in _PRIVATE:
            if outlet.path != _PRIVATE[channel]:
                raise unknown
            if outlet.account is None:
                raise Refusal("60011", "Please log in")
            change = self._private.subscribe if subscribes else self._private.unsubscribe
            change(outlet.account, _key(arg), outlet)
            return
        wanted = "/ws/v5/business" if channel.startswith("candle") else "/ws/v5/public"
        try:
            topic = topic_of(self._context, channel, str(arg.get("instId", "")))
        except OkxError:
            raise unknown from None
        if topic is None or outlet.path != wanted:
            raise unknown
        if subscribes:
            outlet.streams.add(channel)
        else:
            self._public.unsubscribe(outlet, topic)

    def _tell_first(self, outlet: Outlet, arg: Row) -> None:
        """What a channel says to who has just subscribed: its state; orders have none."""
        channel = str(arg["channel"])
        if channel not in _PRIVATE:
            topic = topic_of(self._context, channel, str(arg.get("instId", "")))
            assert topic is not None, "it was subscribed to"
            self._public.subscribe(outlet, topic)
            return
        assert outlet.account is not None, "a private channel wants a login"
        account = self._context.exchange.accounts[outlet.account]
        rows: list[Row] = []
        if channel == "account":
            rows = [exact(balance_row)(self._context, account)]
        elif channel == "positions":
            rows = [
                exact(position_row)(self._context, account, self._context.market_of_symbol(held.symbol), held)
                for held in account.positions.values()
                if held.quantity
            ]
        if rows:
            outlet.send(self._message(_key(arg), account, rows))

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

    def _on_order(self, event: OrderEvent) -> None:
        order = event.order
        is_algo = order.book is Book.CONDITIONAL
        if is_algo is False and event.execution is Execution.TRIGGERED:
            return
        if is_algo and event.execution is Execution.FINISHED:
            return
        channel = "orders-algo" if is_algo else "orders"
        names = {"instType": INSTRUMENT_TYPES[order.market_type], "instId": self._context.ids[order.symbol]}

        def row() -> Row:
            if is_algo:
                return algo_row(self._context, order) | {"notionalUsd": "", "reqId": ""}
            return stream_order_row(self._context, event)

        self._tell(order.account, channel, names, row, is_fill=event.fill is not None)

    def _on_wallet(self, event: WalletEvent) -> None:
        account = self._context.exchange.accounts[event.account]
        assets = list(event.assets)
        self._tell(event.account, "account", {}, lambda: balance_row(self._context, account, assets))
        for symbol, leg in event.positions:
            market = self._context.market_of_symbol(symbol)
            position = account.position(symbol, leg)
            names = {"instType": INSTRUMENT_TYPES[MarketType.FUTURES], "instId": self._context.ids[symbol]}
            self._tell(
                event.account,
                "positions",
                names,
                lambda market=market, held=position: position_row(self._context, account, market, held),  # type: ignore[misc]
            )

    def _tell(
        self, key: str, channel: str, names: Row, row: Callable[[], Row], *, is_fill: bool = False
    ) -> None:
        account = self._context.exchange.accounts[key]

        def wants(arg: Arg) -> bool:
            said = dict(arg)
            return said.pop("channel") == channel and all(
                value == names.get(name, value) or (name == "instType" and value == "ANY")
                for name, value in said.items()
            )

        def write(arg: Arg) -> Iterator[str]:
            yield self._message(arg, account, [exact(row)()])

        self._private.tell(key, wants, write, is_fill=is_fill)

    def _message(self, arg: Arg, account: Account, rows: list[Row]) -> str:
        return to_json({"arg": {**dict(arg), "uid": str(account.uid)}, "data": rows})

    # For the server

    def listeners(self, account: str) -> int:
        return len(self._private.outlets(account))

    def outlets(self, account: str | None) -> Collection[Outlet]:
        if account is None:
            return list(self._outlets)
        return [outlet for outlet in self._outlets if outlet.account == account]

    async def close(self) -> None:
        self._public.close()
        for outlet in list(self._outlets):
            await outlet.close()


def _key(arg: Row) -> Arg:
    return tuple(sorted((str(name), str(value)) for name, value in arg.items()))
