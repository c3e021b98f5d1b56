"""OKX's endpoints, what it grants of them, and its addresses.

Limits are counted by account and endpoint in spans of two seconds. Reads of one rate share a pool here, which is
less than OKX grants; orders, cancels and amendments have pools of their own, so that nothing read holds them back.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fillbook.accounts.core import Environment
from fillbook.market.core import VenueName
from fillbook.venues.ccxt.calls import Endpoint
from fillbook.venues.ccxt.client import Refusal
from fillbook.venues.ccxt.library import exchange_class
from fillbook.venues.ccxt.limits import Pool
from fillbook.venues.ccxt.site import Profile

ADDRESS, PUBLIC = "address", "public"
_SPAN_S = 2.0
_okx: Any = exchange_class("okx")


class OkxTransport(_okx):  # type: ignore[misc]
    """ccxt raises for the first refused row of an answer and hides the rest; here every row is read."""

    def handle_errors(
        self,
        status: int,
        reason: str,
        url: str,
        method: str,
        headers: Any,
        body: Any,
        answer: Any,
        *rest: Any,
    ) -> Any:
        if status < 400 and has_rows(answer):
            return None
        return super().handle_errors(status, reason, url, method, headers, body, answer, *rest)


def has_rows(answer: Any) -> bool:
    """Whether an answer says of each thing asked for what became of it."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    return (
        isinstance(rows, list)
        and bool(rows)
        and all(isinstance(row, dict) and "sCode" in row for row in rows)
    )


def refusal_in(answer: Any) -> Refusal:
    return (answer.get("code"), answer.get("msg")) if isinstance(answer, Mapping) else (None, None)


def _private(method: str, path: str, pool: str, urgent: bool = False) -> Endpoint:
    return Endpoint("private", method, path, 1, ADDRESS, urgent, pool)


def _public(path: str) -> Endpoint:
    return Endpoint("public", "GET", path, 1, PUBLIC, is_urgent=True)


PLACE = _private("POST", "trade/order", "place")
AMEND = _private("POST", "trade/amend-order", "amend")
CANCEL = _private("POST", "trade/cancel-order", "cancel")
CANCEL_MANY = _private("POST", "trade/cancel-batch-orders", "cancel many")
ALGO_PLACE = _private("POST", "trade/order-algo", "place algo")
ALGO_CANCEL = _private("POST", "trade/cancel-algos", "cancel algo")
ORDER = _private("GET", "trade/order", "look-ups", urgent=True)
ALGO_ORDER = _private("GET", "trade/order-algo", "algo look-ups", urgent=True)
OPEN_ORDERS = _private("GET", "trade/orders-pending", "reads of 60")
# What cancelling all of a symbol waits for.
OPEN_ORDERS_NOW = _private("GET", "trade/orders-pending", "reads of 60", urgent=True)
ALGO_OPEN_ORDERS = _private("GET", "trade/orders-algo-pending", "reads of 20")
ALGO_OPEN_ORDERS_NOW = _private("GET", "trade/orders-algo-pending", "reads of 20", urgent=True)
ORDERS = _private("GET", "trade/orders-history", "reads of 40")
OLD_ORDERS = _private("GET", "trade/orders-history-archive", "reads of 20")
ALGO_ORDERS = _private("GET", "trade/orders-algo-history", "reads of 20")
FILLS = _private("GET", "trade/fills", "reads of 60")
OLD_FILLS = _private("GET", "trade/fills-history", "reads of 10")
FILLS_OF_ORDER = _private("GET", "trade/fills-history", "reads of 10", urgent=True)
BALANCE = _private("GET", "account/balance", "reads of 10")
POSITIONS = _private("GET", "account/positions", "reads of 10")
POSITIONS_NOW = _private("GET", "account/positions", "reads of 10", urgent=True)
CONFIG = _private("GET", "account/config", "reads of 5", urgent=True)
LEVERAGE = _private("GET", "account/leverage-info", "reads of 20", urgent=True)
SET_LEVERAGE = _private("POST", "account/set-leverage", "set leverage")
SET_POSITION_MODE = _private("POST", "account/set-position-mode", "set position mode")
BILLS = _private("GET", "account/bills", "reads of 10")
OLD_BILLS = _private("GET", "account/bills-archive", "reads of 5")
TIME = _public("public/time")
INSTRUMENTS = _public("public/instruments")
TICKER = _public("market/ticker")

_GRANTED = {
    "place": 60,
    "amend": 60,
    "cancel": 60,
    "cancel many": 60,
    "place algo": 20,
    "cancel algo": 20,
    "look-ups": 60,
    "algo look-ups": 20,
    "set leverage": 20,
    "set position mode": 5,
    "reads of 60": 60,
    "reads of 40": 40,
    "reads of 20": 20,
    "reads of 10": 10,
    "reads of 5": 5,
}
_ALL_OF_AN_ADDRESS = 10_000


def pool_of(url: str) -> str:
    path = urlsplit(url).path
    return PUBLIC if path.startswith(("/api/v5/public/", "/api/v5/market/")) else ADDRESS


def _stream_urls(host: str, query: str = "") -> dict[str, str]:
    return {name: f"wss://{host}/ws/v5/{name}{query}" for name in ("public", "private", "business")}


PROFILE = Profile(
    venue=VenueName.OKX,
    exchange_class=OkxTransport,
    pool_of=pool_of,
    pools=(
        # What an address may send in all OKX does not say; an answer of 429 pauses the address for a span.
        Pool(ADDRESS, _ALL_OF_AN_ADDRESS, span_s=_SPAN_S, pause_s=_SPAN_S),
        Pool(PUBLIC, 20, span_s=_SPAN_S, pause_s=_SPAN_S),
        *(Pool(name, limit, span_s=_SPAN_S) for name, limit in _GRANTED.items()),
    ),
    # It allows three a second.
    connections=2,
    connections_span_s=1,
    prepare_demo=lambda exchange: exchange.set_sandbox_mode(True),
    refusal_in=refusal_in,
    stream_urls={
        Environment.LIVE: _stream_urls("ws.okx.com:8443"),
        Environment.DEMO: _stream_urls("wspap.okx.com:8443", "?brokerId=9999"),
        Environment.PAPER: _stream_urls("stand-in"),
    },
)
