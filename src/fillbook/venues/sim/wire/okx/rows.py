"""OKX's rows of orders, conditional orders and fills; the private streams send the same ones and a little more."""

from decimal import Decimal
from typing import Any

from fillbook.accounts.core import MarginMode
from fillbook.kernel.money import ZERO, divide
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus, OrderType
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.market import Market
from fillbook.venues.sim.core.vocabulary import OrderEvent, SimFill, SimOrder, TriggerPrice
from fillbook.venues.sim.wire.numbers import short
from fillbook.venues.sim.wire.okx.context import Context, contracts
from fillbook.venues.sim.wire.okx.text import (
    INSTRUMENT_TYPES,
    LEGS,
    STATES,
    cancel_source,
    category,
    order_type_name,
    unused,
)

_ALGO_STATES = {
    OrderStatus.NEW: "live",
    OrderStatus.FILLED: "effective",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "canceled",
    OrderStatus.REJECTED: "order_failed",
}


_SUB_TYPES = {
    FillKind.TRADE: {Side.BUY: "1", Side.SELL: "2"},
    FillKind.LIQUIDATION: {Side.BUY: "106", Side.SELL: "107"},
    FillKind.ADL: {Side.BUY: "127", Side.SELL: "128"},
}


def order_row(context: Context, order: SimOrder) -> dict[str, Any]:
    """An order as look-ups and lists show it, with its last fill."""
    market = context.market_of_symbol(order.symbol)
    account = context.exchange.accounts[order.account]
    is_spot = order.market_type is MarketType.SPOT
    last = order.fills[-1] if order.fills else None
    fees = sum((fill.fee for fill in order.fills), ZERO)
    source, reason = cancel_source(order)
    parent = context.exchange.orders[order.parent_id] if order.parent_id is not None else None
    by_cost = order.quote_quantity is not None
    return {
        **_head(context, order, market),
        "accFillSz": short(contracts(market, order.filled)),
        "algoClOrdId": parent.client_order_id if parent else "",
        "algoId": str(parent.order_id) if parent else "",
        "attachAlgoClOrdId": "",
        "attachAlgoOrds": [],
        "avgPx": short(divide(order.cost, order.filled)) if order.filled else "",
        "cancelSource": source,
        "cancelSourceReason": reason,
        "category": category(order),
        "ccy": "",
        "clOrdId": client_id_of(order),
        "fee": short(-fees),
        "feeCcy": last.fee_asset if last else _fee_asset(order, market),
        "fillPx": short(last.price) if last else "",
        "fillSz": short(contracts(market, last.quantity)) if last else "0",
        "fillTime": str(last.at_ms) if last else "",
        "isTpLimit": "false",
        "lever": "" if is_spot else short(account.leverage(order.symbol)),
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": str(order.order_id),
        "ordType": order_type_name(order),
        "pnl": short(sum((fill.realized_pnl for fill in order.fills), ZERO)),
        "px": short(order.price),
        "pxType": "",
        "pxUsd": "",
        "pxVol": "",
        "quickMgnType": "",
        "rebate": "0",
        "rebateCcy": market.listing.instrument.quote,
        "slOrdPx": "",
        "slTriggerPx": "",
        "slTriggerPxType": "",
        "source": _source(context, parent),
        "state": STATES[order.status],
        "stpId": "",
        "stpMode": "cancel_maker",
        "sz": short(order.quote_quantity if by_cost else contracts(market, order.quantity)),
        "tgtCcy": "" if not is_spot else "quote_ccy" if by_cost else "base_ccy",
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "tradeId": str(last.trade_id) if last else "",
    }


def _source(context: Context, parent: SimOrder | None) -> str:
    """What placed the order: a trigger, a take-profit or stop-loss, or its owner."""
    if parent is None:
        return ""
    return "6" if context.algo_types[parent.order_id] == "trigger" else "7"


def client_id_of(order: SimOrder) -> str:
    """What the client called it: nothing, if it did not, and OKX's own name for what a trigger placed."""
    if order.parent_id is not None:
        return f"{order.parent_id}_0"
    made = order.client_order_id == f"sim{order.order_id}" or order.client_order_id.startswith(
        ("autoclose-", "adl_autoclose_")
    )
    return "" if made else order.client_order_id


def _head(context: Context, order: SimOrder, market: Market) -> dict[str, Any]:
    account = context.exchange.accounts[order.account]
    is_spot = order.market_type is MarketType.SPOT
    return {
        "cTime": str(order.created_ms),
        "instId": context.ids[order.symbol],
        "instType": INSTRUMENT_TYPES[order.market_type],
        "posSide": "net" if is_spot else LEGS[order.position_side],
        "reduceOnly": str(order.reduce_only).lower(),
        "side": order.side.value,
        "tag": "",
        "tdMode": "cash" if is_spot else margin_mode_name(account, market),
        "uTime": str(order.updated_ms),
    }


def margin_mode_name(account: Account, market: Market) -> str:
    return "isolated" if account.margin_mode(market.symbol) is MarginMode.ISOLATED else "cross"


def _fee_asset(order: SimOrder, market: Market) -> str:
    instrument = market.listing.instrument
    if order.market_type is MarketType.SPOT and order.side is Side.BUY:
        return instrument.base
    return instrument.quote


