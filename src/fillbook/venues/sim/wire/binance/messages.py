"""Binance's stream messages, built from the core's events."""

from decimal import Decimal
from typing import Any

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ZERO, divide
from fillbook.ledger.core.fill import FillKind, Liquidity
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.vocabulary import (
    Execution,
    LeverageEvent,
    OrderEvent,
    TriggerPrice,
    WalletCause,
    WalletEvent,
)
from fillbook.venues.sim.wire.binance.algo_orders import algo_status
from fillbook.venues.sim.wire.binance.context import Context
from fillbook.venues.sim.wire.binance.text import (
    leg_name,
    side_name,
    status_name,
    time_in_force_name,
    type_name,
)
from fillbook.venues.sim.wire.numbers import fixed, places_of

_SPOT_EXECUTIONS = {
    Execution.NEW: "NEW",
    Execution.TRADE: "TRADE",
    Execution.CANCELED: "CANCELED",
    Execution.EXPIRED: "EXPIRED",
    Execution.REJECTED: "REJECTED",
    Execution.TRIGGERED: "NEW",
    Execution.AMENDED: "REPLACED",
}
_FUTURES_EXECUTIONS = {
    Execution.NEW: "NEW",
    Execution.TRADE: "TRADE",
    Execution.CANCELED: "CANCELED",
    Execution.EXPIRED: "EXPIRED",
    Execution.REJECTED: "EXPIRED",
    Execution.AMENDED: "AMENDMENT",
}
_CAUSES = {
    WalletCause.ORDER: "ORDER",
    WalletCause.DEPOSIT: "DEPOSIT",
    WalletCause.WITHDRAWAL: "WITHDRAW",
    WalletCause.FUNDING: "FUNDING_FEE",
    WalletCause.MARGIN_MODE: "MARGIN_TYPE_CHANGE",
}
_EXPIRY_REASONS = {"no_liquidity": "INSUFFICIENT_LIQUIDITY", "fok": "INSUFFICIENT_LIQUIDITY"}


def execution_report(context: Context, event: OrderEvent) -> dict[str, Any]:
    """Spot. A cancel names the order in `C` and the cancel in `c`, as the venue does."""
    order, fill = event.order, event.fill
    is_cancel = event.execution is Execution.CANCELED
    message: dict[str, Any] = {
        "e": "executionReport",
        "E": event.at_ms,
        "s": context.wire_ids[order.symbol],
        "c": (order.cancel_id or f"cancel{order.order_id}") if is_cancel else order.client_order_id,
        "S": side_name(order),
        "o": type_name(order),
        "f": time_in_force_name(order),
        "q": fixed(order.quantity),
        "p": fixed(order.price),
        "P": fixed(order.stop_price),
        "F": fixed(None),
        "g": -1,
        "C": order.client_order_id if is_cancel else "",
        "x": _SPOT_EXECUTIONS[event.execution],
        "X": status_name(order.status),
        "r": "NONE",
        "i": order.order_id,
        "l": fixed(fill.quantity if fill else None),
        "z": fixed(order.filled),
        "L": fixed(fill.price if fill else None),
        "n": fixed(fill.fee) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": event.at_ms,
        "t": fill.trade_id if fill else -1,
        "I": order.order_id,
        "w": order.is_open and order.is_working,
        "m": fill is not None and fill.liquidity is Liquidity.MAKER,
        "M": fill is not None,
        "O": order.created_ms,
        "Z": fixed(order.cost),
        "Y": fixed(fill.price * fill.quantity if fill else None),
        "Q": fixed(order.quote_quantity),
        "W": order.working_ms or order.created_ms,
        "V": "NONE",
    }
    if event.execution is Execution.EXPIRED:
        message["eR"] = _EXPIRY_REASONS.get(order.end_reason, "NONE")
    return message


def account_position(account: Account, event: WalletEvent) -> dict[str, Any]:
    return {
        "e": "outboundAccountPosition",
        "E": event.at_ms,
        "u": event.at_ms,
        "B": [
            {"a": asset, "f": fixed(account.purse(asset).free), "l": fixed(account.purse(asset).locked)}
            for asset in event.assets
        ],
    }


def balance_update(event: WalletEvent) -> dict[str, Any]:
    return {
        "e": "balanceUpdate",
        "E": event.at_ms,
        "a": event.assets[0],
        "d": fixed(event.amount),
        "T": event.at_ms,
    }


