"""OKX's rows as our reports, the same from REST and from the stream: base units, and fees as charges.

Each function takes the raw row and its instrument; a missing field raises `KeyError`, a number that is none
`ValueError`, both of which mean that the answer cannot be read. Ids are those of the order (`ordId`), never those of
the condition that placed it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillbook.accounts.core import BalanceReport, PositionReport, PositionSide
from fillbook.kernel.money import ZERO, divide, exact
from fillbook.ledger.core.fill import FillReport, Liquidity
from fillbook.market.core import Instrument, MarketType, Price, from_contracts
from fillbook.orders.core.order import Book, OrderStatus
from fillbook.orders.core.reports import OrderReport
from fillbook.venues.ccxt.okx.words import (
    ALGO_STATUSES,
    MARGIN_MODES,
    algo_price,
    algo_type_of,
    client_id_of,
    flag,
    kind_of_fill,
    kind_of_order,
    leg_of,
    order_type_of,
    side_of,
    status_of,
)
from fillbook.venues.ccxt.values import amount, fill_id, moment, positive

Raw = Mapping[str, Any]


def order_report(row: Raw, instrument: Instrument) -> OrderReport:
    """An order. The average price is rounded, so it states no cost: the fills do."""
    filled = from_contracts(instrument, amount(row["accFillSz"]))
    # A spot market order by cost states the cost as its size.
    quantity = filled if row.get("tgtCcy") == "quote_ccy" else from_contracts(instrument, amount(row["sz"]))
    order_type, time_in_force = order_type_of(row)
    return OrderReport(
        symbol=instrument.symbol,
        exchange_order_id=row["ordId"],
        client_order_id=client_id_of(row),
        book=Book.NORMAL,
        side=side_of(row["side"]),
        order_type=order_type,
        status=status_of(row, quantity, filled),
        quantity=quantity,
        filled_quantity=filled,
        cost=None if filled else ZERO,
        price=positive(row.get("px")) if order_type.has_price else None,
        stop_price=None,
        time_in_force=time_in_force,
        reduce_only=flag(row.get("reduceOnly")),
        position_side=leg_of(row.get("posSide")),
        exchange_at=moment(row["uTime"]),
        fills_kind=kind_of_order(row),
        raw=row,
    )


def algo_report(row: Raw, instrument: Instrument) -> OrderReport:
    """A conditional order. Its fills are those of the order that it places."""
    order_type = algo_type_of(row)
    return OrderReport(
        symbol=instrument.symbol,
        exchange_order_id=row["algoId"],
        client_order_id=client_id_of({"algoClOrdId": row.get("algoClOrdId")}),
        book=Book.CONDITIONAL,
        side=side_of(row["side"]),
        order_type=order_type,
        status=ALGO_STATUSES.get(row["state"], OrderStatus.NEW),
        quantity=from_contracts(instrument, amount(row["sz"])),
        filled_quantity=ZERO,
        cost=None,
        price=algo_price(row, "OrdPx") if order_type.has_price else None,
        stop_price=algo_price(row, "TriggerPx"),
        time_in_force=None,
        reduce_only=flag(row.get("reduceOnly")),
        position_side=leg_of(row.get("posSide")),
        exchange_at=moment(row.get("uTime") or row["cTime"]),
        triggered_order_id=_placed_order_id(row),
        raw=row,
    )


def _placed_order_id(row: Raw) -> str | None:
    """The order that a trigger placed; one that was split placed several, of which the last is named."""
    several = row.get("ordIdList") or ()
    return (several[-1] if several else row.get("ordId")) or None


def fill_report(row: Raw, instrument: Instrument) -> FillReport:
    """A row of `fills`. Below zero its fee is a charge."""
    quantity = from_contracts(instrument, amount(row["fillSz"]))
    return FillReport(
        symbol=instrument.symbol,
        exchange_order_id=row["ordId"],
        client_order_id=client_id_of(row),
        venue_fill_id=fill_id(row["tradeId"], row["ordId"], quantity),
        side=side_of(row["side"]),
        position_side=leg_of(row.get("posSide")),
        price=amount(row["fillPx"]),
        quantity=quantity,
        fee=-amount(row.get("fee")),
        fee_asset=row.get("feeCcy") or None,
        liquidity=_liquidity(row),
        kind=kind_of_fill(row),
        exchange_at=moment(row.get("fillTime") or row["ts"]),
        venue_realized_pnl=_realized(row, instrument),
        raw=row,
    )


def streamed_fill(row: Raw, order: OrderReport, instrument: Instrument) -> FillReport | None:
    """The fill that a stream's order row tells of. None where it tells of none, or does not say what it cost:
    then the order has more than its fills, and they are fetched."""
    quantity = from_contracts(instrument, amount(row.get("fillSz")))
    if not quantity or row.get("tradeId") in (None, "", "0") or row.get("fillFee") in (None, ""):
        return None
    return FillReport(
        symbol=order.symbol,
        exchange_order_id=order.exchange_order_id,
        client_order_id=order.client_order_id,
        venue_fill_id=fill_id(row["tradeId"], order.exchange_order_id, order.filled_quantity),
        side=order.side,
        position_side=order.position_side,
        price=amount(row["fillPx"]),
        quantity=quantity,
        fee=-amount(row["fillFee"]),
        fee_asset=row.get("fillFeeCcy") or None,
        liquidity=_liquidity(row),
        kind=order.fills_kind,
        exchange_at=moment(row["fillTime"]),
        venue_realized_pnl=_realized(row, instrument),
        raw=row,
    )


def _liquidity(row: Raw) -> Liquidity:
    return Liquidity.MAKER if row.get("execType") == "M" else Liquidity.TAKER


def _realized(row: Raw, instrument: Instrument) -> Decimal | None:
    return None if instrument.market_type is MarketType.SPOT else amount(row.get("fillPnl"))


@exact
def balance_report(detail: Raw, market_type: MarketType, at: datetime) -> BalanceReport:
    """One currency of the one wallet, unrealised profit not counted; `free` is what may still be used of it.

    The same amount serves spot and futures; it is reported for each market that the account trades.
    """
    total = amount(detail["cashBal"])
    usable = detail.get("availBal") or "0"
    if market_type is MarketType.FUTURES:
        usable = detail.get("availEq") or usable
    free = min(amount(usable), total)
    return BalanceReport(market_type, detail["ccy"], free, total - free, at, abs(amount(detail.get("liab"))))


def position_report(row: Raw, instrument: Instrument) -> PositionReport:
    """A position; in net mode its sign says which way, else its leg does."""
    leg = leg_of(row["posSide"])
    quantity = from_contracts(instrument, amount(row["pos"]))
    if leg is not PositionSide.NET:
        quantity = abs(quantity) if leg is PositionSide.LONG else -abs(quantity)
    return PositionReport(
        symbol=instrument.symbol,
        position_side=leg,
        quantity=quantity,
        entry_price=amount(row.get("avgPx")),
        mark_price=positive(row.get("markPx")),
        unrealized_pnl=amount(row.get("upl")),
        liquidation_price=positive(row.get("liqPx")),
        leverage=positive(row.get("lever")),
        margin_mode=MARGIN_MODES.get(row.get("mgnMode") or ""),
        at=moment(row["uTime"]),
    )


def one_per_leg(reports: Sequence[PositionReport]) -> list[PositionReport]:
    """OKX keeps a position of its own in each margin mode; a symbol's leg is what they come to together.

    Such a sum names no margin mode, leverage or liquidation price, and the entry only where both go one way.
    """
    found: dict[tuple[str, PositionSide], PositionReport] = {}
    for report in reports:
        key = (report.symbol, report.position_side)
        found[key] = _together(found[key], report) if key in found else report
    return list(found.values())


@exact
def _together(first: PositionReport, second: PositionReport) -> PositionReport:
    quantity = first.quantity + second.quantity
    cost = first.quantity * first.entry_price + second.quantity * second.entry_price
    is_one_way = first.quantity * second.quantity > 0
    return replace(
        first,
        quantity=quantity,
        entry_price=divide(cost, quantity) if is_one_way else ZERO,
        unrealized_pnl=(first.unrealized_pnl or ZERO) + (second.unrealized_pnl or ZERO),
        liquidation_price=None,
        leverage=None,
        margin_mode=None,
        at=max(first.at, second.at),
    )


def price_report(row: Raw, symbol: str) -> Price:
    """A row of `tickers`."""
    return Price(
        symbol=symbol,
        last=amount(row["last"]),
        at=moment(row["ts"]),
        bid=positive(row.get("bidPx")),
        ask=positive(row.get("askPx")),
    )
