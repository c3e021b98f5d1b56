"""Bitget's refusals: code, sentence and HTTP status, and what each refusal of the core is called there."""

from fillbook.market.core import MarketType
from fillbook.venues.sim.core.vocabulary import Refusal


class BitgetError(Exception):
    """An answer `{"code", "msg", "requestTime", "data": null}` with its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


def missing(name: str) -> BitgetError:
    return BitgetError("40019", f"Parameter {name} cannot be empty")


def wrong(name: str) -> BitgetError:
    return BitgetError("40017", f"Parameter verification failed {name}")


UNKNOWN_SYMBOL = ("40102", "Symbol does not exist")
UNKNOWN_ORDER = {
    MarketType.SPOT: ("43001", "The order does not exist"),
    MarketType.FUTURES: ("40768", "Order does not exist"),
}
ENDED_ORDER = {
    MarketType.SPOT: ("43004", "There is no order to cancel"),
    MarketType.FUTURES: ("22001", "No order to cancel"),
}
NO_SUCH_DETAIL = ("40109", "The data of the order cannot be found, please confirm the order number")
NO_SUCH_PLAN = ("43025", "Plan order does not exist")
POSITION_TYPE = ("40774", "The order type for unilateral position must also be the unilateral position type.")

_COMMON: dict[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN_SYMBOL: UNKNOWN_SYMBOL,
    Refusal.INSUFFICIENT_BALANCE: ("43012", "Insufficient balance"),
    Refusal.INSUFFICIENT_MARGIN: ("40762", "The order amount exceeds the balance"),
    Refusal.PRICE_RANGE: ("43011", "The parameter does not meet the specification executePrice <= 0"),
    Refusal.QUANTITY_ZERO: ("45111", "less than the minimum order quantity"),
    Refusal.QUANTITY_RANGE: ("45111", "less than the minimum order quantity"),
    Refusal.QUANTITY_LOT: ("40808", "Parameter verification exception size checkScale error"),
    Refusal.MIN_NOTIONAL: ("45110", "less than the minimum amount {least} USDT"),
    Refusal.REDUCE_ONLY: ("22002", "No position to close"),
    Refusal.POSITION_SIDE: POSITION_TYPE,
    Refusal.LEVERAGE_RANGE: ("45045", "Exceeds the maximum possible leverage"),
    Refusal.LEVERAGE_NEEDS_MARGIN: (
        "40893",
        "Unable to update the leverage factor of this position, there is not enough margin!",
    ),
}
_SPOT = _COMMON | {
    Refusal.UNKNOWN_ORDER: UNKNOWN_ORDER[MarketType.SPOT],
    Refusal.DUPLICATE_CLIENT_ID: ("43118", "clientOrderId duplicate"),
    Refusal.PRICE_TICK: ("40808", "Parameter verification exception price checkScale error"),
}
_FUTURES = _COMMON | {
    Refusal.UNKNOWN_ORDER: UNKNOWN_ORDER[MarketType.FUTURES],
    Refusal.DUPLICATE_CLIENT_ID: ("40786", "Duplicate clientOid"),
    Refusal.PRICE_TICK: ("45115", "The price you enter should be a multiple of the price step"),
}


def from_refusal(reason: Refusal, market_type: MarketType, least: str) -> BitgetError:
    """The venue's own words for a refusal of the core."""
    code, message = (_SPOT if market_type is MarketType.SPOT else _FUTURES)[reason]
    return BitgetError(code, message.format(least=least))
