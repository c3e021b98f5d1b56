"""Labels: an order of a strategy's that has lost its link or its signal gets them back from its client order id."""

from fillbook.kernel.money import ZERO
from fillbook.orders.core.client_ids import Origin, parse_client_order_id
from fillbook.orders.core.order import Order
from fillbook.trading.core.reconcile.cases import Case, Finding, RepairKind
from fillbook.trading.core.reconcile.orders import Step
from fillbook.trading.core.reconcile.repairs import Relabel
from fillbook.trading.core.reconcile.snapshots import Link, LocalSnapshot


def plan_labels(local: LocalSnapshot) -> Step:
    """Orders whose id names a strategy that their row does not."""
    step = Step()
    for order in local.orders:
        named = parse_client_order_id(order.client_order_id)
        if named is None or named.installation not in local.installations:
            continue
        if named.origin is Origin.MANUAL:
            continue
        link = local.links.get(named.code)
        if not lacks_label(order, link):
            continue
        repair = RepairKind.RELABEL if link is not None else None
        step.add(
            Finding(
                Case.LABEL_MISSING,
                f"order {order.id}",
                _cause(order, link, named.code),
                {"strategy": _name(order.strategy_id), "signal": _name(order.signal_id)},
                {"strategy": _name(link.strategy_id)} if link is not None else {},
                repair,
                order.symbol,
                order.id,
            )
        )
        if link is not None:
            step.add(None, Relabel(order, link))
    return step


def lacks_label(order: Order, link: Link | None) -> bool:
    """An order without its strategy's link, or (unless it came to nothing) without the signal that asked for it."""
    if order.strategy_account_id is None:
        return link is not None or order.filled_quantity > ZERO
    return order.signal_id is None


def _cause(order: Order, link: Link | None, code: str) -> str:
    if link is None:
        return f"Its id names the strategy {code}, which is not linked to this account."
    return "Its id names the strategy and the line of the alert that it was for; its row had lost them."


def _name(number: int | None) -> str:
    return "" if number is None else str(number)
