"""The rows of the intake, and the one query that turns a presented key into a strategy with its links.

Statements are built once: SQLAlchemy finds them compiled by identity, and an alert has milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from fillbook.accounts.core import Environment
from fillbook.accounts.tables import accounts
from fillbook.identity.tables import users
from fillbook.market.core import MarketType, VenueName
from fillbook.orders.tables import orders, strategy_order_logs, strategy_order_results
from fillbook.signals.tables import signal_deliveries, signal_keys, signals, webhook_logs
from fillbook.storage.unit import Unit
from fillbook.strategies.tables import strategies, strategy_accounts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """One account that an alert goes to. Whether it may trade now is decided when the order is planned."""

    strategy_account_id: int
    account_id: int
    user_id: int
    environment: Environment
    venue: VenueName


@dataclass(frozen=True, slots=True)
class SeenKey:
    """When an equal alert was last accepted, and as which signal."""

    first_seen_at: datetime
    signal_id: int


@dataclass(frozen=True, slots=True)
class IntakeStrategy:
    """What the intake needs to know of the strategy behind a key, and whether it has seen this alert."""

    id: int
    user_id: int | None
    name: str
    group_name: str
    key_prefix: str
    market_type: MarketType
    is_active: bool
    owner_is_active: bool
    dedupe_window_s: int
    max_age_s: int | None
    settings_version: int
    links: tuple[LinkedAccount, ...]
    seen: SeenKey | None


DEFAULT_DEDUPE_WINDOW_S = 30

_STRATEGY_BY_KEY = (
    sa.select(
        strategies.c.id,
        strategies.c.user_id,
        strategies.c.name,
        strategies.c.group_name,
        strategies.c.webhook_key_prefix,
        strategies.c.market_type,
        strategies.c.is_active,
        strategies.c.params,
        strategies.c.settings_version,
        users.c.is_active.label("owner_is_active"),
        users.c.suspended_at,
        strategy_accounts.c.id.label("link_id"),
        accounts.c.id.label("account_id"),
        accounts.c.user_id.label("account_user_id"),
        accounts.c.environment,
        accounts.c.exchange,
        signal_keys.c.first_seen_at,
        signal_keys.c.signal_id.label("seen_signal_id"),
    )
    .select_from(
        strategies.outerjoin(users, users.c.id == strategies.c.user_id)
        .outerjoin(
            strategy_accounts,
            sa.and_(
                strategy_accounts.c.strategy_id == strategies.c.id,
                strategy_accounts.c.is_active.is_(True),
                strategy_accounts.c.deleted_at.is_(None),
            ),
        )
        .outerjoin(
            accounts,
            sa.and_(accounts.c.id == strategy_accounts.c.account_id, accounts.c.deleted_at.is_(None)),
        )
        .outerjoin(
            signal_keys,
            sa.and_(
                signal_keys.c.strategy_id == strategies.c.id,
                signal_keys.c.hash == sa.bindparam("fingerprint"),
            ),
        )
    )
    .where(strategies.c.webhook_key == sa.bindparam("key_hash"), strategies.c.deleted_at.is_(None))
    .order_by(accounts.c.id)
)

_REMEMBER_KEY_AGAIN = (
    sa.update(signal_keys)
    .where(
        signal_keys.c.strategy_id == sa.bindparam("for_strategy"),
        signal_keys.c.hash == sa.bindparam("fingerprint"),
        signal_keys.c.signal_id == sa.bindparam("expected_signal"),
    )
    .values(first_seen_at=sa.bindparam("seen_at"), signal_id=sa.bindparam("seen_signal"))
)

_LOGGED_OF_ADDRESS = sa.select(sa.func.count()).where(
    webhook_logs.c.ip_address == sa.bindparam("address"),
    webhook_logs.c.created_at > sa.bindparam("since"),
    webhook_logs.c.strategy_id.is_(None),
)


async def strategy_of_key(unit: Unit, key_hash: str, fingerprint: str) -> IntakeStrategy | None:
    """The strategy behind a key's hash, with every link whose account still exists; `fingerprint` is the
    alert's (any text when there is none)."""
    rows = (await unit.execute(_STRATEGY_BY_KEY, {"key_hash": key_hash, "fingerprint": fingerprint})).all()
    if not rows:
        return None
    first = rows[0]
    params = first.params or {}
    return IntakeStrategy(
        id=first.id,
        user_id=first.user_id,
        name=first.name,
        group_name=first.group_name,
        key_prefix=first.webhook_key_prefix or "",
        market_type=MarketType(first.market_type),
        is_active=first.is_active,
        owner_is_active=first.user_id is None or (bool(first.owner_is_active) and first.suspended_at is None),
        dedupe_window_s=_seconds(params.get("dedupe_window_s"), DEFAULT_DEDUPE_WINDOW_S),
        max_age_s=_seconds(params.get("max_age_s"), None),
        settings_version=first.settings_version,
        links=tuple(_link(row) for row in rows if row.account_id is not None),
        seen=None if first.first_seen_at is None else SeenKey(first.first_seen_at, first.seen_signal_id),
    )


