"""Rows of Bitget's private channels: orders, fills, plan orders, wallets, positions."""

from typing import Any

from fillbook.kernel.money import ZERO, divide
from fillbook.ledger.core.fill import Liquidity
from fillbook.market.core import MarketType, Side
from fillbook.orders.core.order import OrderStatus
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.margin import initial_margin, margin_state
from fillbook.venues.sim.core.vocabulary import OrderEvent, SimFill, SimOrder
from fillbook.venues.sim.wire.bitget.accounts import position_row
from fillbook.venues.sim.wire.bitget.context import Context
from fillbook.venues.sim.wire.bitget.rows import (
    average,
    margin_word,
    plan_status,
    source_word,
    wire_size,
)
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


def order_row(context: Context, account: Account, event: OrderEvent) -> Row:
    """A row of `orders`: the order's state, and the latest fill where one has just happened."""
    order = event.order
    is_spot = order.market_type is MarketType.SPOT
    row = _spot_row(context, order) if is_spot else _mix_row(context, account, order)
    return row | _latest_fill(event.fill, is_spot) if event.fill is not None else row


def _common(context: Context, order: SimOrder, cancelled: str) -> Row:
    fee = -sum((fill.fee for fill in order.fills), ZERO)
    return {
        "instId": context.wire_ids[order.symbol],
        "orderId": str(order.order_id),
        "clientOid": order.client_order_id,
        "orderType": type_word(order),
        "force": force_word(order),
        "accBaseVolume": short(order.filled),
        "status": status_word(order, cancelled),
        "cTime": str(order.created_ms),
        "uTime": str(order.updated_ms),
        "feeDetail": [{"feeCoin": order.fills[0].fee_asset, "fee": short(fee)}] if order.fills else [],
        "enterPointSource": source_word(order),
        "stpMode": "none",
    }


def _spot_row(context: Context, order: SimOrder) -> Row:
    """`size` is quote for a buy and base for a sell; `newSize` is the size as it was asked for."""
    price = order.price or order.stop_price or ZERO
    notional = wire_size(order) if order.quote_quantity is not None else order.quantity * price
    row = _common(context, order, "cancelled") | {
        "side": order.side.value,
        "size": short(notional if order.side is Side.BUY else order.quantity),
        "newSize": short(wire_size(order)),
        "notional": short(notional),
        "priceAvg": short(average(order)),
    }
    if order.price is not None:
        row["price"] = short(order.price)
    return row


def _mix_row(context: Context, account: Account, order: SimOrder) -> Row:
    reduces = order.reduce_only or closes(order.side, order.position_side)
    row = _common(context, order, "canceled") | {
        "side": position_side_word(order.side, order.position_side),
        "posSide": leg_word(order.position_side),
        "posMode": mode_word(order.position_side),
        "tradeSide": trade_side_word(order.side, order.position_side, forced_kind(order)),
        "reduceOnly": "yes" if reduces else "no",
        "size": short(order.quantity),
        "price": short(order.price or ZERO),
        "leverage": short(account.leverage(order.symbol)),
        "marginCoin": "USDT",
        "marginMode": margin_word(account, order.symbol),
        "notionalUsd": short(order.quantity * (order.price or average(order))),
        "cancelReason": "normal_cancel" if order.status is OrderStatus.CANCELED else "",
        "totalProfits": short(sum((fill.realized_pnl for fill in order.fills), ZERO)),
    }
    if order.is_open or order.status is OrderStatus.FILLED:
        row["priceAvg"] = short(average(order))
    return row


def _latest_fill(fill: SimFill, is_spot: bool) -> Row:
    row = {
        "fillPrice": short(fill.price),
        "tradeId": str(fill.trade_id),
        "baseVolume": short(fill.quantity),
        "fillTime": str(fill.at_ms),
        "fillFee": short(-fill.fee),
        "fillFeeCoin": fill.fee_asset,
        "tradeScope": "M" if fill.liquidity is Liquidity.MAKER else "T",
    }
    if is_spot:
        return row
    return row | {"fillNotionalUsd": short(fill.price * fill.quantity), "pnl": short(fill.realized_pnl)}


