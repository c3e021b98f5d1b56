"""Binance's sockets: the spot user stream (WS-API), the futures user stream (listen key), public streams.

Private messages are built once per event and only for accounts that listen.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson
from aiohttp import web

from fillbook.market.core import MarketType
from fillbook.orders.core.order import Book
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import (
    Event,
    Execution,
    LeverageEvent,
    OrderEvent,
    PriceEvent,
    TradeEvent,
    WalletCause,
    WalletEvent,
)
from fillbook.venues.sim.wire.binance import messages
from fillbook.venues.sim.wire.binance.context import Context, Route, Routes, Security
from fillbook.venues.sim.wire.binance.errors import BinanceError
from fillbook.venues.sim.wire.binance.public_streams import PublicStreams
from fillbook.venues.sim.wire.binance.text import Params
from fillbook.venues.sim.wire.ports import PassOn
from fillbook.venues.sim.wire.replies import to_json
from fillbook.venues.sim.wire.signing import hex_signature, is_signature
from fillbook.venues.sim.wire.sockets import Outlet, serve

LISTEN_KEY_MS = 60 * 60_000

Bodies = list[dict[str, Any]]


class Streams:
    def __init__(self, context: Context, pass_on: PassOn) -> None:
        self._context = context
        self._spot: dict[str, list[tuple[Outlet, int]]] = {}
        self._futures: dict[str, list[Outlet]] = {}
        self._keys: dict[str, tuple[str, int]] = {}  # listen key -> account, expiry
        self._key_of: dict[str, str] = {}
        self._keys_made = 0
        self._outlets: set[Outlet] = set()
        self._public = PublicStreams(context)
        self._pass_on = pass_on
        context.exchange.subscribe(self._on_event)

    # Listen keys

    def routes(self) -> Routes:
        path = "/fapi/v1/listenKey"
        return {
            ("POST", path): Route(self._open_key, Security.KEY),
            ("PUT", path): Route(self._renew_key, Security.KEY),
            ("DELETE", path): Route(self._close_key, Security.KEY),
        }

    def _open_key(self, context: Context, account: Account, params: Params) -> Any:
        """The same key until it has expired; each POST renews it."""
        key = self._key_of.get(account.key)
        if key is None or self._keys[key][1] <= context.now_ms():
            self._keys_made += 1
            key = hex_signature(account.secret, str(self._keys_made))
            self._key_of[account.key] = key
        self._keys[key] = (account.key, context.now_ms() + LISTEN_KEY_MS)
        return {"listenKey": key}

    def _renew_key(self, context: Context, account: Account, params: Params) -> Any:
        key = self._key_of.get(account.key)
        if key is None or self._keys[key][1] <= context.now_ms():
            raise BinanceError(-1125, "This listenKey does not exist.")
        self._keys[key] = (account.key, context.now_ms() + LISTEN_KEY_MS)
        return {"listenKey": key}

    def _close_key(self, context: Context, account: Account, params: Params) -> Any:
        key = self._key_of.pop(account.key, None)
        if key is not None:
            del self._keys[key]
        return {}

    # Connections

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        account = None
        if request.path.startswith("/private/") or "listenKey" in request.query:
            found = self._keys.get(request.query.get("listenKey", ""))
            if found is None or found[1] <= self._context.now_ms():
                return web.Response(status=400, text="invalid listenKey")
            account = found[0]
        socket, outlet = await serve(request, account, self._on_open, self._on_text)
        self._forget(outlet)
        return socket

    def _on_open(self, outlet: Outlet) -> None:
        self._outlets.add(outlet)
        if outlet.account is not None:
            self._futures.setdefault(outlet.account, []).append(outlet)

    def _forget(self, outlet: Outlet) -> None:
        self._outlets.discard(outlet)
        self._public.unsubscribe(outlet, outlet.streams)
        for listening in self._futures.values():
            if outlet in listening:
                listening.remove(outlet)
        for key, subscribed in self._spot.items():
            self._spot[key] = [pair for pair in subscribed if pair[0] is not outlet]

    def _on_text(self, outlet: Outlet, text: str) -> None:
        try:
            message = orjson.loads(text)
            method, message_id = message["method"], message["id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            outlet.send('{"error":{"code":2,"msg":"Invalid request"}}')
            return
        if outlet.path.startswith("/ws-api/"):
            self._on_api(outlet, method, message_id, message.get("params") or {})
        elif method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            outlet.send(to_json({"result": None, "id": message_id}))
            change = self._public.subscribe if method == "SUBSCRIBE" else self._public.unsubscribe
            change(outlet, message.get("params") or [])
        elif method == "LIST_SUBSCRIPTIONS":
            outlet.send(to_json({"result": sorted(outlet.streams), "id": message_id}))

    def _on_api(self, outlet: Outlet, method: str, message_id: Any, params: Mapping[str, Any]) -> None:
        def refuse(status: int, code: int, text: str) -> None:
            outlet.send(to_json({"id": message_id, "status": status, "error": {"code": code, "msg": text}}))

        if method == "ping":
            outlet.send(to_json({"id": message_id, "status": 200, "result": {}}))
            return
        if method != "userDataStream.subscribe.signature":
            refuse(400, -1000, f"Unknown method {method}.")
            return
        account = self._context.exchange.accounts.get(str(params.get("apiKey", "")))
        if account is None:
            refuse(401, -2015, "Invalid API-key, IP, or permissions for action.")
            return
        signed = "&".join(f"{key}={params[key]}" for key in sorted(params) if key != "signature")
        if not is_signature(hex_signature(account.secret, signed), str(params.get("signature", ""))):
            refuse(400, -1022, "Signature for this request is not valid.")
            return
        stamp, window = _whole(params.get("timestamp"), 0), _whole(params.get("recvWindow"), 5000)
        if not stamp - 1000 <= self._context.now_ms() <= stamp + window:
            refuse(400, -1021, "Timestamp for this request is outside of the recvWindow.")
            return
        subscribed = self._spot.setdefault(account.key, [])
        number = sum(1 for listening in self._spot.values() for own, _ in listening if own is outlet)
        subscribed.append((outlet, number))
        outlet.send(to_json({"id": message_id, "status": 200, "result": {"subscriptionId": number}}))

    # Events

    def _on_event(self, event: Event) -> None:
        match event:
            case OrderEvent():
                self._public.on_event(event)
                order, is_fill = event.order, event.fill is not None
                if order.market_type is MarketType.SPOT:
                    self._to_spot(
                        order.account, is_fill, lambda: [messages.execution_report(self._context, event)]
                    )
                else:
                    self._to_futures(order.account, is_fill, lambda: self._futures_order(event))
            case WalletEvent():
                self._on_wallet(event)
            case LeverageEvent():
                self._to_futures(
                    event.account, False, lambda: [messages.account_config_update(self._context, event)]
                )
            case TradeEvent() | PriceEvent():
                self._public.on_event(event)

    def _futures_order(self, event: OrderEvent) -> Bodies:
        if event.order.book is Book.CONDITIONAL:
            return [messages.algo_update(self._context, event)]
        if event.execution in (Execution.TRIGGERED, Execution.FINISHED):
            return []
        lite = messages.trade_lite(self._context, event)
        update = messages.order_trade_update(self._context, event)
        return [lite, update] if lite is not None else [update]

    def _on_wallet(self, event: WalletEvent) -> None:
        account = self._context.exchange.accounts[event.account]
        if event.market_type is MarketType.FUTURES:
            self._to_futures(
                event.account, False, lambda: [messages.account_update(self._context, account, event)]
            )
            return
        is_transfer = event.cause in (WalletCause.DEPOSIT, WalletCause.WITHDRAWAL)
        first = [messages.balance_update(event)] if is_transfer else []
        self._to_spot(event.account, False, lambda: [*first, messages.account_position(account, event)])

    def _to_spot(self, account: str, is_fill: bool, build: Callable[[], Bodies]) -> None:
        listening = self._spot.get(account)
        if listening:
            texts = [
                (outlet, to_json({"subscriptionId": number, "event": body}))
                for body in build()
                for outlet, number in listening
            ]
            self._pass_on(account, is_fill, lambda: _send(texts))

    def _to_futures(self, account: str, is_fill: bool, build: Callable[[], Bodies]) -> None:
        listening = self._futures.get(account)
        if not listening:
            return
        key = self._key_of.get(account)
        if key is None or self._keys[key][1] <= self._context.now_ms():
            return
        encoded = [to_json(body) for body in build()]
        texts = [(outlet, text) for text in encoded for outlet in listening]
        self._pass_on(account, is_fill, lambda: _send(texts))

    def listeners(self, account: str) -> int:
        return len(self._spot.get(account, [])) + len(self._futures.get(account, []))

    # Faults

    def outlets(self, account: str | None) -> Collection[Outlet]:
        """The sockets on which an account listens, or all there are."""
        if account is None:
            return set(self._outlets)
        return {outlet for outlet, _ in self._spot.get(account, [])} | set(self._futures.get(account, []))

    def expire_keys_of(self, account: str | None) -> int:
        """End the listen keys of an account, or all."""
        keys = [key for key, (owner, _) in self._keys.items() if account in (None, owner)]
        for key in keys:
            self._expire(key)
        return len(keys)

    def expire_keys(self) -> None:
        """Tell the listeners of every key whose hour is over, once."""
        now_ms = self._context.now_ms()
        for key, (_, expires_ms) in list(self._keys.items()):
            if 0 < expires_ms <= now_ms:
                self._expire(key)

    def _expire(self, key: str) -> None:
        owner = self._keys[key][0]
        message = {"e": "listenKeyExpired", "E": self._context.now_ms(), "listenKey": key}
        for outlet in self._futures.get(owner, []):
            outlet.send(to_json(message))
        self._keys[key] = (owner, 0)

    async def close(self) -> None:
        self._public.close()
        for outlet in list(self._outlets):
            await outlet.close()


def _whole(value: Any, default: int) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else default


def _send(texts: list[tuple[Outlet, str]]) -> None:
    for outlet, text in texts:
        outlet.send(text)
