"""Bybit's `/v5/execution/list`: fills, forced ones and funding, told apart by `execType`.

Seven days at most, a hundred at most, newest first; the cursor goes back in time.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import PositionSide
from fillbook.kernel.money import ZERO, divide
from fillbook.market.core import MarketType, Side
from fillbook.venues.sim.core.accounts import Account
from fillbook.venues.sim.core.modes import is_closing
from fillbook.venues.sim.core.vocabulary import LedgerEntry, LedgerKind, SimFill
from fillbook.venues.sim.wire.bybit.context import Context, Route, Routes, page_of, window_of
from fillbook.venues.sim.wire.bybit.text import (
    EXEC_TYPES,
    Params,
    category_name,
    create_type,
    exec_id,
    is_conditional,
    is_maker,
    link_id,
    order_id_of,
    order_id_text,
    side_name,
    type_name,
)
from fillbook.venues.sim.wire.numbers import fixed, places_of, short


@dataclass(frozen=True, slots=True)
class _Row:
    """A fill or a funding payment; `number` tells those of one millisecond apart."""

    at_ms: int
    number: int
    what: SimFill | LedgerEntry


def execution_list(context: Context, account: Account, params: Params) -> Any:
    market_type = context.category(params)
    start, end = window_of(params, context.now_ms())
    symbols = {market.symbol for market in context.markets(market_type)}
    if params.get("symbol"):
        symbols = {context.market(market_type, params["symbol"]).symbol}
    kind = params.get("execType")
    rows = [
        row
        for row in _rows(context, account)
        if row.what.symbol in symbols
        and start <= row.at_ms <= end
        and kind in (None, "", _exec_type(row.what))
        and _is_named(context, row.what, params)
    ]
    # Funding is asked for with `size`, everything else with `limit`.
    sized = params | ({"limit": params["size"]} if "size" in params else {})
    page, cursor = page_of(rows, lambda row: (row.at_ms, row.number), sized, 50, 100)
    return {
        "nextPageCursor": cursor,
        "category": category_name(market_type),
        "list": [_told(context, account, row) for row in page],
    }


def _rows(context: Context, account: Account) -> list[_Row]:
    fills = [_Row(fill.at_ms, number, fill) for number, fill in enumerate(account.fills)]
    funding = [
        _Row(entry.at_ms, entry.entry_id, entry)
        for entry in account.ledger
        if entry.kind is LedgerKind.FUNDING
    ]
    return [*(row for row in fills if _is_shown(context, row)), *funding]


def _is_shown(context: Context, row: _Row) -> bool:
    assert isinstance(row.what, SimFill)
    return context.is_visible(context.exchange.orders[row.what.order_id])


def _exec_type(what: SimFill | LedgerEntry) -> str:
    return EXEC_TYPES[what.kind] if isinstance(what, SimFill) else "Funding"


def _is_named(context: Context, what: SimFill | LedgerEntry, params: Params) -> bool:
    if not params.get("orderId") and not params.get("orderLinkId"):
        return True
    if isinstance(what, LedgerEntry):
        return False
    if params.get("orderId"):
        return what.order_id == order_id_of(params["orderId"])
    return what.client_order_id == params["orderLinkId"]


def _told(context: Context, account: Account, row: _Row) -> dict[str, Any]:
    if isinstance(row.what, SimFill):
        return fill_row(context, row.what, row.number)
    return _funding_row(context, account, row.what)


def fill_row(context: Context, fill: SimFill, seq: int) -> dict[str, Any]:
    order = context.exchange.orders[fill.order_id]
    market = context.exchange.markets[fill.symbol]
    instrument = market.listing.instrument
    price_places, lot_places = places_of(instrument.tick), places_of(instrument.lot)
    rate = market.listing.maker_rate if is_maker(fill) else market.listing.taker_rate
    return {
        "symbol": context.wire_ids[fill.symbol],
        "orderId": order_id_text(fill.order_id, order.market_type),
        "orderLinkId": link_id(order),
        "side": side_name(fill.side),
        "orderPrice": fixed(order.price, price_places),
        "orderQty": fixed(order.quantity, lot_places),
        "leavesQty": fixed(order.remaining, lot_places),
        "createType": create_type(order),
        "orderType": type_name(order.order_type),
        "stopOrderType": "Stop" if is_conditional(order) else "",
        "execFee": fixed(fill.fee),
        "execId": exec_id(fill),
        "execPrice": fixed(fill.price, price_places),
        "execQty": fixed(fill.quantity, lot_places),
        "execType": EXEC_TYPES[fill.kind],
        "execValue": short(fill.price * fill.quantity),
        "execTime": str(fill.at_ms),
        "feeCurrency": fill.fee_asset,
        "isMaker": is_maker(fill),
        "feeRate": short(rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": fixed(market.mark, price_places),
        "indexPrice": fixed(market.price, price_places),
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": short(_closed(fill)),
        "seq": seq,
    }


def _closed(fill: SimFill) -> Decimal:
    """How much of a position it closed: of a leg all or nothing; of a net position it is not kept here."""
    if fill.position_side is PositionSide.NET:
        return ZERO
    return fill.quantity if is_closing(fill.position_side, fill.side) else ZERO


def _funding_row(context: Context, account: Account, entry: LedgerEntry) -> dict[str, Any]:
    """A payment as an execution: `execFee` above zero was paid."""
    market = context.exchange.markets[entry.symbol]
    payment = next(
        one
        for one in context.exchange.funding_payments
        if one.symbol == entry.symbol and one.at_ms == entry.at_ms
    )
    pays = entry.amount < 0
    is_long = pays is (payment.rate > 0)
    value = divide(abs(entry.amount), abs(payment.rate)) if payment.rate else abs(entry.amount)
    quantity = divide(value, payment.mark)
    lot_places = places_of(market.listing.instrument.lot)
    return {
        "symbol": context.wire_ids[entry.symbol],
        "orderId": f"{entry.at_ms}-{entry.entry_id}",
        "orderLinkId": "",
        "side": side_name(Side.BUY if is_long else Side.SELL),
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "createType": "",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "execFee": fixed(-entry.amount),
        "execId": f"funding-{entry.entry_id}",
        "execPrice": fixed(payment.mark, places_of(market.listing.instrument.tick)),
        "execQty": fixed(quantity, lot_places),
        "execType": "Funding",
        "execValue": short(value),
        "execTime": str(entry.at_ms),
        "feeCurrency": entry.asset,
        "isMaker": False,
        "feeRate": short(payment.rate if is_long else -payment.rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": short(payment.mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "",
        "seq": entry.entry_id,
    }


def category_of(fill: SimFill) -> str:
    return category_name(MarketType.FUTURES if ":" in fill.symbol else MarketType.SPOT)


ROUTES: Routes = {("GET", "/v5/execution/list"): Route(execution_list)}
