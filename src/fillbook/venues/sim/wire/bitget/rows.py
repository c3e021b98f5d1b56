"""Orders and fills as Bitget's REST pages show them."""

from decimal import Decimal
from typing import Any

import orjson

from fillbook.accounts.core import MarginMode
from fillbook.kernel.money import ZERO, divide, to_text
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import SimFill, SimOrder, TriggerPrice
from fillbook.venues.sim.wire.bitget.context import Context
from fillbook.venues.sim.wire.bitget.words import (
    closes,
    force_word,
    forced_kind,
    leg_word,
    mode_word,
    position_side_word,
    scope_word,
    status_word,
    trade_side_word,
    type_word,
)
from fillbook.venues.sim.wire.numbers import short

Row = dict[str, Any]
_PLAN_STATUSES = {
    OrderStatus.NEW: "live",
    OrderStatus.FILLED: "executed",
    OrderStatus.REJECTED: "fail_execute",
}


def margin_word(account: Account, symbol: str) -> str:
    return "isolated" if account.margin_mode(symbol) is MarginMode.ISOLATED else "crossed"


def average(order: SimOrder) -> Decimal:
    return divide(order.cost, order.filled) if order.filled else ZERO


def _times(order: SimOrder) -> Row:
    return {"cTime": str(order.created_ms), "uTime": str(order.updated_ms)}


def source_word(order: SimOrder) -> str:
    return "API" if forced_kind(order).value == "trade" else "SYS"


# Spot


def wire_size(order: SimOrder) -> Decimal:
    """The size as it was asked for: of a market buy, what it may cost."""
    return order.quantity if order.quote_quantity is None else order.quote_quantity


def _spot_fees(order: SimOrder) -> str:
    """JSON in text; fees are below zero when charged."""
    if not order.fills:
        return ""
    total = float(-sum((fill.fee for fill in order.fills), ZERO))
    coin = order.fills[0].fee_asset
    fees = {
        "newFees": {"c": 0, "d": 0, "deduction": False, "r": total, "t": total, "totalDeductionFee": 0},
        coin: {"deduction": False, "feeCoinCode": coin, "totalDeductionFee": 0, "totalFee": total},
    }
    return orjson.dumps(fees).decode()


def _spot_common(context: Context, account: Account, order: SimOrder) -> Row:
    return {
        "userId": str(account.uid),
        "symbol": context.wire_ids[order.symbol],
        "orderId": str(order.order_id),
        "clientOid": order.client_order_id,
        "size": short(wire_size(order)),
        "orderType": type_word(order),
        "side": order.side.value,
        "status": status_word(order, "cancelled"),
        "baseVolume": short(order.filled),
        "quoteVolume": short(order.cost),
        "enterPointSource": "API",
        "orderSource": "normal" if order.order_type.has_price else "market",
        **_times(order),
    }


def spot_order(context: Context, account: Account, order: SimOrder) -> Row:
    """As `orderInfo` and `history-orders` show it."""
    return _spot_common(context, account, order) | {
        "price": short(order.price or ZERO),
        "priceAvg": short(average(order)),
        "feeDetail": _spot_fees(order),
        "cancelReason": "normal_cancel" if order.status is OrderStatus.CANCELED else "",
    }


def spot_unfilled(context: Context, account: Account, order: SimOrder) -> Row:
    """As `unfilled-orders` shows it: the limit price is called `priceAvg`, the average `basePrice`."""
    return _spot_common(context, account, order) | {
        "priceAvg": short(order.price or ZERO),
        "basePrice": short(average(order)),
        "tpslType": "normal",
        "triggerPrice": None,
    }


def spot_fill(context: Context, account: Account, fill: SimFill) -> Row:
    order = context.exchange.orders[fill.order_id]
    return {
        "userId": str(account.uid),
        "symbol": context.wire_ids[fill.symbol],
        "orderId": str(fill.order_id),
        "tradeId": str(fill.trade_id),
        "orderType": type_word(order),
        "side": fill.side.value,
        "priceAvg": short(fill.price),
        "size": short(fill.quantity),
        "amount": short(fill.price * fill.quantity),
        "feeDetail": {
            "deduction": "no",
            "feeCoin": fill.fee_asset,
            "totalDeductionFee": "",
            "totalFee": short(-fill.fee),
        },
        "tradeScope": scope_word(fill),
        "cTime": str(fill.at_ms),
        "uTime": str(fill.at_ms),
    }


def spot_plan(context: Context, order: SimOrder) -> Row:
    return {
        "orderId": str(order.order_id),
        "clientOid": order.client_order_id,
        "symbol": context.wire_ids[order.symbol],
        "size": short(wire_size(order)),
        "planType": "amount" if order.quote_quantity is None else "total",
        "executePrice": short(order.price or ZERO),
        "triggerPrice": short(order.stop_price),
        "status": plan_status(order),
        "orderType": type_word(order),
        "side": order.side.value,
        "triggerType": _trigger_word(order),
        "enterPointSource": "API",
        **_times(order),
    }


