"""Binance's endpoints with their published request weights, its addresses and its weight pools."""

from types import MappingProxyType
from urllib.parse import urlsplit

from fillbook.accounts.core import Environment
from fillbook.market.core import MarketType, VenueName
from fillbook.venues.ccxt.calls import Endpoint
from fillbook.venues.ccxt.library import exchange_class
from fillbook.venues.ccxt.limits import Pool
from fillbook.venues.ccxt.site import Profile

SPOT, FUTURES, WALLET = "spot", "futures", "wallet"


def _spot(method: str, path: str, weight: int, api: str = "private", urgent: bool = False) -> Endpoint:
    return Endpoint(api, method, path, weight, SPOT, urgent)


def _futures(method: str, path: str, weight: int, api: str = "fapiPrivate", urgent: bool = False) -> Endpoint:
    return Endpoint(api, method, path, weight, FUTURES, urgent)


SPOT_PLACE = _spot("POST", "order", 1)
SPOT_CANCEL = _spot("DELETE", "order", 1)
SPOT_CANCEL_ALL = _spot("DELETE", "openOrders", 1)
SPOT_REPLACE = _spot("POST", "order/cancelReplace", 1)
SPOT_ORDER = _spot("GET", "order", 4, urgent=True)
SPOT_OPEN_ORDERS = _spot("GET", "openOrders", 80)
SPOT_ORDERS = _spot("GET", "allOrders", 20)
SPOT_FILLS = _spot("GET", "myTrades", 20)
SPOT_FILLS_OF_ORDER = _spot("GET", "myTrades", 5, urgent=True)
SPOT_ACCOUNT = _spot("GET", "account", 20)
SPOT_INSTRUMENTS = _spot("GET", "exchangeInfo", 20, "public", urgent=True)
SPOT_TICKER = _spot("GET", "ticker/24hr", 2, "public", urgent=True)
SPOT_TIME = _spot("GET", "time", 1, "public")

# Futures counts orders per account, not by weight.
FUTURES_PLACE = _futures("POST", "order", 0)
FUTURES_AMEND = _futures("PUT", "order", 0)
FUTURES_CANCEL = _futures("DELETE", "order", 1)
FUTURES_CANCEL_ALL = _futures("DELETE", "allOpenOrders", 1)
FUTURES_ORDER = _futures("GET", "order", 1, urgent=True)
FUTURES_OPEN_ORDERS = _futures("GET", "openOrders", 40)
FUTURES_ORDERS = _futures("GET", "allOrders", 5)
FUTURES_FILLS = _futures("GET", "userTrades", 5)
FUTURES_FILLS_OF_ORDER = _futures("GET", "userTrades", 5, urgent=True)
ALGO_PLACE = _futures("POST", "algoOrder", 0)
ALGO_CANCEL = _futures("DELETE", "algoOrder", 1)
ALGO_CANCEL_ALL = _futures("DELETE", "algoOpenOrders", 1)
ALGO_ORDER = _futures("GET", "algoOrder", 1, urgent=True)
ALGO_OPEN_ORDERS = _futures("GET", "openAlgoOrders", 40)
ALGO_ORDERS = _futures("GET", "allAlgoOrders", 5)
FUTURES_ACCOUNT = _futures("GET", "account", 5, "fapiPrivateV3")
FUTURES_POSITIONS = _futures("GET", "positionRisk", 5, "fapiPrivateV3")
FUTURES_INCOME = _futures("GET", "income", 30)
FUTURES_INSTRUMENTS = _futures("GET", "exchangeInfo", 1, "fapiPublic", urgent=True)
FUTURES_TICKER = _futures("GET", "ticker/24hr", 1, "fapiPublic", urgent=True)
FUTURES_TIME = _futures("GET", "time", 1, "fapiPublic")
SYMBOL_MODES = _futures("GET", "symbolConfig", 5, urgent=True)
# Says the position mode too, for a sixth of what its own page costs.
ACCOUNT_CONFIG = _futures("GET", "accountConfig", 5, urgent=True)
SET_POSITION_MODE = _futures("POST", "positionSide/dual", 1)
SET_LEVERAGE = _futures("POST", "leverage", 1)
SET_MARGIN_MODE = _futures("POST", "marginType", 1)
OPEN_LISTEN_KEY = _futures("POST", "listenKey", 1, urgent=True)
RENEW_LISTEN_KEY = _futures("PUT", "listenKey", 1, urgent=True)

KEY_PERMISSIONS = Endpoint("sapi", "GET", "account/apiRestrictions", 1, WALLET)
DEPOSITS = Endpoint("sapi", "GET", "capital/deposit/hisrec", 1, WALLET)
WITHDRAWALS = Endpoint("sapi", "GET", "capital/withdraw/history", 600, WALLET)
TRANSFERS = Endpoint("sapi", "GET", "asset/transfer", 1, WALLET)

SERVER_TIME = MappingProxyType({MarketType.SPOT: SPOT_TIME, MarketType.FUTURES: FUTURES_TIME})


def real_address(url: str) -> str:
    """An address whose prefix selects ccxt's error table: by path, so that a stand-in's errors map as live."""
    path = urlsplit(url).path
    if url.startswith("ws"):
        return url
    host = "fapi.binance.com" if path.startswith("/fapi/") else "api.binance.com"
    return f"https://{host}{path}"


def pool_of(url: str) -> str:
    """The weight pool that a request to this address is charged to."""
    path = urlsplit(url).path
    if path.startswith("/fapi/"):
        return FUTURES
    return WALLET if path.startswith("/sapi/") else SPOT


PROFILE = Profile(
    venue=VenueName.BINANCE,
    exchange_class=exchange_class("binance"),
    real_address=real_address,
    pool_of=pool_of,
    pools=(
        Pool(SPOT, 6_000, "x-mbx-used-weight-1m"),
        Pool(FUTURES, 2_400, "x-mbx-used-weight-1m"),
        Pool(WALLET, 12_000, "x-sapi-used-ip-weight-1m"),
    ),
    prepare_demo=lambda exchange: exchange.enable_demo_trading(True),
    # It allows 300.
    connections=250,
    connections_span_s=300,
    stream_urls={
        Environment.LIVE: {
            "spot_account": "wss://ws-api.binance.com:443/ws-api/v3",
            "spot_market": "wss://stream.binance.com:9443/ws",
            "futures_account": "wss://fstream.binance.com/private/ws",
            "futures_market": "wss://fstream.binance.com/market/ws",
        },
        Environment.DEMO: {
            "spot_account": "wss://demo-ws-api.binance.com/ws-api/v3",
            "spot_market": "wss://demo-stream.binance.com/ws",
            "futures_account": "wss://fstream.binancefuture.com/private/ws",
            "futures_market": "wss://fstream.binancefuture.com/market/ws",
        },
        Environment.PAPER: {
            "spot_account": "wss://stand-in/ws-api/v3",
            "spot_market": "wss://stand-in/stream/ws/0",
            "futures_account": "wss://stand-in/private/ws",
            "futures_market": "wss://stand-in/market/ws/0",
        },
    },
)
