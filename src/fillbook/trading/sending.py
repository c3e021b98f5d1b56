"""The last step before the wire: whether an order may still leave, and what is asked of the venue."""

from typing import Final

from fillbook.orders.core.order import Order, OrderRef, OrderRequest
from fillbook.risk.core import Denied
from fillbook.trading.floor import Floor

SEND_WITHIN_S: Final = 10.0


def request_of(order: Order) -> OrderRequest:
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
        price=order.price,
        stop_price=order.stop_price,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        position_side=order.position_side,
    )


def ref_of(order: Order) -> OrderRef:
    return OrderRef(order.symbol, order.client_order_id, order.exchange_order_id, order.book)


def too_late(floor: Floor, account_id: int, epoch: int, committed_s: float) -> Denied | None:
    """Why an order that was committed at `committed_s` (on the clock that counts sleep) must not leave now."""
    if floor.clock.elapsed_s() - committed_s > SEND_WITHIN_S:
        return Denied(
            "too_late",
            f"The order was not sent within {SEND_WITHIN_S:.0f} s of its decision: it was dropped.",
        )
    if not floor.ownership.may_send(account_id, epoch):
        return Denied("too_late", "This server no longer holds the account's lease: the order was not sent.")
    return None
