"""One venue's HTTP door: every request is recorded, meets its faults, and goes to the venue's wire.

`/_sim/...` is the exchange's own control and belongs to no venue.
"""

import asyncio
import math
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from aiohttp import web

from fillbook.kernel.clock import Clock
from fillbook.kernel.errors import NotFound
from fillbook.kernel.money import ZERO
from fillbook.venues.sim.control import Control
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.vocabulary import Event, Execution, OrderEvent, SimFill, SimOrder
from fillbook.venues.sim.faults import Fault, Faults
from fillbook.venues.sim.wire.ports import Call, Reply, Wire

MAX_REQUESTS_KEPT = 200_000
_SECRET_PARAMS = ("signature",)
_GARBAGE = b"<html><head><title>Bad gateway</title></head></html>"
_REFUSE_SOCKETS_STATUS = 503


@dataclass(slots=True)
class RequestRecord:
    """A request as it came, and what was answered; `status` 0 means that the connection was cut."""

    at_ms: int
    method: str
    path: str
    api_key: str
    params: dict[str, str]
    status: int = 0
    code: str = ""
    faults: tuple[str, ...] = ()


class Gateway:
    def __init__(self, exchange: Exchange, wire: Wire, faults: Faults, clock: Clock) -> None:
        self.exchange = exchange
        self.wire = wire
        self.faults = faults
        self.requests: deque[RequestRecord] = deque(maxlen=MAX_REQUESTS_KEPT)
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._control = Control(self)
        exchange.tell_fill = self._tell_fill

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path.startswith("/_sim/"):
            return await self._control.answer(request)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            if not self.wire.is_socket(path):
                return web.Response(status=404)
            if self.faults.refuses_sockets():
                return web.Response(status=_REFUSE_SOCKETS_STATUS)
            return await self.wire.serve_socket(request)
        body = (await request.read()).decode() if request.can_read_body else ""
        query = request.raw_path.partition("?")[2]  # as sent: a signature covers the raw text
        call = Call(request.method, path, query, body, request.headers)
        self.wire.read(call)
        return await self._answer(request, call)

    async def _answer(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        params = {name: value for name, value in call.params.items() if name not in _SECRET_PARAMS}
        record = RequestRecord(self.exchange.now_ms(), call.method, call.path, call.api_key, params)
        self.requests.append(record)
        faults = self.faults.for_request(call.method, call.path, call.api_key)
        if not faults:
            reply = self.wire.respond(call)
        else:
            record.faults = tuple(fault.kind for fault in faults)
            answered = await self._with_faults(request, call, faults)
            if answered is None:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=499)
            reply = answered
        record.status, record.code = reply.status, reply.code
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    async def _with_faults(self, request: web.BaseRequest, call: Call, faults: list[Fault]) -> Reply | None:
        """The answer under faults; None: cut the connection."""
        by_kind = {fault.kind: fault.details for fault in faults}
        seconds_left = {fault.kind: math.ceil(self.faults.seconds_left(fault)) for fault in faults}
        delay = by_kind.get("delay")
        if delay is not None and not delay.get("after"):
            await self._clock.sleep(float(delay.get("seconds", 1)))
        if "drop_before_accept" in by_kind:
            return None
        if "maintenance" in by_kind:
            return self.wire.under_maintenance(call)
        if "ban" in by_kind:
            return self.wire.banned(call, seconds_left["ban"])
        if "rate_limit" in by_kind:
            return self.wire.rate_limited(call, int(by_kind["rate_limit"].get("retry_after_s", 1)))
        if "refuse" in by_kind:
            return self._refuse(call, by_kind["refuse"])
        page = by_kind.get("error_page")
        if page is not None and not page.get("after"):
            return _error_page(page)
        last_order_id = self.exchange.last_order_id
        canceled: list[SimOrder] = []
        with self.exchange.watched(lambda event: _note_canceled(event, canceled)):
            reply = self.wire.respond(call)
        if "late_fill" in by_kind:
            self._later(self._fill_late(canceled, by_kind["late_fill"]))
        if "hide_lookups" in by_kind:
            seconds = float(by_kind["hide_lookups"].get("seconds", 5))
            self.exchange.hide_orders_after(last_order_id, self.exchange.now_ms() + round(seconds * 1000))
        if delay is not None and delay.get("after"):
            await self._clock.sleep(float(delay.get("seconds", 1)))
        if "accept_then_drop" in by_kind:
            return None
        if "accept_then_refuse" in by_kind:
            return self._refuse(call, by_kind["accept_then_refuse"])
        if page is not None:
            return _error_page(page)
        if "garbage" in by_kind:
            return Reply(200, _GARBAGE, {"Content-Type": "text/html"})
        if "truncate" in by_kind:
            await _send_half(request, reply)
            return None
        return reply

    def add_fault(self, body: Mapping[str, Any]) -> tuple[Fault, int]:
        """Put a fault in force, or let it happen at once; how many it met already."""
        fault = self.faults.add(body)
        key = fault.api_key
        match fault.kind:
            case "hide_orders":
                until_ms = self.exchange.now_ms() + round(float(body.get("seconds", 60)) * 1000)
                accounts = [self.exchange.account(key)] if key else list(self.exchange.accounts.values())
                fault.met = sum(self.exchange.hide_orders_of(account, until_ms) for account in accounts)
            case "fill":
                self.exchange.fill_anyway(self._order_of(body), Decimal(str(body.get("quantity", "0"))))
                fault.met = 1
            case "disconnect" | "maintenance":
                outlets = self.wire.outlets(key)
                for outlet in outlets:
                    outlet.cut()
                fault.met = len(outlets)
            case "half_open":
                outlets = self.wire.outlets(key)
                for outlet in outlets:
                    outlet.freeze()
                fault.met = len(outlets)
            case "expire_listen_key":
                fault.met = self.wire.expire_listen_keys(key)
        return fault, fault.met

    def _order_of(self, body: Mapping[str, Any]) -> SimOrder:
        """The order that a fault names by `order_id`, or an account's latest by `client_order_id`."""
        for order in reversed(self.exchange.orders.values()):
            if str(order.order_id) == str(body.get("order_id")):
                return order
            if (order.account, order.client_order_id) == (body.get("api_key"), body.get("client_order_id")):
                return order
        raise NotFound(
            "Name an order of the simulated exchange by order_id, or by api_key and client_order_id."
        )

    def _tell_fill(self, fill: SimFill) -> SimFill:
        """What the streams tell of a fill: with a fault, not what the record has."""
        if not self.faults.active:
            return fill
        fault = self.faults.for_fill(fill.account)
        if fault is None:
            return fill
        price = Decimal(str(fault.details.get("price", fill.price)))
        fee = Decimal(str(fault.details.get("fee", fill.fee if "price" in fault.details else ZERO)))
        return replace(fill, price=price, fee=fee)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fill_late(self, orders: list[SimOrder], details: Mapping[str, Any]) -> None:
        await self._clock.sleep(float(details.get("seconds", 1)))
        for order in orders:
            self.exchange.fill_late(order, Decimal(str(details.get("fraction", "1"))))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self.wire.close()

    def _refuse(self, call: Call, details: Mapping[str, Any]) -> Reply:
        return self.wire.refuse(
            call, int(details.get("status", 400)), str(details.get("code", "")), str(details.get("msg", ""))
        )


def _note_canceled(event: Event, canceled: list[SimOrder]) -> None:
    if isinstance(event, OrderEvent) and event.execution is Execution.CANCELED:
        canceled.append(event.order)


def _error_page(details: Mapping[str, Any]) -> Reply:
    """What a proxy in front of the venue answers: HTML, nothing of the venue's own."""
    status = HTTPStatus(int(details.get("status", 502)))
    body = f"<html><head><title>{status} {status.phrase}</title></head><body></body></html>"
    return Reply(status, body.encode(), {"Content-Type": "text/html"})


async def _send_half(request: web.BaseRequest, reply: Reply) -> None:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
