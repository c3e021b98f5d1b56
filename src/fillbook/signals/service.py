"""The intake: one transaction from a request to a signal that is written down, then a hint to whoever trades.

An alert is answered when its rows are committed, never when something has been done about it. Whatever is
refused is written down as well, so that the owner of the key can see why. An equal alert that comes twice at
the same instant loses the race on `signal_keys` and is judged once more, then as a repeat.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
import structlog

from fillbook.fleet.events import EventSignal, NewEvent, append_events
from fillbook.kernel.clock import Clock
from fillbook.kernel.ids import RowIds
from fillbook.kernel.money import ZERO
from fillbook.kernel.scope import Scope
from fillbook.kernel.tokens import hash_token
from fillbook.orders.order_logs import OrderLogView, open_order_logs, order_logs_of_signal
from fillbook.signals import store
from fillbook.signals.core.alert import Alert, LegKind, legs_to_json
from fillbook.signals.core.errors import (
    AlertRefused,
    GroupMismatch,
    InvalidWebhookKey,
    OwnerInactive,
    StrategyInactive,
)
from fillbook.signals.core.fingerprint import Verdict, judge
from fillbook.signals.core.masking import mask
from fillbook.signals.core.reading import MAX_BODY_BYTES
from fillbook.signals.core.request import RawAlert, Understood, understand
from fillbook.signals.ports import Wake, wake_nobody
from fillbook.signals.store import IntakeStrategy
from fillbook.signals.strangers import Strangers
from fillbook.signals.symbols import SymbolCatalogue
from fillbook.signals.tables import webhook_logs
from fillbook.signals.waiting import OutcomeBell
from fillbook.storage.partitions import ensure_partition
from fillbook.storage.unit import Database, Unit

WAIT_LIMIT_S: Final = 10.0
POLL_S: Final = 0.25
STRANGER_TEXT_LENGTH: Final = 256
_RACES_LIMIT: Final = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The alert is written down; `status` says whether it will be acted upon."""

    signal_id: int
    status: Verdict
    duplicate_of: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {"signal_id": self.signal_id, "status": self.status.value, "duplicate_of": self.duplicate_of}


@dataclass(frozen=True, slots=True)
class WaitedFor:
    """The order logs after waiting; `timed_out` when a leg was still running."""

    logs: tuple[OrderLogView, ...] = ()
    timed_out: bool = False