def fill_row(context: Context, fill: SimFill) -> Row:
    """A row of `fill`. Unlike REST: in hedge mode the side is the trade's, and spot writes a charge above zero."""
    order = context.exchange.orders[fill.order_id]
    is_spot = order.market_type is MarketType.SPOT
    row = {
        "orderId": str(fill.order_id),
        "tradeId": str(fill.trade_id),
        "symbol": context.wire_ids[fill.symbol],
        "orderType": type_word(order),
        "side": fill.side.value,
        "tradeScope": scope_word(fill),
        "feeDetail": [
            {
                "feeCoin": fill.fee_asset,
                "deduction": "no",
                "totalDeductionFee": "0",
                "totalFee": short(fill.fee if is_spot else -fill.fee),
            }
        ],
        "cTime": str(fill.at_ms),
        "uTime": str(fill.at_ms),
    }
    quantity, amount = short(fill.quantity), short(fill.price * fill.quantity)
    if is_spot:
        return row | {"priceAvg": short(fill.price), "size": quantity, "amount": amount}
    return row | {
        "price": short(fill.price),
        "baseVolume": quantity,
        "quoteVolume": amount,
        "profit": short(fill.realized_pnl),
        "tradeSide": trade_side_word(fill.side, fill.position_side, fill.kind),
        "posMode": mode_word(fill.position_side),
    }


def plan_row(context: Context, order: SimOrder) -> Row:
    """A row of `orders-algo`. What order a trigger made is not told."""
    stop = short(order.stop_price)
    row = {
        "instId": context.wire_ids[order.symbol],
        "orderId": str(order.order_id),
        "clientOid": order.client_order_id,
        "triggerPrice": stop,
        "triggerType": "fill_price" if order.trigger_on.value == "last" else "mark_price",
        "price": stop,
        "executePrice": short(order.price or ZERO),
        "size": short(wire_size(order)),
        "actualSize": "0",
        "orderType": type_word(order),
        "status": plan_status(order),
        "enterPointSource": "API",
        "cTime": str(order.created_ms),
        "uTime": str(order.updated_ms),
    }
    if order.market_type is MarketType.SPOT:
        by_cost = order.quote_quantity is not None
        return row | {"side": order.side.value, "planType": "total" if by_cost else "amount"}
    return row | {
        "side": position_side_word(order.side, order.position_side),
        "posSide": leg_word(order.position_side),
        "posMode": mode_word(order.position_side),
        "tradeSide": trade_side_word(order.side, order.position_side),
        "marginCoin": "USDT",
        "planType": "pl",
        "triggerTime": str(order.triggered_ms or order.created_ms),
        "stopSurplusTriggerType": "fill_price",
        "stopLossTriggerType": "fill_price",
    }


def futures_wallet_row(context: Context, account: Account, asset: str) -> Row:
    state = margin_state(account, context.exchange.markets, asset)
    return {
        "marginCoin": asset,
        "frozen": short(state.order_margin),
        "available": short(state.wallet),
        "maxOpenPosAvailable": short(state.available),
        "maxTransferOut": short(state.available),
        "equity": short(state.margin_balance),
        "usdtEquity": short(state.margin_balance),
    }


def position_rows(context: Context, account: Account) -> list[Row]:
    """Every open position: one that is missing is closed."""
    rows = []
    for held in account.positions.values():
        if not held.quantity or ":" not in held.symbol:
            continue
        row = position_row(context, account, held)
        market = context.exchange.markets[held.symbol]
        margin = initial_margin(account, held, market)
        rows.append(
            {
                "posId": f"{account.uid}{held.updated_ms}",
                "instId": row["symbol"],
                "marginCoin": row["marginCoin"],
                "marginSize": row["marginSize"],
                "marginMode": row["marginMode"],
                "holdSide": row["holdSide"],
                "posMode": row["posMode"],
                "total": row["total"],
                "available": row["available"],
                "frozen": "0",
                "openPriceAvg": row["openPriceAvg"],
                "leverage": int(account.leverage(held.symbol)),
                "achievedProfits": row["achievedProfits"],
                "unrealizedPL": row["unrealizedPL"],
                "unrealizedPLR": short(divide(held.unrealized(market.mark), margin) if margin else ZERO),
                "liquidationPrice": row["liquidationPrice"],
                "keepMarginRate": row["keepMarginRate"],
                "marginRate": row["marginRatio"],
                "cTime": row["cTime"],
                "uTime": row["uTime"],
                "autoMargin": "off",
            }
        )
    return rows
