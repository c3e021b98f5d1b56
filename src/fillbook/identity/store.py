"""The rows of people: users, API tokens, the installation, idempotency keys. The only SQL of this domain."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fillbook.identity.core import ApiToken, Principal, Role, TokenScope, User
from fillbook.identity.tables import api_tokens, idempotency_keys, installation, users
from fillbook.kernel.scope import Scope
from fillbook.storage.scope import owned
from fillbook.storage.unit import Unit

_TOKEN_OWNER = (
    sa.select(
        api_tokens.c.id.label("token_id"),
        api_tokens.c.scopes,
        api_tokens.c.expires_at,
        api_tokens.c.revoked_at,
        users.c.id,
        users.c.username,
        users.c.role,
        users.c.is_active,
        users.c.suspended_at,
    )
    .join_from(api_tokens, users, users.c.id == api_tokens.c.user_id)
    .where(api_tokens.c.token_hash == sa.bindparam("token_hash"))
)


async def insert_user(unit: Unit, row: dict[str, Any]) -> int:
    return await unit.insert(users, row)


async def user_by_id(unit: Unit, user_id: int) -> User | None:
    row = await unit.one_or_none(sa.select(users).where(users.c.id == user_id))
    return None if row is None else _user(row)


async def user_by_login(unit: Unit, login: str) -> tuple[User, str | None] | None:
    """The user whose email or username this is, and the password hash."""
    name = login.strip()
    row = await unit.one_or_none(
        sa.select(users).where(sa.or_(users.c.email == name.lower(), users.c.username == name)).limit(1)
    )
    return None if row is None else (_user(row), row.password_hash)


async def login_is_taken(unit: Unit, email: str, username: str) -> bool:
    found = await unit.scalar(
        sa.select(users.c.id).where(sa.or_(users.c.email == email, users.c.username == username)).limit(1)
    )
    return found is not None


async def list_users(unit: Unit) -> list[User]:
    return [_user(row) for row in await unit.all(sa.select(users).order_by(users.c.id))]


async def update_user(unit: Unit, user_id: int, changes: dict[str, Any]) -> bool:
    result = await unit.execute(sa.update(users).where(users.c.id == user_id).values(**changes))
    return result.rowcount == 1


def _user(row: sa.Row[Any]) -> User:
    return User(
        id=row.id,
        email=row.email,
        username=row.username,
        name=row.name,
        role=Role(row.role),
        is_active=row.is_active,
        suspended_at=row.suspended_at,
        must_change_password=row.must_change_password,
        is_2fa_enabled=row.is_2fa_enabled,
        created_at=row.created_at,
    )


async def insert_token(unit: Unit, row: dict[str, Any]) -> int:
    return await unit.insert(api_tokens, row)


async def principal_of_token(unit: Unit, token_hash: str, now: datetime) -> Principal | None:
    row = (await unit.execute(_TOKEN_OWNER, {"token_hash": token_hash})).one_or_none()
    if row is None or row.revoked_at is not None or not row.is_active or row.suspended_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= now:
        return None
    return Principal(row.id, row.username, Role(row.role), _scopes(row.scopes), row.token_id)


async def list_tokens(unit: Unit, scope: Scope) -> list[ApiToken]:
    statement = sa.select(api_tokens).where(api_tokens.c.revoked_at.is_(None)).order_by(api_tokens.c.id)
    return [
        ApiToken(
            id=row.id,
            user_id=row.user_id,
            name=row.name,
            prefix=row.prefix,
            scopes=_scopes(row.scopes),
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            created_at=row.created_at,
        )
        for row in await unit.all(owned(statement, api_tokens, scope))
    ]


async def revoke_token(unit: Unit, scope: Scope, token_id: int) -> bool:
    statement = sa.update(api_tokens).where(api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
    result = await unit.execute(owned(statement, api_tokens, scope).values(revoked_at=unit.now))
    return result.rowcount == 1


async def touch_tokens(unit: Unit, token_ids: Sequence[int]) -> None:
    await unit.execute(
        sa.update(api_tokens).where(api_tokens.c.id.in_(token_ids)).values(last_used_at=unit.now)
    )


def _scopes(text: str) -> frozenset[TokenScope]:
    return frozenset(TokenScope(word) for word in text.split(",") if word)


async def read_installation_id(unit: Unit) -> str | None:
    found = await unit.scalar(sa.select(installation.c.installation_id))
    return None if found is None else str(found)


async def insert_installation_id(unit: Unit, installation_id: str) -> None:
    await unit.insert_if_new(installation, [{"id": 1, "installation_id": installation_id}])


async def claim_key(unit: Unit, user_id: int, key: str, request_hash: str) -> tuple[bool, sa.Row[Any]]:
    """Whether the key is new, and its row, locked."""
    statement = (
        sa.select(idempotency_keys)
        .where(idempotency_keys.c.user_id == user_id, idempotency_keys.c.key == key)
        .with_for_update()
    )
    known = await unit.one_or_none(statement)
    if known is not None:
        return False, known
    row = {"user_id": user_id, "key": key, "request_hash": request_hash}
    await unit.insert_if_new(idempotency_keys, [row])
    claimed = (await unit.execute(statement)).one()
    # Another process may have claimed it in between: then the row has that one's moment.
    return claimed.created_at == unit.now, claimed


async def keep_answer(unit: Unit, user_id: int, key: str, status_code: int, response: Any) -> None:
    await unit.execute(
        sa.update(idempotency_keys)
        .where(idempotency_keys.c.user_id == user_id, idempotency_keys.c.key == key)
        .values(status_code=status_code, response=response)
    )


async def drop_key(unit: Unit, user_id: int, key: str) -> None:
    await unit.execute(
        sa.delete(idempotency_keys).where(
            idempotency_keys.c.user_id == user_id,
            idempotency_keys.c.key == key,
            idempotency_keys.c.status_code.is_(None),
        )
    )


async def drop_keys_before(unit: Unit, moment: datetime) -> None:
    await unit.execute(sa.delete(idempotency_keys).where(idempotency_keys.c.created_at < moment))
