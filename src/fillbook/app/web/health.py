"""Whether this server lives, and whether it may be relied on: database, and whether it trades."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel

from fillbook.http.provided import provided
from fillbook.storage.unit import Database

router = APIRouter(tags=["operation"])

DATABASE_WITHIN_S: Final = 5.0
_NO_DATABASE = "The database cannot be reached: no alert is taken in and no order sent until it answers"


@dataclass(frozen=True, slots=True)
class TradingReport:
    """Whether this process trades; if not, `reason` says why, for a person."""

    trades: bool
    reason: str | None = None


class TradingStatus(Protocol):
    async def report(self) -> TradingReport: ...


class Health(BaseModel):
    status: str


class Readiness(BaseModel):
    """`ready`: requests are answered. `trades`: this server acts for at least the accounts that it holds."""

    ready: bool
    database: str
    trades: bool
    reason: str | None


@router.get("/health")
@router.get("/health/live")
async def live() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/health/ready", responses={503: {"model": Readiness}})
async def ready(
    response: Response,
    database: Annotated[Database, Depends(provided(Database))],
    trading: Annotated[TradingStatus, Depends(provided(TradingStatus))],
) -> Readiness:
    """Whether the database answers, and whether this server trades; if not, why not."""
    asking = asyncio.create_task(_ask(database))
    done, _ = await asyncio.wait({asking}, timeout=DATABASE_WITHIN_S)
    if not done:
        asking.cancel()
    trouble = asking.result() if done else f"no answer within {DATABASE_WITHIN_S:.0f} s"
    if trouble is not None:
        response.status_code = 503
        reason = f"{_NO_DATABASE} ({trouble})."
        return Readiness(ready=False, database=trouble, trades=False, reason=reason)
    report = await trading.report()
    return Readiness(ready=True, database="ok", trades=report.trades, reason=report.reason)


async def _ask(database: Database) -> str | None:
    """What is wrong with the database, if anything."""
    try:
        async with database.read() as unit:
            await unit.scalar(sa.select(sa.literal(1)))
    except (sa.exc.SQLAlchemyError, OSError) as error:
        return type(error).__name__
    return None


@router.get("/metrics", include_in_schema=False)
async def metrics(
    registry: Annotated[CollectorRegistry, Depends(provided(CollectorRegistry))],
) -> Response:
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
