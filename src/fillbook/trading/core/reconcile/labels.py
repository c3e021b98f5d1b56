"""Labels: an order of a strategy's that has lost its link or its signal gets them back from its client order id."""

from fillbook.orders.core.client_ids import ClientOrderId, Origin, parse_client_order_id
from fillbook.orders.core.order import Order
from fillbook.trading.core.follow_ups import FollowKind
from fillbook.trading.core.reconcile.cases import Case, Finding, RepairKind
from fillbook.trading.core.reconcile.orders import Step
from fillbook.trading.core.reconcile.repairs import Relabel
from fillbook.trading.core.reconcile.snapshots import LocalSnapshot

_WITHOUT_SIGNAL = frozenset(kind.value for kind in FollowKind)


def plan_labels(local: LocalSnapshot) -> Step:
    """Orders whose id names a strategy of the account, and whose row lacks it, or lacks the signal."""
    step = Step()
    for order in local.orders:
        named = parse_client_order_id(order.client_order_id)
        if named is None or named.installation not in local.installations:
            continue
        link = local.links.get(named.code)
        if link is not None and lacks_label(order, named):
            step.add(
                Finding(
                    Case.LABEL_MISSING,
                    f"order {order.id}",
                    "Its id names the strategy and the line of the alert that it was for; its row had lost them.",
                    {"strategy": _name(order.strategy_id), "signal": _name(order.signal_id)},
                    {"strategy": str(link.strategy_id), "signal": "found or restored"},
                    RepairKind.RELABEL,
                    order.symbol,
                    order.id,
                ),
                Relabel(order, link),
            )
    return step


def lacks_label(order: Order, named: ClientOrderId) -> bool:
    """Whether an order lacks its strategy's link, or the signal that asked for it."""
    return order.strategy_account_id is None or (order.signal_id is None and asks_for_signal(named))


def asks_for_signal(named: ClientOrderId) -> bool:
    """Whether a signal asked for such an order. None did for a person's, nor for one that a fill called for."""
    return named.origin is Origin.STRATEGY and named.leg.lstrip("0") not in _WITHOUT_SIGNAL


def _name(number: int | None) -> str:
    return "" if number is None else str(number)
