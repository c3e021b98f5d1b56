"""Bitget's endpoints, what it grants of them by account and by address, and its addresses.

Each endpoint is limited by account and second; every request also counts for its address, 6,000 a minute.
"""

from fillbook.accounts.core import Environment
from fillbook.market.core import VenueName
from fillbook.venues.ccxt.calls import Endpoint
from fillbook.venues.ccxt.library import exchange_class
from fillbook.venues.ccxt.limits import Pool
from fillbook.venues.ccxt.site import Profile

ADDRESS = "address"
PRODUCT_TYPE = "USDT-FUTURES"

_PER_SECOND: dict[str, int] = {}


def _private(section: str, method: str, path: str, per_second: int = 10, urgent: bool = False) -> Endpoint:
    path = f"v2/{section}/{path}"
    _PER_SECOND[path] = per_second
    return Endpoint(f"private.{section}", method, path, 1, ADDRESS, urgent, path)


def _spot(method: str, path: str, per_second: int = 20, urgent: bool = False) -> Endpoint:
    return _private("spot", method, path, per_second, urgent)


def _mix(method: str, path: str, per_second: int = 10, urgent: bool = False) -> Endpoint:
    return _private("mix", method, path, per_second, urgent)


def _public(section: str, path: str) -> Endpoint:
    return Endpoint(f"public.{section}", "GET", path, 1, ADDRESS, is_urgent=True)


TIME = _public("common", "v2/public/time")
SPOT_INSTRUMENTS = _public("spot", "v2/spot/public/symbols")
SPOT_TICKER = _public("spot", "v2/spot/market/tickers")
MIX_INSTRUMENTS = _public("mix", "v2/mix/market/contracts")
MIX_TICKER = _public("mix", "v2/mix/market/ticker")

SPOT_PLACE = _spot("POST", "trade/place-order", 10)
SPOT_CANCEL = _spot("POST", "trade/cancel-order", 10)
SPOT_CANCEL_ALL = _spot("POST", "trade/cancel-symbol-order", 5)
SPOT_ORDER = _spot("GET", "trade/orderInfo", urgent=True)
SPOT_UNFILLED = _spot("GET", "trade/unfilled-orders")
SPOT_UNFILLED_NOW = _spot("GET", "trade/unfilled-orders", urgent=True)
SPOT_HISTORY = _spot("GET", "trade/history-orders")
SPOT_HISTORY_NOW = _spot("GET", "trade/history-orders", urgent=True)
SPOT_FILLS = _spot("GET", "trade/fills", 10)
SPOT_FILLS_OF_ORDER = _spot("GET", "trade/fills", 10, urgent=True)
SPOT_PLACE_PLAN = _spot("POST", "trade/place-plan-order")
SPOT_CANCEL_PLAN = _spot("POST", "trade/cancel-plan-order")
SPOT_CANCEL_ALL_PLANS = _spot("POST", "trade/batch-cancel-plan-order", 5)
SPOT_PLANS = _spot("GET", "trade/current-plan-order")
SPOT_PLANS_NOW = _spot("GET", "trade/current-plan-order", urgent=True)
SPOT_ENDED_PLANS = _spot("GET", "trade/history-plan-order")
SPOT_ENDED_PLANS_NOW = _spot("GET", "trade/history-plan-order", urgent=True)
# ccxt lists no such page; it is signed like every other.
SPOT_SUB_ORDERS = _spot("GET", "trade/plan-sub-order", urgent=True)
SPOT_ASSETS = _spot("GET", "account/assets", 10)
SPOT_BILLS = _spot("GET", "account/bills", 10)
KEY_PERMISSIONS = _spot("GET", "account/info", 1)

MIX_PLACE = _mix("POST", "order/place-order")
MIX_CANCEL = _mix("POST", "order/cancel-order")
MIX_CANCEL_ALL = _mix("POST", "order/batch-cancel-orders")
MIX_ORDER = _mix("GET", "order/detail", urgent=True)
MIX_PENDING = _mix("GET", "order/orders-pending")
MIX_PENDING_NOW = _mix("GET", "order/orders-pending", urgent=True)
MIX_HISTORY = _mix("GET", "order/orders-history")
MIX_HISTORY_NOW = _mix("GET", "order/orders-history", urgent=True)
MIX_FILLS = _mix("GET", "order/fills")
MIX_FILLS_OF_ORDER = _mix("GET", "order/fills", urgent=True)
MIX_PLACE_PLAN = _mix("POST", "order/place-plan-order")
MIX_CANCEL_PLAN = _mix("POST", "order/cancel-plan-order")
MIX_PLANS = _mix("GET", "order/orders-plan-pending")
MIX_PLANS_NOW = _mix("GET", "order/orders-plan-pending", urgent=True)
MIX_ENDED_PLANS = _mix("GET", "order/orders-plan-history")
MIX_ENDED_PLANS_NOW = _mix("GET", "order/orders-plan-history", urgent=True)
MIX_SUB_ORDERS = _mix("GET", "order/plan-sub-order", urgent=True)
MIX_ACCOUNTS = _mix("GET", "account/accounts")
MIX_ACCOUNT = _mix("GET", "account/account", urgent=True)
MIX_POSITIONS = _mix("GET", "position/all-position", 5)
MIX_BILLS = _mix("GET", "account/bill")
SET_POSITION_MODE = _mix("POST", "account/set-position-mode", 5)
SET_LEVERAGE = _mix("POST", "account/set-leverage", 5)
SET_MARGIN_MODE = _mix("POST", "account/set-margin-mode", 5)


PROFILE = Profile(
    venue=VenueName.BITGET,
    exchange_class=exchange_class("bitget"),
    pool_of=lambda url: ADDRESS,
    pools=(
        Pool(ADDRESS, 6_000, pause_s=1.0),
        *(Pool(path, limit, span_s=1.0, pausing=frozenset()) for path, limit in _PER_SECOND.items()),
    ),
    # Else ccxt asks once whether the account is unified, and takes any failure for a no.
    options={"uta": False},
    prepare_demo=lambda exchange: exchange.enable_demo_trading(True),
    # It allows 300.
    connections=250,
    connections_span_s=300,
    stream_urls={
        Environment.LIVE: {
            "private": "wss://ws.bitget.com/v2/ws/private",
            "public": "wss://ws.bitget.com/v2/ws/public",
        },
        Environment.DEMO: {
            "private": "wss://wspap.bitget.com/v2/ws/private",
            "public": "wss://wspap.bitget.com/v2/ws/public",
        },
        Environment.PAPER: {
            "private": "wss://stand-in/v2/ws/private",
            "public": "wss://stand-in/v2/ws/public",
        },
    },
)
