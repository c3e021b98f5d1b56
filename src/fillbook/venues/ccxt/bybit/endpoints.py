"""Bybit's endpoints, what it grants of them by account and by address, and its addresses.

Most limits are counted by account, endpoint and second; every request also counts for its address, 600 in five
seconds, and who passes that is shut out with HTTP 403 for ten minutes.
"""

from fillbook.accounts.core import Environment
from fillbook.market.core import VenueName
from fillbook.venues.ccxt.calls import Endpoint
from fillbook.venues.ccxt.client import Refusal
from fillbook.venues.ccxt.library import exchange_class
from fillbook.venues.ccxt.limits import Pool
from fillbook.venues.ccxt.site import Profile

ADDRESS = "address"
_BAN_S = 600.0


def _private(method: str, path: str, pool: str, urgent: bool = False) -> Endpoint:
    return Endpoint("private", method, f"v5/{path}", 1, ADDRESS, urgent, pool)


def _public(path: str, urgent: bool = True) -> Endpoint:
    return Endpoint("public", "GET", f"v5/market/{path}", 1, ADDRESS, urgent)


PLACE = _private("POST", "order/create", "place")
AMEND = _private("POST", "order/amend", "amend")
CANCEL = _private("POST", "order/cancel", "cancel")
CANCEL_ALL = _private("POST", "order/cancel-all", "cancel all")
ORDER = _private("GET", "order/realtime", "realtime", urgent=True)
OPEN_ORDERS = _private("GET", "order/realtime", "realtime")
ENDED_ORDER = _private("GET", "order/history", "history", urgent=True)
ENDED_ORDERS = _private("GET", "order/history", "history")
FILLS = _private("GET", "execution/list", "executions")
FILLS_OF_ORDER = _private("GET", "execution/list", "executions", urgent=True)
POSITIONS = _private("GET", "position/list", "positions")
SYMBOL_MODES = _private("GET", "position/list", "positions", urgent=True)
SET_LEVERAGE = _private("POST", "position/set-leverage", "set leverage")
SET_POSITION_MODE = _private("POST", "position/switch-mode", "set position mode")
SET_MARGIN_MODE = _private("POST", "account/set-margin-mode", "set margin mode")
ACCOUNT = _private("GET", "account/info", "account", urgent=True)
WALLET = _private("GET", "account/wallet-balance", "wallet")
TRANSACTIONS = _private("GET", "account/transaction-log", "transactions")
KEY_PERMISSIONS = _private("GET", "user/query-api", "key")
TIME = _public("time")
INSTRUMENTS = _public("instruments-info")
TICKERS = _public("tickers")

_GRANTED_PER_SECOND = {
    "place": 10,
    "amend": 10,
    "cancel": 10,
    "cancel all": 10,
    "realtime": 50,
    "history": 50,
    "executions": 50,
    "positions": 50,
    "set leverage": 10,
    "set position mode": 10,
    "set margin mode": 5,
    "account": 50,
    "wallet": 50,
    "transactions": 30,
    "key": 10,
}


def refusal_in(answer: object) -> Refusal:
    return (answer.get("retCode"), answer.get("retMsg")) if isinstance(answer, dict) else (None, None)


PROFILE = Profile(
    venue=VenueName.BYBIT,
    exchange_class=exchange_class("bybit"),
    pool_of=lambda url: ADDRESS,
    pools=(
        Pool(ADDRESS, 600, span_s=5.0, pausing=frozenset({403, 429}), pause_s=_BAN_S),
        # An account that passes its own limit is told so by a code, not by a status.
        *(Pool(name, limit, span_s=1.0, pausing=frozenset()) for name, limit in _GRANTED_PER_SECOND.items()),
    ),
    # It allows 500.
    connections=400,
    connections_span_s=300,
    prepare_demo=lambda exchange: exchange.enable_demo_trading(True),
    refusal_in=refusal_in,
    stream_urls={
        Environment.LIVE: {
            "account": "wss://stream.bybit.com/v5/private",
            "spot": "wss://stream.bybit.com/v5/public/spot",
            "futures": "wss://stream.bybit.com/v5/public/linear",
        },
        Environment.DEMO: {
            "account": "wss://stream-demo.bybit.com/v5/private",
            # The demo venue has no prices of its own.
            "spot": "wss://stream.bybit.com/v5/public/spot",
            "futures": "wss://stream.bybit.com/v5/public/linear",
        },
        Environment.PAPER: {
            "account": "wss://stand-in/v5/private",
            "spot": "wss://stand-in/v5/public/spot",
            "futures": "wss://stand-in/v5/public/linear",
        },
    },
)