def _seconds(value: Any, default: T) -> int | T:
    """A number of seconds from a strategy's free parameters; what is none must not stop an alert."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def _link(row: sa.Row[Any]) -> LinkedAccount:
    return LinkedAccount(
        strategy_account_id=row.link_id,
        account_id=row.account_id,
        user_id=row.account_user_id,
        environment=Environment(row.environment),
        venue=VenueName(row.exchange),
    )


class LostRace(Exception):
    """An equal alert was accepted at the same instant."""


async def remember_key(
    unit: Unit, strategy_id: int, fingerprint: str, signal_id: int, seen: SeenKey | None
) -> None:
    """Note that this alert was accepted now.

    Of two equal ones at once the first wins: the other's insert violates the key (`IntegrityError`), or its
    update finds that somebody else was there (`LostRace`).
    """
    if seen is None:
        row = {
            "strategy_id": strategy_id,
            "hash": fingerprint,
            "first_seen_at": unit.now,
            "signal_id": signal_id,
        }
        await unit.insert_many(signal_keys, [row])
        return
    updated = await unit.execute(
        _REMEMBER_KEY_AGAIN,
        {
            "for_strategy": strategy_id,
            "fingerprint": fingerprint,
            "expected_signal": seen.signal_id,
            "seen_at": unit.now,
            "seen_signal": signal_id,
        },
    )
    if updated.rowcount != 1:
        raise LostRace


async def insert_signal(unit: Unit, row: dict[str, Any]) -> int:
    return await unit.insert(signals, row)


async def insert_deliveries(unit: Unit, signal_id: int, links: Sequence[LinkedAccount]) -> None:
    """One row per account that the strategy is linked to; a link that is switched off is no target."""
    await unit.insert_many(
        signal_deliveries,
        [
            {
                "signal_id": signal_id,
                "account_id": link.account_id,
                "strategy_account_id": link.strategy_account_id,
                "user_id": link.user_id,
                "environment": link.environment,
                "state": "new",
            }
            for link in links
        ],
    )


async def insert_webhook_log(unit: Unit, row: dict[str, Any]) -> None:
    await unit.insert_many(webhook_logs, [row])


async def logged_strangers(unit: Unit, address: str) -> int:
    """Rows that unknown keys from an address have left within the last minute."""
    since = unit.now - timedelta(minutes=1)
    found = await unit.execute(_LOGGED_OF_ADDRESS, {"address": address, "since": since})
    return int(found.scalar_one())


async def owner_of_signal(unit: Unit, signal_id: int) -> int | None:
    owner: int | None = await unit.scalar(sa.select(signals.c.user_id).where(signals.c.id == signal_id))
    return owner


_log, _result = strategy_order_logs.c, strategy_order_results.c
_LEGS_WITHOUT_ORDER: Final = (
    sa.select(_log.signal_id, _log.leg, _log.side, _log.id.label("log_id"))
    .join_from(strategy_order_logs, strategy_order_results, _result.log_id == _log.id)
    .join(signals, signals.c.id == _log.signal_id)
    .outerjoin(
        orders,
        sa.and_(
            orders.c.signal_id == _log.signal_id,
            orders.c.account_id == _result.account_id,
            orders.c.leg == _log.leg,
        ),
    )
    .where(
        _log.strategy_id == sa.bindparam("strategy"),
        _log.symbol == sa.bindparam("symbol"),
        _result.account_id == sa.bindparam("account"),
        signals.c.at <= sa.bindparam("at", type_=signals.c.at.type),
        orders.c.id.is_(None),
    )
    .order_by(signals.c.at.desc(), _log.id.desc())
    .limit(50)
)


async def legs_without_order(
    unit: Unit, strategy_id: int, account_id: int, symbol: str, at: datetime
) -> Sequence[sa.Row[Any]]:
    """Legs of signals up to a moment that an account had an order for, and has no row of it; newest first."""
    given = {"strategy": strategy_id, "account": account_id, "symbol": symbol, "at": at}
    return await unit.all(_LEGS_WITHOUT_ORDER, given)
