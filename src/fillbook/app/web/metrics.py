"""What is counted and timed for `/metrics`: requests by route and status, and how long ago accounts were reconciled."""

import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fillbook.trading.reconciliation.ages import Age

_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0)


class RequestMetrics:
    """A layer that times each request. Routes are named by their template: a path may hold a key."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._count = Counter(
            "fillbook_http_requests",
            "HTTP requests by route, method and status.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._duration = Histogram(
            "fillbook_http_request_duration_seconds",
            "Seconds until the answer began, by route.",
            ("route",),
            buckets=_BUCKETS_S,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()

        async def send_timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = _route_of(scope)
                self._count.labels(route, scope["method"], message["status"]).inc()
                self._duration.labels(route).observe(time.perf_counter() - started_s)
            await send(message)

        await self._app(scope, receive, send_timed)


class ReconciliationAge:
    """How long ago each account that this process trades was compared with its venue. Read when it is asked for."""

    def __init__(self, ages: Iterable[Age]) -> None:
        self._ages = ages

    def collect(self) -> Iterator[Metric]:
        each = GaugeMetricFamily(
            "fillbook_reconciliation_age_seconds",
            "Seconds since an account was last compared with its venue: at all, and with every open order.",
            labels=("account_id", "depth"),
        )
        worst = GaugeMetricFamily(
            "fillbook_reconciliation_worst_age_seconds",
            "The oldest of them: every live order at a venue is known here within the age of depth `whole`.",
            labels=("depth",),
        )
        ages = list(self._ages)
        for age in ages:
            each.add_metric((str(age.account_id), "any"), age.looked_s)
            each.add_metric((str(age.account_id), "whole"), age.whole_s)
        worst.add_metric(("any",), max((age.looked_s for age in ages), default=0.0))
        worst.add_metric(("whole",), max((age.whole_s for age in ages), default=0.0))
        yield each
        yield worst


def _route_of(scope: Scope) -> str:
    """The route's template; FastAPI's versions differ in whether the prefix belongs to it."""
    template: str = getattr(scope.get("route"), "path", "none")
    return template.removeprefix("/api").removeprefix("/v1")
