"""Words and ids as Bybit writes them.

Ids of linear are UUIDs, those of spot numbers; each is made from the core's own, so that a text names one order.
"""

import re
from decimal import Decimal
from uuid import NAMESPACE_OID, UUID, uuid5

from fillbook.accounts.core import PositionSide
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import Instrument, MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType, TimeInForce
from fillbook.venues.sim.core.vocabulary import SimFill, SimOrder
from fillbook.venues.sim.wire.bybit.errors import BybitError, illegal

Params = dict[str, str]

CATEGORIES = {"spot": MarketType.SPOT, "linear": MarketType.FUTURES}
_CATEGORY_NAMES = {market_type: name for name, market_type in CATEGORIES.items()}
SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_SIDE_NAMES = {side: name for name, side in SIDES.items()}
TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.POST_ONLY,
}
_TIME_NAMES = {known: name for name, known in TIMES_IN_FORCE.items()}
LEGS = {"0": PositionSide.NET, "1": PositionSide.LONG, "2": PositionSide.SHORT}
_LEG_NUMBERS = {leg: int(number) for number, leg in LEGS.items()}
EXEC_TYPES = {
    FillKind.TRADE: "Trade",
    FillKind.LIQUIDATION: "BustTrade",
    FillKind.ADL: "AdlTrade",
    FillKind.SETTLEMENT: "Settle",
}
_REJECT_REASONS = {
    "canceled": "EC_PerCancelRequest",
    "no_liquidity": "EC_NoImmediateQtyToFill",
    "fok": "EC_CancelForNoFullFill",
    "would_take": "EC_PostOnlyWillTakeLiquidity",
    "reduce_only": "EC_PerCancelRequest",
}
_CANCEL_TYPES = {"canceled": "CancelByUser", "reduce_only": "CancelByReduceOnly"}

_AMOUNT = re.compile(r"^[0-9]{1,20}(\.[0-9]{1,20})?$", re.ASCII)
_INTEGER = re.compile(r"^[0-9]{1,19}$", re.ASCII)
_LINK_ID = re.compile(r"^[0-9A-Za-z_-]{1,36}$")


def wire_id(instrument: Instrument) -> str:
    return instrument.base + instrument.quote


def category_name(market_type: MarketType) -> str:
    return _CATEGORY_NAMES[market_type]


def order_id_text(order_id: int, market_type: MarketType) -> str:
    return str(order_id) if market_type is MarketType.SPOT else str(UUID(int=order_id))


def order_id_of(text: str) -> int:
    """The core's id; -1, which is nobody's, for a text that no order of this exchange could have."""
    if text.isdecimal():
        return int(text)
    try:
        return UUID(text).int
    except ValueError:
        return -1


def exec_name(symbol: str, trade_id: int, order_id: int = 0) -> str:
    """The id of an execution: every trade has one, and each side of it (an order) one of its own."""
    made = uuid5(NAMESPACE_OID, f"{symbol} {trade_id} {order_id}")
    return str(made) if ":" in symbol else str(made.int % 10**19)


def exec_id(fill: SimFill) -> str:
    return exec_name(fill.symbol, fill.trade_id, fill.order_id)


def link_id(order: SimOrder) -> str:
    """The client's own id; the exchange's own orders and those that were sent without have none."""
    if is_forced(order) or order.client_order_id == f"sim{order.order_id}":
        return ""
    return order.client_order_id


def is_forced(order: SimOrder) -> bool:
    return any(fill.kind is not FillKind.TRADE for fill in order.fills)


def create_type(order: SimOrder) -> str:
    kinds = {fill.kind for fill in order.fills}
    if FillKind.LIQUIDATION in kinds:
        return "CreateByLiq"
    return "CreateByAdl_PassThrough" if FillKind.ADL in kinds else "CreateByUser"


def is_conditional(order: SimOrder) -> bool:
    return order.order_type.has_stop_price


def is_untriggered(order: SimOrder) -> bool:
    return is_conditional(order) and not order.is_working


def status_name(order: SimOrder) -> str:
    is_spot = order.market_type is MarketType.SPOT
    match order.status:
        case OrderStatus.NEW:
            return "Untriggered" if is_untriggered(order) else "New"
        case OrderStatus.PARTIALLY_FILLED:
            return "PartiallyFilled"
        case OrderStatus.FILLED:
            return "Filled"
        case OrderStatus.REJECTED:
            return "Rejected"
        case _ if is_untriggered(order):
            return "Deactivated"
        case _:
            return "PartiallyFilledCanceled" if is_spot and order.filled else "Cancelled"


def type_name(order_type: OrderType) -> str:
    return "Limit" if order_type.has_price else "Market"


def side_name(side: Side) -> str:
    return _SIDE_NAMES[side]


def time_name(order: SimOrder) -> str:
    return _TIME_NAMES[order.time_in_force] if order.order_type.has_price else "IOC"


def leg_number(leg: PositionSide) -> int:
    return _LEG_NUMBERS[leg]


def trigger_direction(order: SimOrder) -> int:
    """1: waits for the price to rise, 2: to fall, 0: for nothing."""
    if not is_conditional(order):
        return 0
    is_stop = order.order_type in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
    return 1 if is_stop is (order.side is Side.BUY) else 2


def reject_reason(order: SimOrder) -> str:
    if order.is_open or order.status is OrderStatus.FILLED:
        return "EC_NoError"
    return _REJECT_REASONS.get(order.end_reason, "EC_Others")


def cancel_type(order: SimOrder) -> str:
    return "UNKNOWN" if order.is_open else _CANCEL_TYPES.get(order.end_reason, "UNKNOWN")


def is_maker(fill: SimFill) -> bool:
    return fill.liquidity is Liquidity.MAKER


def required(params: Params, name: str) -> str:
    value = params.get(name)
    if not value:
        raise BybitError(10001, f"params error: {name} is required")
    return value


def amount(params: Params, name: str) -> Decimal | None:
    text = params.get(name)
    if not text:
        return None
    if not _AMOUNT.match(text):
        raise illegal(name)
    return Decimal(text)


def required_amount(params: Params, name: str) -> Decimal:
    value = amount(params, name)
    if value is None:
        raise BybitError(10001, f"params error: {name} is required")
    return value


def integer(params: Params, name: str) -> int | None:
    text = params.get(name)
    if not text:
        return None
    if not _INTEGER.match(text):
        raise illegal(name)
    return int(text)


def flag(params: Params, name: str) -> bool:
    text = params.get(name, "false").lower()
    if text not in ("true", "false"):
        raise illegal(name)
    return text == "true"


def given_link_id(params: Params) -> str | None:
    text = params.get("orderLinkId")
    if not text:
        return None
    if not _LINK_ID.match(text):
        raise illegal("orderLinkId")
    return text