def order_trade_update(context: Context, event: OrderEvent) -> dict[str, Any]:
    """Futures. Fills of a liquidation come as CALCULATED."""
    order, fill = event.order, event.fill
    instrument = context.exchange.markets[order.symbol].listing.instrument
    price_places, lot_places = places_of(instrument.tick), places_of(instrument.lot)
    execution = _FUTURES_EXECUTIONS[event.execution]
    if fill is not None and fill.kind is not FillKind.TRADE:
        execution = "CALCULATED"
    average = divide(order.cost, order.filled) if order.filled else ZERO
    body: dict[str, Any] = {
        "s": context.wire_ids[order.symbol],
        "c": order.client_order_id,
        "S": side_name(order),
        "o": type_name(order),
        "f": time_in_force_name(order),
        "q": fixed(order.quantity, lot_places),
        "p": _short(order.price, price_places),
        "ap": _short(average or None, max(price_places, 5)),
        "sp": _short(order.stop_price, price_places),
        "x": execution,
        "X": status_name(order.status),
        "i": order.order_id,
        "l": _short(fill.quantity if fill else None, lot_places),
        "z": _short(order.filled or None, lot_places),
        "L": _short(fill.price if fill else None, price_places),
        "N": fill.fee_asset if fill else instrument.settle,
        "n": fixed(fill.fee) if fill else "0",
        "T": event.at_ms,
        "t": fill.trade_id if fill else 0,
        "b": "0",
        "a": "0",
        "m": fill is not None and fill.liquidity is Liquidity.MAKER,
        "R": order.reduce_only,
        "wt": "MARK_PRICE" if order.trigger_on is TriggerPrice.MARK else "CONTRACT_PRICE",
        "ot": type_name(order),
        "ps": leg_name(order.position_side),
        "cp": order.close_position,
        "AP": "0",
        "cr": "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "rp": _short(fill.realized_pnl if fill and fill.realized_pnl else None, 8),
        "V": "NONE",
        "pm": "NONE",
        "gtd": 0,
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": event.at_ms, "E": event.at_ms, "o": body}


def _short(amount: Decimal | None, places: int) -> str:
    """Zero is written `0` on the futures stream."""
    return fixed(amount, places) if amount is not None else "0"


def trade_lite(context: Context, event: OrderEvent) -> dict[str, Any] | None:
    order, fill = event.order, event.fill
    if fill is None:
        return None
    instrument = context.exchange.markets[order.symbol].listing.instrument
    price_places, lot_places = places_of(instrument.tick), places_of(instrument.lot)
    return {
        "e": "TRADE_LITE",
        "E": event.at_ms,
        "T": event.at_ms,
        "s": context.wire_ids[order.symbol],
        "c": order.client_order_id,
        "S": side_name(order),
        "q": fixed(order.quantity, lot_places),
        "p": _short(order.price, price_places),
        "i": order.order_id,
        "l": fixed(fill.quantity, lot_places),
        "L": fixed(fill.price, price_places),
        "t": fill.trade_id,
        "m": fill.liquidity is Liquidity.MAKER,
    }


def account_update(context: Context, account: Account, event: WalletEvent) -> dict[str, Any]:
    balances = []
    for asset in event.assets:
        wallet = account.wallet.get(asset, ZERO)
        isolated = sum(
            (p.isolated_wallet for p in account.positions.values() if account.is_isolated(p.symbol)), ZERO
        )
        change = ZERO if event.cause is WalletCause.ORDER else event.amount
        balances.append(
            {"a": asset, "wb": fixed(wallet), "cw": fixed(wallet - isolated), "bc": _short(change or None, 8)}
        )
    body = {
        "m": _CAUSES[event.cause],
        "B": balances,
        "P": [_position(context, account, symbol, leg) for symbol, leg in event.positions],
    }
    return {"e": "ACCOUNT_UPDATE", "T": event.at_ms, "E": event.at_ms, "a": body}


def _position(context: Context, account: Account, symbol: str, leg: PositionSide) -> dict[str, Any]:
    market = context.exchange.markets[symbol]
    position = account.position(symbol, leg)
    return {
        "s": context.wire_ids[symbol],
        "pa": fixed(position.quantity, places_of(market.listing.instrument.lot)),
        "ep": fixed(position.entry_price),
        "bep": fixed(position.entry_price),
        "cr": fixed(position.realized),
        "up": fixed(position.unrealized(market.mark)),
        "mt": "isolated" if account.is_isolated(symbol) else "cross",
        "iw": fixed(position.isolated_wallet),
        "ps": leg_name(leg),
        "ma": market.listing.instrument.settle,
    }


def algo_update(context: Context, event: OrderEvent) -> dict[str, Any]:
    order = event.order
    instrument = context.exchange.markets[order.symbol].listing.instrument
    places = places_of(instrument.tick)
    child = context.exchange.orders[order.child_id] if order.child_id is not None else None
    body = {
        "caid": order.client_order_id,
        "aid": order.order_id,
        "at": "CONDITIONAL",
        "o": type_name(order),
        "s": context.wire_ids[order.symbol],
        "S": side_name(order),
        "ps": leg_name(order.position_side),
        "f": time_in_force_name(order),
        "q": fixed(order.quantity, places_of(instrument.lot)),
        "X": algo_status(context, order),
        "ai": str(child.order_id) if child is not None else "",
        "ap": fixed(divide(child.cost, child.filled) if child is not None and child.filled else None, 5),
        "aq": fixed(child.filled if child is not None else None, 5),
        "act": "0",
        "tp": fixed(order.stop_price, places),
        "p": fixed(order.price, places),
        "V": "EXPIRE_MAKER",
        "wt": "MARK_PRICE" if order.trigger_on is TriggerPrice.MARK else "CONTRACT_PRICE",
        "pm": "NONE",
        "cp": order.close_position,
        "pP": False,
        "R": order.reduce_only,
        "tt": order.triggered_ms,
        "gtd": 0,
        "rm": order.end_reason if event.execution is Execution.REJECTED else "",
    }
    return {"e": "ALGO_UPDATE", "T": event.at_ms, "E": event.at_ms, "o": body}


def account_config_update(context: Context, event: LeverageEvent) -> dict[str, Any]:
    return {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": event.at_ms,
        "T": event.at_ms,
        "ac": {"s": context.wire_ids[event.symbol], "l": int(event.leverage)},
    }