@dataclass(slots=True)
class Intake:
    database: Database
    clock: Clock
    row_ids: RowIds
    wake: Wake = wake_nobody
    bell: OutcomeBell = field(default_factory=OutcomeBell)
    wait_limit_s: float = WAIT_LIMIT_S
    events: EventSignal | None = None
    _strangers: Strangers = field(init=False)
    _catalogue: SymbolCatalogue = field(init=False)

    def __post_init__(self) -> None:
        self._strangers = Strangers(self.clock)
        self._catalogue = SymbolCatalogue(self.clock)

    async def accept(self, request: RawAlert) -> Accepted:
        """Write an alert down. Raises an `AlertRefused`, which is then written down as well.

        The work for a key that nobody has is the same hash and the same look-up as for a real one.
        """
        understood = understand(request)
        key_hash = hash_token(understood.key or "")
        if self._strangers.are_many(request.address):
            async with self.database.read() as unit:
                if await store.strategy_of_key(unit, key_hash, "") is None:
                    raise _unknown_key(understood)
        for race in range(_RACES_LIMIT):
            try:
                settled = await self.database.run(
                    lambda unit: self._settle(unit, request, understood, key_hash)
                )
                break
            except (sa.exc.IntegrityError, store.LostRace):
                if race == _RACES_LIMIT - 1:
                    raise
        if isinstance(settled, AlertRefused):
            raise settled
        return settled

    async def _settle(
        self, unit: Unit, request: RawAlert, understood: Understood, key_hash: str
    ) -> Accepted | AlertRefused:
        """Everything that one alert does to the database."""
        await ensure_partition(unit, webhook_logs, unit.now)
        fingerprint = understood.alert.fingerprint if understood.alert else ""
        strategy = await store.strategy_of_key(unit, key_hash, fingerprint)
        if strategy is None:
            return await self._turn_away(unit, request, understood, key_hash)
        log_id = self.row_ids.next()
        try:
            alert, symbol = await self.check(unit, understood, strategy)
        except AlertRefused as refusal:
            answer = _refusal_json(refusal, understood.key)
            await self._log(unit, log_id, request, understood, key_hash, strategy, answer, refusal)
            await self._tell(
                unit, strategy, "alert.refused", {"webhook_log_id": log_id, "code": refusal.code}
            )
            return refusal
        accepted = await self._record(unit, alert, symbol, strategy, log_id)
        answer = accepted.as_json()
        await self._log(unit, log_id, request, understood, key_hash, strategy, answer, accepted.status)
        await self._tell(unit, strategy, "signal.received", answer)
        return accepted

    async def _tell(self, unit: Unit, strategy: IntakeStrategy, type: str, data: dict[str, Any]) -> None:
        # A strategy without an owner is nobody's to tell of; None would tell everybody.
        if strategy.user_id is not None:
            await append_events(unit, [NewEvent(strategy.user_id, type, data)], self.events)

    async def check(self, unit: Unit, understood: Understood, strategy: IntakeStrategy) -> tuple[Alert, str]:
        """The alert and its unified symbol, if this strategy may act on it. Raises an `AlertRefused`."""
        if understood.refusal is not None:
            raise understood.refusal
        alert = understood.alert
        assert alert is not None, "what is not refused was understood"
        if alert.group_name != strategy.group_name:
            raise GroupMismatch(
                f"The key belongs to the group {strategy.group_name!r}, the alert names {alert.group_name[:100]!r}:"
                " put the right group_name into the alert, or use the other strategy's key.",
                ("group_name",),
            )
        if not strategy.owner_is_active or strategy.user_id is None:
            raise OwnerInactive("The owner of this strategy may not trade now: ask an administrator.")
        if not strategy.is_active:
            raise StrategyInactive(f"The strategy {strategy.name!r} is switched off: switch it on to use it.")
        venues = (link.venue for link in strategy.links)
        return alert, await self._catalogue.unify(unit, alert.symbol, strategy.market_type, venues)

    async def _record(
        self, unit: Unit, alert: Alert, symbol: str, strategy: IntakeStrategy, log_id: int
    ) -> Accepted:
        seen, verdict = strategy.seen, self.verdict_on(unit, alert, strategy)
        repeats = seen.signal_id if seen and verdict is Verdict.DUPLICATE else None
        signal_id = await store.insert_signal(
            unit, _signal_row(unit, alert, symbol, strategy, log_id, verdict, repeats)
        )
        if verdict is Verdict.ACCEPTED:
            await self._pass_on(unit, alert, symbol, strategy, log_id, signal_id)
        return Accepted(signal_id, verdict, repeats)

    def verdict_on(self, unit: Unit, alert: Alert, strategy: IntakeStrategy) -> Verdict:
        """Whether an alert that passed `check` would be acted upon now."""
        return judge(
            now=unit.now,
            sent_at=alert.sent_at,
            max_age_s=strategy.max_age_s,
            is_timed=alert.is_timed,
            first_seen_at=strategy.seen.first_seen_at if strategy.seen else None,
            window_s=strategy.dedupe_window_s,
        )

    async def _pass_on(
        self,
        unit: Unit,
        alert: Alert,
        symbol: str,
        strategy: IntakeStrategy,
        log_id: int,
        signal_id: int,
    ) -> None:
        """Write what the trading side works from: the key, a log per leg, a delivery per account."""
        await store.remember_key(unit, strategy.id, alert.fingerprint, signal_id, strategy.seen)
        reached = [link.account_id for link in strategy.links]
        await open_order_logs(
            unit,
            [
                {
                    "strategy_id": strategy.id,
                    "user_id": strategy.user_id,
                    "webhook_log_id": log_id,
                    "signal_id": signal_id,
                    "leg": leg.leg,
                    "symbol": symbol,
                    "side": leg.log_side,
                    "order_type": leg.kind.value,
                    "quantity": ZERO,
                    "price": leg.price,
                    "stop_price": leg.stop_price,
                    "execution_results": {},
                    "total_accounts": len(reached),
                }
                for leg in alert.legs
            ],
        )
        await store.insert_deliveries(unit, signal_id, strategy.links)
        if reached:
            unit.after_commit(lambda: self._hint(signal_id, reached))

    def _hint(self, signal_id: int, account_ids: list[int]) -> None:
        try:
            self.wake(signal_id, account_ids)
        except Exception:
            # The commit stands and polling finds it; a 5xx now would have the alert sent again.
            log.exception("wake_failed", signal_id=signal_id)

    async def _turn_away(
        self, unit: Unit, request: RawAlert, understood: Understood, key_hash: str
    ) -> AlertRefused:
        """A key that is nobody's: noted without what it might reveal, and not without end."""
        refusal = _unknown_key(understood)
        self._strangers.note(request.address)
        if await store.logged_strangers(unit, request.address) < Strangers.LOGGED_A_MINUTE:
            await self._log(
                unit,
                self.row_ids.next(),
                request,
                understood,
                key_hash,
                None,
                _refusal_json(refusal, understood.key),
                refusal,
            )
        return refusal

    async def _log(
        self,
        unit: Unit,
        log_id: int,
        request: RawAlert,
        understood: Understood,
        key_hash: str,
        strategy: IntakeStrategy | None,
        answer: dict[str, Any],
        outcome: AlertRefused | Verdict,
    ) -> None:
        refusal = outcome if isinstance(outcome, AlertRefused) else None
        text = mask(readable(request.body[:MAX_BODY_BYTES]), understood.key)
        if strategy is None or request.body_length > MAX_BODY_BYTES:
            text = text[:STRANGER_TEXT_LENGTH]
        judged = "rejected" if refusal else str(outcome)
        await store.insert_webhook_log(
            unit,
            {
                "id": log_id,
                "strategy_id": strategy.id if strategy else None,
                "user_id": strategy.user_id if strategy else None,
                "webhook_key": strategy.key_prefix if strategy else "",
                "webhook_key_hash": key_hash,
                "request_data": text,
                "request_length": request.body_length,
                "response_data": json.dumps(answer),
                "status": "unauthorised" if strategy is None else judged,
                "status_code": refusal.status if refusal else 200,
                "error_code": refusal.code if refusal else None,
                "error_message": mask(refusal.detail, understood.key) if refusal else None,
                "ip_address": request.address[:50],
                "created_at": unit.now,
            },
        )

    async def wait_for_outcome(self, accepted: Accepted) -> WaitedFor:
        """The order logs of a signal (of the first one, for a repeat) once all legs have ended, or at the limit."""
        signal_id = accepted.duplicate_of or accepted.signal_id
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self.wait_limit_s
        while True:
            try:
                logs = await self._logs_of(signal_id)
            except (sa.exc.SQLAlchemyError, OSError) as error:
                # The alert is written down: an error now would only have it sent again.
                log.warning("outcome_not_read", signal_id=signal_id, error=type(error).__name__)
                return WaitedFor(timed_out=True)
            if not any(one.is_processing for one in logs):
                return WaitedFor(logs)
            left_s = deadline_s - loop.time()
            if left_s <= 0:
                return WaitedFor(logs, timed_out=True)
            await self.bell.wait(signal_id, min(POLL_S, left_s))

    async def _logs_of(self, signal_id: int) -> tuple[OrderLogView, ...]:
        async with self.database.read() as unit:
            owner = await store.owner_of_signal(unit, signal_id)
            assert owner is not None, "a signal that was accepted has an owner"
            return tuple(await order_logs_of_signal(unit, signal_id, Scope.of(owner)))


