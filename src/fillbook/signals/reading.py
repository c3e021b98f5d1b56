"""Questions about signals and webhook logs, each within the owner scope."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fillbook.accounts.tables import accounts
from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import Scope
from fillbook.orders.order_logs import OrderLogView, order_logs_of_signal
from fillbook.signals.tables import signal_deliveries, signals, webhook_logs
from fillbook.storage.listing import PageRequest, RowPage, list_page
from fillbook.storage.scope import owned
from fillbook.storage.unit import Unit

REPEATS_LIMIT = 50


@dataclass(frozen=True, slots=True)
class SignalStory:
    """A signal, the masked message that brought it, its repeats, and what it caused."""

    signal: Mapping[str, Any]
    body: str | None
    repeats: list[Mapping[str, Any]]
    deliveries: list[Mapping[str, Any]]
    order_logs: list[OrderLogView]


async def list_signals(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    """`environment` asks for signals that went to an account of that environment."""
    environment, page = page.without("environment")
    statement = owned(sa.select(signals), signals, scope)
    if environment is not None:
        went_there = sa.exists().where(
            # A repeat went nowhere itself: it belongs where the first one went.
            signal_deliveries.c.signal_id == sa.func.coalesce(signals.c.duplicate_of, signals.c.id),
            signal_deliveries.c.environment == environment,
        )
        statement = statement.where(went_there)
    return await list_page(unit, statement, signals, page)


async def list_webhook_logs(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    statement = owned(sa.select(webhook_logs), webhook_logs, scope)
    return await list_page(unit, statement, webhook_logs, page, by_time="created_at")


async def signal_story(unit: Unit, scope: Scope, signal_id: int) -> SignalStory:
    """Raises `NotFound` for another person's signal too."""
    signal = await unit.one_or_none(
        owned(sa.select(signals).where(signals.c.id == signal_id), signals, scope)
    )
    if signal is None:
        raise NotFound("There is no such signal.")
    body = None
    if signal.webhook_log_id is not None:
        of_log = sa.select(webhook_logs.c.request_data).where(webhook_logs.c.id == signal.webhook_log_id)
        body = await unit.scalar(owned(of_log, webhook_logs, scope))
    repeats = await unit.all(
        owned(
            sa.select(signals).where(signals.c.duplicate_of == signal_id).order_by(signals.c.id),
            signals,
            scope,
        ).limit(REPEATS_LIMIT)
    )
    deliveries = await unit.all(
        sa.select(signal_deliveries, accounts.c.name, accounts.c.user_id.label("account_user_id"))
        .join(accounts, accounts.c.id == signal_deliveries.c.account_id)
        .where(signal_deliveries.c.signal_id == signal_id)
        .order_by(signal_deliveries.c.account_id)
    )
    return SignalStory(
        signal=dict(signal._mapping),
        body=body,
        repeats=[dict(row._mapping) for row in repeats],
        # The provider of a strategy sees that a subscriber's account took part, not what it is called.
        deliveries=[
            {**row._mapping, "account_name": row.name if scope.allows(row.account_user_id) else None}
            for row in deliveries
        ],
        order_logs=await order_logs_of_signal(unit, signal_id, scope),
    )
