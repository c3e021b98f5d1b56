"""Binance's refusals: code, sentence and HTTP status, and what each refusal of the core is called there."""

from fillbook.market.core import MarketType
from fillbook.venues.sim.core.vocabulary import Refusal


class BinanceError(Exception):
    """An answer `{"code", "msg"}` with its HTTP status."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


def missing(name: str) -> BinanceError:
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> BinanceError:
    return BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


INVALID_SYMBOL = (-1121, "Invalid symbol.")
UNKNOWN_ORDER = (-2013, "Order does not exist.")
CANCEL_REJECTED = (-2011, "Unknown order sent.")

_SPOT: dict[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: INVALID_SYMBOL,
    Refusal.UNKNOWN_ORDER: UNKNOWN_ORDER,
    Refusal.DUPLICATE_CLIENT_ID: (-2010, "Duplicate order sent."),
    Refusal.INSUFFICIENT_BALANCE: (-2010, "Account has insufficient balance for requested action."),
    Refusal.PRICE_RANGE: (-1013, "Filter failure: PRICE_FILTER"),
    Refusal.PRICE_TICK: (-1013, "Filter failure: PRICE_FILTER"),
    Refusal.QUANTITY_ZERO: (-1013, "Invalid quantity."),
    Refusal.QUANTITY_RANGE: (-1013, "Filter failure: LOT_SIZE"),
    Refusal.QUANTITY_LOT: (-1013, "Filter failure: LOT_SIZE"),
    Refusal.MIN_NOTIONAL: (-1013, "Filter failure: NOTIONAL"),
    Refusal.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Refusal.WOULD_TRIGGER: (-2010, "Stop price would trigger immediately."),
}
_FUTURES: dict[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: INVALID_SYMBOL,
    Refusal.UNKNOWN_ORDER: UNKNOWN_ORDER,
    Refusal.DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
    Refusal.INSUFFICIENT_BALANCE: (-2018, "Balance is insufficient."),
    Refusal.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    Refusal.PRICE_RANGE: (-4001, "Price less than 0."),
    Refusal.PRICE_TICK: (-4014, "Price not increased by tick size."),
    Refusal.QUANTITY_ZERO: (-4003, "Quantity less than or equal to zero."),
    Refusal.QUANTITY_RANGE: (-4003, "Quantity less than or equal to zero."),
    Refusal.QUANTITY_LOT: (-1111, "Precision is over the maximum defined for this asset."),
    Refusal.MIN_NOTIONAL: (
        -4164,
        "Order's notional must be no smaller than {least} (unless you choose reduce only).",
    ),
    Refusal.WOULD_TAKE: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    Refusal.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Refusal.FOK_UNFILLABLE: (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected.",
    ),
    Refusal.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Refusal.REDUCE_ONLY_IN_HEDGE_MODE: (-1106, "Parameter 'reduceonly' sent when not required."),
    Refusal.POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
    Refusal.LEVERAGE_RANGE: (-4028, "Leverage {leverage} is not valid"),
    Refusal.LEVERAGE_NEEDS_MARGIN: (-2027, "Exceeded the maximum allowable position at current leverage."),
    Refusal.MODE_UNCHANGED: (-4059, "No need to change position side."),
    Refusal.MARGIN_MODE_UNCHANGED: (-4046, "No need to change margin type."),
    Refusal.NOTHING_TO_AMEND: (-5027, "No need to modify the order."),
    Refusal.AMEND_BELOW_FILLED: (
        -4028,
        "The new order quantity is less than or equal to the executed quantity.",
    ),
}


def from_refusal(reason: Refusal, market_type: MarketType, **words: str) -> BinanceError:
    """The venue's own words; `words` fill the placeholders of a sentence."""
    table = _SPOT if market_type is MarketType.SPOT else _FUTURES
    code, message = table[reason]
    return BinanceError(code, message.format(**words) if words else message)
