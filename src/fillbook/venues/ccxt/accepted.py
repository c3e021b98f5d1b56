"""A new order whose venue answers with its ids and nothing else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fillbook.kernel.money import ZERO
from fillbook.orders.core.order import Book, OrderRequest, OrderStatus
from fillbook.orders.core.reports import OrderReport


def accepted_report(
    request: OrderRequest, exchange_order_id: str, book: Book, at: datetime, raw: Mapping[str, Any]
) -> OrderReport:
    """The order as it was asked for, nothing of it filled yet: the answer says no more than that it is there."""
    return OrderReport(
        symbol=request.symbol,
        exchange_order_id=exchange_order_id,
        client_order_id=request.client_order_id,
        book=book,
        side=request.side,
        order_type=request.order_type,
        status=OrderStatus.NEW,
        quantity=request.quantity,
        filled_quantity=ZERO,
        cost=None,
        price=request.price,
        stop_price=request.stop_price,
        time_in_force=request.time_in_force,
        reduce_only=request.reduce_only,
        position_side=request.position_side,
        exchange_at=at,
        raw=raw,
    )