def plan_status(order: SimOrder) -> str:
    return _PLAN_STATUSES.get(order.status, "cancelled")


def _trigger_word(order: SimOrder) -> str:
    return "mark_price" if order.trigger_on is TriggerPrice.MARK else "fill_price"


# Futures


def _mix_common(context: Context, account: Account, order: SimOrder) -> Row:
    kind = forced_kind(order)
    reduces = order.reduce_only or closes(order.side, order.position_side)
    return {
        "symbol": context.wire_ids[order.symbol],
        "size": short(order.quantity),
        "orderId": str(order.order_id),
        "clientOid": order.client_order_id,
        "side": position_side_word(order.side, order.position_side),
        "posSide": leg_word(order.position_side),
        "tradeSide": trade_side_word(order.side, order.position_side, kind),
        "posMode": mode_word(order.position_side),
        "reduceOnly": "YES" if reduces else "NO",
        "marginCoin": context.exchange.markets[order.symbol].listing.instrument.settle,
        "marginMode": margin_word(account, order.symbol),
        "enterPointSource": source_word(order),
        "orderType": type_word(order),
        **_times(order),
    }


def mix_order(context: Context, account: Account, order: SimOrder, status_key: str = "status") -> Row:
    """As the lists show it; `detail` calls the status `state`."""
    fee = -sum((fill.fee for fill in order.fills), ZERO)
    return _mix_common(context, account, order) | {
        "baseVolume": short(order.filled),
        "fee": short(fee),
        "price": short(order.price or ZERO),
        "priceAvg": short(average(order)) if order.filled else "",
        status_key: status_word(order, "canceled"),
        "force": force_word(order),
        "totalProfits": short(sum((fill.realized_pnl for fill in order.fills), ZERO)),
        "quoteVolume": short(order.cost),
        "leverage": short(account.leverage(order.symbol)),
        "orderSource": "normal" if order.order_type.has_price else "market",
        "presetStopSurplusPrice": "",
        "presetStopLossPrice": "",
    }


def mix_fill(context: Context, fill: SimFill) -> Row:
    """In hedge mode the side is the position's, also of what closes it."""
    return {
        "tradeId": str(fill.trade_id),
        "symbol": context.wire_ids[fill.symbol],
        "orderId": str(fill.order_id),
        "price": short(fill.price),
        "baseVolume": short(fill.quantity),
        "feeDetail": [
            {
                "deduction": "no",
                "feeCoin": fill.fee_asset,
                "totalDeductionFee": None,
                "totalFee": short(-fill.fee),
            }
        ],
        "side": position_side_word(fill.side, fill.position_side),
        "quoteVolume": short(fill.price * fill.quantity),
        "profit": short(fill.realized_pnl),
        "enterPointSource": "API",
        "tradeSide": trade_side_word(fill.side, fill.position_side, fill.kind),
        "posMode": mode_word(fill.position_side),
        "tradeScope": scope_word(fill),
        "cTime": str(fill.at_ms),
    }


def mix_plan(context: Context, account: Account, order: SimOrder, is_history: bool) -> Row:
    row = _mix_common(context, account, order) | {
        "planType": "normal_plan",
        "price": short(order.price or ZERO),
        "executePrice": short(order.price or ZERO),
        "callbackRatio": "",
        "triggerPrice": short(order.stop_price),
        "triggerType": _trigger_word(order),
        "planStatus": plan_status(order),
        "stopSurplusTriggerPrice": "",
        "stopSurplusExecutePrice": "",
        "stopSurplusTriggerType": "fill_price",
        "stopLossTriggerPrice": "",
        "stopLossExecutePrice": "",
        "stopLossTriggerType": "fill_price",
    }
    if is_history:
        child = context.exchange.orders[order.child_id] if order.child_id is not None else None
        row |= {
            "executeOrderId": "" if child is None else str(child.order_id),
            "baseVolume": short(child.filled if child is not None else ZERO),
            "priceAvg": short(average(child)) if child is not None and child.filled else "",
            "feeDetail": None,
        }
    return row


def sub_orders(context: Context, plan: SimOrder) -> list[Row]:
    """`plan-sub-order`: the order that a trigger made."""
    if plan.child_id is None:
        return []
    child = context.exchange.orders[plan.child_id]
    price = to_text(child.price) if child.price is not None else "0"
    return [{"orderId": str(child.order_id), "price": price, "type": type_word(child), "status": "success"}]


def acknowledged(order: SimOrder) -> Row:
    return {"orderId": str(order.order_id), "clientOid": order.client_order_id}


def is_market_buy(side: Side, has_price: bool, market_type: MarketType) -> bool:
    """Spot market buys are sized by what they cost."""
    return market_type is MarketType.SPOT and side is Side.BUY and not has_price
