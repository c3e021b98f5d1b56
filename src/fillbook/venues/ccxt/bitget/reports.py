"""Bitget's REST rows as our reports: exact decimals from its text, its own times.

A missing field raises `KeyError`, a number that is none or a word that is unknown `ValueError` or `KeyError`,
all of which mean that the answer cannot be read.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import BalanceReport, PositionReport, PositionSide
from fillbook.kernel.money import ZERO, exact
from fillbook.market.core import MarketType, Price, Side
from fillbook.orders.core.order import Book
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.venues.ccxt.bitget.words import (
    MARGIN_MODES,
    TRIGGERED_WORDS,
    Raw,
    asset,
    liquidity_of,
    order_trade,
    order_type_of,
    plan_status_of,
    plan_type_of,
    status_of,
    time_in_force_of,
)
from fillbook.venues.ccxt.values import amount, fill_id, moment, positive


def order_report(row: Raw, symbol: str) -> OrderReport:
    """An order of the normal book, from any page that shows one.

    The open orders of spot have no `price`: there `priceAvg` is the limit price. The size of a spot market buy is
    what it may cost, so its quantity is what has filled.
    """
    order_type = order_type_of(row["orderType"])
    trade = order_trade(row)
    is_spot, filled = "posMode" not in row, amount(row.get("baseVolume"))
    by_cost = is_spot and trade.side is Side.BUY and not order_type.has_price
    in_force = time_in_force_of(row.get("force"), order_type)
    return OrderReport(
        symbol=symbol,
        exchange_order_id=_id(row),
        client_order_id=row.get("clientOid") or None,
        book=Book.NORMAL,
        side=trade.side,
        order_type=order_type,
        status=status_of(row.get("status") or row["state"], in_force),
        quantity=filled if by_cost else amount(row["size"]),
        filled_quantity=filled,
        cost=amount(row.get("quoteVolume")),
        price=positive(row["price"] if "price" in row else row.get("priceAvg"))
        if order_type.has_price
        else None,
        stop_price=None,
        time_in_force=in_force,
        reduce_only=str(row.get("reduceOnly", "no")).upper() == "YES",
        position_side=trade.position_side,
        exchange_at=moment(row.get("uTime") or row["cTime"]),
        raw=row,
    )


def plan_report(row: Raw, symbol: str) -> OrderReport:
    """A conditional order of either market. Its fills are those of the order that it triggers."""
    order_type = plan_type_of(row["orderType"])
    trade = order_trade(row)
    price = positive(row.get("executePrice")) or positive(row.get("price"))
    return OrderReport(
        symbol=symbol,
        exchange_order_id=_id(row),
        client_order_id=row.get("clientOid") or None,
        book=Book.CONDITIONAL,
        side=trade.side,
        order_type=order_type,
        status=plan_status_of(row.get("planStatus") or row["status"]),
        quantity=amount(row["size"]),
        filled_quantity=ZERO,
        cost=None,
        price=price if order_type.has_price else None,
        stop_price=positive(row["triggerPrice"]),
        time_in_force=None,
        reduce_only=str(row.get("reduceOnly", "no")).upper() == "YES",
        position_side=trade.position_side,
        exchange_at=moment(row.get("uTime") or row["cTime"]),
        triggered_order_id=row.get("executeOrderId") or None,
        raw=row,
    )


def has_triggered(row: Raw) -> bool:
    return (row.get("planStatus") or row.get("status")) in TRIGGERED_WORDS


def _id(row: Raw) -> str:
    """Raises `ValueError` where there is none: `None` in a name would find nothing, or another."""
    if not row["orderId"]:
        raise ValueError("an order has no id")
    return str(row["orderId"])


@exact
def fee_of(detail: Any) -> tuple[Decimal, str | None]:
    """A fee by REST, and on the futures stream: below zero when charged. Futures list it, spot has one."""
    row = detail[0] if isinstance(detail, list) and detail else detail
    if not row:
        return ZERO, None
    return -amount(row.get("totalFee")), asset(row["feeCoin"]) if row.get("feeCoin") else None


def fill_report(row: Raw, symbol: str) -> FillReport:
    """A row of either market's `fills`; neither names the client order id."""
    trade = order_trade(row)
    order_id, quantity = _id(row), amount(row.get("baseVolume") or row["size"])
    fee, fee_asset = fee_of(row.get("feeDetail"))
    return FillReport(
        symbol=symbol,
        exchange_order_id=order_id,
        client_order_id=None,
        venue_fill_id=fill_id(row["tradeId"], order_id, quantity),
        side=trade.side,
        position_side=trade.position_side,
        price=amount(row.get("priceAvg") or row["price"]),
        quantity=quantity,
        fee=fee,
        fee_asset=fee_asset,
        liquidity=liquidity_of(row["tradeScope"]),
        kind=trade.kind,
        exchange_at=moment(row["cTime"]),
        venue_realized_pnl=amount(row["profit"]) if "profit" in row else None,
        raw=row,
    )


@exact
def spot_balance(row: Raw, at: datetime) -> BalanceReport:
    """Frozen is in orders, locked in products of the venue: neither is free."""
    locked = amount(row["frozen"]) + amount(row.get("locked"))
    return BalanceReport(MarketType.SPOT, asset(row["coin"]), amount(row["available"]), locked, at)


@exact
def futures_balance(row: Raw, at: datetime) -> BalanceReport:
    """The wallet: equity without unrealised profit. Free is what orders may still use of it."""
    unrealized = row.get("unrealizedPL")
    if unrealized in (None, ""):
        # Left empty on some accounts, which tell it by margin mode.
        unrealized = amount(row.get("crossedUnrealizedPL")) + amount(row.get("isolatedUnrealizedPL"))
    wallet = amount(row["accountEquity"]) - amount(unrealized)
    free = min(max(amount(row["crossedMaxAvailable"]), ZERO), max(wallet, ZERO))
    return BalanceReport(MarketType.FUTURES, asset(row["marginCoin"]), free, wallet - free, at)


def position_report(row: Raw, symbol: str) -> PositionReport:
    """A row of `all-position` or of the `positions` stream; a position of zero is closed."""
    is_hedged, is_long = row["posMode"] == "hedge_mode", row["holdSide"] == "long"
    leg = PositionSide.LONG if is_long else PositionSide.SHORT
    size = amount(row["total"])
    return PositionReport(
        symbol=symbol,
        position_side=leg if is_hedged else PositionSide.NET,
        quantity=size if is_long else -size,
        entry_price=amount(row["openPriceAvg"]),
        mark_price=positive(row.get("markPrice")),
        unrealized_pnl=amount(row.get("unrealizedPL")),
        liquidation_price=positive(row.get("liquidationPrice")),
        leverage=positive(str(row["leverage"])),
        margin_mode=MARGIN_MODES[row["marginMode"]],
        at=moment(row.get("uTime") or row["cTime"]),
    )


def price_report(row: Raw, symbol: str) -> Price:
    """A row of either market's tickers, by REST or by stream."""
    return Price(
        symbol=symbol,
        last=amount(row["lastPr"]),
        at=moment(row["ts"]),
        bid=positive(row.get("bidPr")),
        ask=positive(row.get("askPr")),
        mark=positive(row.get("markPrice")),
    )
