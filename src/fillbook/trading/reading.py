"""Questions about reconciliation, each within the owner scope."""

import sqlalchemy as sa

from fillbook.kernel.scope import Scope
from fillbook.storage.listing import PageRequest, RowPage, list_page
from fillbook.storage.scope import owned
from fillbook.storage.unit import Unit
from fillbook.trading.tables import reconcile_findings, reconcile_runs


async def list_reconcile_runs(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    return await list_page(
        unit, owned(sa.select(reconcile_runs), reconcile_runs, scope), reconcile_runs, page
    )


async def list_reconcile_findings(unit: Unit, scope: Scope, page: PageRequest) -> RowPage:
    statement = owned(sa.select(reconcile_findings), reconcile_findings, scope)
    return await list_page(unit, statement, reconcile_findings, page)
