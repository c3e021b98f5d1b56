"""The way of a request to the exchange and of its answer back, and what may happen to either.

A request is carried out when it arrives, whether or not somebody still waits for its answer. The faults are
those of the wire (`venues.sim.faults`), by the name of the port's method in place of a path, and a few more.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from fillbook.kernel.errors import FillbookError
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.vocabulary import Event, Execution, OrderEvent, SimOrder
from fillbook.venues.sim.faults import KINDS, Faults, Stage

T = TypeVar("T")

TIMEOUT_S: Final = 10.0
RECEIVE_WINDOW_S: Final = 5.0
"""A request that arrives later than this after it was signed is refused."""
MAX_CALLS_KEPT: Final = 10_000

DIRECT_KINDS: Final = {
    **{kind: stage for kind, stage in KINDS.items() if kind != "expire_listen_key"},
    "stale": Stage.REQUEST,  # a read shows what was so `seconds` ago
    "partial_page": Stage.REQUEST,  # a page of fills ends after `fills` of them
}

Faulty = Mapping[str, Mapping[str, Any]]
"""The faults that a request meets: kind to details."""

Later = Callable[[float, Callable[[], None]], None]
"""Calls something after some seconds, as the network does, whatever becomes of who sent it."""


def later_in_this_loop(seconds: float, act: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, act)


class NoAnswer(Exception):
    """Nobody can say whether the request was carried out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class NotAccepted(Exception):
    """The venue (or our own side) turned the request away before anything was done; `for_now`: unread."""

    def __init__(self, code: str, message: str, *, for_now: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.for_now = code, message, for_now


class KeyRefused(NotAccepted):
    """The venue does not know the key, or its secret is another."""


@dataclass(slots=True)
class CallRecord:
    """A request as the exchange saw it. `answer` is empty while nothing was answered."""

    at_ms: int
    api_key: str
    name: str
    subject: str
    faults: tuple[str, ...]
    answer: str = ""
    arrived: bool = False


@dataclass(slots=True)
class Terms:
    """How a read is answered: as things were `stale_ms` ago, and with at most so many fills."""

    stale_ms: int = 0
    fills: int | None = None


class Line:
    """One venue's front door: shared by its accounts, as an egress address is."""

    def __init__(
        self, exchange: Exchange, faults: Faults, later: Later, latency_s: Callable[[], float]
    ) -> None:
        self.faults = faults
        self.calls: deque[CallRecord] = deque(maxlen=MAX_CALLS_KEPT)
        self.on_call: Callable[[CallRecord], None] = _ignore
        self.on_answer: Callable[[CallRecord], None] = _ignore
        self._exchange = exchange
        self._later = later
        self._latency_s = latency_s
        self._held_until_ms = 0

    def calm(self) -> None:
        """End bans and faults."""
        self._held_until_ms = 0
        self.faults.clear()

    async def ask(self, api_key: str, name: str, subject: str, is_act: bool, work: Callable[[Terms], T]) -> T:
        """Send a request and wait for its answer; what `work` raises is the venue's own refusal.

        Raises `NoAnswer`, or `NotAccepted`.
        """
        if self._now_ms() < self._held_until_ms:
            raise NotAccepted("rate_limited", "Held back: the venue asked for fewer requests.", for_now=True)
        method = "ACT" if is_act else "READ"
        met = self.faults.for_request(method, f"{name} {subject}", api_key)
        faults: Faulty = {fault.kind: fault.details for fault in met}
        record = CallRecord(self._now_ms(), api_key, name, subject, tuple(faults))
        self.calls.append(record)
        reply: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def arrive() -> None:
            record.arrived = True
            try:
                self._turn_away(faults, self._now_ms() - record.at_ms, is_act)
                answer: T | Exception = self._carry_out(faults, work)
            except (NoAnswer, NotAccepted, FillbookError) as refusal:
                answer = refusal
            answer = _lost_answer(faults) or answer
            record.answer = repr(answer) if isinstance(answer, Exception) else "answered"
            self.on_answer(record)
            self._after(self._latency_s() + _delay_s(faults, after=True), lambda: _settle(reply, answer))

        self._after(self._latency_s() + _delay_s(faults, after=False), arrive)
        self.on_call(record)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await reply
        except TimeoutError:
            raise NoAnswer("timeout", f"No answer within {TIMEOUT_S:.0f} s.") from None

    def _turn_away(self, faults: Faulty, age_ms: int, is_act: bool) -> None:
        """Raise when a request that has just arrived is not carried out."""
        if "drop_before_accept" in faults:
            raise NoAnswer("connection_lost", "The connection broke.")
        if "maintenance" in faults:
            raise NoAnswer("maintenance", "HTTP 503: the venue is at work on itself.")
        if "ban" in faults or "rate_limit" in faults:
            hold_s = float(faults.get("rate_limit", {}).get("retry_after_s", 1))
            self._held_until_ms = self._now_ms() + round(hold_s * 1000)
            raise NotAccepted("rate_limited", "Too many requests.", for_now=True)
        page = faults.get("error_page")
        if page is not None and not page.get("after"):
            raise _error_page(page)
        if "refuse" in faults:
            raise _refusal(faults["refuse"])
        if is_act and age_ms > RECEIVE_WINDOW_S * 1000:
            raise NotAccepted(
                "outside_window", "The request came outside of its receive window.", for_now=True
            )

    def _carry_out(self, faults: Faulty, work: Callable[[Terms], T]) -> T:
        """Do what is asked, and what faults do along with it."""
        terms = Terms()
        if "stale" in faults:
            terms.stale_ms = round(float(faults["stale"].get("seconds", 5)) * 1000)
        if "partial_page" in faults:
            terms.fills = int(faults["partial_page"].get("fills", 1))
        last_order_id = self._exchange.last_order_id
        canceled: list[SimOrder] = []
        with self._exchange.watched(lambda event: _note_canceled(event, canceled)):
            answer = work(terms)
        if "late_fill" in faults:
            for order in canceled:
                self._fill_late(order, faults["late_fill"])
        if "hide_lookups" in faults:
            until_ms = self._now_ms() + round(float(faults["hide_lookups"].get("seconds", 5)) * 1000)
            self._exchange.hide_orders_after(last_order_id, until_ms)
        return answer

    def _fill_late(self, order: SimOrder, details: Mapping[str, Any]) -> None:
        fraction = Decimal(str(details.get("fraction", "1")))
        self._later(float(details.get("seconds", 1)), lambda: self._exchange.fill_late(order, fraction))

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        if seconds > 0:
            self._later(seconds, act)
        else:
            act()

    def _now_ms(self) -> int:
        return self._exchange.now_ms()


def _ignore(_: CallRecord) -> None:
    """Nobody follows the calls."""


def _lost_answer(faults: Faulty) -> Exception | None:
    """Why the answer to a request that was carried out does not come back as it was."""
    if "accept_then_drop" in faults or "truncate" in faults:
        return NoAnswer("connection_lost", "The connection broke.")
    if "error_page" in faults:
        return _error_page(faults["error_page"])
    if "garbage" in faults:
        return NoAnswer("unreadable_answer", "The venue's answer could not be understood.")
    if "accept_then_refuse" in faults:
        return _refusal(faults["accept_then_refuse"])
    return None


def _error_page(details: Mapping[str, Any]) -> NoAnswer:
    return NoAnswer("error_page", f"HTTP {details.get('status', 502)}")


def _refusal(details: Mapping[str, Any]) -> NotAccepted:
    return NotAccepted(str(details.get("code", "refused")), str(details.get("msg", "The venue refuses.")))


def _delay_s(faults: Faulty, *, after: bool) -> float:
    details = faults.get("delay")
    if details is None or bool(details.get("after")) is not after:
        return 0.0
    return float(details.get("seconds", 1))


def _settle(reply: "asyncio.Future[T]", answer: T | Exception) -> None:
    """Give an answer to who still waits for it."""
    if reply.done():
        return
    if isinstance(answer, Exception):
        reply.set_exception(answer)
    else:
        reply.set_result(answer)


def _note_canceled(event: Event, canceled: list[SimOrder]) -> None:
    if isinstance(event, OrderEvent) and event.execution is Execution.CANCELED:
        canceled.append(event.order)
