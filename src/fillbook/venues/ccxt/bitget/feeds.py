"""Bitget's private stream: one socket, a login, and the channels of every market type of the account.

A trade may be told by its order's row and by its own; it is reported once, by whichever comes first. A plan
order's trigger does not name the order that it made: that is looked up, and from then on the plan order shares
its fate.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import orjson

from fillbook.accounts.core import PositionReport
from fillbook.kernel.money import ZERO
from fillbook.market.core import MarketType
from fillbook.market.errors import ReadFailed
from fillbook.orders.core.reports import FillReport, OrderReport, StreamEvent
from fillbook.venues.ccxt.bitget import events
from fillbook.venues.ccxt.bitget.link import BitgetLink
from fillbook.venues.ccxt.bitget.lookups import sub_order_id
from fillbook.venues.ccxt.bitget.reports import has_triggered, position_report, spot_balance
from fillbook.venues.ccxt.bitget.words import INST_TYPES, Raw
from fillbook.venues.ccxt.calls import without_secrets
from fillbook.venues.ccxt.triggered import joined
from fillbook.venues.ccxt.values import UNREADABLE, moment
from fillbook.venues.ccxt.websocket import StreamLost

KEPT = 5_000
_LOOK_UPS = 5
_BETWEEN_LOOK_UPS_S = 0.3
_CHANNELS = {
    MarketType.SPOT: ("orders", "fill", "orders-algo", "account"),
    # Its account rows count unrealised profit in, which a balance must not: positions are taken from it alone.
    MarketType.FUTURES: ("orders", "fill", "orders-algo", "positions"),
}
_MARKET_TYPES = {word: market_type for market_type, word in INST_TYPES.items()}

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The latest of what was told, by key, and no more than `KEPT` of it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[K, V] = OrderedDict()

    def keep(self, key: K, value: V) -> bool:
        """False when the key was there already; its value is renewed."""
        is_new = key not in self._kept
        self._kept[key] = value
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return is_new

    def get(self, key: K) -> V | None:
        return self._kept.get(key)


class AccountFeed:
    name = "account"
    renew_every_s: float | None = None
    ping: str | None = "ping"

    def __init__(self, link: BitgetLink) -> None:
        self._link = link
        self._args = [
            {"instType": INST_TYPES[market_type], "channel": channel, _named_by(channel): "default"}
            for market_type in link.market_types
            for channel in _CHANNELS[market_type]
        ]
        self._awaited: set[tuple[str, str]] = set()
        self._told: Recent[tuple[str, str], None] = Recent()
        self._orders: Recent[str, OrderReport] = Recent()
        self._plans: Recent[str, OrderReport] = Recent()
        self._positions: dict[tuple[str, str], PositionReport] = {}

    async def address(self) -> str:
        return self._link.site.stream_urls["private"]

    def greeting(self) -> str:
        exchange = self._link.client.exchange
        stamp = str(exchange.nonce() // 1000)
        arg = {
            "apiKey": exchange.apiKey,
            "passphrase": exchange.password,
            "timestamp": stamp,
            "sign": self._link.sign(f"{stamp}GET/user/verify"),
        }
        self._awaited = {_key(one) for one in self._args}
        return orjson.dumps({"op": "login", "args": [arg]}).decode()

    def acknowledges(self, message: Any) -> bool | str:
        """The login, then each channel by itself."""
        if not isinstance(message, dict):
            return False
        match message.get("event"):
            case "error":
                text = f"{message.get('code')}: {message.get('msg')}"
                raise StreamLost(f"refused ({without_secrets(text, self._link.client.secrets)})")
            case "login" if str(message.get("code", "0")) != "0":
                raise StreamLost(f"refused ({message.get('code')})")
            case "login":
                return orjson.dumps({"op": "subscribe", "args": self._args}).decode()
            case "subscribe":
                self._awaited.discard(_key(message.get("arg") or {}))
                return not self._awaited
        return False

    async def events(self, message: Any) -> Sequence[StreamEvent]:
        if not isinstance(message, dict):
            return ()
        if message.get("event") == "error":
            raise StreamLost(f"ended by the venue ({message.get('code')})")
        arg = message.get("arg") or {}
        market_type, channel = _MARKET_TYPES.get(arg.get("instType", "")), arg.get("channel")
        if market_type is None or "data" not in message:
            return ()
        try:
            return await self._of_channel(channel, market_type, message)
        except (ReadFailed, *UNREADABLE):
            raise StreamLost(f"a message could not be understood ({channel})") from None

    async def renew(self) -> None:
        """A login lasts as long as its socket."""

    async def _of_channel(self, channel: Any, market_type: MarketType, message: Any) -> list[StreamEvent]:
        rows: Sequence[Raw] = message["data"] or ()
        found: list[StreamEvent] = []
        match channel:
            case "orders":
                for row in rows:
                    found += self._order(row, await self._link.symbol(row["instId"], market_type))
            case "fill":
                for row in rows:
                    symbol = await self._link.symbol(row["symbol"], market_type)
                    found += self._untold(events.fill_row(row, symbol))
            case "orders-algo":
                for row in rows:
                    found += await self._plan(row, await self._link.symbol(row["instId"], market_type))
            case "account":
                at = moment(message["ts"])
                found += [spot_balance(row, at) for row in rows]
            case "positions":
                found += await self._all_positions(rows, message["ts"])
        return found

    def _untold(self, fill: FillReport | None) -> list[FillReport]:
        """A fill that was not told yet, with the client id that its order's row has told."""
        if fill is None or not self._told.keep((fill.exchange_order_id, fill.venue_fill_id), None):
            return []
        order = self._orders.get(fill.exchange_order_id)
        if fill.client_order_id is None and order is not None:
            fill = replace(fill, client_order_id=order.client_order_id)
        return [fill]

    def _order(self, row: Raw, symbol: str) -> list[StreamEvent]:
        """The fill before the state that counts it, and the plan order that the order came of."""
        fills = self._untold(events.latest_fill(row, symbol))
        report = events.order_row(row, symbol)
        self._orders.keep(report.exchange_order_id, report)
        plan = self._plans.get(report.exchange_order_id)
        return [*fills, report, *([] if plan is None else [joined(plan, report)])]

    async def _plan(self, row: Raw, symbol: str) -> list[StreamEvent]:
        plan = events.plan_row(row, symbol)
        if not has_triggered(row):
            return [plan]
        child_id = await self._child_id(plan)
        plan = replace(plan, triggered_order_id=child_id)
        self._plans.keep(child_id, plan)
        child = self._orders.get(child_id)
        return [plan if child is None else joined(plan, child)]

    async def _child_id(self, plan: OrderReport) -> str:
        """The order that a trigger made: its page may lag behind the stream."""
        for _ in range(_LOOK_UPS):
            child_id = await sub_order_id(self._link, plan)
            if child_id is not None:
                return child_id
            await self._link.site.clock.sleep(_BETWEEN_LOOK_UPS_S)
        raise ReadFailed("Bitget does not show the order that a trigger made.")

    async def _all_positions(self, rows: Sequence[Raw], at_ms: Any) -> list[StreamEvent]:
        """A message names every open position: one that was told before and is missing is closed."""
        now: dict[tuple[str, str], PositionReport] = {}
        for row in rows:
            report = position_report(row, await self._link.symbol(row["instId"], MarketType.FUTURES))
            now[(report.symbol, report.position_side.value)] = report
        closed = [
            replace(report, quantity=ZERO, entry_price=ZERO, unrealized_pnl=ZERO, at=moment(at_ms))
            for key, report in self._positions.items()
            if key not in now
        ]
        self._positions = now
        return [*closed, *now.values()]


def _named_by(channel: str) -> str:
    return "coin" if channel == "account" else "instId"


def _key(arg: Raw) -> tuple[str, str]:
    return (arg.get("instType", ""), arg.get("channel", ""))
