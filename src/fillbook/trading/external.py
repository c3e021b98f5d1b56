"""Rows for orders that the venue shows and the books do not have.

An id of our own kind means an order of a past that this database lost: it is ours, without its signal. Any
other id is a person's, or another program's: external. Neither is ever ignored.
"""

from datetime import datetime
from typing import Any

from fillbook.accounts.core import Account
from fillbook.ledger.core.round_trip import ExitReason, TradeSource
from fillbook.market.core import market_type_of
from fillbook.orders.core.order import OrderStatus, Owner
from fillbook.orders.core.reports import OrderReport


def external_order_row(account: Account, report: OrderReport, now: datetime) -> dict[str, Any]:
    """The row of an order that was found at the venue, without any of its fills."""
    return {
        "account_id": account.id,
        "user_id": account.user_id,
        "environment": account.environment,
        "currency": report.symbol.partition("/")[2].partition(":")[0],
        "client_order_id": report.client_order_id or f"venue:{report.book}:{report.exchange_order_id}",
        "exchange_order_id": report.exchange_order_id,
        "book": report.book,
        "symbol": report.symbol,
        "market_type": market_type_of(report.symbol),
        "side": report.side,
        "position_side": report.position_side,
        "order_type": report.order_type,
        "time_in_force": report.time_in_force,
        "reduce_only": report.reduce_only,
        "quantity": report.quantity,
        "price": report.price,
        "stop_price": report.stop_price,
        "status": OrderStatus.NEW,
        "owner": Owner.EXTERNAL,
        "exit_reason": ExitReason.MANUAL,
        "trade_source": TradeSource.MANUAL,
        "acknowledged_at": now,
        "exchange_at": report.exchange_at,
        "raw": dict(report.raw),
    }
