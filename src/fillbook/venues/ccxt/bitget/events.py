"""Rows of Bitget's private channels as our reports. Pure.

A row of `orders` names the latest fill beside the order's state, with our client id and the fee signed as by
REST; `fill` names each trade, without them. The state's `filled` is `accBaseVolume`: `baseVolume` is the latest
fill alone.
"""

from fillbook.kernel.money import ZERO, exact
from fillbook.market.core import Side
from fillbook.orders.core.order import Book
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.venues.ccxt.bitget.reports import fee_of, plan_report
from fillbook.venues.ccxt.bitget.words import (
    Raw,
    asset,
    fill_trade,
    liquidity_of,
    order_trade,
    order_type_of,
    status_of,
    time_in_force_of,
)
from fillbook.venues.ccxt.values import amount, fill_id, moment, positive

_FILL_FIELDS = ("tradeId", "fillPrice", "baseVolume", "fillTime")


def order_row(row: Raw, symbol: str) -> OrderReport:
    """The state of an order. Of a spot market buy, the size is a cost and the quantity what has filled."""
    order_type, trade = order_type_of(row["orderType"]), order_trade(row)
    is_spot, filled = "posMode" not in row, amount(row.get("accBaseVolume"))
    by_cost = is_spot and trade.side is Side.BUY and not order_type.has_price
    size = amount(row["newSize"] if is_spot else row["size"])
    in_force = time_in_force_of(row.get("force"), order_type)
    return OrderReport(
        symbol=symbol,
        exchange_order_id=str(row["orderId"]),
        client_order_id=row.get("clientOid") or None,
        book=Book.NORMAL,
        side=trade.side,
        order_type=order_type,
        status=status_of(row["status"], in_force),
        quantity=filled if by_cost else size,
        filled_quantity=filled,
        # The average is rounded: the fills state the cost.
        cost=None if filled else ZERO,
        price=positive(row.get("price")) if order_type.has_price else None,
        stop_price=None,
        time_in_force=in_force,
        reduce_only=str(row.get("reduceOnly", "no")).lower() == "yes",
        position_side=trade.position_side,
        exchange_at=moment(row.get("uTime") or row["cTime"]),
        raw=row,
    )


@exact
def latest_fill(row: Raw, symbol: str) -> FillReport | None:
    """The fill that a row of `orders` tells of; None where it tells of none, or not of all."""
    if any(not row.get(name) for name in _FILL_FIELDS) or not amount(row["baseVolume"]):
        return None
    trade, order_id = order_trade(row), str(row["orderId"])
    return FillReport(
        symbol=symbol,
        exchange_order_id=order_id,
        client_order_id=row.get("clientOid") or None,
        venue_fill_id=fill_id(row["tradeId"], order_id, amount(row.get("accBaseVolume"))),
        side=trade.side,
        position_side=trade.position_side,
        price=amount(row["fillPrice"]),
        quantity=amount(row["baseVolume"]),
        fee=-amount(row.get("fillFee")),
        fee_asset=asset(row["fillFeeCoin"]) if row.get("fillFeeCoin") else None,
        liquidity=liquidity_of(row["tradeScope"]),
        kind=trade.kind,
        exchange_at=moment(row["fillTime"]),
        venue_realized_pnl=amount(row["pnl"]) if "pnl" in row else None,
        raw=row,
    )


def fill_row(row: Raw, symbol: str) -> FillReport:
    """A row of `fill`. Spot writes a charge above zero here, futures below, as REST does.

    A rebate on spot cannot be told from a charge by this row, so it reads as a charge; the row of `orders` and
    REST sign it.
    """
    trade, order_id = fill_trade(row), str(row["orderId"])
    is_spot = "posMode" not in row
    quantity = amount(row["size"] if is_spot else row["baseVolume"])
    fee, fee_asset = fee_of(row.get("feeDetail"))
    return FillReport(
        symbol=symbol,
        exchange_order_id=order_id,
        client_order_id=row.get("clientOid") or None,
        venue_fill_id=fill_id(row["tradeId"], order_id, quantity),
        side=trade.side,
        position_side=trade.position_side,
        price=amount(row["priceAvg"] if is_spot else row["price"]),
        quantity=quantity,
        fee=abs(fee) if is_spot else fee,
        fee_asset=fee_asset,
        liquidity=liquidity_of(row["tradeScope"]),
        kind=trade.kind,
        exchange_at=moment(row["cTime"]),
        venue_realized_pnl=amount(row["profit"]) if "profit" in row else None,
        raw=row,
    )


def plan_row(row: Raw, symbol: str) -> OrderReport:
    """A row of `orders-algo`, whose `price` repeats the trigger price."""
    return plan_report({name: value for name, value in row.items() if name != "price"}, symbol)