def readable(body: bytes) -> str:
    """A body as text that every database stores."""
    return body.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _refusal_json(refusal: AlertRefused, key: str | None) -> dict[str, Any]:
    return {"code": refusal.code, "detail": mask(refusal.detail, key), "status": refusal.status}


def _unknown_key(understood: Understood) -> AlertRefused:
    """A body that cannot be read is told so even without a key: there was none to find in it."""
    if understood.key is None and understood.refusal is not None:
        return understood.refusal
    if understood.key is None:
        return InvalidWebhookKey(
            "The alert carries no webhook key: put it into the field `token`, or into the address as"
            " /api/webhook/<key>.",
            ("token",),
        )
    return InvalidWebhookKey(
        "No strategy has this webhook key. Copy the key again, or make a new one on the strategy's page.",
        ("token",),
    )


def _signal_row(
    unit: Unit,
    alert: Alert,
    symbol: str,
    strategy: IntakeStrategy,
    log_id: int,
    verdict: Verdict,
    repeats: int | None,
) -> dict[str, Any]:
    main = alert.main_leg
    has_accounts = bool(strategy.links)
    return {
        "user_id": strategy.user_id,
        "strategy_id": strategy.id,
        "webhook_log_id": log_id,
        "exchange_at": alert.sent_at,
        "at": unit.now,
        "symbol": symbol,
        "side": None if main.kind is LegKind.CANCEL_ALL_ORDER and main.side is None else main.log_side,
        "signal_type": alert.signal_type,
        "engine": "webhook",
        "reason": alert.reason[:200] if alert.reason else None,
        "timeframe": alert.timeframe,
        "price": main.price,
        "indicators": dict(alert.indicators),
        "confidence": alert.confidence,
        "meta": dict(alert.meta),
        "legs": legs_to_json(alert.legs),
        "dedupe_key": alert.fingerprint,
        "duplicate_of": repeats,
        "status": "done" if verdict is Verdict.ACCEPTED and not has_accounts else verdict.value,
        "settings_version": strategy.settings_version,
    }
