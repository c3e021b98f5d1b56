"""A conditional order and the order that its trigger made: two rows at the venue, one order to us."""

from dataclasses import replace

from fillbook.orders.core.reports import OrderReport


def joined(conditional: OrderReport, triggered: OrderReport) -> OrderReport:
    """The conditional order's report with the fate of the order that it triggered.

    A venue calls a conditional order done whether its order filled or was cancelled; only the latter knows.
    """
    if conditional.triggered_order_id != triggered.exchange_order_id:
        raise ValueError(f"{triggered.exchange_order_id} was not triggered by this order")
    return replace(
        conditional,
        status=triggered.status,
        filled_quantity=triggered.filled_quantity,
        cost=triggered.cost,
        exchange_at=max(conditional.exchange_at, triggered.exchange_at),
    )