def stream_order_row(context: Context, event: OrderEvent) -> dict[str, Any]:
    """As look-ups show it, but the fill is the one of this event, and none where the event is none."""
    order, fill = event.order, event.fill
    market = context.market_of_symbol(order.symbol)
    notional = order.quantity * (order.price or market.price)
    row = order_row(context, order) | {
        "amendResult": "0" if event.execution.value == "amended" else "",
        "amendSource": "",
        "code": "0",
        "execType": "",
        "fillFee": "0",
        "fillFeeCcy": "",
        "fillFwdPx": "",
        "fillMarkVol": "",
        "fillNotionalUsd": "",
        "fillPnl": "0",
        "fillPx": "",
        "fillPxUsd": "",
        "fillPxVol": "",
        "fillSz": "0",
        "fillTime": "",
        "lastPx": short(market.price),
        "msg": "",
        "notionalUsd": short(notional),
        "reqId": "",
        "tradeId": "",
        "uTime": str(event.at_ms),
    }
    if fill is not None:
        row |= {
            "execType": _exec_type(fill),
            "fillFee": short(-fill.fee),
            "fillFeeCcy": fill.fee_asset,
            "fillNotionalUsd": short(fill.price * fill.quantity),
            "fillPnl": short(fill.realized_pnl),
            "fillPx": short(fill.price),
            "fillSz": short(contracts(market, fill.quantity)),
            "fillTime": str(fill.at_ms),
            "tradeId": str(fill.trade_id),
        }
    return row


def _exec_type(fill: SimFill) -> str:
    return "M" if fill.liquidity is Liquidity.MAKER else "T"


def fill_row(context: Context, fill: SimFill, bill_id: int) -> dict[str, Any]:
    market = context.market_of_symbol(fill.symbol)
    order = context.exchange.orders[fill.order_id]
    return {
        "instType": INSTRUMENT_TYPES[order.market_type],
        "instId": context.ids[fill.symbol],
        "tradeId": str(fill.trade_id),
        "ordId": str(fill.order_id),
        "clOrdId": client_id_of(order),
        "billId": str(bill_id),
        "subType": _SUB_TYPES[fill.kind][fill.side],
        "tag": "",
        "fillPx": short(fill.price),
        "fillSz": short(contracts(market, fill.quantity)),
        "fillIdxPx": short(market.price),
        "fillPnl": short(fill.realized_pnl),
        "fillPxVol": "",
        "fillPxUsd": "",
        "fillMarkVol": "",
        "fillFwdPx": "",
        "fillMarkPx": short(market.mark) if order.market_type is MarketType.FUTURES else "",
        "side": fill.side.value,
        "posSide": "net" if order.market_type is MarketType.SPOT else LEGS[fill.position_side],
        "execType": _exec_type(fill),
        "feeCcy": fill.fee_asset,
        "fee": short(-fill.fee),
        "feeRate": "",
        "ts": str(fill.at_ms),
        "fillTime": str(fill.at_ms),
        "tradeQuoteCcy": market.listing.instrument.quote,
    }


def algo_row(context: Context, order: SimOrder) -> dict[str, Any]:
    """A conditional order. Once triggered it names the order that it placed."""
    market = context.market_of_symbol(order.symbol)
    account = context.exchange.accounts[order.account]
    child = context.exchange.orders[order.child_id] if order.child_id is not None else None
    is_spot = order.market_type is MarketType.SPOT
    failed = order.status is OrderStatus.REJECTED
    return {
        **_head(context, order, market),
        **_triggers(context, order),
        "activePx": "",
        "actualPx": short(child.price or market.price) if child else "",
        "actualSide": _actual_side(context, order) if child else "",
        "actualSz": short(contracts(market, child.quantity)) if child else "0",
        "algoClOrdId": "" if order.client_order_id.startswith("sim") else order.client_order_id,
        "algoId": str(order.order_id),
        "amendPxOnTriggerType": "0",
        "attachAlgoOrds": [],
        "callbackRatio": "",
        "callbackSpread": "",
        "ccy": "",
        "clOrdId": client_id_of(child) if child else "",
        "closeFraction": "",
        "failCode": "51008" if failed else "",
        "isTradeBorrowMode": "",
        "last": short(market.price),
        "lever": "" if is_spot else short(account.leverage(order.symbol)),
        "linkedOrd": {"ordId": ""},
        "moveTriggerPx": "",
        "ordId": str(child.order_id) if child else "",
        "ordIdList": [str(child.order_id)] if child else [],
        "ordType": context.algo_types[order.order_id],
        "pxLimit": "",
        "pxSpread": "",
        "pxVar": "",
        "quickMgnType": "",
        "state": _ALGO_STATES[order.status],
        "sz": short(contracts(market, order.quantity)),
        "szLimit": "",
        "tgtCcy": "base_ccy" if is_spot else "",
        "timeInterval": "",
        "triggerTime": str(order.triggered_ms) if order.triggered_ms else "",
    }


def _triggers(context: Context, order: SimOrder) -> dict[str, str]:
    names = "triggerPx ordPx triggerPxType slTriggerPx slOrdPx slTriggerPxType tpTriggerPx tpOrdPx tpTriggerPxType"
    fields = unused(names)
    price: Decimal = order.price if order.price is not None else Decimal(-1)
    on = "mark" if order.trigger_on is TriggerPrice.MARK else "last"
    prefix = _actual_side(context, order)
    if prefix:
        fields |= {f"{prefix}TriggerPx": short(order.stop_price), f"{prefix}OrdPx": short(price)}
        return fields | {f"{prefix}TriggerPxType": on}
    return fields | {"triggerPx": short(order.stop_price), "ordPx": short(price), "triggerPxType": on}


def _actual_side(context: Context, order: SimOrder) -> str:
    """Whether it stops a loss or takes a profit; a plain trigger does neither by name."""
    if context.algo_types[order.order_id] == "trigger":
        return ""
    is_stop = order.order_type in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
    return "sl" if is_stop else "tp"
