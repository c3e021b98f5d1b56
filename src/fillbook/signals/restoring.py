"""Gives orders back their signals: the one that asked for an order, where it is still here, or a restored one.

A restored signal says that it is one (`restored`), and as much as the order itself tells.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fillbook.market.core import Side
from fillbook.signals import store
from fillbook.signals.core.alert import SignalType
from fillbook.storage.unit import Unit

SENT_WITHIN: Final = timedelta(seconds=15)
"""How long after its signal an order may have reached the venue, by clocks that differ a little."""


@dataclass(frozen=True, slots=True)
class LostOrder:
    """An order that knows its strategy and its leg (as its client order id has it), and not its signal."""

    user_id: int
    account_id: int
    strategy_id: int | None
    symbol: str
    side: Side
    leg: str
    at: datetime
    closes: bool
    engine: str


@dataclass(frozen=True, slots=True)
class FoundSignal:
    """A signal for an order, and the order log of its leg; a restored signal has no log."""

    signal_id: int
    leg: str
    log_id: int | None


async def find_signal(unit: Unit, lost: LostOrder) -> FoundSignal | None:
    """The latest signal before the order whose leg on this account has no order."""
    if lost.strategy_id is None:
        return None
    candidates = await store.legs_without_order(
        unit, lost.strategy_id, lost.account_id, lost.symbol, lost.at + SENT_WITHIN
    )
    for row in candidates:
        if row.leg[-len(lost.leg) :].rjust(len(lost.leg), "0") == lost.leg and row.side == lost.side:
            return FoundSignal(row.signal_id, row.leg, row.log_id)
    return None


async def restore_signal(unit: Unit, lost: LostOrder, reason: str) -> FoundSignal:
    """Write a signal for an order whose own is lost, or never was."""
    kind = SignalType.CLOSE if lost.closes else SignalType[lost.side.name]
    row = {
        "user_id": lost.user_id,
        "strategy_id": lost.strategy_id,
        "exchange_at": lost.at,
        "at": unit.now,
        "symbol": lost.symbol,
        "side": lost.side,
        "signal_type": kind,
        "engine": lost.engine or None,
        "reason": reason[:200],
        "status": "done",
        "restored": True,
    }
    return FoundSignal(await store.insert_signal(unit, row), lost.leg.lstrip("0") or "0", None)
