"""One venue's HTTP door: every request is recorded, meets its faults, and goes to the venue's wire.

`/_sim/...` is the exchange's own control and belongs to no venue.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiohttp import web

from fillbook.kernel.clock import Clock
from fillbook.venues.sim.control import Control
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.vocabulary import Event, Execution, OrderEvent, SimOrder
from fillbook.venues.sim.faults import Fault, Faults
from fillbook.venues.sim.wire.ports import Call, Reply, Wire

MAX_REQUESTS_KEPT = 200_000
_SECRET_PARAMS = ("signature",)
_GARBAGE = b"<html><head><title>Bad gateway</title></head></html>"


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

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path.startswith("/_sim/"):
            return await self._control.answer(request)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            if self.wire.is_socket(path):
                return await self.wire.serve_socket(request)
            return web.Response(status=404)
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
        delay = by_kind.get("delay")
        if delay is not None and not delay.get("after"):
            await self._clock.sleep(float(delay.get("seconds", 1)))
        if "drop_before_accept" in by_kind:
            return None
        if "rate_limit" in by_kind:
            return self.wire.rate_limited(call, int(by_kind["rate_limit"].get("retry_after_s", 1)))
        if "refuse" in by_kind:
            return self._refuse(call, by_kind["refuse"])
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
        if "garbage" in by_kind:
            return Reply(200, _GARBAGE, {"Content-Type": "text/html"})
        if "truncate" in by_kind:
            await _send_half(request, reply)
            return None
        return reply

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


async def _send_half(request: web.BaseRequest, reply: Reply) -> None:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
