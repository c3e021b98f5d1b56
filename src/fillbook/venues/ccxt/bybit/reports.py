"""Bybit's rows as our reports, the same from REST and from the stream. Pure.

Each function takes the raw row and our symbol for it; a missing field raises `KeyError`, a number that is none
`ValueError`, both of which mean that the answer cannot be read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fillbook.accounts.core import BalanceReport, MarginMode, PositionReport, PositionSide
from fillbook.kernel.money import exact
from fillbook.ledger.core.fill import FillReport, Liquidity
from fillbook.market.core import MarketType, Price, Side
from fillbook.orders.core.order import Book
from fillbook.orders.core.reports import OrderReport
from fillbook.venues.ccxt.bybit.words import (
    TIMES_IN_FORCE,
    fill_kind_of,
    leg_of,
    order_type_of,
    side_of,
    status_of,
)
from fillbook.venues.ccxt.values import amount, fill_id, moment, positive

Raw = Mapping[str, Any]


def order_report(row: Raw, symbol: str) -> OrderReport:
    filled = amount(row["cumExecQty"])
    # A spot market order by cost states the cost as its quantity.
    quantity = filled if row.get("marketUnit") == "quoteCoin" else amount(row["qty"])
    side = side_of(row["side"])
    order_type = order_type_of(row, side)
    cost = row.get("cumExecValue")
    return OrderReport(
        symbol=symbol,
        exchange_order_id=str(row["orderId"]),
        client_order_id=row.get("orderLinkId") or None,
        book=Book.NORMAL,
        side=side,
        order_type=order_type,
        status=status_of(row, quantity, filled),
        quantity=quantity,
        filled_quantity=filled,
        cost=None if cost in (None, "") else amount(cost),
        # A market order shows the limit that the venue gave it.
        price=positive(row.get("price")) if order_type.has_price else None,
        stop_price=positive(row.get("triggerPrice")) if order_type.has_stop_price else None,
        time_in_force=TIMES_IN_FORCE.get(row.get("timeInForce") or "") if order_type.has_price else None,
        reduce_only=bool(row.get("reduceOnly", False)),
        position_side=leg_of(row.get("positionIdx")),
        exchange_at=moment(row["updatedTime"]),
        raw=row,
    )


def fill_report(row: Raw, symbol: str, leg: PositionSide) -> FillReport:
    """An execution that is no funding payment."""
    order_id = str(row["orderId"])
    quantity = amount(row["execQty"])
    return FillReport(
        symbol=symbol,
        exchange_order_id=order_id,
        client_order_id=row.get("orderLinkId") or None,
        venue_fill_id=fill_id(row["execId"], order_id, quantity),
        side=side_of(row["side"]),
        position_side=leg,
        price=amount(row["execPrice"]),
        quantity=quantity,
        fee=amount(row.get("execFee")),
        fee_asset=row.get("feeCurrency") or _fee_asset(row, symbol),
        liquidity=Liquidity.MAKER if row["isMaker"] else Liquidity.TAKER,
        kind=fill_kind_of(row.get("execType")),
        exchange_at=moment(row["execTime"]),
        raw=row,
    )


def _fee_asset(row: Raw, symbol: str) -> str:
    """Where the row does not say: spot charges what is received, and pays a maker's rebate in what is given."""
    pair, _, settle = symbol.partition(":")
    if settle:
        return settle.partition("-")[0]
    base, quote = pair.split("/")
    is_rebate = bool(row["isMaker"]) and amount(row.get("execFee")) < 0
    return base if (side_of(row["side"]) is Side.BUY) is not is_rebate else quote


def fill_order(row: Raw) -> tuple[int, int, str]:
    """By time, then by the venue's sequence; executions of one match may share both."""
    return (int(row["execTime"]), int(row.get("seq") or 0), str(row["execId"]))


@exact
def balance_report(coin: Raw, market_type: MarketType, at: datetime) -> BalanceReport:
    """One asset of the unified wallet: what spot orders lock and what is margin is not free.

    The same amount serves spot and futures; it is reported for each market that the account trades.
    """
    total = amount(coin["walletBalance"])
    used = amount(coin.get("locked")) + amount(coin.get("totalPositionIM")) + amount(coin.get("totalOrderIM"))
    borrowed = amount(coin.get("borrowAmount"))
    return BalanceReport(market_type, coin["coin"], total - used, used, at, borrowed)


def position_report(row: Raw, symbol: str, margin_mode: MarginMode | None) -> PositionReport:
    """A row of `position/list`, or of the stream, which spells the entry price otherwise."""
    size = amount(row["size"])
    entry = row["avgPrice"] if "avgPrice" in row else row["entryPrice"]
    return PositionReport(
        symbol=symbol,
        position_side=leg_of(row.get("positionIdx")),
        quantity=-size if row["side"] == "Sell" else size,
        entry_price=amount(entry),
        mark_price=positive(row.get("markPrice")),
        unrealized_pnl=amount(row.get("unrealisedPnl")),
        liquidation_price=positive(row.get("liqPrice")),
        leverage=positive(row.get("leverage")),
        margin_mode=margin_mode,
        at=moment(row.get("updatedTime") or 0),
    )


def price_report(row: Raw, symbol: str, at: datetime) -> Price:
    """A row of `tickers`, which itself has no time."""
    return Price(
        symbol=symbol,
        last=amount(row["lastPrice"]),
        at=at,
        bid=positive(row.get("bid1Price")),
        ask=positive(row.get("ask1Price")),
    )
