"""The application factory. Nothing here knows where a service comes from, and nothing is kept in a module."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CollectorRegistry

from fillbook.accounts.api import router as accounts_router
from fillbook.accounts.ports import (
    AccountsChanged,
    CheckVenue,
    OpenBusiness,
    any_venue,
    no_business,
    tell_nobody,
)
from fillbook.app.web.health import router as health_router
from fillbook.app.web.metrics import ReconciliationAge, RequestMetrics
from fillbook.fleet.api import router as events_router
from fillbook.fleet.events import EventSignal
from fillbook.http.principal import TokenUses
from fillbook.http.problems import PROBLEM_RESPONSES, BodyLimit, UnexpectedErrors, install_problems, problem
from fillbook.http.provided import provide
from fillbook.identity.api import router as people_router
from fillbook.ledger.api import router as ledger_router
from fillbook.market.api import router as market_router
from fillbook.orders.api import router as orders_router
from fillbook.signals.api import router as signals_router
from fillbook.signals.api import webhook_router
from fillbook.storage.retries import is_away
from fillbook.strategies.api import router as strategies_router
from fillbook.trading.api import router as trading_router
from fillbook.trading.reconciliation.ages import Ages
from fillbook.trading.reconciliation.asking import RunsAsked

BODY_LIMIT_BYTES = 1024 * 1024
API = "/api/v1"

_DESCRIPTION = """Automatic trading on many exchange accounts, where the fills are the truth.

Amounts are decimal text, times are RFC 3339 in UTC, ids are integers. Lists answer `items` and `next_cursor`.
Errors are `application/problem+json` with a stable `code`. Sign in with `Authorization: Bearer <API token>`."""

_ROUTERS = (
    people_router,
    accounts_router,
    strategies_router,
    market_router,
    signals_router,
    orders_router,
    ledger_router,
    trading_router,
    events_router,
)


log = structlog.get_logger(__name__)

_DATABASE_AWAY = (
    "The database cannot be reached now, so it is not certain whether this was written down. An alert may be sent "
    "again: a repeat is recognised. For anything else look first, then try again."
)


def create_app(services: Mapping[Any, Any]) -> FastAPI:
    """The application around services, each under the type or protocol that routes ask for.

    Needed: `Database`, `Intake`, `TradingDesk`, `TradingStatus`, `KeyProbe`, `Vault`, `random.Random` (a
    `SystemRandom`); optional: `CollectorRegistry`,
    `EventSignal`, `Ages`. A route whose service is missing answers 503.
    """
    app = FastAPI(
        title="Fillbook",
        version=version("fillbook"),
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        redoc_url=None,
        responses=PROBLEM_RESPONSES,
    )
    registry = services.get(CollectorRegistry, CollectorRegistry())
    defaults: dict[Any, object] = {
        EventSignal: EventSignal(),
        TokenUses: TokenUses(),
        AccountsChanged: tell_nobody,
        CheckVenue: any_venue,
        OpenBusiness: no_business,
        RunsAsked: tell_nobody,
    }
    provide(app, {**defaults, **services, CollectorRegistry: registry})
    install_problems(app)
    for error in (sa.exc.SQLAlchemyError, OSError):
        app.add_exception_handler(error, _database_failed)
    app.include_router(health_router)
    app.include_router(webhook_router, prefix="/api")
    versioned = APIRouter(prefix=API)
    for router in _ROUTERS:
        versioned.include_router(router)
    app.include_router(versioned)
    app.add_middleware(BodyLimit, limit_bytes=BODY_LIMIT_BYTES, exempt=("/api/webhook",))
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(RequestMetrics, registry=registry)
    if Ages in services:
        registry.register(ReconciliationAge(services[Ages]))
    return app


async def _database_failed(request: Request, error: Exception) -> Response:
    """503 for a database that is away; everything else is as unexpected as it was."""
    if not is_away(error):
        raise error
    log.error("database_away", path=request.scope["route"].path, error=type(error).__name__)
    return problem(503, "database_unavailable", _DATABASE_AWAY, headers={"Retry-After": "5"})
