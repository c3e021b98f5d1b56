"""What an alert's text would do, without doing it: what is understood, whether it would be accepted, and where.

Nothing is written and no repeat is remembered. How large an order would become is decided by the plan of each
account at its moment, from prices and positions that an explanation does not ask for.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.accounts.tables import accounts
from fillbook.kernel.errors import NotFound
from fillbook.kernel.scope import Scope
from fillbook.kernel.tokens import hash_token
from fillbook.signals.core.alert import Alert
from fillbook.signals.core.errors import AlertRefused, InvalidWebhookKey
from fillbook.signals.core.fingerprint import Verdict
from fillbook.signals.core.request import RawAlert, understand
from fillbook.signals.service import Intake
from fillbook.signals.store import IntakeStrategy, strategy_of_key
from fillbook.storage.unit import Unit
from fillbook.strategies.tables import strategies, strategy_accounts


@dataclass(frozen=True, slots=True)
class ReachedAccount:
    """An account of the person's that the alert would go to, and what already stands against it there."""

    account_id: int
    account_name: str
    environment: Environment
    obstacle: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """`refusal` is set when the alert would be refused; the rest is what could be found out up to there."""

    refusal: AlertRefused | None
    strategy_id: int | None = None
    symbol: str | None = None
    alert: Alert | None = None
    verdict: Verdict | None = None
    reached: tuple[ReachedAccount, ...] = ()


async def explain(
    intake: Intake, unit: Unit, scope: Scope, body: bytes, strategy_id: int | None
) -> Explanation:
    """Explain a text for one's own strategy: the one that is named, else the one whose key it carries.

    Raises `NotFound` for another person's strategy, by number or by key.
    """
    understood = understand(RawAlert(body, len(body), ""))
    fingerprint = understood.alert.fingerprint if understood.alert else ""
    key_hash = hash_token(understood.key or "")
    if strategy_id is not None:
        named = sa.select(strategies.c.webhook_key, strategies.c.user_id).where(
            strategies.c.id == strategy_id
        )
        row = await unit.one_or_none(named)
        if row is None or not scope.allows(row.user_id):
            raise NotFound("There is no such strategy.")
        key_hash = row.webhook_key or ""
    strategy = await strategy_of_key(unit, key_hash, fingerprint)
    if strategy is not None and not scope.allows(strategy.user_id):
        strategy = None
    if strategy is None:
        return Explanation(understood.refusal or _keyless(understood.key))
    try:
        alert, symbol = await intake.check(unit, understood, strategy)
    except AlertRefused as refusal:
        return Explanation(refusal, strategy.id, alert=understood.alert)
    verdict = intake.verdict_on(unit, alert, strategy)
    return Explanation(None, strategy.id, symbol, alert, verdict, await _reached(unit, scope, strategy))


def _keyless(key: str | None) -> AlertRefused:
    told = (
        "No strategy of yours has this webhook key." if key else "The text carries no webhook key in `token`."
    )
    return InvalidWebhookKey(
        f"{told} Choose the strategy that it is meant for, or put its key in.", ("token",)
    )


async def _reached(unit: Unit, scope: Scope, strategy: IntakeStrategy) -> tuple[ReachedAccount, ...]:
    rows = await unit.all(
        sa.select(
            accounts.c.id,
            accounts.c.user_id,
            accounts.c.name,
            accounts.c.environment,
            accounts.c.is_active,
            accounts.c.trading_state,
            strategy_accounts.c.is_active.label("link_is_active"),
        )
        .join(strategy_accounts, strategy_accounts.c.account_id == accounts.c.id)
        .where(strategy_accounts.c.id.in_([link.strategy_account_id for link in strategy.links]))
        .order_by(accounts.c.id)
    )
    return tuple(
        ReachedAccount(row.id, row.name, Environment(row.environment), _obstacle(row))
        for row in rows
        if scope.allows(row.user_id)
    )


def _obstacle(row: sa.Row[tuple[object, ...]]) -> str | None:
    if not row.is_active:
        return "account_inactive"
    if not row.link_is_active:
        return "link_inactive"
    return None if row.trading_state == "active" else f"account_{row.trading_state}"
