"""One venue in the same process: the exchange, its front door, its streams, and the accounts' ways to it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import Account, Credentials
from fillbook.kernel.clock import Clock, from_ms, to_ms
from fillbook.market.core import VenueName
from fillbook.orders.core.reports import OrderReport
from fillbook.venues.sim.core.accounts import Account as SimAccount
from fillbook.venues.sim.core.book import Depth
from fillbook.venues.sim.core.exchange import Exchange
from fillbook.venues.sim.core.listings import Listing, listings_for
from fillbook.venues.sim.core.vocabulary import Event, OrderEvent, SimOrder
from fillbook.venues.sim.direct.line import DIRECT_KINDS, Later, Line, later_in_this_loop
from fillbook.venues.sim.direct.manners import MANNERS, Manner
from fillbook.venues.sim.direct.reports import order_report
from fillbook.venues.sim.direct.stream import RECONNECT_S, Streams
from fillbook.venues.sim.direct.venue import SimVenue
from fillbook.venues.sim.faults import Fault, Faults
from fillbook.venues.sim.policies import POLICIES


def _at_once() -> float:
    return 0.0


class SimSite:
    """`later` is the network's clockwork and `latency_s` how long a message takes. `exchange` is one that stands
    already, such as one that is served by wire too."""

    def __init__(
        self,
        name: VenueName,
        clock: Clock,
        *,
        exchange: Exchange | None = None,
        listings: Iterable[Listing] | None = None,
        manner: Manner | None = None,
        depth: Depth | None = None,
        later: Later = later_in_this_loop,
        latency_s: Callable[[], float] = _at_once,
    ) -> None:
        self.name = name
        self._clock = clock
        self.manner = manner or MANNERS[name]
        self.faults = Faults(clock, DIRECT_KINDS)
        self.exchange = exchange or Exchange(
            listings_for(name) if listings is None else listings,
            now_ms=self.now_ms,
            policy=POLICIES[name],
            depth=depth,
        )
        self.line = Line(self.exchange, self.faults, later, latency_s)
        self.streams = Streams(self.exchange, self.faults, later, latency_s)
        self._former: dict[int, OrderReport] = {}
        self._latest: dict[int, OrderReport] = {}
        self.exchange.subscribe(self._keep_former)

    def open(self, account: Account, credentials: Credentials) -> SimVenue:
        return SimVenue(self, account, credentials)

    def now_ms(self) -> int:
        return to_ms(self._clock.now()) + self.faults.skew_ms()

    def now(self) -> datetime:
        return from_ms(self.now_ms())

    def fault(self, kind: str, **details: Any) -> Fault:
        """Put a fault in force, or let it happen at once. `method` is ACT or READ, and `path` is matched with the
        port's method and what it is about: `place BTC/USDT`."""
        fault = self.faults.add({"kind": kind, **details})
        match kind:
            case "disconnect":
                fault.met = self.streams.disconnect(fault.api_key, float(details.get("seconds", RECONNECT_S)))
            case "maintenance":
                fault.met = self.streams.disconnect(fault.api_key)
            case "half_open":
                fault.met = self.streams.silence(fault.api_key, float(details.get("seconds", 60)))
            case "hide_orders":
                until_ms = self.now_ms() + round(float(details.get("seconds", 60)) * 1000)
                for key, account in self.exchange.accounts.items():
                    if fault.api_key in (None, key):
                        fault.met += self.exchange.hide_orders_of(account, until_ms)
            case "fill":
                order = self.exchange.orders[int(details["order_id"])]
                self.exchange.fill_anyway(order, Decimal(str(details.get("quantity", "0"))))
                fault.met = 1
        return fault

    def calm(self) -> None:
        """End every fault; what was held back goes out, and what was hidden shows."""
        self.line.calm()
        self.streams.calm()
        for order in self.exchange.orders.values():
            order.hidden_until_ms = 0

    def report(self, account: SimAccount, order: SimOrder, stale_ms: int) -> OrderReport | None:
        """An order as it is, or as it was a while ago; None when it was not there then."""
        as_of_ms = self.now_ms() - stale_ms
        if order.hidden_until_ms > self.now_ms() or order.created_ms > as_of_ms:
            return None
        report = order_report(order, account)
        if stale_ms and to_ms(report.exchange_at) > as_of_ms:
            return self._former.get(order.order_id, report)
        return report

    def _keep_former(self, event: Event) -> None:
        """What an order looked like before it last changed."""
        if not isinstance(event, OrderEvent):
            return
        order = event.order
        latest = self._latest.get(order.order_id)
        if latest is not None:
            self._former[order.order_id] = latest
        self._latest[order.order_id] = order_report(order, self.exchange.accounts[order.account])
