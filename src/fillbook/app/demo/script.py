"""The story: prices move, alerts come in, most of them right and some of them wrong.

An alert is the text that TradingView would send. A step may also break the connection to the exchange at the
worst moment: after an order was carried out and before the answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fillbook.app.demo.cast import FUTURES, SPOT

BTC_SWAP, ETH_SWAP, ETH_COIN = "BTC/USDT:USDT", "ETH/USDT:USDT", "ETH/USDT"


@dataclass(frozen=True, slots=True)
class Step:
    """One scene. First the prices move, then the alert is sent; either may be missing.

    `alert` holds the fields beside `group_name` and `token`, or is the text itself when it is meant to be
    broken. `expects` is the status or the error code that is right, `orders` how many orders on how many
    accounts together. `cut_off` is the account whose connection breaks once; `key` stands in for the right
    webhook key.
    """

    title: str
    symbol: str = BTC_SWAP
    strategy: str = FUTURES
    prices: Mapping[str, str] = field(default_factory=dict)
    alert: Mapping[str, Any] | str | None = None
    expects: str = "accepted"
    orders: int = 0
    cut_off: str | None = None
    key: str | None = None
    in_picture: bool = False

    def body(self, webhook_key: str) -> str:
        if isinstance(self.alert, str):
            return self.alert.replace("KEY", webhook_key)
        fields = {"group_name": self.strategy, "token": self.key or webhook_key, **(self.alert or {})}
        return json.dumps(fields)

    def shown(self) -> str:
        """The alert as the screen shows it: without what is the same in each."""
        if isinstance(self.alert, str):
            return self.alert
        fields = dict(self.alert or {})
        orders = [_compact(order) for order in fields.pop("orders", [])]
        if not orders:
            return _compact(fields)
        return f'{_compact(fields)[:-1]},"orders":[\n  ' + ",\n  ".join(orders) + "]}"


def _compact(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def _market(symbol: str, qty_per: int, side: str | None = None) -> dict[str, Any]:
    fields = {"symbol": symbol, "order_type": "MARKET", "side": side, "qty_per": qty_per}
    return {name: value for name, value in fields.items() if value is not None}


_ADD = _market("BTCUSDT.P", 30, "buy")

STEPS: Sequence[Step] = (
    Step(
        "One alert, one order on every account, sized by capital and leverage",
        prices={BTC_SWAP: "60000", ETH_SWAP: "3000", ETH_COIN: "3000"},
        orders=4,
        alert=_market("BTCUSDT.P", 40, "buy"),
        in_picture=True,
    ),
    Step("The price rises, and the strategy adds", prices={BTC_SWAP: "61200"}, orders=4, alert=_ADD),
    Step(
        "The same alert is delivered again: nothing is bought twice",
        alert=_ADD,
        expects="duplicate",
        in_picture=True,
    ),
    Step(
        "Too much: no account has that much capital left",
        alert=_market("BTCUSDT.P", 60, "buy"),
    ),
    Step(
        "Half is closed in profit",
        prices={BTC_SWAP: "63450.5"},
        orders=4,
        alert=_market("BTCUSDT.P", -50),
        in_picture=True,
    ),
    Step(
        "A batch: two limit orders wait below, a stop protects the position",
        orders=12,
        alert={
            "symbol": "BTCUSDT.P",
            "orders": [
                {"order_type": "LIMIT", "side": "buy", "price": 62500, "qty_per": 10},
                {"order_type": "LIMIT", "side": "buy", "price": 61000, "qty_per": 10},
                {"order_type": "STOP_MARKET", "stop_price": "60500", "qty_per": -100},
            ],
        },
    ),
    Step("No alert: the price falls through the first limit order", prices={BTC_SWAP: "62400"}),
    Step(
        "A second symbol: one account may hold one only, the others trade",
        symbol=ETH_SWAP,
        orders=3,
        alert=_market("ETHUSDT.P", 10, "sell"),
    ),
    Step(
        "A batch cancels what waits, the old stop too, and bids lower",
        orders=4,
        alert={
            "symbol": "BTCUSDT.P",
            "orders": [
                {"order_type": "CANCEL_ALL_ORDER"},
                {"order_type": "LIMIT", "side": "buy", "price": 60000, "qty_per": 10},
            ],
        },
    ),
    Step(
        "A tighter stop for the whole position",
        orders=4,
        alert={
            "symbol": "BTCUSDT.P",
            "order_type": "STOP_MARKET",
            "stop_price": 62000,
            "qty_per": -100,
        },
    ),
    Step("No alert: the stop is hit", prices={BTC_SWAP: "61950"}),
    Step(
        "The trend turns: what still waits is cancelled",
        alert={"symbol": "BTCUSDT.P", "order_type": "CANCEL_ALL_ORDER"},
    ),
    Step(
        "The line breaks before family's order is answered: looked up, sent once",
        orders=4,
        alert=_market("BTCUSDT.P", 50, "sell"),
        cut_off="family",
        in_picture=True,
    ),
    Step(
        "The short is closed in profit",
        prices={BTC_SWAP: "60111.1"},
        orders=4,
        alert=_market("BTCUSDT.P", -100),
    ),
    Step(
        "Ether's short is closed at a loss",
        symbol=ETH_SWAP,
        prices={ETH_SWAP: "3050.77"},
        orders=3,
        alert=_market("ETHUSDT.P", -100),
    ),
    Step(
        "Another strategy buys coins on spot, which pay the fee in coins",
        symbol=ETH_COIN,
        strategy=SPOT,
        orders=2,
        alert=_market("ETH/USDT", 50, "buy"),
    ),
    Step(
        "A part of the coins is sold",
        symbol=ETH_COIN,
        strategy=SPOT,
        prices={ETH_COIN: "3123.45"},
        orders=2,
        alert=_market("ETHUSDT", -40),
    ),
    Step(
        "Refused: a limit order without a price",
        alert={"symbol": "BTCUSDT.P", "order_type": "LIMIT", "side": "buy", "qty_per": 10},
        expects="price_required",
    ),
    Step(
        "Refused: a symbol that is no linear perpetual",
        alert=_market("BTCUSD", 10, "buy"),
        expects="unknown_symbol",
    ),
    Step(
        "Refused: text that is not JSON",
        alert='{"group_name":"trend","token":"KEY","symbol":BTCUSDT.P}',
        expects="malformed_json",
    ),
    Step(
        "Refused: a key that is nobody's",
        alert=_market("BTCUSDT.P", 10, "buy"),
        key="x" * 40,
        expects="invalid_webhook_key",
    ),
)
