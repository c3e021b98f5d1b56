"""OKX's private stream messages as our reports. Pure.

A row of `orders` yields its fill before its order's state, so that the order never seems to have filled more than
its fills; of an order that a condition placed it yields the conditional order's state too, for OKX calls that one
done as soon as it has triggered.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fillbook.accounts.core import BalanceReport
from fillbook.market.core import Instrument, MarketType
from fillbook.orders.core.order import Book, OrderType
from fillbook.orders.core.reports import FillReport, OrderReport
from fillbook.venues.ccxt.okx.reports import balance_report, order_report, streamed_fill
from fillbook.venues.ccxt.values import moment

Raw = Mapping[str, Any]
_STOPPED = {OrderType.MARKET: OrderType.STOP_MARKET, OrderType.LIMIT: OrderType.STOP_LIMIT}


def order_update(row: Raw, instrument: Instrument) -> list[FillReport | OrderReport]:
    """A row of `orders`."""
    order = order_report(row, instrument)
    fill = streamed_fill(row, order, instrument)
    events: list[FillReport | OrderReport] = [order] if fill is None else [fill, order]
    condition = row.get("algoId")
    if condition:
        events.append(
            replace(
                order,
                exchange_order_id=condition,
                book=Book.CONDITIONAL,
                # The row does not say whether it was a stop; what it was placed as, its own record says.
                order_type=_STOPPED[order.order_type],
                triggered_order_id=order.exchange_order_id,
            )
        )
    return events


def balance_updates(body: Raw, market_types: tuple[MarketType, ...]) -> list[BalanceReport]:
    """A message of `account`: the currencies that may have changed, for each market that the account trades."""
    at = moment(body["uTime"])
    return [
        balance_report(detail, market_type, at) for detail in body["details"] for market_type in market_types
    ]
