"""What the contract tests must know of a venue's wire: where its requests go, and which codes it refuses with.

One row a venue. What trading must know of venues is in `TRAITS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fillbook.accounts.core import Environment
from fillbook.market.core import MarketType, VenueName
from fillbook.venues.sim.core.vocabulary import SimFill, SimOrder
from fillbook.venues.sim.wire.bybit import text as bybit

Place = tuple[str, str]
"""A request's method and a regular expression of its path."""


@dataclass(frozen=True, slots=True)
class WireFacts:
    place: Place
    find: Place
    cancel: Place
    amend: Place
    balances: Place
    instruments: Place
    clock: Place
    clock_refusal: tuple[int, str, str]
    """HTTP status, code and sentence for a request whose timestamp is wrong."""
    leverage_refusal: str
    """The code for a leverage that the symbol does not have."""
    feeds: frozenset[str]
    """The private streams of an account that trades spot and futures."""
    page_sizes: tuple[str, ...]
    """The adapter's constants that say how many fills a page holds."""
    order_id: Callable[[SimOrder], str] = lambda order: str(order.order_id)
    """How the venue writes its id of an order, and of a fill."""
    fill_id: Callable[[SimFill], str] = lambda fill: str(fill.trade_id)
    passphrase: str | None = None
    answers_with_fills: bool = False
    """Whether a spot order's own answer names its fills."""
    reads_on_by_id: bool = False
    """Whether fills can be read from an id on; else they are read from a time on, and some come again."""
    has_wallet_pages: frozenset[Environment] = frozenset(Environment)
    """Where deposits and permissions of a key can be read."""
    shares_one_wallet: bool = False
    """Whether spot and futures draw on the same balances."""
    has_listen_keys: bool = False
    replaces: bool = True
    """Whether an amend of an order that cannot be changed in place replaces it; else it is refused."""
    hides_time_in_force: frozenset[MarketType] = frozenset()
    """Markets whose records do not say why an order was cancelled: one that may not rest ends as cancelled."""


WIRES: Mapping[VenueName, WireFacts] = {
    VenueName.BINANCE: WireFacts(
        place=("POST", r"/order$"),
        find=("GET", r"/order$"),
        cancel=("DELETE", r"/order$"),
        amend=("PUT", r"/order$"),
        balances=("GET", r"/account$"),
        instruments=("GET", r"/exchangeInfo$"),
        clock=("GET", r"/time$"),
        clock_refusal=(400, "-1021", "Timestamp for this request is outside of the recvWindow."),
        leverage_refusal="-4028",
        feeds=frozenset({"spot", "futures"}),
        page_sizes=("fillbook.venues.ccxt.binance.lookups.PAGE",),
        answers_with_fills=True,
        reads_on_by_id=True,
        has_wallet_pages=frozenset({Environment.LIVE, Environment.PAPER}),
        has_listen_keys=True,
    ),
    VenueName.BYBIT: WireFacts(
        place=("POST", r"/order/create$"),
        find=("GET", r"/order/realtime$"),
        cancel=("POST", r"/order/cancel$"),
        amend=("POST", r"/order/amend$"),
        balances=("GET", r"/wallet-balance$"),
        # The first page of spot.
        instruments=("GET", r"/instruments-info$"),
        clock=("GET", r"/market/time$"),
        clock_refusal=(200, "10002", "invalid request, please check your server timestamp"),
        leverage_refusal="110013",
        feeds=frozenset({"account"}),
        page_sizes=("fillbook.venues.ccxt.bybit.lookups.PAGE",),
        order_id=lambda order: bybit.order_id_text(order.order_id, order.market_type),
        fill_id=bybit.exec_id,
        has_wallet_pages=frozenset({Environment.LIVE, Environment.PAPER}),
        shares_one_wallet=True,
    ),
    VenueName.OKX: WireFacts(
        place=("POST", r"/trade/order(-algo)?$"),
        find=("GET", r"/trade/order(-algo)?$"),
        cancel=("POST", r"/trade/cancel-(order|algos)$"),
        amend=("POST", r"/trade/amend-order$"),
        balances=("GET", r"/account/balance$"),
        instruments=("GET", r"/public/instruments$"),
        clock=("GET", r"/public/time$"),
        clock_refusal=(401, "50102", "Timestamp request expired"),
        leverage_refusal="59102",
        feeds=frozenset({"private", "business"}),
        page_sizes=("fillbook.venues.ccxt.okx.link.PAGE",),
        passphrase="open sesame",
        shares_one_wallet=True,
    ),
    VenueName.BITGET: WireFacts(
        place=("POST", r"/place-order$"),
        find=("GET", r"/(orderInfo|order/detail)$"),
        cancel=("POST", r"/cancel-order$"),
        amend=("POST", r"/(cancel-replace-order|modify-order)$"),
        balances=("GET", r"/(account/assets|account/accounts)$"),
        instruments=("GET", r"/(public/symbols|market/contracts)$"),
        clock=("GET", r"/public/time$"),
        clock_refusal=(400, "40008", "Request timestamp expired"),
        leverage_refusal="45045",
        feeds=frozenset({"account"}),
        page_sizes=("fillbook.venues.ccxt.bitget.pages.PAGE",),
        passphrase="open sesame",
        has_wallet_pages=frozenset({Environment.LIVE, Environment.PAPER}),
        replaces=False,
        hides_time_in_force=frozenset({MarketType.SPOT}),
    ),
}
