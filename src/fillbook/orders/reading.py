"""Questions about orders, order logs and cancels, each within the owner scope."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import Scope
from fillbook.orders.core.order import LIVE_STATUSES
from fillbook.orders.order_logs import OrderLogView, order_log, with_results
from fillbook.orders.tables import cancel_queue, orders, strategy_order_logs, strategy_order_results
from fillbook.storage.listing import PageRequest, RowPage, list_page
from fillbook.storage.scope import owned
from fillbook.storage.unit import Unit

LIVE = "live"


async def list_orders(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    """`status` may be `live`: every status in which an order may still fill or be cancelled."""
    statement = owned(sa.select(orders), orders, scope)
    status, rest = page.without("status")
    if status == LIVE:
        statement, page = statement.where(orders.c.status.in_(sorted(LIVE_STATUSES))), rest
    return await list_page(unit, statement, orders, page)


async def one_order(unit: Unit, scope: Scope, order_id: int) -> Mapping[str, Any]:
    row = await unit.one_or_none(owned(sa.select(orders).where(orders.c.id == order_id), orders, scope))
    if row is None:
        raise NotFound("There is no such order.")
    return dict(row._mapping)


async def list_order_logs(
    unit: Unit, scope: Scope, page: PageRequest
) -> tuple[list[OrderLogView], str | None]:
    """Order logs with their results, and the cursor of the next page. `environment` asks for logs with a
    result on an account of that environment."""
    environment, page = page.without("environment")
    statement = owned(sa.select(strategy_order_logs), strategy_order_logs, scope)
    if environment is not None:
        has_results = sa.exists().where(
            strategy_order_results.c.log_id == strategy_order_logs.c.id,
            strategy_order_results.c.environment == environment,
        )
        statement = statement.where(has_results)
    found = await list_page(unit, statement, strategy_order_logs, page)
    return await with_results(unit, found.rows, scope), found.next_cursor


async def one_order_log(unit: Unit, scope: Scope, log_id: int) -> OrderLogView:
    found = await order_log(unit, log_id, scope)
    if found is None:
        raise NotFound("There is no such order log.")
    return found


async def list_cancel_queue(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    return await list_page(unit, owned(sa.select(cancel_queue), cancel_queue, scope), cancel_queue, page)
