"""Bybit's refusals: code and sentence, and what each refusal of the core is called there.

A refusal is an ordinary answer with HTTP 200 whose `retCode` is not zero.
"""

from fillbook.market.core import MarketType
from fillbook.venues.sim.core.vocabulary import Refusal


class BybitError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


def illegal(name: str) -> BybitError:
    return BybitError(10001, f"params error: {name} invalid")


INVALID_SYMBOL = (10001, "params error: symbol invalid")
BAD_KEY = (10003, "API key is invalid.")
BAD_SIGNATURE = (10004, "error sign! please check your signature generation algorithm.")
NOT_ALLOWED = (10005, "Permission denied, please check your API key permissions.")
TOO_MANY_VISITS = (10006, "Too many visits. Exceeded the API Rate Limit.")

_SPOT: dict[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: (170121, "Invalid symbol."),
    Refusal.UNKNOWN_ORDER: (170213, "Order does not exist."),
    Refusal.DUPLICATE_CLIENT_ID: (170141, "Duplicate clientOrderId"),
    Refusal.INSUFFICIENT_BALANCE: (170131, "Insufficient balance."),
    Refusal.PRICE_RANGE: (170132, "Order price too high."),
    Refusal.PRICE_TICK: (170134, "Order price has too many decimals."),
    Refusal.QUANTITY_ZERO: (170130, "Data sent for parameter 'qty' is not valid."),
    Refusal.QUANTITY_RANGE: (170136, "Order quantity exceeded lower limit."),
    Refusal.QUANTITY_LOT: (170137, "Order volume decimal too long."),
    Refusal.MIN_NOTIONAL: (170140, "Order value exceeded lower limit."),
    Refusal.WOULD_TAKE: (170190, "Cannot post order that would take."),
    Refusal.WOULD_TRIGGER: (170199, "The trigger price has been reached."),
    Refusal.FOK_UNFILLABLE: (170218, "The FOK order cannot be filled."),
    Refusal.NOTHING_TO_AMEND: (10001, "The order remains unchanged as the parameters entered match the old."),
    Refusal.AMEND_BELOW_FILLED: (170136, "Order quantity exceeded lower limit."),
}
_LINEAR: dict[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: INVALID_SYMBOL,
    Refusal.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Refusal.DUPLICATE_CLIENT_ID: (110072, "OrderLinkedID is duplicate"),
    Refusal.INSUFFICIENT_BALANCE: (110007, "ab not enough for new order"),
    Refusal.INSUFFICIENT_MARGIN: (110007, "ab not enough for new order"),
    Refusal.PRICE_RANGE: (110003, "Order price exceeds the allowable range."),
    Refusal.PRICE_TICK: (10001, "params error: price tick invalid"),
    Refusal.QUANTITY_ZERO: (10001, "Qty invalid"),
    Refusal.QUANTITY_RANGE: (10001, "The number of contracts exceeds minimum or maximum limit allowed"),
    Refusal.QUANTITY_LOT: (10001, "Qty invalid"),
    Refusal.MIN_NOTIONAL: (110094, "Order does not meet minimum order value."),
    Refusal.WOULD_TAKE: (110073, "The post only order would take."),
    Refusal.WOULD_TRIGGER: (110093, "expect Falling, but trigger_price >= current"),
    Refusal.FOK_UNFILLABLE: (110071, "The FOK order cannot be filled."),
    Refusal.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Refusal.REDUCE_ONLY_IN_HEDGE_MODE: (110017, "Reduce-only rule not satisfied"),
    Refusal.POSITION_SIDE: (10001, "position idx not match position mode"),
    Refusal.LEVERAGE_RANGE: (110013, "cannot set leverage above maxLeverage by risk limit"),
    Refusal.LEVERAGE_NEEDS_MARGIN: (110012, "Insufficient available balance."),
    Refusal.MODE_UNCHANGED: (110025, "Position mode is not modified"),
    Refusal.HAS_POSITIONS: (110024, "You have an existing position, so the position mode cannot be switched"),
    Refusal.HAS_ORDERS: (110028, "You have existing open orders, so the position mode cannot be switched"),
    Refusal.NOTHING_TO_AMEND: (10001, "The order remains unchanged as the parameters entered match the old."),
    Refusal.AMEND_BELOW_FILLED: (
        110064,
        "The number of contracts modified cannot be less than or equal to the filled quantity",
    ),
}


def from_refusal(reason: Refusal, market_type: MarketType) -> BybitError:
    table = _SPOT if market_type is MarketType.SPOT else _LINEAR
    return BybitError(*table[reason])
